"""How compliance went: what was recorded, before that what the volumes' own metadata asked for, and now.

Of days that nobody judged only metadata and snapshots are known: a volume that asked for automatic snapshots counts as
kept when it had a usable one within so many days. Nothing better can be said of them afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from engine.snapshots.compliance.rules import Sums
from engine.snapshots.compliance.service import ComplianceService
from engine.snapshots.compliance.trend import Trend
from store.estate.reading import capacity_protection
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from engine.inventory.reads import InventoryReads

How = Literal["now", "recorded", "metadata"]


@dataclass(frozen=True, slots=True)
class Known:
    """Volumes of a day by the worst of their policies, and how that is known."""

    how: How
    volumes: Sums


class Course:
    """See the module. Blocks; safe on any thread."""

    def __init__(self, reads: InventoryReads, service: ComplianceService, trend: Trend) -> None:
        self._reads, self.service, self._trend = reads, service, trend

    def days(self, scope: Scope, dates: Sequence[date], now: datetime, window_days: int) -> list[Known | None]:
        """Each day, the last of them today; None where nothing is known. `window_days` is for days by metadata."""
        recorded = self._trend.days(scope, dates)
        earlier = self._reads.read(
            lambda connection: capacity_protection.kept_promises(connection, scope, dates, now, window_days)
        )
        found: list[Known | None] = []
        for day, kept in zip(recorded[:-1], earlier[:-1], strict=True):
            if day is not None:
                found.append(Known("recorded", day.volumes))
            elif kept is not None:
                governed, compliant = kept
                found.append(Known("metadata", Sums(compliant=compliant, missing=governed - compliant)))
            else:
                found.append(None)
        known = earlier[-1] is not None
        return [*found, Known("now", self.service.summary(scope).volumes) if known else None]
