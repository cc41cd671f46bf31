"""The room put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter

from engine.access.service import AccessService
from engine.clouds.quota import LiveQuota
from engine.inventory.kept import Kept
from engine.inventory.reads import InventoryReads
from engine.snapshots.compliance.course import Course
from engine.tenants import routes
from engine.tenants.drift_source import RoomDrift
from engine.tenants.service import TenantHealth

if TYPE_CHECKING:
    from engine.drift.service import DriftService
    from engine.settings.models import Settings


class TenantsRoom:
    """Tenant health and live quota."""

    def __init__(
        self,
        reads: InventoryReads,
        quota: LiveQuota,
        drift: DriftService,
        settings: Callable[[], Settings],
        course: Course,
    ) -> None:
        self._reads, self._drift, self._settings = reads, drift, settings
        self.health = TenantHealth(reads, settings, RoomDrift(drift), course)
        self._compliance = course.service
        self.quota = quota

    def routes(self, access: AccessService) -> list[APIRouter]:
        """The room's part of the API."""
        kept = Kept(
            lambda: (
                self._reads.estate.data_version(), self._drift.version, self._compliance.version(), self._settings()
            )
        )  # fmt: skip
        return [routes.routes(self._reads, self.health, self.quota, access, kept)]
