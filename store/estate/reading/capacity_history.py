"""How much there was at the end of each day, from the versions: every version counts from its beginning and no more
from its end, so one pass over a table gives all days, exactly as the listings of those days saw it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.capacity import NOW
from store.estate.reading.models import Scope
from store.estate.reading.order import Sql, run
from store.estate.reading.relation import Relation, literal, quoted
from store.types import registry

if TYPE_CHECKING:
    import duckdb

Place = tuple[str, str]  # (cloud, region)
_ALL = Scope()


@dataclass(frozen=True, slots=True)
class Series:
    """One place's values at the end of each day (the last: now); None before it was first listed."""

    place: Place
    first: datetime | None
    values: Mapping[str, Sequence[float | None]]


def days_of(now: datetime, days: int) -> list[date]:
    """The last `days` days in UTC, today last."""
    today = now.astimezone(UTC).date()
    return [today - timedelta(days=back) for back in range(days - 1, -1, -1)]


def ends(days: Sequence[date], now: datetime) -> list[datetime]:
    """The instant for which each day stands: its last microsecond, or now."""
    return [min(datetime.combine(day, time.max, UTC), now) for day in days]


def known_since(connection: duckdb.DuckDBPyConnection, type: str, scope: Scope = _ALL) -> dict[Place, datetime]:
    """Since when there are whole listings of the type, by (cloud, region), of the clouds and regions in the scope."""
    sql = """SELECT cloud, region, min(started_at) FROM listings
        WHERE type = ? AND kind = 'full' AND state IN ('ok', 'suspect', 'degraded') GROUP BY ALL"""
    return {
        (cloud, region): at.replace(tzinfo=UTC)
        for cloud, region, at in connection.execute(sql, [type]).fetchall()
        if all(chosen is None or cloud in chosen for chosen in (scope.clouds, scope.in_clouds))
        and (scope.in_regions is None or region == "" or region in scope.in_regions)
    }


def daily(
    connection: duckdb.DuckDBPyConnection,
    type: str,
    measures: Mapping[str, str],
    days: Sequence[date],
    now: datetime,
    scope: Scope,
    where: str = "true",
    parameters: Sequence[Any] = (),
) -> list[Series]:
    """The measures' values at the end of each day, by place.

    measures  name -> SQL over a version `t` of what one resource counts for: "1", "t.vcpus", "(t.status = 'x')::INT"
    where     further condition on `t`
    """
    relation = Relation(registry.ALL[type], NOW)  # names and limits are those of now
    inside, values = limits.condition(relation, scope)
    instants = ends(days, now)
    sums = ", ".join(f"sum(coalesce({sql}, 0))::DOUBLE AS {quoted(name)}" for name, sql in measures.items())
    back = ", ".join(f"-{quoted(name)} AS {quoted(name)}" for name in measures)
    names = ", ".join(f"sum({quoted(name)})" for name in measures)

    def moved(at: str, more: str) -> str:
        # Day 0 takes everything before it too; what begins at 24:00 sharp belongs to the next day.
        day = f"greatest(0, {at}::DATE - DATE '{days[0].isoformat()}')"
        return f"""SELECT t.cloud, t.region, {day} AS day, {sums} {relation.from_clause}
            WHERE {at} <= {literal(now)} AND ({where}) AND ({inside}) {more} GROUP BY ALL"""

    sql = f"""SELECT cloud, region, day, {names} FROM (
            ({moved("t.valid_from", "")})
            UNION ALL BY NAME
            SELECT cloud, region, day, {back} FROM ({moved("t.valid_to", "AND t.valid_to IS NOT NULL")}))
        GROUP BY ALL"""
    rows = run(connection, sql, [*parameters, *values] * 2).fetchall()
    return _series(rows, list(measures), instants, known_since(connection, type, scope))


def _series(
    rows: Sequence[tuple[Any, ...]], names: Sequence[str], instants: Sequence[datetime], first: Mapping[Place, datetime]
) -> list[Series]:
    changes: dict[Place, dict[int, tuple[float, ...]]] = {}
    for cloud, region, day, *sums in rows:
        changes.setdefault((cloud, region), {})[min(day, len(instants) - 1)] = tuple(value or 0.0 for value in sums)
    found = []
    for place in sorted({*changes, *first}):
        begun = first.get(place)
        running = [0.0] * len(names)
        values: dict[str, list[float | None]] = {name: [] for name in names}
        for index, instant in enumerate(instants):
            moved = changes.get(place, {}).get(index)
            if moved:
                running = [value + change for value, change in zip(running, moved, strict=True)]
            for name, value in zip(names, running, strict=True):
                values[name].append(None if begun is None or begun > instant else value)
        found.append(Series(place, begun, values))
    return found


def created(connection: duckdb.DuckDBPyConnection, type: str, days: Sequence[date], scope: Scope) -> list[int]:
    """How many resources were made on each day, by the cloud's own date, also those that are gone since."""
    relation = Relation(registry.ALL[type], NOW)
    inside, values = limits.condition(relation, scope)
    sql = f"""SELECT made::DATE, count(*) FROM (
            SELECT min(t.created_at) AS made {relation.from_clause}
            WHERE t.created_at IS NOT NULL AND ({inside}) GROUP BY t.cloud, t.region, t.id)
        WHERE made >= {literal(datetime.combine(days[0], time(), UTC))} GROUP BY ALL"""
    counted = dict(run(connection, sql, values).fetchall())
    return [counted.get(day, 0) for day in days]


def sampled(
    connection: duckdb.DuckDBPyConnection, metrics: Sequence[str], days: Sequence[date], scope: Scope, type: str
) -> dict[tuple[str, str, str, str], dict[date, dict[str, float]]]:
    """Measurements by the day: (cloud, region, type, id) -> day -> metric -> the day's mean."""
    sql, values = _sampled(metrics, days, scope, type)
    found: dict[tuple[str, str, str, str], dict[date, dict[str, float]]] = {}
    for cloud, region, of, id, metric, day, mean in run(connection, sql, values).fetchall():
        found.setdefault((cloud, region, of, id), {}).setdefault(day, {})[metric] = mean
    return found


def sampled_means(
    connection: duckdb.DuckDBPyConnection, metric: str, days: Sequence[date], scope: Scope, type: str
) -> list[float | None]:
    """Of each day the mean of one metric over all resources of the type, each by its own mean of the day."""
    sql, values = _sampled([metric], days, scope, type)
    means = dict(run(connection, f"SELECT day, avg(mean) FROM ({sql}) GROUP BY day", values).fetchall())
    return [means.get(day) for day in days]


def _sampled(metrics: Sequence[str], days: Sequence[date], scope: Scope, type: str) -> Sql:
    parts, values = ["list_contains(?, metric)", "type = ?"], [list(metrics), type]
    for column, wanted in (("cloud", scope.clouds), ("cloud", scope.in_clouds), ("region", scope.in_regions)):
        if wanted is not None:
            parts.append(f"list_contains(?::VARCHAR[], {column})")
            values.append(list(wanted))
    inside, start = " AND ".join(parts), literal(datetime.combine(days[0], time(), UTC))
    sql = f"""SELECT cloud, region, type, id, metric, day, sum(total) / sum(n) AS mean FROM (
            SELECT cloud, region, type, id, metric, taken_at::DATE AS day, sum(value) AS total, count(*) AS n
            FROM samples WHERE taken_at >= {start} AND {inside} GROUP BY ALL
            UNION ALL BY NAME
            SELECT cloud, region, type, id, metric, hour::DATE AS day, sum(total) AS total, sum(count) AS n
            FROM samples_hourly WHERE hour >= {start} AND {inside} GROUP BY ALL)
        GROUP BY ALL"""
    return sql, values * 2
