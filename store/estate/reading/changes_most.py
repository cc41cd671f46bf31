"""Which resources changed most often: by the number of versions that began within a span."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.changes import GROUND, GROUNDS, Span
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.relation import Moment, Relation, quoted
from store.estate.reading.single import label_column
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

EVERYTHING = Scope()


def most_changed(
    connection: duckdb.DuckDBPyConnection,
    types: Iterable[ResourceType],
    span: Span,
    scope: Scope = EVERYTHING,
    limit: int = 20,
) -> tuple[int, list[dict[str, Any]]]:
    """(how many resources changed at all, those that changed most).

    A version counts when it began within the span and is not what the type's first whole listing found. That a resource
    is gone adds no version; it is told by `deleted`.
    """
    total, found = 0, []
    for type in types:
        number, rows = _of_type(connection, type, span, scope, limit)
        total += number
        found += rows
    found.sort(key=lambda one: (one["change_count"], one["last_change"]), reverse=True)
    kept = found[:limit]
    for type in {one["resource_type"]: one["type"] for one in kept}.values():
        _label(connection, type, [one for one in kept if one["type"] is type], scope)
    for one in kept:
        del one["type"]
    return total, kept


def _of_type(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, span: Span, scope: Scope, limit: int
) -> tuple[int, list[dict[str, Any]]]:
    relation = Relation(type, Moment(None))
    limited, parameters = limits.condition(relation, scope)
    # Without a first listing in the span nothing has to be told apart from it.
    sql = f"""WITH grounds AS MATERIALIZED ({GROUNDS.format(type=type.name)}), ground AS MATERIALIZED ({GROUND}),
        began AS (SELECT t.cloud, t.region, t.id, t.scope, t.valid_from {relation.from_clause}
            WHERE {span.holds("t.valid_from")} AND ({limited})),
        counted AS (SELECT b.cloud, b.region, b.id, count(*) AS number, min(b.valid_from) AS first,
                max(b.valid_from) AS last
            FROM began b LEFT JOIN grounds own
                ON own.cloud = b.cloud AND own.region = b.region AND own.scope = b.scope
            LEFT JOIN ground g ON g.cloud = b.cloud AND g.region = b.region
            WHERE b.valid_from > coalesce(least(own.ground, g.whole), g.latest) GROUP BY b.cloud, b.region, b.id)
        SELECT cloud, region, id, number, first, last, count(*) OVER () FROM counted
        ORDER BY number DESC, last DESC, cloud, region, id LIMIT {int(limit)}"""
    rows = run(connection, sql, parameters).fetchall()
    found = [
        {
            "type": type,
            "resource_type": type.name,
            "resource_id": id,
            "cloud": cloud,
            "region": region,
            "change_count": number,
            "first_change": first,
            "last_change": last,
        }
        for cloud, region, id, number, first, last, _ in rows
    ]
    return (rows[0][6] if rows else 0), found


def _label(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, found: list[dict[str, Any]], scope: Scope
) -> None:
    """Name, owner and whether it is gone: by the newest version within the scope that has them."""
    relation = Relation(type, Moment(None))
    limited, parameters = limits.condition(relation, scope)
    owner = f"t.{quoted(type.owner)}" if type.owner else "NULL::VARCHAR"
    sql = (
        f"SELECT t.cloud, t.region, t.id, arg_max(t.{quoted(label_column(type))}, t.valid_from),"
        f" arg_max({owner}, t.valid_from), bool_or(t.valid_to IS NULL) {relation.from_clause}"
        f" WHERE list_contains(?, t.id) AND ({limited}) GROUP BY t.cloud, t.region, t.id"
    )
    rows = run(connection, sql, [[one["resource_id"] for one in found], *parameters]).fetchall()
    known = {row[:3]: row[3:] for row in rows}
    for one in found:
        name, project, there = known.get((one["cloud"], one["region"], one["resource_id"]), (None, None, False))
        one |= {"resource_name": name, "project_id": project, "deleted": not there}
