"""What is different between two times: resources that are new, gone or changed, whatever happened in between.

A resource that changed and changed back is no difference, nor is one that came and went. It is the difference between
the two lists as the caller sees them: a machine given to another project is gone for who sees only the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from store.estate.reading import changes_versions, limits
from store.estate.reading.changes import GROUND, GROUNDS, Span
from store.estate.reading.changes_versions import Version
from store.estate.reading.models import Key, Scope
from store.estate.reading.order import Sql
from store.estate.reading.relation import Moment, Relation, literal, quoted
from store.estate.reading.single import label_column
from store.types.declaration import Column, ResourceType

if TYPE_CHECKING:
    import duckdb

# `first_seen`: new in the store only, since the type was first listed whole after the first of the two times.
KINDS = ("new", "changed", "gone", "first_seen")
EVERYTHING = Scope()
COLUMNS = ("cloud", "region", "id", "kind", "happened", "name", "project_id", "old", "new", "fields")


def told(type: ResourceType) -> list[Column]:
    """Columns whose changes are told: no times, measurements and what follows from others."""
    return [
        column
        for column in type.columns
        if column.role != "time" and not column.volatile and column.path not in type.volatile_paths
    ]


def differences(type: ResourceType, span: Span, scope: Scope = EVERYTHING) -> Sql:
    """SELECT of COLUMNS: what differs between the two ends of the span.

    happened  when the last of it was seen; of what is gone, since when it is
    old, new  when the versions of the two times began, NULL where it was not there
    fields    names of columns that differ in a changed one; a column hidden from either version is none
    """
    then, until = literal(span.since), literal(span.until)
    old, parameters = _side(type, scope, f"t.valid_from <= {then} AND {span.holds('t.valid_to')}")
    new, more = _side(type, scope, f"{span.holds('t.valid_from')} AND (t.valid_to IS NULL OR t.valid_to > {until})")
    ended, last = _ended(type, span, scope)
    same = "{0}.id = {1}.id AND {0}.cloud = {1}.cloud AND {0}.region = {1}.region"
    sql = f"""WITH old AS MATERIALIZED ({old}), new AS MATERIALIZED ({new}), ended AS MATERIALIZED ({ended}),
        grounds AS MATERIALIZED ({GROUNDS.format(type=type.name)}), ground AS MATERIALIZED ({GROUND}),
        late AS MATERIALIZED (SELECT t.cloud, t.region, t.id, min(t.valid_from) AS first FROM {quoted(type.table)} t
            WHERE {span.holds("t.valid_from")} AND (SELECT max(latest) FROM ground) > {then} GROUP BY ALL)
        SELECT coalesce(n.cloud, o.cloud) AS cloud, coalesce(n.region, o.region) AS region, coalesce(n.id, o.id) AS id,
            CASE WHEN n.id IS NULL THEN 'gone' WHEN o.id IS NOT NULL THEN 'changed'
                 WHEN f.first <= coalesce(least(own.ground, g.whole), g.latest) THEN 'first_seen'
                 ELSE 'new' END AS kind,
            coalesce(n.began, e.ended, o.ended) AS happened, coalesce(n.label, o.label) AS name,
            coalesce(n.owner, o.owner) AS project_id, o.began AS old, n.began AS new,
            CASE WHEN n.id IS NOT NULL AND o.id IS NOT NULL THEN {_fields(type)} END AS fields
        FROM old o FULL JOIN new n ON {same.format("o", "n")}
        LEFT JOIN ended e ON {same.format("e", "o")}
        LEFT JOIN late f ON {same.format("f", "n")}
        LEFT JOIN grounds own ON own.cloud = n.cloud AND own.region = n.region AND own.scope = n.scope
        LEFT JOIN ground g ON g.cloud = n.cloud AND g.region = n.region
        WHERE n.hash IS DISTINCT FROM o.hash"""
    return sql, [*parameters, *more, *last]


def _side(type: ResourceType, scope: Scope, condition: str) -> Sql:
    relation = Relation(type, Moment(None))
    limited, parameters = limits.condition(relation, scope)
    owner = f"t.{quoted(type.owner)}" if type.owner else "NULL::VARCHAR"
    values = "".join(f", t.{quoted(column.name)} AS {quoted(f'c_{column.name}')}" for column in told(type))
    sql = (
        "SELECT t.cloud, t.region, t.id, t.scope, t.hash, t.denied, t.valid_from AS began, t.valid_to AS ended,"
        f" t.{quoted(label_column(type))} AS label, {owner} AS owner{values}"
        f" {relation.from_clause} WHERE {condition} AND ({limited})"
    )
    return sql, parameters


def _ended(type: ResourceType, span: Span, scope: Scope) -> Sql:
    """SELECT of (cloud, region, id, ended): when the last version of each that ends within the span does."""
    relation = Relation(type, Moment(None))
    limited, parameters = limits.condition(relation, scope)
    sql = (
        f"SELECT t.cloud, t.region, t.id, max(t.valid_to) AS ended {relation.from_clause}"
        f" WHERE {span.holds('t.valid_to')} AND ({limited}) GROUP BY t.cloud, t.region, t.id"
    )
    return sql, parameters


def _fields(type: ResourceType) -> str:
    parts = []
    for column in told(type):
        name = quoted(f"c_{column.name}")
        text = "'" + column.name.replace("'", "''") + "'"
        differs = f"o.{name} IS DISTINCT FROM n.{name}"
        if column.guarded:
            differs += f" AND NOT list_contains(o.denied, {text}) AND NOT list_contains(n.denied, {text})"
        parts.append(f"CASE WHEN {differs} THEN {text} END")
    return f"list_filter([{', '.join(parts)}], lambda x: x IS NOT NULL)" if parts else "[]::VARCHAR[]"


def at_beginnings(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, wanted: Sequence[tuple[Key, datetime]]
) -> dict[tuple[Key, datetime], Version]:
    """(key, when the version began) -> version, without documents. Within scopes that were looked at before."""
    if not wanted:
        return {}
    sql = (
        "SELECT t.rowid, t.cloud, t.region, t.id, t.valid_from FROM"
        " (SELECT unnest(?) AS id, unnest(?) AS began) k"
        f" JOIN {quoted(type.table)} t ON t.id = k.id AND t.valid_from = k.began"
    )
    rows = connection.execute(sql, [[key[2] for key, _ in wanted], [began for _, began in wanted]]).fetchall()
    places = {row[0]: ((row[1], row[2], row[3]), row[4]) for row in rows}
    asked = set(wanted)
    found = changes_versions.by_row(connection, type, [rid for rid, place in places.items() if place in asked])
    return {places[rid]: version for rid, version in found.items()}
