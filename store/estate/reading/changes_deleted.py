"""Resources that are gone: their last state, when they were last listed, and which listing found them gone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate.reading import changes_versions
from store.estate.reading.changes_rows import Event
from store.estate.reading.models import Key, Scope
from store.estate.reading.order import run
from store.estate.reading.relation import quoted
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

EVERYTHING = Scope()


def deletions_of(
    connection: duckdb.DuckDBPyConnection,
    types: Iterable[ResourceType],
    id: str,
    scope: Scope = EVERYTHING,
    limit: int = 100,
) -> list[Event]:
    """Every time that a resource with this id was gone, newest first, each with its last version and its document."""
    found: list[Event] = []
    for type in types:
        sql = f"SELECT DISTINCT cloud, region FROM {quoted(type.table)} WHERE id = ?"
        for cloud, region in connection.execute(sql, [id]).fetchall():
            found += _of_one(connection, type, (cloud, region, id), scope)
    found.sort(key=lambda event: (event.at, event.key), reverse=True)
    return found[:limit]


def _of_one(connection: duckdb.DuckDBPyConnection, type: ResourceType, key: Key, scope: Scope) -> list[Event]:
    versions = changes_versions.of_resource(connection, type, key, scope)
    successors = begins(connection, type, key)
    ended = [one for one in versions if one["valid_to"] is not None and one["valid_to"] not in successors]
    changes_versions.read_documents(connection, type, ended)
    return [Event(type, key, one["valid_to"], "deleted", one["rid"], version=one) for one in ended]


def begins(connection: duckdb.DuckDBPyConnection, type: ResourceType, key: Key) -> set[datetime]:
    """When the versions of a resource begin (naive UTC), whoever may see them."""
    sql = f"SELECT valid_from FROM {quoted(type.table)} WHERE cloud = ? AND region = ? AND id = ?"
    return {row[0] for row in run(connection, sql, list(key)).fetchall()}


def found_gone(connection: duckdb.DuckDBPyConnection, type: ResourceType, key: Key, at: datetime) -> dict[str, Any]:
    """{listing, kind, state, last_seen} about a resource that was gone at `at` (naive UTC).

    listing    id of the listing that began then and saw the resource gone, its kind and state; None when a person
               decided, or that listing is no longer kept
    last_seen  when the last good whole listing before it began: the resource was in it, if it was known then
    """
    place = [type.name, key[0], key[1]]
    by = connection.execute(
        "SELECT id, kind, state FROM listings WHERE type = ? AND cloud = ? AND region = ? AND started_at = ?"
        " AND state IN ('ok', 'suspect', 'degraded') ORDER BY kind = 'delta' LIMIT 1",
        [*place, at],
    ).fetchone()
    last = connection.execute(
        "SELECT max(started_at) FROM listings WHERE type = ? AND cloud = ? AND region = ? AND started_at < ?"
        " AND kind <> 'delta' AND state = 'ok'",
        [*place, at],
    ).fetchone()
    listing, kind, state = by or (None, None, None)
    return {"listing": listing, "kind": kind, "state": state, "last_seen": last[0] if last else None}
