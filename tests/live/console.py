"""The collecting half of the engine in this process, and counts of what it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.access.models import Caller
from engine.audit.service import AuditService
from engine.clouds.service import CloudService
from engine.inventory.collect import CollectionService
from engine.inventory.collector.calls import Patience
from engine.settings.models import Settings
from store.estate.estate import Estate
from store.ops.ops import Ops
from store.types import registry

TESTER = Caller(name="tester", role="superadmin", via="embedded")


@dataclass(frozen=True)
class Versions:
    """How many versions the store holds, and how many of them are closed, by type."""

    all: dict[str, int]
    closed: dict[str, int]

    def since(self, before: Versions) -> dict[str, tuple[int, int]]:
        """(new versions, newly closed ones) of each type where there are any."""
        moved = {
            name: (count - before.all[name], self.closed[name] - before.closed[name])
            for name, count in self.all.items()
        }
        return {name: counts for name, counts in moved.items() if counts != (0, 0)}


class Console:
    """A store and a collector below a folder of the test's own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(mode=0o700, exist_ok=True)
        self.estate = Estate.open(home / "estate.duckdb")
        self.ops = Ops.open(home / "ops.sqlite")
        audit = AuditService(self.ops)
        self.clouds = CloudService(self.ops, Settings(), audit, self.estate)
        # Broken answers are broken for good here; waiting longer for them proves nothing more.
        patience = Patience(attempts=2, base=0.05, cap=0.1)
        self.collections = CollectionService(self.estate, self.clouds, Settings(), None, audit, patience=patience)

    def close(self) -> None:
        """Stop collecting and close both databases."""
        self.collections.close()
        self.estate.close()
        self.ops.close()

    def add(self, account: str, clouds_yaml: Path, name: str | None = None) -> str:
        """Add an account; the name of its cloud."""
        return str(self.clouds.add(TESTER, account, name, clouds_yaml)["name"])

    def collect(self, *types: str, full: bool = True) -> dict[str, dict[str, Any]]:
        """Collect the one cloud there is and wait; what came of each type, by type."""
        (asked,) = self.collections.start(TESTER, None, types or None, full)
        ended = self.collections.wait(asked["id"], 120)
        assert ended["ended_at"], f"the collection did not end: {ended}"
        return {row["type"]: row for row in ended["types"]}

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a query of the store answers."""
        with self.estate.reader() as reader:
            return reader.execute(sql, list(parameters)).fetchall()

    def current(self, type: str) -> list[str]:
        """Ids of the current rows of a type, one for each row."""
        table = registry.ALL[type].table
        return [row[0] for row in self.rows(f"SELECT id FROM {table} WHERE valid_to IS NULL ORDER BY id")]

    def versions(self) -> Versions:
        """Count all versions."""
        total, closed = {}, {}
        for name, type in registry.ALL.items():
            ((total[name], closed[name]),) = self.rows(f"SELECT count(*), count(valid_to) FROM {type.table}")
        return Versions(total, closed)

    def texts(self) -> Iterator[str]:
        """Every stored text: all columns of all tables of the estate, and of the operations database."""
        tables = self.rows("SELECT table_name FROM duckdb_tables() WHERE NOT internal")
        for (table,) in tables:
            for row in self.rows(f'SELECT t::VARCHAR FROM "{table}" t'):
                yield row[0]
        with self.ops.read() as connection:
            names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in names:
                for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"').fetchall():
                    yield str(tuple(row))

    def files(self) -> Iterator[tuple[Path, bytes]]:
        """Every file below the home, whole."""
        for path in sorted(self.home.rglob("*")):
            if path.is_file():
                yield path, path.read_bytes()


def write_entry(file: Path, name: str, auth: dict[str, str]) -> Path:
    """A clouds.yaml with one entry of the lab's region."""
    entry = {"region_name": "RegionOne", "interface": "public", "auth": auth}
    file.write_text(yaml.safe_dump({"clouds": {name: entry}}))
    file.chmod(0o600)
    return file
