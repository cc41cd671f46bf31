"""The compliance report: what changed in a period, what of it concerns access and exposure, and how far one can know.

It states facts and no verdict. "complete" means that every type was listed often enough for its changes to be seen: a
time in which nobody looked may hide what was changed and changed back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.access.models import Caller
from engine.history import rules
from engine.history.service import TICK, HistoryService, Item
from store import times
from store.estate.reading import changes_counts, changes_listings
from store.estate.reading.changes import Span
from store.estate.reading.changes_counts import HOUR, Count
from store.estate.reading.changes_listings import Watched
from store.estate.reading.models import Scope
from store.times import naive
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

DEFAULT = timedelta(days=30)
LISTED = 100  # changes of access and deletions that the report lists; it counts all
GAP_SECONDS = 86_400.0  # longer without a good listing, and a type's changes are not completely known
# Types whose changes decide who may do what, and what is reachable from where.
SENSITIVE = ("user", "group", "role", "role_assignment", "keypair", "security_group", "security_group_rule",
             "floating_ip", "router", "trunk")  # fmt: skip


class ComplianceReport:
    """Makes the report out of a history. Blocks; safe on any thread."""

    def __init__(self, history: HistoryService) -> None:
        self.history = history

    def of(self, caller: Caller, types: Sequence[ResourceType], scope: Scope, asked: Span) -> Item:
        """The report on the whole hours that the span touches."""
        now = naive(self.history.reads.clock())
        since = changes_counts.hour_of(asked.since)
        until = min(changes_counts.hour_of(asked.until - TICK) + HOUR, now)
        span = Span(since - TICK, until - TICK if until < now else until)

        def work(connection: duckdb.DuckDBPyConnection, versions: Mapping[str, int]) -> Item:
            counts = self.history.counts(connection, types, versions, span, scope)
            sensitive = [type for type in types if type.name in SENSITIVE]
            touching = self.history.newest(connection, sensitive, counts, span, scope, LISTED)
            gone = self.history.newest(connection, types, counts, span, scope, LISTED, kinds=("deleted",))
            return {
                "counts": counts,
                "watched": changes_listings.watched(connection, types, span, scope),
                "sensitive": self.history.items(connection, touching, scope),
                "deletions": self.history.items(connection, gone, scope),
            }

        found = self.history.read(types, work)
        for name in ("sensitive", "deletions"):
            self.history.attribute(caller, found[name])
        counts: Mapping[str, Sequence[Count]] = found["counts"]
        total = rules.totals(count for of_type in counts.values() for count in of_type)
        touching = [count for name in SENSITIVE for count in counts.get(name, ())]
        by_type = [_of_type(type, counts.get(type.name, ()), found["watched"]) for type in types]
        by_type = [one for one in by_type if one["total"] or one["clouds"]]
        remarks = [sentence for one in by_type for sentence in one["remarks"]]
        period = rules.periods(counts, since, until - TICK, "day")
        return {
            "period": {"start": times.text(since), "end": times.text(until)},
            "generated_at": times.text(now),
            "status": "no_data" if not by_type else "incomplete" if remarks else "complete",
            "summary": {**total, "resource_types": sum(1 for one in by_type if one["total"])},
            "by_type": by_type,
            "by_day": [{name: day[name] for name in day if name != "by_type"} for day in period],
            "access_changes": {"total": rules.totals(touching)["total"], "items": found["sensitive"]},
            "deletions": {"total": total["deleted"], "items": found["deletions"]},
            "remarks": remarks,
        }


def _of_type(type: ResourceType, counts: Sequence[Count], watched: Sequence[Watched]) -> Item:
    """Counts of a type, and how it was listed in each cloud and region that it was ever listed in."""
    mine = [one for one in watched if one.type == type.name]
    return {
        "resource_type": type.name,
        **rules.totals(counts),
        "clouds": [
            {
                "cloud": one.cloud,
                "region": one.region,
                "listings": one.listings,
                "failed": one.broken,
                "doubtful": one.doubtful,
                "longest_gap_seconds": one.gap,
            }
            for one in mine
        ],
        "remarks": [sentence for one in mine for sentence in _remarks(type, one)],
    }


def _remarks(type: ResourceType, one: Watched) -> list[str]:
    place = f"{type.plural.replace('_', ' ')} of {'/'.join(part for part in (one.cloud, one.region) if part)}"
    found: list[str] = []
    if not one.listings:
        found.append(f"{place} were never listed in this period: nothing is known of their changes")
    elif one.gap > GAP_SECONDS:
        found.append(
            f"{place} were not listed for {one.gap / 3600:.0f} h: what was changed and changed back, or came and "
            "went in that time was not seen"
        )
    if one.doubtful:
        found.append(f"{place}: {one.doubtful} listings missed so much that nothing was taken for deleted")
    return found
