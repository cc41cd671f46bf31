"""Events as rows: the newest of many types, each with the version that it is about and the one before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from store.estate.reading import changes_versions
from store.estate.reading.changes import GROUND, GROUNDS, Span, events
from store.estate.reading.changes_versions import Version
from store.estate.reading.models import Key, Scope
from store.estate.reading.order import run
from store.estate.reading.relation import quoted
from store.estate.reading.single import label_column
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

EVERYTHING = Scope()


@dataclass(slots=True)
class Event:
    """One event of a resource.

    rid      row of the version that began (for `deleted`: that ended); name to valid_to are that version's
    version, before   that version in full, and the one that a change follows on if the scope shows it; see `complete`
    """

    type: ResourceType
    key: Key
    at: datetime
    kind: str
    rid: int
    name: str | None = None
    project_id: str | None = None
    hash: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    version: Version | None = None
    before: Version | None = None


def newest(
    connection: duckdb.DuckDBPyConnection,
    types: Iterable[ResourceType],
    span: Span,
    scope: Scope,
    limit: int,
    offset: int = 0,
    kinds: Sequence[str] = (),
) -> list[Event]:
    """The newest events of the types, newest first, without their versions; `kinds` = () is all."""
    found: list[Event] = []
    chosen = f" WHERE kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    for type in types:
        sql, parameters = events(type, span, scope)
        rows = run(
            connection,
            f"SELECT rid, cloud, region, id, happened, kind FROM ({sql}){chosen}"
            f" ORDER BY happened DESC, cloud, region, id, kind LIMIT {int(limit + offset)}",
            [*parameters, *kinds],
        ).fetchall()
        found += [Event(type, (row[1], row[2], row[3]), row[4], row[5], row[0]) for row in rows]
    order = {type.name: number for number, type in enumerate(registry.ALL.values())}
    found.sort(key=lambda one: (one.key, one.kind))
    found.sort(key=lambda one: order.get(one.type.name, 0))
    found.sort(key=lambda one: one.at, reverse=True)
    return found[offset : offset + limit]


def describe(connection: duckdb.DuckDBPyConnection, found: Sequence[Event]) -> None:
    """Read what a list says of events: name, owner, hash. In the transaction that found them, for their row numbers."""
    for type, of_type in _by_type(found):
        owner = quoted(type.owner) if type.owner else "NULL"
        sql = (
            f"SELECT t.rowid, t.{quoted(label_column(type))}, {owner}, t.hash, t.valid_from, t.valid_to"
            f" FROM (SELECT unnest(?) AS rid) k JOIN {quoted(type.table)} t ON t.rowid = k.rid"
        )
        rows = connection.execute(sql, [sorted({one.rid for one in of_type})]).fetchall()
        known = {row[0]: row[1:] for row in rows}
        for event in of_type:
            event.name, event.project_id, hash, event.valid_from, event.valid_to = known[event.rid]
            event.hash = bytes(hash).hex() if hash is not None else ""


def complete(connection: duckdb.DuckDBPyConnection, found: Sequence[Event], scope: Scope = EVERYTHING) -> None:
    """Read the whole versions of events and those before; slower than `describe`, and within the same transaction."""
    for type, of_type in _by_type(found):
        follows = changes_versions.before(connection, type, [one.rid for one in of_type if one.kind == "changed"])
        known = changes_versions.by_row(connection, type, [*(one.rid for one in of_type), *follows.values()])
        pairs = []
        for event in of_type:
            event.version, earlier = known[event.rid], known.get(follows.get(event.rid, -1))
            if earlier is not None and changes_versions.visible(type, event.version, earlier, scope):
                event.before = earlier
                pairs.append((event.version, earlier))
        changes_versions.read_alike(connection, type, pairs)


def _by_type(found: Sequence[Event]) -> list[tuple[ResourceType, list[Event]]]:
    by_type: dict[str, list[Event]] = {}
    for event in found:
        by_type.setdefault(event.type.name, []).append(event)
    return [(events_of[0].type, events_of) for events_of in by_type.values()]


def first_listed(connection: duckdb.DuckDBPyConnection, type: ResourceType, key: Key) -> datetime | None:
    """When the type was first listed whole in the resource's place (naive UTC); see `events` for what that means."""
    sql = (
        f"WITH grounds AS MATERIALIZED ({GROUNDS.format(type=type.name)}), ground AS MATERIALIZED ({GROUND}),"
        f" mine AS (SELECT scope FROM {quoted(type.table)} WHERE cloud = ? AND region = ? AND id = ? LIMIT 1)"
        " SELECT coalesce(least(own.ground, g.whole), g.latest) FROM ground g LEFT JOIN grounds own"
        " ON own.cloud = g.cloud AND own.region = g.region AND own.scope = (SELECT scope FROM mine)"
        " WHERE g.cloud = ? AND g.region = ?"
    )
    row = run(connection, sql, [*key, *key[:2]]).fetchone()
    return row[0] if row else None


def names_of_projects(
    connection: duckdb.DuckDBPyConnection, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    """(cloud, project id) -> (project's name, its domain's name) as they were last, also of projects that are gone."""
    keys = sorted(set(wanted))
    if not keys:
        return {}
    marks = ", ".join("?" * len({id for _, id in keys}))
    sql = (
        "WITH last AS (SELECT cloud, id, arg_max(name, valid_from) AS name, arg_max(domain_id, valid_from) AS domain_id"
        f" FROM project_versions WHERE id IN ({marks}) GROUP BY cloud, id)"
        " SELECT l.cloud, l.id, l.name, arg_max(d.name, d.valid_from) FROM last l LEFT JOIN domain_versions d"
        " ON d.cloud = l.cloud AND d.id = l.domain_id GROUP BY l.cloud, l.id, l.name"
    )
    rows = run(connection, sql, sorted({id for _, id in keys})).fetchall()
    return {(cloud, id): (name, domain) for cloud, id, name, domain in rows}


def located(connection: duckdb.DuckDBPyConnection, found: Sequence[Event]) -> list[Event]:
    """Those of these events whose versions are still there, each with its row in the connection's transaction."""
    kept: list[Event] = []
    for type, of_type in _by_type(found):
        sql = (
            "SELECT k.number, t.rowid FROM (SELECT unnest(?) AS number, unnest(?) AS cloud, unnest(?) AS region,"
            " unnest(?) AS id, unnest(?) AS at, unnest(?) AS gone) k"
            f" JOIN {quoted(type.table)} t ON t.id = k.id AND t.cloud = k.cloud AND t.region = k.region"
            " AND CASE WHEN k.gone THEN t.valid_to ELSE t.valid_from END = k.at"
        )
        columns = [
            list(range(len(of_type))),
            *([event.key[place] for event in of_type] for place in range(3)),
            [event.at for event in of_type],
            [event.kind == "deleted" for event in of_type],
        ]
        places = dict(connection.execute(sql, columns).fetchall())
        for number, event in enumerate(of_type):
            if number in places:
                event.rid = places[number]
                kept.append(event)
    return kept
