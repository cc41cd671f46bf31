"""Restores of many machines put together: one service, one driver, begun and closed with the room of restores."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.restore.bulk.driving import Driver
from engine.restore.bulk.planning import Lines
from engine.restore.bulk.records import BulkRecords
from engine.restore.bulk.routes import routes
from engine.restore.bulk.service import BulkService

if TYPE_CHECKING:
    from datetime import datetime

    from engine.api.changes import ChangeFeed
    from engine.audit.service import AuditService
    from engine.inventory.reads import InventoryReads
    from engine.restore.plans import Plans
    from engine.restore.service import RestoreService
    from engine.restore.sources import Jobs, Planning, Windows
    from engine.settings.models import Settings
    from store.ops.ops import Ops


class BulkRoom:
    """See the module."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        feed: ChangeFeed,
        reads: InventoryReads,
        plans: Plans,
        restores: RestoreService,
        planning: Planning,
        jobs: Jobs,
        windows: Windows,
        settings: Callable[[], Settings],
        visible: Callable[[Caller, str, str], bool],
        clock: Callable[[], datetime],
    ) -> None:
        def changed(id: str) -> Any:
            feed.publish("restore", bulk=id)

        records = BulkRecords(ops, clock)
        self._driver = Driver(ops, audit, records, plans, restores, jobs, windows, changed, clock)
        self.service = BulkService(
            ops, audit, records, restores, Lines(restores, planning, reads), planning, jobs, windows, self._driver,
            settings, visible, changed, self._driver.wake, clock,
        )  # fmt: skip

    def begin(self) -> None:
        """Go on with what an earlier life left."""
        self._driver.begin()

    def close(self) -> None:
        """End it."""
        self._driver.close()

    def wake(self) -> None:
        """A restore has ended."""
        self._driver.wake()

    def routes(self, access: AccessService) -> APIRouter:
        """Its part of the API."""
        return routes(self.service, access)
