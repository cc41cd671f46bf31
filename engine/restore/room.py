"""The room put together: its services, begun and closed as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from engine.access.models import ENGINE, Caller
from engine.access.service import AccessService
from engine.inventory.reads import InventoryReads, scope_of
from engine.restore import documented, routes, rules
from engine.restore.bulk.room import BulkRoom
from engine.restore.cleaning import Cleaner
from engine.restore.desk import Desk
from engine.restore.keeping import Keeping
from engine.restore.planning.dry_run import render
from engine.restore.plans import Plans
from engine.restore.protection import Protection
from engine.restore.records import Records, is_safety
from engine.restore.runner import KIND, RestoreRunner
from engine.restore.service import RestoreService
from engine.restore.steps.watching import Watcher
from engine.restore.steps.work import Kit
from engine.restore.storage import Storage
from store.types import registry

if TYPE_CHECKING:
    from engine.api.changes import ChangeFeed
    from engine.audit.service import AuditService
    from engine.gate.service import Gate
    from engine.jobs.service import JobService
    from engine.restore.sources import Planning
    from engine.settings.models import Settings
    from engine.snapshots.policies.service import PolicyService
    from store.ops.ops import Ops

MOST_RECENT = 50  # restores that the list of problems looks at, beside those that left something
# Types that a restore may change, to be collected again when it has ended.
TOUCHED = ("server", "volume", "port", "snapshot", "image", "floating_ip")


class RestoreRoom:
    """Restores: planned, carried out as jobs, cleaned up after, and what is kept of what they replaced."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        feed: ChangeFeed,
        reads: InventoryReads,
        jobs: JobService,
        gate: Gate,
        planning: Planning,
        policies: PolicyService,
        settings: Callable[[], Settings],
        clouds: Callable[[], Sequence[str]],
        regions: Callable[[str], Sequence[str]],
        recollect: Callable[[str, str, tuple[str, ...]], object],
        records: Records,
    ) -> None:
        """`regions(cloud)`: [] when unknown; `recollect(cloud, region, types)`: these lists have changed."""
        self._reads, self._feed, self._recollect = reads, feed, recollect

        def clock() -> datetime:
            return reads.clock()

        self.plans, self.records = Plans(ops, clock), records
        self.service = RestoreService(
            ops, audit, self.plans, records, planning, jobs, gate, settings, self.visible, self._changed, render, clock
        )
        self.keeping = Keeping(ops, audit, records, self.plans, gate, gate.windows, self.visible, self._changed, clock)
        self.bulk = BulkRoom(
            ops,
            audit,
            feed,
            reads,
            self.plans,
            self.service,
            planning,
            jobs,
            gate.windows,
            settings,
            self.visible,
            clock,
        )
        cleaner, storage = Cleaner(records, gate, clock), Storage(records, gate)
        self.desk = Desk(self.service, cleaner, storage, self.keeping, planning, reads, gate.windows, clouds, regions)
        kit = Kit(
            gate, records, Watcher(gate.reader), planning, Protection(policies),
            lambda cloud: rules.at(settings(), cloud), clock,
        )  # fmt: skip
        jobs.register(KIND, RestoreRunner(kit, self._ended, self.service.retry_job))

    def begin(self) -> None:
        """Start what works by itself."""
        self.keeping.begin()
        self.bulk.begin()

    def close(self) -> None:
        """End it."""
        self.bulk.close()
        self.keeping.close()

    def routes(self, access: AccessService) -> list[APIRouter]:
        """The room's part of the API."""
        return [documented.routes(self.desk, access), routes.routes(self.desk, access), self.bulk.routes(access)]

    def concerns(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, list[str]]]:
        """(restores that were carried out, newest first; what is kept; {restore: types of what it left}): for the list
        of problems."""
        left: dict[str, list[str]] = {}
        for row in (row for row in self.records.left() if not is_safety(row)):
            left.setdefault(row["job_id"], []).append(row["type"])
        restores = self.service.recent(ENGINE, MOST_RECENT, list(left))
        over = {one["id"] for one in restores if one["finished_at"] is not None}
        return restores, self.keeping.page(ENGINE), {id: types for id, types in left.items() if id in over}

    def visible(self, caller: Caller, cloud: str, project_id: str) -> bool:
        """Whether the caller's role covers a project; of a domain only as far as its projects are known."""
        if caller.clouds is not None and cloud not in caller.clouds:
            return False
        if caller.projects is not None and project_id not in caller.projects:
            return False
        if caller.domains is None:
            return True
        found = self._reads.keys(registry.ALL["project"], project_id, None, scope_of(caller, [cloud]))
        return bool(found)

    def _changed(self, id: str, cloud: str) -> None:
        self._feed.publish("restore", job=id, cloud=cloud)

    def _ended(self, job: dict[str, Any]) -> None:
        """A job is over: what it changed is listed anew, as after every change."""
        self.service.ended(job)
        self.bulk.wake()
        self.keeping.wake()
        if job["done"]:
            self._recollect(job["plan"]["cloud"], job["plan"]["region"], TOUCHED)
