"""What changed: recent changes, most changed, by period, one resource's history, deletions.

Everything is read from versions: see store.estate.reading.changes for what an event is. Blocks; safe on any thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from engine.access.models import Caller
from engine.history import rules
from engine.inventory.lineage import Lineage, none
from engine.inventory.reads import InventoryReads
from store.estate.reading import changes_counts, changes_most, changes_rows
from store.estate.reading.changes import Span
from store.estate.reading.changes_counts import HOUR, Count, Counts
from store.estate.reading.changes_rows import Event
from store.estate.reading.models import Scope
from store.times import naive
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
TICK = timedelta(microseconds=1)
Item = dict[str, Any]
Told = tuple[tuple[str, ...], str]  # fields that differ, and the change in words
_NOTHING: Told = ((), "")
MOST_SUMMARIES = 20_000  # differences of versions that are kept in memory: they never change
MOST_RECENT = 60  # lists of a type's newest changes that are kept while its data stays as it is


class Who(Protocol):
    """Who did it: fills `user` of changes that it knows the author of, and leaves null what is not known."""

    def __call__(self, caller: Caller, items: Sequence[Item]) -> None: ...


class HistoryService:
    """Changes of one estate."""

    def __init__(self, reads: InventoryReads) -> None:
        self.reads = reads
        self._counts = Counts()
        self._who: Who | None = None
        # What took the place of what (engine/restore/records.py).
        self.lineage: Lineage = none
        self._summaries: OrderedDict[tuple[Any, ...], Told] = OrderedDict()
        self._recent: OrderedDict[tuple[Any, ...], tuple[datetime, list[Item]]] = OrderedDict()
        self._lock = threading.Lock()

    def tell_who(self, who: Who) -> None:
        """Ask this from now on who did it. Until then `user` is null everywhere: no listing says who."""
        self._who = who

    def read(
        self, types: Iterable[ResourceType], work: Callable[[duckdb.DuckDBPyConnection, Mapping[str, int]], T]
    ) -> T:
        """`work(connection, data version of each type)` in one transaction; raises what InventoryReads.read raises."""
        versions = {type.name: self.reads.estate.data_version(type.name) for type in types}
        return self.reads.read(lambda connection: work(connection, versions))

    def counts(
        self,
        connection: duckdb.DuckDBPyConnection,
        types: Iterable[ResourceType],
        versions: Mapping[str, int],
        span: Span,
        scope: Scope,
    ) -> dict[str, list[Count]]:
        """Type -> counts of its events by the hour, of whole hours from that of `span.since` on."""
        since = changes_counts.hour_of(span.since + TICK)
        until = span.until + TICK
        found: dict[str, list[Count]] = {}
        for type in types:
            newest = self._counts.newest(connection, type, versions[type.name])
            if newest is None or newest < since:
                continue
            if not unnamed(scope):
                counted = changes_counts.count(
                    connection, type, Span(since - timedelta(microseconds=1), span.until), scope
                )
            else:
                known = self._counts.of(connection, type, versions[type.name], since)
                counted = changes_counts.within(known, scope, since, until)
            if counted:
                found[type.name] = counted
        return found

    # Documented answers

    def recent(self, caller: Caller, types: Sequence[ResourceType], scope: Scope, hours: int, limit: int) -> Item:
        """{changes, total_changes, period_hours, limit}: the newest changes of the last hours, deletions included."""
        now = naive(self.reads.clock())
        span = Span(now - timedelta(hours=hours), now)

        def work(connection: duckdb.DuckDBPyConnection, versions: Mapping[str, int]) -> tuple[int, list[Item]]:
            counts = self.counts(connection, types, versions, span, scope)
            total = self.total(connection, types, counts, versions, span, scope)
            found: list[Item] = []
            for type in types:
                if counts.get(type.name):
                    found += self._of_type(connection, type, counts, versions[type.name], span, scope, limit)
            found.sort(key=lambda item: item["recorded_at"], reverse=True)
            return total, found[:limit]

        total, items = self.read(types, work)
        self.attribute(caller, items)
        return {"changes": items, "total_changes": total, "period_hours": hours, "limit": limit}

    def _of_type(
        self,
        connection: duckdb.DuckDBPyConnection,
        type: ResourceType,
        counts: Mapping[str, Sequence[Count]],
        version: int,
        span: Span,
        scope: Scope,
        limit: int,
    ) -> list[Item]:
        """The newest changes of a type, kept while its data stays as it is."""
        names = tuple(self.reads.estate.data_version(name) for name in ("project", "domain"))
        place = (type.name, version, names, scope, limit)
        with self._lock:
            since, known = self._recent.get(place, (span.until, []))
        # They stay the newest until there is something new; what was left out of a full list is older than its last.
        if since > span.since and not (len(known) == limit and known[-1]["recorded_at"] > span.since):
            events = self.newest(connection, [type], counts, span, scope, limit)
            since, known = span.since, self.items(connection, events, scope)
        with self._lock:
            self._recent[place] = (since, known)
            self._recent.move_to_end(place)
            while len(self._recent) > MOST_RECENT:
                self._recent.popitem(last=False)
        return [dict(item) for item in known if item["recorded_at"] > span.since]

    def most_changed(self, types: Sequence[ResourceType], scope: Scope, hours: int, limit: int) -> Item:
        """{resources, total_resources, period_hours, limit}: by the number of versions recorded in the last hours."""
        now = naive(self.reads.clock())
        span = Span(now - timedelta(hours=hours), now)

        def work(connection: duckdb.DuckDBPyConnection, versions: Mapping[str, int]) -> tuple[int, list[Item]]:
            moved = [
                type
                for type in types
                if (newest := self._counts.newest(connection, type, versions[type.name])) and newest > span.since
            ]
            total, found = changes_most.most_changed(connection, moved, span, scope, limit)
            owners = changes_rows.names_of_projects(
                connection, [(one["cloud"], one["project_id"]) for one in found if one["project_id"]]
            )
            for one in found:
                one |= owner_of(owners, one["cloud"], one["project_id"])
            return total, found

        total, items = self.read(types, work)
        return {"resources": items, "total_resources": total, "period_hours": hours, "limit": limit}

    def by_timeframe(self, types: Sequence[ResourceType], scope: Scope, hours: int) -> Item:
        """{periods, bucket, since, until, total_changes, period_hours}: counts of every hour, or day if there are many.

        The first period begins where its hour or day does.
        """
        now = naive(self.reads.clock())
        found = self.periods(types, scope, Span(now - timedelta(hours=hours), now))
        return {**found, "period_hours": hours}

    def periods(self, types: Sequence[ResourceType], scope: Scope, span: Span) -> Item:
        """{periods, bucket, since, until, total_changes}: as `by_timeframe`, between two times.

        Whole hours or days, those that the span begins and ends in included.
        """
        bucket = rules.bucket_for(span.until - span.since)
        since = rules.start_of(bucket, span.since)
        whole = Span(since - TICK, span.until)
        counts = self.read(types, lambda c, versions: self.counts(c, types, versions, whole, scope))
        periods = rules.periods(counts, since, span.until, bucket)
        total = sum(period["total"] for period in periods)
        return {"periods": periods, "bucket": bucket, "since": since, "until": span.until, "total_changes": total}

    def timeline(
        self, caller: Caller, type: ResourceType, scope: Scope, days: int, limit: int, offset: int
    ) -> tuple[Item, int, list[Item]]:
        """({resource_type, days, since, until, timeline: counts by day}, number of changes, a page of them)."""
        now = naive(self.reads.clock())
        since = rules.start_of("hour", now - timedelta(days=days))
        span = Span(since - TICK, now)

        def work(connection: duckdb.DuckDBPyConnection, versions: Mapping[str, int]) -> tuple[Any, int, list[Item]]:
            counts = self.counts(connection, [type], versions, span, scope)
            events = self.newest(connection, [type], counts, span, scope, limit, offset)
            total = self.total(connection, [type], counts, versions, span, scope)
            return counts, total, self.items(connection, events, scope)

        counts, total, items = self.read([type], work)
        self.attribute(caller, items)
        by_day = rules.periods(counts, since, now, "day")
        for day in by_day:
            del day["by_type"]
        return (
            {"resource_type": type.name, "days": days, "since": since, "until": now, "timeline": by_day},
            total,
            items,
        )

    # What answers are made of

    def newest(
        self,
        connection: duckdb.DuckDBPyConnection,
        types: Sequence[ResourceType],
        counts: Mapping[str, Sequence[Count]],
        span: Span,
        scope: Scope,
        limit: int,
        offset: int = 0,
        kinds: Sequence[str] = (),
    ) -> list[Event]:
        """Some of the events within the span, newest first; looks no further back than it has to.

        kinds  of these kinds only; () is all
        """
        chosen = {
            type.name: [count for count in counts.get(type.name, ()) if not kinds or count.kind in kinds]
            for type in types
        }
        every = [count for of_type in chosen.values() for count in of_type]
        narrow = changes_counts.narrowed(every, span, limit + offset)
        moved = [type for type in types if any(count.hour + HOUR > narrow.since for count in chosen[type.name])]
        return changes_rows.newest(connection, moved, narrow, scope, limit, offset, kinds)

    def total(
        self,
        connection: duckdb.DuckDBPyConnection,
        types: Sequence[ResourceType],
        counts: Mapping[str, Sequence[Count]],
        versions: Mapping[str, int],
        span: Span,
        scope: Scope,
    ) -> int:
        """Number of events within the span; the hours in which it begins and ends count in part only."""
        first, last = changes_counts.hour_of(span.since + TICK), changes_counts.hour_of(span.until)
        total = 0
        for type in types:
            of_type = counts.get(type.name, ())
            edges = {first} if first <= span.since else set()
            newest = self._counts.newest(connection, type, versions[type.name]) if of_type else None
            if newest is not None and newest > span.until:
                edges.add(last)
            total += sum(count.number for count in of_type if count.hour not in edges)
            for hour in edges & {count.hour for count in of_type}:
                part = Span(max(span.since, hour - TICK), min(span.until, hour + HOUR - TICK))
                if unnamed(scope):
                    total += self._counts.within_hour(connection, type, versions[type.name], part, scope)
                else:
                    total += sum(one.number for one in changes_counts.count(connection, type, part, scope))
        return total

    def items(self, connection: duckdb.DuckDBPyConnection, events: Sequence[Event], scope: Scope) -> list[Item]:
        """Events as the API tells them."""
        changes_rows.describe(connection, events)
        # What led from one version to the next never changes again, so it is found once. A limited caller may not see
        # the one before; it is looked at anew for him.
        told = {number: self._known(event, scope) for number, event in enumerate(events)}
        missing = [number for number, known in told.items() if known is None]
        changes_rows.complete(connection, [events[number] for number in missing], scope)
        for number in missing:
            told[number] = self._keep(events[number], scope)
        owners = changes_rows.names_of_projects(
            connection, [(event.key[0], event.project_id) for event in events if event.project_id]
        )
        return [_item(event, owners, told[number] or _NOTHING) for number, event in enumerate(events)]

    def attribute(self, caller: Caller, items: Sequence[Item]) -> None:
        """Fill in who did it, where that is known."""
        if self._who is not None:
            self._who(caller, items)

    def _known(self, event: Event, scope: Scope) -> Told | None:
        if event.kind not in ("changed", "deleted"):
            return (), rules.sentence(event.kind, ())
        if scope.limited:
            return None
        place = (event.type.name, event.key, event.at, event.kind, event.hash)
        with self._lock:
            known = self._summaries.get(place)
            if known is not None:
                self._summaries.move_to_end(place)
            return known

    def _keep(self, event: Event, scope: Scope) -> Told:
        told = _told(event)
        if not scope.limited:
            with self._lock:
                self._summaries[event.type.name, event.key, event.at, event.kind, event.hash] = told
                while len(self._summaries) > MOST_SUMMARIES:
                    self._summaries.popitem(last=False)
        return told


def unnamed(scope: Scope) -> bool:
    """Whether no project or domain narrows the scope: then what was counted once for all is of use."""
    return not scope.limited and scope.in_projects is None


def _told(event: Event) -> Told:
    """Which fields differ, and what happened in words: of what is gone, what it was."""
    if event.kind == "deleted" and event.version is not None:
        return (), rules.gone(event.type, event.version)
    found = (
        [] if event.version is None or event.before is None else rules.summary(event.type, event.before, event.version)
    )
    return tuple(change["field"] for change in found), rules.sentence(event.kind, found)


def _item(event: Event, owners: Mapping[Any, Any], told: Told) -> Item:
    return {
        "resource_type": event.type.name,
        "resource_id": event.key[2],
        "resource_name": event.name,
        "project_id": event.project_id,
        **owner_of(owners, event.key[0], event.project_id),
        "cloud": event.key[0],
        "region": event.key[1],
        "change_type": event.kind,
        "recorded_at": event.at,
        "change_hash": event.hash,
        "changed_fields": list(told[0]),
        "change_description": told[1],
        "user": None,
    }


def owner_of(owners: Mapping[Any, Any], cloud: str, project_id: str | None) -> Item:
    """{project_name, domain_name} by what changes_rows.names_of_projects answered."""
    project, domain = owners.get((cloud, project_id), (None, None))
    return {"project_name": project, "domain_name": domain}
