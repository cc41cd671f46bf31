"""Compliance and restore points put together, for the room of snapshots."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.snapshots.compliance import documented, routes
from engine.snapshots.compliance.answers import Answers
from engine.snapshots.compliance.course import Course
from engine.snapshots.compliance.facts import Policies
from engine.snapshots.compliance.nightly import Nightly
from engine.snapshots.compliance.report import Reports
from engine.snapshots.compliance.service import ComplianceService
from engine.snapshots.compliance.trend import Trend
from engine.snapshots.points import Journal, Points

if TYPE_CHECKING:
    from fastapi import APIRouter

    from engine.access.service import AccessService
    from engine.audit.service import AuditService
    from engine.inventory.reads import InventoryReads
    from engine.settings.models import Settings
    from store.ops.ops import Ops


class ComplianceRoom:
    """`service` judges, `points` are what can be restored from, `course` is what was, `nightly` writes it down."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        reads: InventoryReads,
        policies: Policies,
        register: Journal,
        settings: Callable[[], Settings],
        home: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self._reads, self._audit, self._register = reads, audit, register
        self.service = ComplianceService(ops, reads, policies, clock)
        self.points = Points(reads, register)
        self.answers = Answers(self.service)
        self.trend = Trend(ops, self.service)
        self.course = Course(reads, self.service, self.trend)
        self.reports = Reports(self.answers, home / "reports", lambda: settings().reports.keep_days)
        self.nightly = Nightly(self.trend, self.reports, lambda: settings().reports, clock)

    def begin(self) -> None:
        """Start what works by itself."""
        self.nightly.begin()

    def close(self) -> None:
        """End it."""
        self.nightly.close()

    def routes(self, access: AccessService) -> list[APIRouter]:
        """Its part of the API."""
        return [
            documented.routes(self._reads, self.answers, self._register, access),
            routes.routes(self._reads, self.answers, self.trend, self.reports, self.points, access, self._audit),
        ]
