"""How many events there were, by hour: counted once, and from then on only where something new was listed.

Counting a month of many changes takes a few hundred milliseconds, so it is kept. What is kept ends a little before the
newest event; whether it still holds is seen from how many versions begin and end in it and when: a clock that
stepped back, versions that retention dropped, a cloud that was removed or a past that was put in front all show there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from store.estate.reading.changes import Span, events, moved
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.relation import literal, quoted
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

HOUR = timedelta(hours=1)
# Listings of several clouds and regions run at once, so versions may still begin somewhat before the newest.
_UNSETTLED = timedelta(hours=2)
EVERYTHING = Scope()
_END = datetime(9999, 1, 1)
_TICK = timedelta(microseconds=1)
_HOURS = 8  # single hours of a type whose events are kept by their times


@dataclass(frozen=True, slots=True)
class Count:
    """So many events of a kind in the hour that begins then (naive UTC), in one cloud and region."""

    hour: datetime
    cloud: str
    region: str
    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class _At:
    """So many events at one time, in one cloud and region."""

    happened: datetime
    cloud: str
    region: str
    number: int


@dataclass(slots=True)
class _Kept:
    """Counts of one type: `settled` of events from `since` on and before `through`, `live` of those since then."""

    version: int
    newest: datetime | None
    since: datetime
    through: datetime
    proof: tuple[Any, ...] = ()
    settled: list[Count] = field(default_factory=list)
    live: list[Count] = field(default_factory=list)


class Counts:
    """Counts of all types of one estate. Thread-safe; a type is counted by one thread at a time."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._latest: dict[str, tuple[int, datetime | None]] = {}
        self._hours: dict[str, tuple[int, dict[datetime, list[_At]]]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def of(
        self, connection: duckdb.DuckDBPyConnection, type: ResourceType, version: int, since: datetime
    ) -> list[Count]:
        """Counts of the type by hours, from that of `since` (naive UTC) on.

        version  the type's data version, read before the connection's transaction began
        """
        since = hour_of(since)
        with self._of_type(type):
            kept = self._kept.get(type.name)
            if kept is None or kept.version != version or kept.since > since:
                kept = self._kept[type.name] = _counted(connection, type, version, since, kept)
            return [count for count in (*kept.settled, *kept.live) if count.hour >= since]

    def within_hour(
        self, connection: duckdb.DuckDBPyConnection, type: ResourceType, version: int, part: Span, scope: Scope
    ) -> int:
        """Number of the type's events within a part of one hour; the events of a few hours are kept by their times."""
        hour = hour_of(part.since + _TICK)
        with self._of_type(type):
            before, hours = self._hours.get(type.name, (version, {}))
            if before != version or len(hours) > _HOURS:
                hours = {}
            self._hours[type.name] = (version, hours)
            if hour not in hours:
                sql, parameters = events(type, Span(hour - _TICK, hour + HOUR - _TICK))
                grouped = f"SELECT happened, cloud, region, count(*) FROM ({sql}) GROUP BY ALL"
                hours[hour] = [_At(*row) for row in run(connection, grouped, parameters).fetchall()]
            counted = [
                Count(hour, one.cloud, one.region, "", one.number)
                for one in hours[hour]
                if part.since < one.happened <= part.until
            ]
        return sum(count.number for count in within(counted, scope, hour, hour + HOUR))

    def newest(self, connection: duckdb.DuckDBPyConnection, type: ResourceType, version: int) -> datetime | None:
        """When a version of the type last began or ended (naive UTC); None when there is none."""
        with self._of_type(type):
            known = self._latest.get(type.name)
            if known is None or known[0] != version:
                known = self._latest[type.name] = (version, _newest(connection, type))
            return known[1]

    def _of_type(self, type: ResourceType) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(type.name, threading.Lock())


def _counted(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, version: int, since: datetime, before: _Kept | None
) -> _Kept:
    newest = _newest(connection, type)
    if newest is None or newest < since:
        return _Kept(version, newest, since, since)
    through = max(since, hour_of(newest) - _UNSETTLED)
    if (
        before is not None
        and before.since <= since
        and before.through > since
        and before.proof == _proof(connection, type, before.through)
    ):
        since, settled = before.since, [*before.settled]
        through = max(through, before.through)
        if through > before.through:
            settled += count(connection, type, Span(before.through - _TICK, through - _TICK))
    else:
        settled = count(connection, type, Span(since - _TICK, through - _TICK)) if through > since else []
    live = count(connection, type, Span(through - _TICK, _END))
    return _Kept(version, newest, since, through, _proof(connection, type, through), settled, live)


def _newest(connection: duckdb.DuckDBPyConnection, type: ResourceType) -> datetime | None:
    row = connection.execute(f"SELECT greatest(max(valid_from), max(valid_to)) FROM {quoted(type.table)}").fetchone()
    return row[0] if row else None


def _proof(connection: duckdb.DuckDBPyConnection, type: ResourceType, through: datetime) -> tuple[Any, ...]:
    """What moves when a version begins or ends otherwise before `through`."""
    parts = ", ".join(
        f"count(*) FILTER ({name} < {limit}), sum(epoch_us({name})) FILTER ({name} < {limit})"
        for name in ("valid_from", "valid_to")
        for limit in (literal(through),)
    )
    return connection.execute(f"SELECT {parts} FROM {quoted(type.table)}").fetchone() or ()


def count(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, span: Span, scope: Scope = EVERYTHING
) -> list[Count]:
    """Count the events of a type within the span and the scope now."""
    if not moved(connection, [type], span):
        return []
    sql, parameters = events(type, span, scope)
    rows = run(
        connection,
        "SELECT date_trunc('hour', happened) AS hour, cloud, region, kind, count(*) FROM"
        f" ({sql}) GROUP BY ALL ORDER BY ALL",
        parameters,
    ).fetchall()
    return [Count(*row) for row in rows]


def hour_of(at: datetime) -> datetime:
    """The beginning of its hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def within(counts: Iterable[Count], scope: Scope, since: datetime, until: datetime) -> list[Count]:
    """Counts of hours that begin from `since` on and before `until`, in clouds and regions of the scope.

    Only for a scope without projects and domains: which ones events belong to was not counted.
    """
    clouds = [set(names) for names in (scope.clouds, scope.in_clouds) if names is not None]
    regions = None if scope.in_regions is None else {"", *scope.in_regions}
    return [
        count
        for count in counts
        if since <= count.hour < until
        and all(count.cloud in names for names in clouds)
        and (regions is None or count.region in regions)
    ]


def narrowed(counts: Iterable[Count], span: Span, wanted: int) -> Span:
    """The newest part of the span that has at least `wanted` events, by counts of the hours that lie wholly in it."""
    by_hour: dict[datetime, int] = {}
    for count in counts:
        if count.hour + HOUR <= span.until:
            by_hour[count.hour] = by_hour.get(count.hour, 0) + count.number
    total = 0
    for hour in sorted(by_hour, reverse=True):
        total += by_hour[hour]
        if total >= wanted:
            return Span(max(span.since, hour - _TICK), span.until)
    return span
