"""One resource: its document and row, what belongs to it, its versions, and who a typed reference may mean."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from store import filters
from store.estate.reading import limits
from store.estate.reading.models import Key, Scope
from store.estate.reading.order import run
from store.estate.reading.relation import Moment, Relation, quoted
from store.types import registry
from store.types.declaration import Link, ResourceType

if TYPE_CHECKING:
    import duckdb

MIN_PREFIX = 4  # characters of an id that are enough to look for it
MAX_VERSIONS = 1000
EVERYTHING = Scope()
_TICK = timedelta(microseconds=1)


def label_column(type: ResourceType) -> str:
    """The column that names a resource of the type to a person; "id" when there is none."""
    names = [column.name for column in type.columns]
    return next((name for name in ("name", "address") if name in names), "id")


def read_one(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, key: Key, at: datetime | None, scope: Scope = EVERYTHING
) -> dict[str, Any] | None:
    """The resource at that time (for None: now, or as it was last when it is gone); None when there is none within the
    scope.

    {type, key, row: {column: value}, doc, denied, valid_from, valid_to}; times are naive UTC datetimes. A guarded
    column that the token could not see is left out of `row`, so that it is not taken for empty.
    """
    found = _read(connection, type, key, at, scope)
    if found is None and at is None:
        sql = f"SELECT max(valid_to) FROM {quoted(type.table)} WHERE cloud = ? AND region = ? AND id = ?"
        last = run(connection, sql, list(key)).fetchone()
        if last and last[0] is not None:
            found = _read(connection, type, key, last[0] - _TICK, scope)
    return found


def _read(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, key: Key, at: datetime | None, scope: Scope
) -> dict[str, Any] | None:
    moment = Moment(at)
    inner = Relation(type, moment)
    limit, parameters = limits.condition(inner, scope)
    sql = (
        f"SELECT t.* {inner.from_clause} WHERE t.cloud = ? AND t.region = ? AND t.id = ? AND {inner.at('t')}"
        f" AND ({limit}) LIMIT 1"
    )
    shown = Relation(type, moment, "page")
    names = [column.name for column in type.view_columns]
    picked = [shown.column(name) for name in ("valid_from", "valid_to", "denied", "doc", *names)]
    found = run(
        connection, f"WITH page AS ({sql}) SELECT {', '.join(picked)} {shown.from_clause}", [*key, *parameters]
    ).fetchone()
    if found is None:
        return None
    valid_from, valid_to, denied, doc, *values = found
    hidden = set(denied or ())
    return {
        "type": type.name,
        "key": list(key),
        "row": {name: value for name, value in zip(names, values, strict=True) if name not in hidden},
        "doc": orjson.loads(doc) if doc else {},
        "denied": sorted(hidden),
        "valid_from": valid_from,
        "valid_to": valid_to,
    }


def keys_of(
    connection: duckdb.DuckDBPyConnection,
    type: ResourceType,
    id: str,
    at: datetime | None,
    scope: Scope = EVERYTHING,
) -> list[Key]:
    """Keys with exactly this id at that time; for None also of resources that are gone, unless one is there now."""
    relation = Relation(type, Moment(at))
    limit, parameters = limits.condition(relation, scope)
    there = relation.at("t")
    where = f"t.id = ? AND ({limit})" + (f" AND {there}" if at is not None else "")
    sql = f"SELECT t.cloud, t.region, t.id, bool_or({there}) AS now {relation.from_clause} WHERE {where} GROUP BY ALL"
    rows = run(connection, f"{sql} ORDER BY ALL", [id, *parameters]).fetchall()
    current = [row[:3] for row in rows if row[3]]
    return current or [row[:3] for row in rows]


def links(
    connection: duckdb.DuckDBPyConnection,
    one: dict[str, Any],
    at: datetime | None,
    scope: Scope = EVERYTHING,
    of: Iterable[Link] | None = None,
) -> list[dict[str, Any]]:
    """What belongs to a resource read with `read_one`: [{type, title, filter, count, on_demand}], without links
    that lead nowhere. `of`: these links, instead of those that the type declares.

    `filter` is a filter's text that lists exactly those rows. `on_demand`: no collection reads them, `count` is what
    was read when somebody asked before.
    """
    type = registry.ALL[one["type"]]
    own = {**one["row"], "id": one["key"][2]}
    found: list[dict[str, Any]] = []
    statements: list[str] = []
    parameters: list[Any] = []
    for link in type.links if of is None else of:
        values = _values(own.get(link.own))
        if not values:
            continue
        sql, more = _count(link, type, one["key"], values, at, scope)
        statements.append(f"SELECT {len(found)} AS number, count(*) AS n {sql}")
        parameters += more
        target = registry.ALL[link.type]
        text = _filter_text(link, type, target, one["key"], values)
        on_demand = target.listing.on_demand
        found.append({"type": link.type, "title": link.title, "filter": text, "count": 0, "on_demand": on_demand})
    if statements:
        for number, count in run(connection, " UNION ALL ".join(statements), parameters).fetchall():
            found[number]["count"] = count
    return found


def _values(value: Any) -> list[Any]:
    return [item for item in (value if isinstance(value, list) else [value]) if item not in (None, "")][:200]


def members(
    connection: duckdb.DuckDBPyConnection,
    one: dict[str, Any],
    link: Link,
    at: datetime | None,
    scope: Scope,
    limit: int,
) -> list[dict[str, Any]]:
    """The first resources behind a link, by name: [{key, name, status}]; what has no name or status has None."""
    type, target = registry.ALL[one["type"]], registry.ALL[link.type]
    values = _values({**one["row"], "id": one["key"][2]}.get(link.own))
    sql, parameters = _count(link, type, one["key"], values, at, scope)
    status = next((column.name for column in target.columns if column.role == "status"), None)
    label = f"t.{quoted(label_column(target))}"
    shown = f"t.{quoted(status)}" if status else "NULL"
    rows = run(
        connection,
        f"SELECT t.cloud, t.region, t.id, {label}, {shown} {sql} ORDER BY {label}, t.id LIMIT {int(limit)}",
        parameters,
    ).fetchall()
    return [{"key": list(row[:3]), "name": row[3], "status": row[4]} for row in rows]


def _count(
    link: Link, type: ResourceType, key: list[str], values: list[str], at: datetime | None, scope: Scope
) -> tuple[str, list[Any]]:
    target = registry.ALL[link.type]
    relation = Relation(target, Moment(at))
    limit, parameters = limits.condition(relation, scope)
    column = relation.column(link.column)
    marks = ", ".join("?" * len(values))
    is_list = link.column != "id" and target.column(link.column).sql == "VARCHAR[]"
    match = f"list_has_any({column}, [{marks}])" if is_list else f"{column} IN ({marks})"
    where = ["t.cloud = ?", match, relation.at("t"), f"({limit})"]
    found = [key[0], *values, *parameters]
    if _same_region(type, target):
        where.insert(0, "t.region = ?")
        found.insert(0, key[1])
    return f"{relation.from_clause} WHERE {' AND '.join(where)}", found


def _same_region(type: ResourceType, target: ResourceType) -> bool:
    return not type.listing.global_ and not target.listing.global_


def _filter_text(link: Link, type: ResourceType, target: ResourceType, key: list[str], values: list[str]) -> str:
    def exactly(column: str, *texts: str) -> filters.Match:
        return filters.Match(column, tuple(filters.Value("=", text) for text in texts))

    terms = [exactly(link.column, *values), exactly("cloud", key[0])]
    if _same_region(type, target) and key[1]:
        terms.append(exactly("region", key[1]))
    return filters.format(filters.all_of(*terms))


def versions(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, key: Key, scope: Scope = EVERYTHING
) -> list[dict[str, Any]]:
    """All stored versions, newest first, at most 1000: [{valid_from, valid_to, row: {stored column: value}}]."""
    relation = Relation(type, Moment(None))  # limits are judged by what is known now, also of what was
    limit, parameters = limits.condition(relation, scope)
    names = [column.name for column in type.columns]
    picked = ", ".join(relation.column(name) for name in ("valid_from", "valid_to", *names))
    sql = (
        f"SELECT {picked} {relation.from_clause} WHERE t.cloud = ? AND t.region = ? AND t.id = ? AND ({limit})"
        f" ORDER BY t.valid_from DESC LIMIT {MAX_VERSIONS}"
    )
    rows = run(connection, sql, [*key, *parameters]).fetchall()
    return [{"valid_from": row[0], "valid_to": row[1], "row": dict(zip(names, row[2:], strict=True))} for row in rows]


def candidates(
    connection: duckdb.DuckDBPyConnection,
    types: Iterable[ResourceType],
    reference: str,
    at: datetime | None,
    scope: Scope = EVERYTHING,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """Resources that a typed reference means: those with exactly that id, else that name, else an id that begins so.

    [{type, key, name, match: "id"|"name"|"prefix", project_id}], at most `limit`. Names are compared exactly, then
    without case.
    """
    found: list[dict[str, Any]] = []
    for type in types:
        found += _candidates(connection, type, reference, at, scope, limit)
    best = min((item["rank"] for item in found), default=0)
    kept = [item for item in found if item.pop("rank") == best]
    return kept[:limit]


_MATCHES = ("id", "name", "name", "prefix")


def _candidates(
    connection: duckdb.DuckDBPyConnection,
    type: ResourceType,
    reference: str,
    at: datetime | None,
    scope: Scope,
    limit: int,
) -> list[dict[str, Any]]:
    relation = Relation(type, Moment(at))
    condition, parameters = limits.condition(relation, scope)
    label = relation.column(label_column(type))
    owner = relation.column(type.owner) if type.owner else "NULL"
    tests = ["t.id = ?", f"{label} = ?", f"lower({label}) = lower(?)"]
    values: list[Any] = [reference] * 3
    if len(reference) >= MIN_PREFIX:
        tests.append("starts_with(t.id, ?)")
        values.append(reference.lower())
    ranks = " ".join(f"WHEN {test} THEN {rank}" for rank, test in enumerate(tests))
    sql = (
        f"SELECT CASE {ranks} END AS rank, t.cloud, t.region, t.id, {label}, {owner} {relation.from_clause}"
        f" WHERE {relation.at('t')} AND ({condition}) AND ({' OR '.join(tests)})"
        f" ORDER BY rank, t.cloud, t.region, t.id LIMIT {int(limit)}"
    )
    rows = run(connection, sql, [*values, *parameters, *values]).fetchall()
    return [
        {
            "rank": rank,
            "type": type.name,
            "key": [cloud, region, id],
            "name": name,
            "match": _MATCHES[rank],
            "project_id": project,
        }
        for rank, cloud, region, id, name, project in rows
    ]
