"""How well a period was watched: listings of each type, and the longest time in which nobody looked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.estate.reading.changes import Span
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.relation import literal
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Watched:
    """Listings of a type in one cloud and region within a span.

    listings  all that ended well; `broken`: those that failed, broke off or were not permitted
    doubtful  whole ones that missed so much that nothing was taken for gone
    gap       seconds of the longest time between two good ones, or from one to an end of the span
    """

    type: str
    cloud: str
    region: str
    listings: int
    broken: int
    doubtful: int
    gap: float


def watched(
    connection: duckdb.DuckDBPyConnection, types: Iterable[ResourceType], span: Span, scope: Scope
) -> list[Watched]:
    """What was listed within the span, of the clouds and regions of the scope; of every place that ever was listed."""
    names = [type.name for type in types]
    clouds = [list(chosen) for chosen in (scope.clouds, scope.in_clouds) if chosen is not None]
    where = ["list_contains(?, type)", *("list_contains(?, cloud)" for _ in clouds)]
    parameters: list[object] = [names, *clouds]
    if scope.in_regions is not None:
        where.append("list_contains(?, region)")
        parameters.append(["", *scope.in_regions])
    since, until = literal(span.since), literal(span.until)
    within = f"started_at > {since} AND started_at <= {until}"
    sql = f"""WITH mine AS (SELECT type, cloud, region, started_at, state FROM listings
            WHERE started_at <= {until} AND {" AND ".join(where)}),
        good AS (SELECT type, cloud, region, started_at FROM mine
            WHERE state IN ('ok', 'degraded', 'suspect') AND {within}),
        steps AS (SELECT type, cloud, region, started_at,
                lag(started_at, 1, {since}) OVER (PARTITION BY type, cloud, region ORDER BY started_at) AS before
            FROM good),
        gaps AS (SELECT type, cloud, region, max(epoch(started_at) - epoch(before)) AS gap, max(started_at) AS last
            FROM steps GROUP BY ALL)
        SELECT m.type, m.cloud, m.region,
            count(*) FILTER ({within} AND m.state IN ('ok', 'degraded', 'suspect')),
            count(*) FILTER ({within} AND m.state IN ('failed', 'partial', 'not_permitted')),
            count(*) FILTER ({within} AND m.state IN ('suspect', 'degraded')),
            greatest(coalesce(any_value(g.gap), 0),
                epoch({until}) - epoch(coalesce(any_value(g.last), {since})))
        FROM mine m LEFT JOIN gaps g ON g.type = m.type AND g.cloud = m.cloud AND g.region = m.region
        GROUP BY ALL ORDER BY ALL"""
    return [Watched(*row) for row in run(connection, sql, parameters).fetchall()]
