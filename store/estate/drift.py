"""Drift events out of versions: what a rule watches became another value, went back, or goes back and forth.

Open events of one resource and rule are a stack: a value that becomes another one is put on it; when an old value comes
back, its event and those above it are resolved, and so are all when the resource is gone. So one deviation is told
once, however often it is looked at. The same change again within a day opens the same event once more and counts it.

Deriving is idempotent: ids are made of what changed and when, and a change that an event has taken in is not looked at
again. It works on whatever listings are not `derived` yet, so it can follow a listing at once or days later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from store.estate import drift_changes, drift_echoes
from store.estate.drift_changes import GONE, Place
from store.estate.drift_models import Derived, TypeWatch
from store.estate.rows import to_arrow
from store.times import naive

if TYPE_CHECKING:
    import duckdb

Listed = tuple[str, str, str]  # cloud, region, type
# Of (cloud, region, type) -> (event id, when it was accepted)
Accepted = Callable[[], Sequence[tuple[int, datetime]]]

_KEY = "cloud = ? AND region = ? AND type = ?"
_SAME = "e.cloud = ? AND e.region = ? AND e.type = ? AND e.resource_id = c.id AND e.rule = c.rule"
# A person has accepted the new value, and it is not one that moves by itself.
_SETTLED = "(NOT c.state AND e.id IN (SELECT a.id FROM drift_accepted a WHERE a.accepted_at <= c.began))"
_ID = "(md5_number_lower(concat_ws(chr(31), ?, ?, ?, c.id, c.rule, epoch_us(c.began))) & 9007199254740991)::BIGINT"


def pending(connection: duckdb.DuckDBPyConnection) -> list[Listed]:
    """(cloud, region, type) with listings that are not derived yet."""
    sql = "SELECT DISTINCT cloud, region, type FROM listings WHERE derived IS NOT true ORDER BY ALL"
    return [(row[0], row[1], row[2]) for row in connection.execute(sql).fetchall()]


def derive(
    connection: duckdb.DuckDBPyConnection,
    listed: Listed,
    watch: TypeWatch | None,
    accepted: Sequence[tuple[int, datetime]] = (),
) -> Derived:
    """Take in all listings of a type in a region that are not derived yet. Run it in a transaction.

    watch     its rules; None: the type has none
    accepted  (event, when) that people have acknowledged
    """
    sql = f"""SELECT min(started_at) FILTER (derived IS NOT true), max(started_at) FILTER (derived),
                     count(*) FILTER (derived IS NOT true) FROM listings WHERE {_KEY}"""
    first, last, count = connection.execute(sql, list(listed)).fetchall()[0]
    done = Derived()
    if watch is not None and (first is not None or last is not None):
        older = first is not None and last is not None and first < last
        before = _sound_before(connection, listed, last) if older else False
        since = last if first is None else first if last is None else min(first, last)
        if older and before:
            done = _again(connection, Place(listed[0], listed[1], watch, datetime(1970, 1, 1)), accepted)
        else:
            done = _take_in(connection, Place(listed[0], listed[1], watch, since), accepted)
        if listed[2] in drift_echoes.TYPES:
            echoes = drift_echoes.forget(connection, listed[0], listed[1], since)
            done = Derived(max(0, done.opened - echoes), done.resolved + max(0, echoes - done.opened))
    if count:
        connection.execute(f"UPDATE listings SET derived = true WHERE {_KEY} AND derived IS NOT true", list(listed))
    return Derived(done.opened, done.resolved, int(count))


def _sound_before(connection: duckdb.DuckDBPyConnection, listed: Listed, last: datetime) -> bool:
    """Whether a listing came in that ended before another, derived one began: earlier history was put behind."""
    sql = f"""SELECT 1 FROM listings n WHERE {_KEY} AND n.derived IS NOT true AND n.ended_at < (
        SELECT min(started_at) FROM listings WHERE {_KEY} AND derived AND started_at > n.started_at) LIMIT 1"""
    return bool(connection.execute(sql, [*listed, *listed]).fetchall())


def _again(connection: duckdb.DuckDBPyConnection, place: Place, accepted: Sequence[tuple[int, datetime]]) -> Derived:
    """All events of the type anew, because its history begins earlier now. Who did it is kept where it was known."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE drift_known AS
        SELECT id, opened_at, asked_at, grade, actor, source, request_id, candidates, expected, job
        FROM drift_events WHERE {_KEY} AND asked_at IS NOT NULL""",
        list(place.key),
    )
    connection.execute(f"DELETE FROM drift_events WHERE {_KEY}", list(place.key))
    done = _take_in(connection, place, accepted)
    connection.execute(
        """UPDATE drift_events AS e SET asked_at = k.asked_at, grade = k.grade, actor = k.actor, source = k.source,
               request_id = k.request_id, candidates = k.candidates, expected = k.expected, job = k.job
        FROM drift_known k WHERE k.id = e.id AND k.opened_at = e.opened_at"""
    )
    connection.execute("DROP TABLE drift_known")
    return done


def _take_in(connection: duckdb.DuckDBPyConnection, place: Place, accepted: Sequence[tuple[int, datetime]]) -> Derived:
    opened = _unseen(connection, place)
    resolved = 0
    try:
        if drift_changes.find(connection, place):
            drift_changes.projects(connection, place.cloud)
            _sights(connection, place)
            rows = [(id, naive(at)) for id, at in accepted]
            connection.register("drift_accepted", to_arrow([("id", "BIGINT"), ("accepted_at", "TIMESTAMP")], rows))
            rounds = connection.execute("SELECT max(round) FROM drift_changes").fetchall()[0][0]
            for number in range(1, rounds + 1):
                back, out = _round(connection, place, number)
                resolved, opened = resolved + back, opened + out
            connection.unregister("drift_accepted")
    finally:
        drift_changes.drop(connection)
    return Derived(opened, resolved)


def _changed(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object]) -> int:
    row = connection.execute(sql, list(parameters)).fetchone()
    return int(row[0]) if row else 0


def _sights(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    """`drift_sights`: for each time and owner's scope, the last sight of the old value and the first of the new one."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE drift_sights AS
        SELECT c.began, c.scope,
               max(l.started_at) FILTER (l.started_at < c.began AND l.state IN ('ok', 'suspect')) AS seen_before,
               coalesce(min(l.ended_at) FILTER (l.started_at >= c.began), c.began) AS seen_at
        FROM (SELECT DISTINCT began, scope FROM drift_changes) c
        LEFT JOIN listings l ON l.{_KEY.replace(" AND ", " AND l.")} AND l.scope IN ('all', c.scope)
        GROUP BY c.began, c.scope""",
        list(place.key),
    )


def _round(connection: duckdb.DuckDBPyConnection, place: Place, number: int) -> tuple[int, int]:
    """The `number`-th change of every resource and rule; answers (resolved, opened)."""
    key = list(place.key)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE drift_round AS
        SELECT c.*, s.seen_before, s.seen_at, b.from_at AS back,
               c.raises OR (c.kind = 'changed' AND c.old IS NULL AND o.id IS NOT NULL AND c.on_) AS opens
        FROM (SELECT *, {_enabled(place)} AS on_ FROM drift_changes WHERE round = {number}) c
        LEFT JOIN drift_sights s ON s.began = c.began AND s.scope IS NOT DISTINCT FROM c.scope
        LEFT JOIN (SELECT c.id, c.rule, min(e.opened_at) AS from_at FROM drift_changes c JOIN drift_events e ON {_SAME}
                   WHERE c.round = {number} AND e.state = 'open' AND c.kind <> '{GONE}'
                     AND e.old_value IS NOT DISTINCT FROM c.new
                     AND NOT {_SETTLED} GROUP BY ALL) b ON b.id = c.id AND b.rule = c.rule
        LEFT JOIN (SELECT DISTINCT c.id, c.rule FROM drift_changes c JOIN drift_events e ON {_SAME}
                   WHERE c.round = {number} AND e.state = 'open' AND NOT {_SETTLED}) o
          ON o.id = c.id AND o.rule = c.rule""",
        [*key, *key],
    )
    resolved = _changed(
        connection,
        f"""UPDATE drift_events AS e SET state = 'resolved', resolved_at = c.began, last_at = c.began,
               moved = {_SETTLED} OR c.kind = '{GONE}'
        FROM drift_round c WHERE {_SAME} AND e.state = 'open'
          AND ({_SETTLED} OR c.kind = '{GONE}' OR (c.back IS NOT NULL AND e.opened_at >= c.back))""",
        key,
    )
    again = _changed(
        connection,
        f"""UPDATE drift_events AS e SET state = 'open', opened_at = c.began, last_at = c.began, resolved_at = NULL,
               count = e.count + 1, times = list_append(e.times[-2:], c.began), seen_before = c.seen_before,
               seen_at = c.seen_at, asked_at = NULL, grade = NULL, actor = NULL, source = NULL, request_id = NULL,
               candidates = NULL, expected = false, job = NULL
        FROM (SELECT c.*, e.id AS event FROM drift_round c JOIN drift_events e ON {_SAME}
              WHERE c.back IS NULL AND c.opens AND e.state = 'resolved' AND NOT e.moved
                AND e.old_value IS NOT DISTINCT FROM c.old AND e.new_value IS NOT DISTINCT FROM c.new
                AND e.opened_at > c.began - INTERVAL 24 HOUR
                AND e.id NOT IN (SELECT a.id FROM drift_accepted a WHERE a.accepted_at <= c.began)
              QUALIFY row_number() OVER (PARTITION BY c.id, c.rule ORDER BY e.opened_at DESC) = 1) c
        WHERE e.id = c.event""",
        key,
    )
    return resolved, again + _insert(connection, place)


def _enabled(place: Place) -> str:
    """SQL of whether the rule of a change opens events at all."""
    on = [str(watch.rule) for watch in place.watch.watches if watch.enabled]
    return f"rule IN ({', '.join(on)})" if on else "false"


def _insert(connection: duckdb.DuckDBPyConnection, place: Place) -> int:
    """Events of changes that are neither a return nor known from before."""
    key = list(place.key)
    return _changed(
        connection,
        f"""INSERT INTO drift_events BY NAME
        SELECT {_ID} AS id, ? AS cloud, ? AS region, ? AS type, c.id AS resource_id, c.name AS resource_name,
               nullif(c.project_id, '') AS project_id, p.name AS project_name,
               coalesce(p.domain_id, c.domain_id) AS domain_id, p.domain_name AS domain_name,
               coalesce(c.tags, []) AS tags, c.owner AS owner_id, c.rule, c.kind, c.field, c.severity,
               c.old AS old_value, c.new AS new_value, 'open' AS state, 1 AS count, [c.began] AS times,
               c.began AS first_at,
               c.began AS opened_at, false AS moved, c.began AS last_at, c.seen_before, c.seen_at, false AS expected
        FROM drift_round c LEFT JOIN drift_projects p ON p.id = c.project_id
        WHERE c.back IS NULL AND c.opens AND NOT EXISTS (
            SELECT 1 FROM drift_events e WHERE {_SAME} AND e.opened_at >= c.began)""",
        [*key, *key, *key],
    )


def _unseen(connection: duckdb.DuckDBPyConnection, place: Place) -> int:
    """Jumps of Neutron's counter of writes without a visible change: events that are over when they are told."""
    watch = next((watch for watch in place.watch.watches if watch.kind == "unseen"), None)
    if watch is None:
        return 0
    of = place.watch
    key = list(place.key)
    opened = 0
    if watch.enabled:
        opened = _changed(
            connection,
            f"""INSERT INTO drift_events BY NAME
            SELECT {_ID} AS id, ? AS cloud, ? AS region, ? AS type, c.id AS resource_id, v.name AS resource_name,
                   v.project_id, coalesce(v.tags, []) AS tags, v.owner AS owner_id, c.rule, 'unseen' AS kind,
                   '{watch.field}' AS field, '{watch.severity}' AS severity, c.before::VARCHAR AS old_value,
                   c.after::VARCHAR AS new_value, 'resolved' AS state, 1 AS count, [c.began] AS times,
               c.began AS first_at,
                   c.began AS opened_at, c.began AS resolved_at, false AS moved, c.began AS last_at, c.seen_before,
                   c.began AS seen_at, false AS expected
            FROM (SELECT *, {watch.rule} AS rule FROM drift_jumps WHERE {_KEY}) c
            JOIN (SELECT v.id, {of.name} AS name, {of.project} AS project_id, {of.tags}::VARCHAR[] AS tags,
                         {of.owner} AS owner FROM {place.table} v WHERE v.cloud = ? AND v.region = ?
                    AND v.valid_to IS NULL AND v.id IN (SELECT id FROM drift_jumps WHERE {_KEY})) v ON v.id = c.id
            WHERE NOT EXISTS (SELECT 1 FROM drift_events e WHERE {_SAME} AND e.first_at = c.began)""",
            [*key, *key, *key, *key[:2], *key, *key],
        )
    connection.execute(f"DELETE FROM drift_jumps WHERE {_KEY}", key)
    return opened


def attribute(connection: duckdb.DuckDBPyConnection, found: Sequence[Mapping[str, object]]) -> int:
    """Write down who did it: rows with id, opened_at, asked_at, grade, actor, source, request_id, candidates, expected,
    job. An event that was opened again meanwhile is left alone."""
    columns = [
        ("id", "BIGINT"), ("opened_at", "TIMESTAMP"), ("asked_at", "TIMESTAMP"), ("grade", "VARCHAR"),
        ("actor", "VARCHAR"), ("source", "VARCHAR"), ("request_id", "VARCHAR"), ("candidates", "VARCHAR"),
        ("expected", "BOOLEAN"), ("job", "VARCHAR"),
    ]  # fmt: skip
    if not found:
        return 0
    names = [name for name, _ in columns]
    connection.register("drift_found", to_arrow(columns, [tuple(row[name] for name in names) for row in found]))
    try:
        assignments = ", ".join(f"{name} = f.{name}" for name in names[2:])
        return _changed(
            connection,
            f"UPDATE drift_events AS e SET {assignments} FROM drift_found f"
            " WHERE f.id = e.id AND f.opened_at = e.opened_at",
            [],
        )
    finally:
        connection.unregister("drift_found")


def grade_again(connection: duckdb.DuckDBPyConnection, rule: int, before: str, after: str) -> int:
    """Give the events of a rule another severity; those that were graver for a reason of their own stay so."""
    return _changed(
        connection, "UPDATE drift_events AS e SET severity = ? WHERE rule = ? AND severity = ?", [after, rule, before]
    )


def forget_accepted(connection: duckdb.DuckDBPyConnection, accepted: Sequence[int], before: datetime) -> int:
    """Drop events that people have accepted and whose last change was before then; answers how many."""
    if not accepted:
        return 0
    connection.register("drift_forgotten", to_arrow([("id", "BIGINT")], [(id,) for id in accepted]))
    try:
        return _changed(
            connection,
            "DELETE FROM drift_events AS e WHERE e.last_at < ? AND e.id IN (SELECT id FROM drift_forgotten)",
            [naive(before)],
        )
    finally:
        connection.unregister("drift_forgotten")
