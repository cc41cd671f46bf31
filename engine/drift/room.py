"""The room put together: its services, begun and closed as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import APIRouter

from engine.access.service import AccessService
from engine.drift import documented, routes
from engine.drift.asking import Asker
from engine.drift.decisions import Decisions
from engine.drift.deriving import Deriver
from engine.drift.owning import Jobs
from engine.drift.service import DriftService
from engine.drift.sources import Sources
from engine.inventory.reads import InventoryReads
from store.estate.errors import EstateError
from store.ops.errors import OpsError

if TYPE_CHECKING:
    from engine.api.changes import ChangeFeed
    from engine.audit.service import AuditService
    from engine.inventory.events_cloud import CloudLines
    from engine.settings.models import Settings
    from store.estate.estate import Estate
    from store.ops.ops import Ops

_log = structlog.get_logger("qdeck.drift")


class DriftRoom:
    """Drift: derived from the listings, judged by what people decided."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        feed: ChangeFeed,
        reads: InventoryReads,
        lines: CloudLines,
        settings: Callable[[], Settings],
        holding: Callable[[], bool] = lambda: False,
    ) -> None:
        """`holding`: whether history is just being put behind."""
        estate: Estate = reads.estate
        self.decisions = Decisions(ops, audit, lambda: self.service.moved(), clock=lambda: reads.clock())
        self.service = DriftService(reads, self.decisions, lambda version: feed.publish("drift", version=version))
        self.deriver = Deriver(
            estate, self.decisions, self._derived, holding, clock=lambda: reads.clock(),
            kept=lambda: timedelta(days=settings().collection.retention_days),
        )  # fmt: skip

        def budget() -> tuple[int, float]:
            now = settings()
            return now.drift.calls, now.collection.interval_minutes * 60.0

        self.sources = Sources(lambda: settings().drift.sources, lambda: reads.clock())
        self.asker = Asker(reads, lines, audit, Jobs(ops), budget, self.service.moved, self.sources)
        self.service.asks(self.asker.about)
        self.service.problems = self._problems

    def _problems(self) -> list[str]:
        """Sentences about what does not work just now."""
        derived = self.deriver.problem
        found = [f"drift of the newest listings is missing: {derived}"] if derived else []
        found += [f"a source of who did it cannot be read: {words}" for words in self.sources.problems.values()]
        return found

    def _derived(self) -> None:
        """Events are other than before: what our own jobs did is marked before anybody hears of it."""
        try:
            self.asker.expect()
        except (EstateError, OpsError) as error:
            _log.error("what our own jobs did was not marked", reason=str(error))
        self.service.moved()
        self.asker.wake()

    def begin(self) -> None:
        """Start what works by itself."""
        self.deriver.begin()
        self.asker.begin()

    def close(self) -> None:
        """End it."""
        self.deriver.close()
        self.asker.close()

    def routes(self, access: AccessService) -> list[APIRouter]:
        """The room's part of the API."""
        return [
            routes.routes(self.service, access),
            routes.records(self.take, access),
            documented.routes(self.service, access),
        ]

    def take(self, cloud: str, lines: Sequence[str | Mapping[str, Any]]) -> int:
        """Lines that a forwarder sends; answers how many were records of a change that were not known."""
        new = self.sources.take(cloud, lines)
        self.asker.known(new)
        return len(set(new))
