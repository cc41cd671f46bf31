"""What happened to the resources of a type: events made from the times at which versions begin and end.

A version that begins where one of the same resource ends is a change. One that begins after a gap says that the
resource is back; one before which there is none that it is new: `created`, or `discovered` when the resource itself
says that it is older than what was seen of it. A version that ends where none begins says that the resource is gone:
`deleted`. What a type's first whole listing found is the ground that changes are counted from, and no change.

An event happened between the listing that saw it and the one before; its time is when that listing began.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from store.estate.reading import limits
from store.estate.reading.models import Scope
from store.estate.reading.order import Sql
from store.estate.reading.relation import Moment, Relation, literal, quoted
from store.times import naive
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

KINDS = ("created", "discovered", "returned", "changed", "deleted")
# A resource that was there so long before it was first seen was hidden, not made meanwhile.
OLDER = timedelta(days=1)
EVERYTHING = Scope()
# SELECT of (cloud, region, scope, ground): when each scope of a type was first listed whole.
GROUNDS = (
    "SELECT cloud, region, scope, min(started_at) AS ground FROM listings WHERE type = '{type}'"
    " AND kind <> 'delta' AND state IN ('ok', 'suspect', 'degraded') GROUP BY cloud, region, scope"
)
# And of each place: a project's rows may be listed by an account that sees all, its own, or a neighbour's.
GROUND = (
    "SELECT cloud, region, min(ground) FILTER (scope = 'all') AS whole, max(ground) AS latest FROM grounds GROUP BY ALL"
)


@dataclass(frozen=True, slots=True)
class Span:
    """Times after `since` and up to `until`, naive UTC: what leads from the one state to the other."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, since: datetime, until: datetime) -> Span:
        """The span between two times, aware or naive."""
        return cls(naive(since), naive(until))

    def holds(self, expression: str) -> str:
        """The condition that a time lies in it."""
        return f"({expression} > {literal(self.since)} AND {expression} <= {literal(self.until)})"


def tracked(types: Iterable[ResourceType] | None = None) -> list[ResourceType]:
    """Types with a history: those that collections read. What is read on demand appears when somebody asks."""
    return [type for type in (types or registry.ALL.values()) if not type.listing.on_demand]


def moved(connection: duckdb.DuckDBPyConnection, types: Iterable[ResourceType], span: Span) -> list[ResourceType]:
    """Those of the types with a version that begins or ends within the span.

    Looking costs half a millisecond a type; planning the statement of `events` ten times that.
    """
    found = []
    for type in types:
        holds = f"{span.holds('t.valid_from')} OR {span.holds('t.valid_to')}"
        if connection.execute(f"SELECT 1 FROM {quoted(type.table)} t WHERE {holds} LIMIT 1").fetchone():
            found.append(type)
    return found


def events(type: ResourceType, span: Span, scope: Scope = EVERYTHING) -> Sql:
    """SELECT of (rid, cloud, region, id, happened, kind): every event of the type within the span.

    `rid` is the row of the version that begins, or for `deleted` of the one that ends. Only versions within the scope
    have events, but what came before and after them is judged by all.
    """
    table = quoted(type.table)
    starts, parameters = _edges(type, span, scope, "valid_from")
    ends, more = _edges(type, span, scope, "valid_to")
    made = "t.created_at" if any(column.name == "created_at" for column in type.columns) else "NULL::TIMESTAMP"
    older = f"INTERVAL {int(OLDER.total_seconds())} SECOND"
    sql = f"""WITH starts AS MATERIALIZED ({starts}), ends AS MATERIALIZED ({ends}),
        followed AS MATERIALIZED (SELECT s.rid AS began, e.rid AS ended FROM starts s JOIN ends e
            ON s.mark = e.mark AND s.happened = e.happened AND {_same("s", "e")}),
        opened AS MATERIALIZED (SELECT s.* FROM starts s ANTI JOIN followed f ON f.began = s.rid),
        closed AS MATERIALIZED (SELECT e.* FROM ends e ANTI JOIN followed f ON f.ended = e.rid),
        earlier AS MATERIALIZED (SELECT o.rid, max(v.valid_to) AS ended FROM opened o JOIN {table} v
            ON v.id = o.id AND {_same("o", "v")} WHERE v.valid_to <= o.happened GROUP BY o.rid),
        grounds AS MATERIALIZED ({GROUNDS.format(type=type.name)}),
        ground AS MATERIALIZED ({GROUND})
        SELECT s.rid, s.cloud, s.region, s.id, s.happened, 'changed' AS kind
            FROM starts s SEMI JOIN followed f ON f.began = s.rid
        UNION ALL
        SELECT o.rid, o.cloud, o.region, o.id, o.happened,
            CASE WHEN b.ended = o.happened THEN 'changed' WHEN b.ended IS NOT NULL THEN 'returned'
                 WHEN {made} < o.happened - {older} THEN 'discovered' ELSE 'created' END AS kind
            FROM opened o JOIN {table} t ON t.rowid = o.rid
            LEFT JOIN earlier b ON b.rid = o.rid
            LEFT JOIN grounds own ON own.cloud = o.cloud AND own.region = o.region AND own.scope = t.scope
            LEFT JOIN ground g ON g.cloud = o.cloud AND g.region = o.region
            WHERE b.rid IS NOT NULL OR o.happened > coalesce(least(own.ground, g.whole), g.latest)
        UNION ALL
        SELECT c.rid, c.cloud, c.region, c.id, c.happened, 'deleted' AS kind FROM closed c
            WHERE NOT EXISTS (SELECT 1 FROM {table} v
                WHERE v.id = c.id AND {_same("v", "c")} AND v.valid_from = c.happened)"""
    return sql, [*parameters, *more]


def _edges(type: ResourceType, span: Span, scope: Scope, column: str) -> Sql:
    """SELECT of the versions within the scope that begin, or end, within the span. `mark` is a hash to join by."""
    relation = Relation(type, Moment(None))
    limited, parameters = limits.condition(relation, scope)
    at = f"t.{column}"
    sql = (
        f"SELECT t.rowid AS rid, t.cloud, t.region, t.id, {at} AS happened, hash(t.id, {at}) AS mark"
        f" {relation.from_clause} WHERE {span.holds(at)} AND ({limited})"
    )
    return sql, parameters


def _same(one: str, other: str) -> str:
    return f"{one}.cloud = {other}.cloud AND {one}.region = {other}.region AND {one}.id = {other}.id"
