"""What changed from version to version, by the rules: one statement per type and question, over the touched rows only.

The result is the temporary table `drift_changes`: one row per change of one rule's value, with everything that an
event of it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate.drift_models import ABSENT, DELETED, PRESENT, TypeWatch, Watch
from store.estate.schema import quoted
from store.types import registry

if TYPE_CHECKING:
    import duckdb

_LONGEST = 1000  # characters of a value that an event keeps
# Listings that showed what they should: only what those brought can be told from what was there all the time.
_SOUND = "state IN ('ok', 'suspect', 'degraded')"


@dataclass(frozen=True, slots=True)
class Place:
    """The versions looked at: of one type in one region, those that began or ended at `since` or later."""

    cloud: str
    region: str
    watch: TypeWatch
    since: datetime

    @property
    def table(self) -> str:
        """SQL name of the version table."""
        return quoted(f"{self.watch.type}_versions")

    @property
    def key(self) -> tuple[str, str, str]:
        """Bound for `cloud = ? AND region = ? AND type = ?`."""
        return self.cloud, self.region, self.watch.type


def text(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def find(connection: duckdb.DuckDBPyConnection, place: Place) -> int:
    """Make `drift_changes`; answers how many rows it has."""
    if not _touched(connection, place):
        return 0
    _history(connection, place)
    parts = [part for watch in place.watch.watches for part in _changes(watch)]
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE drift_changes AS
        WITH found AS ({" UNION ALL ".join(parts) or _NONE}),
             told AS (SELECT resource_id, rule, max(last_at) AS last_at FROM drift_events
                      WHERE cloud = ? AND region = ? AND type = ? GROUP BY ALL)
        SELECT f.*, row_number() OVER (PARTITION BY f.id, f.rule ORDER BY f.began) AS round
        FROM found f LEFT JOIN told t ON t.resource_id = f.id AND t.rule = f.rule
        WHERE t.last_at IS NULL OR f.began > t.last_at""",
        [place.since] * len(parts) + list(place.key),
    )
    return int(connection.execute("SELECT count(*) FROM drift_changes").fetchall()[0][0])


def drop(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the temporary tables."""
    for name in ("drift_touched", "drift_history", "drift_changes"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")


def _touched(connection: duckdb.DuckDBPyConnection, place: Place) -> bool:
    """Ids of resources that changed, went or came; those that are only new count where a rule asks for them."""
    where = "v.cloud = ? AND v.region = ?"
    new = "" if any(watch.kind == "created" for watch in place.watch.watches) else " AND o.id IS NOT NULL"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE drift_touched AS
        SELECT id FROM {place.table} v WHERE {where} AND v.valid_to >= ?
        UNION
        SELECT v.id FROM {place.table} v
        LEFT JOIN (SELECT DISTINCT id FROM {place.table} v WHERE {where} AND v.valid_to < ?) o ON o.id = v.id
        WHERE {where} AND v.valid_from >= ?{new}""",
        [*(place.key[:2]), place.since, *(place.key[:2]), place.since, *(place.key[:2]), place.since],
    )
    return bool(connection.execute("SELECT 1 FROM drift_touched LIMIT 1").fetchall())


def _history(connection: duckdb.DuckDBPyConnection, place: Place) -> None:
    """All versions of these resources with every rule's value and the one before it that was to be seen."""
    inner, outer = [], []
    for watch in place.watch.watches:
        name = f"r{watch.rule}"
        grave = f"CASE WHEN {watch.grave} THEN 'critical' ELSE '{watch.severity}' END"
        inner.append(f"{grave if watch.grave else text(watch.severity)} AS {name}_severity")
        if watch.kind != "changed":
            continue
        inner += [f"{_struct(watch, raw=False)} AS {name}", f"{_struct(watch, raw=True)} AS {name}_raw"]
        before = f"lag({name} IGNORE NULLS) OVER w"
        if watch.alarming:
            alarm = f"lower({name}.v) IN ({', '.join(map(text, watch.alarming))})"
            before = f"coalesce({before}, CASE WHEN {alarm} THEN lag({name}_raw IGNORE NULLS) OVER w END)"
        outer.append(f"{before} AS {name}_before")
    watch_ = place.watch
    # Whether it was made, or only seen for the first time; costly, so only where a rule tells of new resources.
    came = "false"
    if any(watch.kind == "created" for watch in watch_.watches):
        came = f"""coalesce(before_to < valid_from, EXISTS (
                   SELECT 1 FROM listings l WHERE l.cloud = ? AND l.region = ? AND l.type = ? AND l.kind <> 'delta'
                     AND l.{_SOUND} AND l.visibility = h.seen_visibility AND l.started_at < h.valid_from))"""
    more = "".join(f", {part}" for part in inner)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE drift_history AS
        WITH h AS (
            SELECT v.id, v.valid_from, v.valid_to, v.scope, v.seen_visibility, {watch_.name} AS name,
                   ({watch_.project})::VARCHAR AS project_id, ({watch_.domain})::VARCHAR AS domain_id,
                   {watch_.tags}::VARCHAR[] AS tags, ({watch_.owner})::VARCHAR AS owner{more}
            FROM {place.table} v WHERE v.cloud = ? AND v.region = ? AND v.id IN (SELECT id FROM drift_touched))
        SELECT h.*, lag(valid_to) OVER w AS before_to, lead(valid_from) OVER w AS next_from,
               lag(owner IGNORE NULLS) OVER w AS owner_before{"".join(f", {part}" for part in outer)},
               {came} AS came
        FROM h WINDOW w AS (PARTITION BY id ORDER BY valid_from)""",
        [*place.key[:2], *(place.key if came != "false" else ())],
    )


def _struct(watch: Watch, *, raw: bool) -> str:
    """{'v': text or NULL}; NULL where there is no value to compare. `raw` looks at passing values too."""
    value = f"({watch.value})"
    hidden = [f"list_contains(v.denied, {text(column)})" for column in watch.guarded]
    if watch.only_if:
        hidden.append(f"NOT coalesce({watch.only_if}, false)")
    if watch.unseen:
        hidden.append(f"{value} IS NULL")
    if watch.passing and not raw:
        hidden.append(f"coalesce(lower({value}) IN ({', '.join(map(text, watch.passing))}), false)")
    cut = (
        f"CASE WHEN length({value}) > {_LONGEST} THEN left({value}, {_LONGEST - 40}) || '… ' || md5({value}) "
        f"ELSE {value} END"
    )
    struct = f"{{'v': {cut}}}"
    return f"CASE WHEN {' OR '.join(hidden)} THEN NULL ELSE {struct} END" if hidden else struct


GONE = "gone"  # the resource is: what deviated of it does so no more
_COMMON = "id, name, project_id, domain_id, tags, coalesce(owner, owner_before) AS owner, scope"
_NONE = f"""SELECT NULL::INTEGER AS rule, '' AS kind, '' AS field, '' AS severity, {_COMMON}, '' AS old, '' AS new,
    valid_from AS began, false AS raises, false AS state FROM drift_history WHERE false"""


def _changes(watch: Watch) -> list[str]:
    """SELECTs of one rule's changes; each has one parameter, since when."""
    name = f"r{watch.rule}"
    went = "(next_from IS NULL OR next_from > valid_to)"

    def part(old: str, new: str, at: str, raises: str, where: str, kind: str = watch.kind) -> str:
        opens = f"({raises})" if watch.enabled else "false"
        if watch.enabled and watch.enabled_at is not None:
            opens = f"({opens} AND {at} > TIMESTAMP {text(watch.enabled_at.replace(tzinfo=None).isoformat(sep=' '))})"
        return f"""SELECT {watch.rule} AS rule, '{kind}' AS kind, {text(watch.field)} AS field,
            {name}_severity AS severity, {_COMMON}, {old} AS old, {new} AS new, {at} AS began, {opens} AS raises,
            {str(watch.state).lower()} AS state FROM drift_history WHERE {at} >= ? AND {where}"""

    if watch.kind == "changed":
        there = f"{name} IS NOT NULL AND {name}_before IS NOT NULL"
        raises = "true" if watch.first else f"{name}_before.v IS NOT NULL"
        differs = f"{there} AND {name}.v IS DISTINCT FROM {name}_before.v"
        over = part("NULL", "NULL", "valid_to", "false", went, GONE)
        return [part(f"{name}_before.v", f"{name}.v", "valid_from", raises, differs), over]
    if watch.kind == "deleted":
        back = part(text(DELETED), text(PRESENT), "valid_from", "false", "before_to < valid_from")
        return [part(text(PRESENT), text(DELETED), "valid_to", "true", went), back]
    if watch.kind == "created":
        came = "came AND (before_to IS NULL OR before_to < valid_from)"
        gone = part(text(PRESENT), text(ABSENT), "valid_to", "false", went)
        return [part(text(ABSENT), text(PRESENT), "valid_from", "true", came), gone]
    return []


def projects(connection: duckdb.DuckDBPyConnection, cloud: str) -> None:
    """Make `drift_projects`: id, name, domain_id, domain_name of the projects that the changes belong to, as last
    seen."""
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    project, domain = registry.ALL["project"].table, registry.ALL["domain"].table
    if project not in tables or domain not in tables:  # an estate of other types
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE drift_projects AS SELECT '' AS id, '' AS name, '' AS domain_id,"
            " '' AS domain_name WHERE false"
        )
        return
    parameters: list[Any] = [cloud, cloud]
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE drift_projects AS
        WITH p AS (SELECT id, arg_max(name, valid_from) AS name, arg_max(domain_id, valid_from) AS domain_id
                   FROM {quoted(project)} WHERE cloud = ? AND id IN (SELECT project_id FROM drift_changes) GROUP BY id),
             d AS (SELECT id, arg_max(name, valid_from) AS name FROM {quoted(domain)} WHERE cloud = ? GROUP BY id)
        SELECT p.id, p.name, p.domain_id, d.name AS domain_name FROM p LEFT JOIN d ON d.id = p.domain_id""",
        parameters,
    )
