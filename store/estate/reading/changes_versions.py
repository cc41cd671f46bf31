"""Stored versions, each with its columns: by their row numbers, and all those of one resource.

A version is {rid, id, valid_from, valid_to, hash: hex, denied, doc: JSON text or None, row: {stored column: value}};
times are naive UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.models import Key, Scope
from store.estate.reading.order import run
from store.estate.reading.relation import Moment, Relation, quoted
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

EVERYTHING = Scope()
Version = dict[str, Any]
_LEADING = ("id", "valid_from", "valid_to", "hash", "denied")


def by_row(connection: duckdb.DuckDBPyConnection, type: ResourceType, rids: Iterable[int]) -> dict[int, Version]:
    """Row number -> version, without documents; only within the transaction that found the numbers."""
    wanted = sorted(set(rids))
    if not wanted:
        return {}
    sql = (
        f"SELECT t.rowid, {_picked(type)} FROM (SELECT unnest(?) AS rid) k"
        f" JOIN {quoted(type.table)} t ON t.rowid = k.rid"
    )
    return {row[0]: _version(type, row) for row in connection.execute(sql, [wanted]).fetchall()}


def before(connection: duckdb.DuckDBPyConnection, type: ResourceType, rids: Iterable[int]) -> dict[int, int]:
    """Row number of a version -> that of the version which ended as it began."""
    wanted = sorted(set(rids))
    if not wanted:
        return {}
    table = quoted(type.table)
    sql = (
        "WITH own AS MATERIALIZED (SELECT k.rid, t.cloud, t.region, t.id, t.valid_from FROM"
        f" (SELECT unnest(?) AS rid) k JOIN {table} t ON t.rowid = k.rid),"
        " span AS MATERIALIZED (SELECT min(valid_from) AS first, max(valid_from) AS last FROM own)"
        f" SELECT o.rid, p.rowid FROM own o JOIN {table} p"
        " ON p.id = o.id AND p.cloud = o.cloud AND p.region = o.region AND p.valid_to = o.valid_from"
        " WHERE p.valid_to >= (SELECT first FROM span) AND p.valid_to <= (SELECT last FROM span)"
    )
    return dict(connection.execute(sql, [wanted]).fetchall())


def read_documents(connection: duckdb.DuckDBPyConnection, type: ResourceType, versions: Sequence[Version]) -> None:
    """Put the documents of these versions into them; within the transaction that found them."""
    if not versions:
        return
    sql = f"SELECT k.rid, t.doc FROM (SELECT unnest(?) AS rid) k JOIN {quoted(type.table)} t ON t.rowid = k.rid"
    docs = dict(connection.execute(sql, [sorted({one["rid"] for one in versions})]).fetchall())
    for one in versions:
        one["doc"] = docs.get(one["rid"])


def of_resource(
    connection: duckdb.DuckDBPyConnection,
    type: ResourceType,
    key: Key,
    scope: Scope = EVERYTHING,
    limit: int = 1000,
    until: datetime | None = None,
) -> list[Version]:
    """The newest `limit` versions of a resource that began up to `until` (naive UTC), newest first, no documents."""
    relation = Relation(type, Moment(None))
    condition, parameters = limits.condition(relation, scope)
    bound = "" if until is None else " AND t.valid_from <= ?"
    sql = (
        f"SELECT t.rowid, {_picked(type)} {relation.from_clause} WHERE t.cloud = ? AND t.region = ? AND t.id = ?"
        f" AND ({condition}){bound} ORDER BY t.valid_from DESC LIMIT {int(limit)}"
    )
    values = [*key, *parameters, *([] if until is None else [until])]
    return [_version(type, row) for row in run(connection, sql, values).fetchall()]


def count_of(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, key: Key, scope: Scope = EVERYTHING
) -> tuple[int, datetime | None]:
    """(number of versions within the scope, when the first of them began)."""
    relation = Relation(type, Moment(None))
    condition, parameters = limits.condition(relation, scope)
    sql = (
        f"SELECT count(*), min(t.valid_from) {relation.from_clause}"
        f" WHERE t.cloud = ? AND t.region = ? AND t.id = ? AND ({condition})"
    )
    row = run(connection, sql, [*key, *parameters]).fetchone()
    return (0, None) if row is None else (row[0], row[1])


def _picked(type: ResourceType) -> str:
    return ", ".join(f"t.{quoted(name)}" for name in (*_LEADING, *(column.name for column in type.columns)))


def _version(type: ResourceType, row: Sequence[Any]) -> Version:
    rid, id, valid_from, valid_to, hash, denied, *values = row
    return {
        "rid": rid,
        "id": id,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "hash": bytes(hash).hex() if hash is not None else "",
        "denied": tuple(denied or ()),
        "doc": None,
        "row": dict(zip((column.name for column in type.columns), values, strict=True)),
    }


def visible(type: ResourceType, version: Version, earlier: Version, scope: Scope) -> bool:
    """Whether who may see the one version may see the one before: not when what a limit looks at differs."""
    if not scope.limited:
        return True
    owners = (type.limited_by, type.owner, type.domain, *(column for column, _ in type.open_when))
    return all(version["row"].get(name) == earlier["row"].get(name) for name in owners if name)


def read_alike(
    connection: duckdb.DuckDBPyConnection, type: ResourceType, pairs: Iterable[tuple[Version, Version]]
) -> None:
    """Read the documents of pairs with the same columns: whatever differs in them lies there alone."""
    same = [pair for pair in pairs if pair[0]["row"] == pair[1]["row"]]
    read_documents(connection, type, [one for pair in same for one in pair])
