"""Which resources changed most often: by the number of versions that began within a span."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.changes import GROUND, GROUNDS, Span
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.relation import Moment, Relation, literal, quoted
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
    return total, found[:limit]


def _of_type(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, span: Span, scope: Scope, limit: int
) -> tuple[int, list[dict[str, Any]]]:
    relation = Relation(type, Moment(None))
    limited, parameters = limits.condition(relation, scope)
    grounds = f"WITH grounds AS ({GROUNDS.format(type=type.name)}), ground AS ({GROUND})"
    last = connection.execute(f"{grounds} SELECT max(latest) FROM ground").fetchone()
    if last is None or last[0] is None:
        return 0, []  # never listed whole: nothing can be told from what was there before
    # A first listing within the span is to be told apart from changes; else all that begins there counts.
    after_ground = (
        "" if last[0] <= span.since else " WHERE b.valid_from > coalesce(least(own.ground, g.whole), g.latest)"
    )
    joins = (
        " LEFT JOIN grounds own ON own.cloud = b.cloud AND own.region = b.region AND own.scope = b.scope"
        " LEFT JOIN ground g ON g.cloud = b.cloud AND g.region = b.region"
    )
    owner = f"t.{quoted(type.owner)}" if type.owner else "NULL::VARCHAR"
    # Grouped by a number: by three texts it takes three times as long. What it is called, its newest version says.
    sql = f"""{grounds}, began AS (SELECT t.rowid AS rid, t.cloud, t.region, t.scope, t.valid_from,
            hash(t.id, t.cloud, t.region) AS mark
            {relation.from_clause} WHERE {span.holds("t.valid_from")} AND ({limited})),
        counted AS (SELECT b.mark, arg_max(b.rid, b.valid_from) AS rid, count(*) AS number, min(b.valid_from) AS first,
            max(b.valid_from) AS last FROM began b{joins if after_ground else ""}{after_ground} GROUP BY b.mark),
        chosen AS MATERIALIZED (SELECT *, count(*) OVER () AS total FROM counted
            ORDER BY number DESC, last DESC, mark LIMIT {int(limit)})
        SELECT t.cloud, t.region, t.id, t.{quoted(label_column(type))}, {owner},
            coalesce(t.valid_to <= {literal(span.until)}, false), c.number, c.first, c.last, c.total
        FROM chosen c JOIN {quoted(type.table)} t ON t.rowid = c.rid
        ORDER BY c.number DESC, c.last DESC, t.cloud, t.region, t.id"""
    rows = run(connection, sql, parameters).fetchall()
    found = [
        {
            "resource_type": type.name,
            "resource_id": id,
            "resource_name": name,
            "project_id": project,
            "cloud": cloud,
            "region": region,
            "change_count": number,
            "first_change": first,
            "last_change": last,
            "deleted": gone,
        }
        for cloud, region, id, name, project, gone, number, first, last, _ in rows
    ]
    return (rows[0][-1] if rows else 0), found
