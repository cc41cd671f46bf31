"""What is different between two times: resources that are new, gone or changed, whatever happened in between.

A resource that changed and changed back is no difference, nor is one that came and went. It is the difference between
the two lists as the caller sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.estate.reading import changes_versions, limits
from store.estate.reading.changes import GROUND, GROUNDS, Span
from store.estate.reading.changes_versions import Version
from store.estate.reading.models import Key, Scope
from store.estate.reading.order import Sql, run
from store.estate.reading.relation import Moment, Relation, literal, quoted
from store.estate.reading.single import label_column
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

# `first_seen`: new in the store only, since the type was first listed whole after the first of the two times.
KINDS = ("new", "changed", "gone", "first_seen")
EVERYTHING = Scope()


@dataclass(slots=True)
class Difference:
    """A resource that is not the same at both times; `before` is None for a new one, `after` for one that is gone."""

    type: ResourceType
    key: Key
    kind: str
    name: str | None
    before: Version | None = None
    after: Version | None = None


def differences(type: ResourceType, span: Span, scope: Scope = EVERYTHING) -> Sql:
    """SELECT of (cloud, region, id, old, new, kind, name) of what differs between the ends of the span.

    `old` and `new` are row numbers of the versions of the two times, one of them NULL for what is new or gone.
    """
    then, until = literal(span.since), literal(span.until)
    old, parameters = _side(type, scope, f"t.valid_from <= {then} AND {span.holds('t.valid_to')}")
    new, more = _side(type, scope, f"{span.holds('t.valid_from')} AND (t.valid_to IS NULL OR t.valid_to > {until})")
    same = "{0}.id = {1}.id AND {0}.cloud = {1}.cloud AND {0}.region = {1}.region"
    sql = f"""WITH old AS MATERIALIZED ({old}), new AS MATERIALIZED ({new}),
        grounds AS MATERIALIZED ({GROUNDS.format(type=type.name)}), ground AS MATERIALIZED ({GROUND}),
        late AS MATERIALIZED (SELECT t.cloud, t.region, t.id, min(t.valid_from) AS first FROM {quoted(type.table)} t
            WHERE {span.holds("t.valid_from")} AND (SELECT max(latest) FROM ground) > {then} GROUP BY ALL)
        SELECT coalesce(n.cloud, o.cloud) AS cloud, coalesce(n.region, o.region) AS region, coalesce(n.id, o.id) AS id,
            o.rid AS old, n.rid AS new,
            CASE WHEN n.rid IS NULL THEN 'gone' WHEN o.rid IS NOT NULL THEN 'changed'
                 WHEN f.first <= coalesce(least(own.ground, g.whole), g.latest) THEN 'first_seen'
                 ELSE 'new' END AS kind,
            coalesce(n.name, o.name) AS name
        FROM old o FULL JOIN new n ON {same.format("o", "n")}
        LEFT JOIN late f ON {same.format("f", "n")}
        LEFT JOIN grounds own ON own.cloud = n.cloud AND own.region = n.region AND own.scope = n.scope
        LEFT JOIN ground g ON g.cloud = n.cloud AND g.region = n.region
        WHERE n.hash IS DISTINCT FROM o.hash"""
    return sql, [*parameters, *more]


def _side(type: ResourceType, scope: Scope, condition: str) -> Sql:
    relation = Relation(type, Moment(None))
    limited, parameters = limits.condition(relation, scope)
    sql = (
        f"SELECT t.rowid AS rid, t.cloud, t.region, t.id, t.scope, t.hash, t.{quoted(label_column(type))} AS name"
        f" {relation.from_clause} WHERE {condition} AND ({limited})"
    )
    return sql, parameters


def counts(
    connection: duckdb.DuckDBPyConnection, types: Iterable[ResourceType], span: Span, scope: Scope = EVERYTHING
) -> dict[str, dict[str, int]]:
    """Type -> kind -> number, of the types in which anything differs."""
    found: dict[str, dict[str, int]] = {}
    for type in types:
        sql, parameters = differences(type, span, scope)
        rows = run(connection, f"SELECT kind, count(*) FROM ({sql}) GROUP BY kind", parameters).fetchall()
        if rows:
            found[type.name] = dict(rows)
    return found


def read(
    connection: duckdb.DuckDBPyConnection,
    type: ResourceType,
    span: Span,
    scope: Scope = EVERYTHING,
    *,
    kinds: Sequence[str] = (),
    key: Key | None = None,
    whole: bool = True,
    limit: int = 1000,
    offset: int = 0,
) -> tuple[int, list[Difference]]:
    """(how many there are, a page of them, with their versions if `whole`); by kind, then name. `kinds` = () is all."""
    sql, parameters = differences(type, span, scope)
    where, values = [], list(parameters)
    if kinds:
        where.append(f"kind IN ({', '.join('?' * len(kinds))})")
        values += kinds
    if key is not None:
        where.append("cloud = ? AND region = ? AND id = ?")
        values += key
    chosen = f" WHERE {' AND '.join(where)}" if where else ""
    place = " ".join(f"WHEN '{kind}' THEN {number}" for number, kind in enumerate(KINDS))
    rows = run(
        connection,
        f"SELECT cloud, region, id, old, new, kind, name, count(*) OVER () FROM ({sql}){chosen}"
        f" ORDER BY CASE kind {place} END, name, cloud, region, id LIMIT {int(limit)} OFFSET {int(offset)}",
        values,
    ).fetchall()
    rids = [rid for row in rows for rid in row[3:5] if rid is not None] if whole else []
    known = changes_versions.by_row(connection, type, rids)
    found = [
        Difference(type, (row[0], row[1], row[2]), row[5], row[6], known.get(row[3]), known.get(row[4])) for row in rows
    ]
    both = [(one.after, one.before) for one in found if one.after is not None and one.before is not None]
    changes_versions.read_alike(connection, type, both)
    return (rows[0][7] if rows else 0), found
