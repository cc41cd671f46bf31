"""The room put together: its services, begun and closed as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.dashboard import problems_routes, routes
from engine.dashboard.figures import Figures
from engine.dashboard.growing import Growing
from engine.dashboard.measuring import Measuring
from engine.dashboard.problems import Notes, ProblemService
from engine.dashboard.problems_sources import sources
from engine.dashboard.protecting import Protection
from engine.dashboard.utilisation import Measurements
from engine.inventory.kept import Kept
from engine.inventory.reads import InventoryReads
from engine.snapshots.compliance.course import Course

if TYPE_CHECKING:
    from engine.api.changes import ChangeFeed
    from engine.audit.service import AuditService
    from engine.clouds.service import CloudService
    from engine.jobs.service import JobService
    from engine.settings.models import Settings
    from store.ops.ops import Ops


class DashboardRoom:
    """Problems, and the figures of the first screen."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        feed: ChangeFeed,
        reads: InventoryReads,
        clouds: CloudService,
        jobs: JobService,
        notes: Notes,
        settings: Callable[[], Settings],
        home: Path,
        course: Course,
    ) -> None:
        found = sources(reads, clouds, jobs, settings, home)
        self.problems = ProblemService(ops, audit, found, notes, lambda: feed.publish("problems"))
        self._reads, self._settings = reads, settings
        self.measurements = Measurements(reads, lambda: settings().metrics)
        self.measuring = Measuring(
            reads, clouds, self.measurements, lambda: settings().metrics, lambda: feed.publish("metrics")
        )
        self.figures = Figures(reads, self.measurements, self._alerts)
        self.protection = Protection(reads, settings, course)
        self._compliance = course.service
        self.growing = Growing(reads, self.measurements, self.figures)

    def begin(self) -> None:
        """Start what works by itself."""
        self.problems.begin()
        self.measuring.begin()

    def close(self) -> None:
        """End it."""
        self.measuring.close()
        self.problems.close()

    def routes(self, access: AccessService) -> list[APIRouter]:
        """The room's part of the API."""
        kept = Kept(
            lambda: (
                self._reads.estate.data_version(), self.measurements.version, self._compliance.version(),
                self._settings(),
            )
        )  # fmt: skip
        figures = routes.routes(self._reads, self.figures, self.protection, self.growing, access, kept)
        return [problems_routes.routes(self.problems, access), figures]

    def _alerts(self, caller: Caller, cloud: str | None) -> Mapping[str, int]:
        return self.problems.page(caller, cloud=cloud, limit=1)["counts"]  # type: ignore[no-any-return]
