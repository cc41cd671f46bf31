"""The room put together: its services, begun and closed as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter

from engine.access.service import AccessService
from engine.drift import documented, routes
from engine.drift.decisions import Decisions
from engine.drift.deriving import Deriver
from engine.drift.service import DriftService
from engine.inventory.reads import InventoryReads

if TYPE_CHECKING:
    from engine.api.changes import ChangeFeed
    from engine.audit.service import AuditService
    from store.estate.estate import Estate
    from store.ops.ops import Ops


class DriftRoom:
    """Drift: derived from the listings, judged by what people decided."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        feed: ChangeFeed,
        reads: InventoryReads,
        holding: Callable[[], bool] = lambda: False,
    ) -> None:
        """`holding`: whether history is just being put behind."""
        estate: Estate = reads.estate
        self.decisions = Decisions(ops, audit, lambda: self.service.moved())
        self.service = DriftService(reads, self.decisions, lambda version: feed.publish("drift", version=version))
        self.deriver = Deriver(estate, self.decisions, self.service.moved, holding)

    def begin(self) -> None:
        """Start what works by itself."""
        self.deriver.begin()

    def close(self) -> None:
        """End it."""
        self.deriver.close()

    def routes(self, access: AccessService) -> list[APIRouter]:
        """The room's part of the API."""
        return [routes.routes(self.service, access), documented.routes(self.service, access)]
