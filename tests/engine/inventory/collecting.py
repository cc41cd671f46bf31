"""What tests of collections share: a demo cloud, a store, and a service that is in no mood to wait."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from engine.access.models import ENGINE
from engine.api.changes import ChangeFeed
from engine.audit.service import AuditService
from engine.clouds.service import CloudService
from engine.demo.launch import DemoCloud
from engine.inventory.collect import CollectionService
from engine.inventory.collector.calls import Patience
from engine.inventory.collector.tasks import Options
from engine.settings.models import Settings
from store.estate.estate import Estate
from store.ops.ops import Ops
from store.types import registry

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))

HASTY = Patience(attempts=3, timeouts=0, base=0.01, cap=0.05, after_cap=1.5)
SETTINGS = Settings.model_validate({"collection": {"connect_timeout_seconds": 5, "read_timeout_seconds": 5}})


@dataclass
class Bench:
    """Everything between a cloud and the store."""

    demo: DemoCloud
    estate: Estate
    clouds: CloudService
    collections: CollectionService
    feed: ChangeFeed
    audit: AuditService
    touched: set[str] = field(default_factory=set)  # types collected since somebody emptied it

    def collect(self, types: list[str] | None = None, *, full: bool = True, cloud: str = "demo") -> dict[str, Any]:
        """Collect and wait for the end; answers the collection with its types as a dict by name."""
        (started,) = self.collections.start(ENGINE, [cloud], types, full)
        ended = self.collections.wait(started["id"], 60)
        assert ended["ended_at"], ended
        everything = [name for name, type in registry.ALL.items() if not type.listing.on_demand]
        self.touched.update(types if types is not None else everything)
        return {**ended, "types": {row["type"]: row for row in ended["types"]}}

    def fault(self, kind: str, **rule: Any) -> None:
        """Set one of the demo cloud's switches."""
        self.demo.call("POST", "/faults", {"kind": kind, **rule})

    def repair(self) -> None:
        """Take all faults away."""
        self.demo.call("DELETE", "/faults")

    def versions(self, type: str) -> list[tuple[str, Any, Any]]:
        """(id, valid_from, valid_to) of all versions of a type, in order."""
        with self.estate.reader() as connection:
            return connection.execute(
                f'SELECT id, valid_from, valid_to FROM "{registry.ALL[type].table}" ORDER BY id, valid_from'
            ).fetchall()

    def current(self, type: str) -> dict[str, bytes]:
        """id -> hash of the current rows of a type."""
        with self.estate.reader() as connection:
            return dict(
                connection.execute(
                    f'SELECT id, hash FROM "{registry.ALL[type].table}" WHERE valid_to IS NULL ORDER BY id'
                ).fetchall()
            )

    def everything(self, *but: str) -> dict[str, list[tuple[str, Any, Any]]]:
        """All versions of all types but these: equal before and after means nothing was written."""
        return {name: self.versions(name) for name in registry.ALL if name not in but}

    def state(self, type: str, scope: str = "all") -> dict[str, Any]:
        """The store's state of a type."""
        (found,) = [s for s in self.estate.states("demo") if (s["type"], s["scope"]) == (type, scope)]
        return found


@contextmanager
def bench(
    tmp_path: Path,
    *,
    servers: int = 30,
    accounts: tuple[str, ...] = ("demo",),
    page: int = 0,
    demo: DemoCloud | None = None,
    **options: Any,
) -> Iterator[Bench]:
    """A demo cloud that changes only when told to, and what collects it. `page` makes pages that small."""
    tmp_path.mkdir(parents=True, exist_ok=True)
    own = demo is None
    demo = demo or DemoCloud.start(tmp_path / "demo", servers=servers, still=True)
    try:
        ops = Ops.open(tmp_path / "ops.sqlite")
        with Estate.open(tmp_path / "estate.duckdb", types=registry.ALL) as estate:
            audit, feed = AuditService(ops), ChangeFeed()
            clouds = CloudService(ops, SETTINGS, audit, estate)
            for account in accounts:
                clouds.add(ENGINE, account, file=demo.clouds_yaml)
            collections = CollectionService(
                estate, clouds, SETTINGS, feed, audit, patience=HASTY, options=Options(page=page, **options)
            )
            try:
                yield Bench(demo, estate, clouds, collections, feed, audit)
            finally:
                collections.close()
        ops.close()
    finally:
        if own:
            demo.stop()
