"""The room put together: its services, begun and closed as one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.inventory.reads import InventoryReads, scope_of
from engine.snapshots import operations, removing, standing_routes
from engine.snapshots.compliance.room import ComplianceRoom
from engine.snapshots.facts import Facts
from engine.snapshots.models import Volume
from engine.snapshots.policies import documented as policies_documented
from engine.snapshots.policies import routes as policies_routes
from engine.snapshots.policies.costs import Costs
from engine.snapshots.policies.desk import PolicyDesk
from engine.snapshots.policies.service import PolicyService
from engine.snapshots.policies.writing import MetadataWriter
from engine.snapshots.runs import documented, metadata_runner, routes
from engine.snapshots.runs.driving import KIND, Driver
from engine.snapshots.runs.metadata_jobs import MetadataJobs
from engine.snapshots.runs.pipeline import Pipeline
from engine.snapshots.runs.planning import Limits
from engine.snapshots.runs.reading import EstateReads, QuotaReads
from engine.snapshots.runs.records import Records
from engine.snapshots.runs.register import Register
from engine.snapshots.runs.runner import SnapshotRunner
from engine.snapshots.runs.service import RunService
from engine.snapshots.runs.timing import Timing
from engine.snapshots.standing import PolicyClouds
from engine.snapshots.volumes import volumes

if TYPE_CHECKING:
    from engine.api.changes import ChangeFeed
    from engine.audit.service import AuditService
    from engine.clouds.quota import LiveQuota
    from engine.clouds.service import CloudService
    from engine.gate.service import Gate
    from engine.inventory.collect import CollectionService
    from engine.jobs.service import JobService
    from engine.settings.models import Settings
    from store.ops.ops import Ops


class SnapshotsRoom:
    """Snapshot policies, the runs that make their restore points, and whether they hold."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        feed: ChangeFeed,
        reads: InventoryReads,
        clouds: CloudService,
        collections: CollectionService,
        jobs: JobService,
        gate: Gate,
        quota: LiveQuota,
        settings: Callable[[], Settings],
        recollect: Callable[[str, str, tuple[str, ...]], object],
        home: Path,
    ) -> None:
        """`recollect(cloud, region, types)`: these lists have changed."""
        self._reads, self._feed, self._gate, self._recollect = reads, feed, gate, recollect

        def clock() -> datetime:
            return reads.clock()

        self.standing = PolicyClouds(
            ops, audit, gate.windows, clouds.names, lambda cloud: feed.publish("snapshots", cloud=cloud), clock
        )
        clouds.on_remove(self.standing.forget)
        self.policies = PolicyService(
            ops, audit, reads, lambda: feed.publish("snapshots"), clock, lambda: settings().snapshots.timezone
        )
        self.register = Register(ops, clock)
        self.compliance = ComplianceRoom(ops, audit, reads, self.policies, self.register, settings, home, clock)
        self.records = Records(ops, clock)
        estate = EstateReads(reads, collections)
        self.driver = Driver(
            ops, audit, self.records, self.register, self.policies, estate, QuotaReads(quota), jobs, settings,
            self.forbidden, self._moved, lambda job: gate.release({}, job), clock,
        )  # fmt: skip
        self.timing = Timing(self.driver, clouds.names, clock, lambda now: self.pipeline.look(now))
        self.runs = RunService(
            ops, audit, self.records, self.policies, jobs, self.driver, self.timing, clouds.names, estate.regions,
            self._visible, self._moved, clock,
        )  # fmt: skip

        writer = MetadataWriter(self.policies, gate.perform, gate.ask)
        self.desk = PolicyDesk(self.policies)
        self.desk.writing = MetadataJobs(jobs, gate.windows.rules, self.forbidden).begin
        costs = Costs(self.register.own, quota.storage)
        self.desk.previewer.existing, self.desk.previewer.headroom = costs.existing, costs.headroom
        self.pipeline = Pipeline(
            ops, audit, self.runs, estate, estate, jobs, self._stale, clouds.names, self.forbidden,
            self._pipeline_moved, clock,
        )  # fmt: skip

        facts = Facts(reads, self.compliance.points, quota, gate.reaches, lambda cloud: gate.lends(cloud))
        gate.register(*operations.operations(facts, clock), *removing.operations(facts))

        def limits() -> Limits:
            now = settings().snapshots
            return Limits(now.batch_size, now.max_size_gb)

        jobs.register(
            KIND,
            SnapshotRunner(
                ops, self.records, self.register, self.policies, gate, limits, self._moved, self._job_ended, clock
            ),
        )

        moved = self.policies.moved
        jobs.register(
            metadata_runner.KIND, metadata_runner.MetadataRunner(writer, moved, lambda job: self.timing.wake())
        )

    def forbidden(self, cloud: str) -> str | None:
        """Why policies may not change the cloud now; None when they may."""
        if self._gate.windows.state(cloud)[0] or self.standing.enabled(cloud):
            return None
        return f"{cloud} is read-only, and policies may not work there: allow it with `qdeck snapshot enable {cloud}`"

    def begin(self) -> None:
        """Start what works by itself."""
        self.timing.begin()
        self.compliance.begin()

    def close(self) -> None:
        """End it."""
        self.compliance.close()
        self.timing.close()

    def routes(self, access: AccessService) -> list[APIRouter]:
        """The room's part of the API."""
        return [
            policies_routes.routes(self.desk, access),
            policies_documented.routes(self.desk, access),
            documented.routes(self.runs, self.pipeline, access),
            routes.routes(self.runs, access),
            standing_routes.routes(self.standing, access),
            *self.compliance.routes(access),
        ]

    def _visible(self, caller: Caller) -> list[Volume]:
        return volumes(self._reads, scope_of(caller))

    def _stale(self, found: list[Volume]) -> list[Volume]:
        """Volumes whose metadata do not say what was decided."""
        return [volume for volume, _ in self.policies.assignments(found)]

    def _pipeline_moved(self) -> None:
        self._feed.publish("snapshots", pipeline=True)
        self.timing.wake()

    def _moved(self, run_id: int, cloud: str) -> None:
        self._feed.publish("snapshots", run=run_id, cloud=cloud)

    def _job_ended(self, job: dict[str, Any]) -> None:
        """A run's job is over: what it made is listed, as after every change, and the run goes on."""
        if job["done"]:
            self._recollect(job["plan"]["cloud"], job["plan"]["region"], ("snapshot",))
        self.timing.wake()
