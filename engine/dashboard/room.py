"""The room put together: its services, begun and closed as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter

from engine.access.service import AccessService
from engine.dashboard import problems_routes
from engine.dashboard.problems import Notes, ProblemService
from engine.dashboard.problems_sources import sources
from engine.inventory.reads import InventoryReads

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
    ) -> None:
        found = sources(reads, clouds, jobs, settings, home)
        self.problems = ProblemService(ops, audit, found, notes, lambda: feed.publish("problems"))

    def begin(self) -> None:
        """Start what works by itself."""
        self.problems.begin()

    def close(self) -> None:
        """End it."""
        self.problems.close()

    def routes(self, access: AccessService) -> list[APIRouter]:
        """The room's part of the API."""
        return [problems_routes.routes(self.problems, access)]
