"""What the copilot is handed in an evaluation: a world's estate, its rooms' lists, and the rights of an asker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from copilot.answers import Key
from copilot.model import registry
from copilot.sources import NotAllowed
from engine.inventory.find import Finder
from engine.inventory.reads import InventoryReads
from store.estate.estate import Estate
from store.estate.reading.models import Scope
from store.types import registry as types
from tests.copilot.evaluation import estate as estates
from tests.copilot.evaluation.world import Row, World, key

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
_WATCHERS_ONLY = frozenset({"audit_record", "login", "console_user", "collection"})


@dataclass(slots=True)
class Fake:
    """`Sources` of a world; `scope` says what the asker may see."""

    world: World
    estate: Estate
    finder: Finder
    scope: Scope = field(default_factory=Scope)

    def may(self, entity: str) -> bool:
        """All resources, and all lists but a watcher's own."""
        return not (self.scope.limited and entity in _WATCHERS_ONLY)

    def read(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """On a reading connection."""
        with self.estate.reader() as connection:
            connection.execute("BEGIN TRANSACTION READ ONLY")
            try:
                return work(connection)
            finally:
                connection.execute("ROLLBACK")

    def version(self, type: str | None = None) -> int:
        """Nothing changes during an evaluation."""
        return self.estate.data_version(type)

    def data_at(self, types: Sequence[str]) -> datetime | None:
        """All was read three minutes ago."""
        return self.world.now - timedelta(minutes=3)

    def rows(self, entity: str) -> Sequence[Mapping[str, Any]]:
        """The list with the declared columns, within the asker's project."""
        if not self.may(entity):
            raise NotAllowed(f"Your role may not read {entity}.")
        names = registry.entity(entity).attributes
        return [{name: row.get(name) for name in names} for row in self.world.rooms.get(entity, ()) if self._sees(row)]

    def quota(self, project: Key) -> Mapping[str, Any]:
        """The project's quota."""
        if self.scope.projects is not None and project[2] not in self.scope.projects:
            raise NotAllowed("Your role may not read the quota of this project.")
        return {"items": self.world.quotas[project[0], project[2]]}

    def find(self, text: str, at: datetime | None = None) -> Mapping[str, Any]:
        """The app's find."""
        listed = [type for type in types.ALL.values() if not type.listing.on_demand]
        return self.finder.find(text, listed, at, self.scope, 50)

    def changes(
        self, since: datetime, until: datetime | None, key: tuple[str, Key] | None
    ) -> Sequence[Mapping[str, Any]]:
        """The world's events."""
        events = self.world.events(since, until or self.world.now)
        return [self._change(*event) for event in events if self._wanted(event[1], event[3], key)][:1000]

    def _wanted(self, type: str, row: Row, one: tuple[str, Key] | None) -> bool:
        return self._sees(row) and (one is None or (type == one[0] and key(row) == tuple(one[1])))

    def _change(self, at: datetime, type: str, kind: str, row: Row) -> Mapping[str, Any]:
        what = {"created": "created", "deleted": "deleted"}.get(
            kind, f"status {row.get('status')}, host {row.get('host')}"
        )
        name = row.get("name") or row.get("fixed") or row["id"]
        return {
            "at": at,
            "type": type,
            "key": key(row),
            "name": name,
            "project_name": row.get("project"),
            "what": what,
            "kind": kind,
            "actor": None,
        }

    def _sees(self, row: Row) -> bool:
        return self.scope.projects is None or row.get("project_id") in self.scope.projects

    def capacity(self) -> Sequence[Mapping[str, Any]]:
        """Sums of the hosts."""
        if self.scope.limited:
            raise NotAllowed("Your role may not read the capacity of clouds.")
        columns = {
            "vcpus": "vcpus",
            "vcpus_used": "vcpus_used",
            "ram_mb": "memory_mb",
            "ram_mb_used": "memory_used",
            "disk_gb": "local_gb",
            "disk_gb_used": "local_used",
        }
        return [
            {
                "cloud": cloud,
                **{
                    name: sum(h[own] for h in self.world.rows("hypervisor") if h["cloud"] == cloud)
                    for name, own in columns.items()
                },
            }
            for cloud, _ in self.world.style.clouds
        ]


@contextmanager
def opened(world: World, folder: Path) -> Iterator[Fake]:
    """The world's sources, its estate made in the folder."""
    with estates.fill(world, folder / f"{world.name}.duckdb") as estate:
        reads = InventoryReads(estate, clock=lambda: world.now)
        try:
            yield Fake(world, estate, Finder(reads))
        finally:
            reads.close()
