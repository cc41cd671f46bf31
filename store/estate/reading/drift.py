"""Drift events as people see them: what the store found, joined with what people decided; within the caller's limits.

One relation, `told`: all columns of `drift_events`, of the acknowledgement in force (`ack_*`), `ignored_by`,
`flapping`, and `told`, the state that an event is in (engine/drift/models.py says what each means). Times are naive
UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate.drift_models import FLAPPING
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.times import naive

if TYPE_CHECKING:
    import duckdb
    import pyarrow

Sql = tuple[str, list[Any]]
# grouping_id of (type, cloud, project_id, rule): a bit is set for what is not grouped by
BY_TYPE, BY_CLOUD, BY_PROJECT, BY_RULE = 0b0111, 0b1011, 0b1001, 0b1110
TRIAGE = "told IN ('open', 'resolved_unseen')"
_FLAPS = f"(e.count >= {FLAPPING} AND len(e.times) >= {FLAPPING} AND e.times[-1] < e.times[1] + INTERVAL 24 HOUR)"
_RANK = "CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END"
_STATE_RANK = "list_position(['open', 'resolved_unseen', 'acknowledged', 'expected', 'ignored', 'resolved'], told)"
_GRADE_RANK = "list_position(['certain', 'cloud', 'one_of', 'service', 'unknown'], grade)"
_SORTS = {
    "opened_at": "opened_at",
    "detected_at": "opened_at",
    "severity": f"-({_RANK})",  # descending = worst first
    "state": _STATE_RANK,
    "resource_type": "type",
    "resource_name": "lower(coalesce(resource_name, resource_id))",
    "project_name": "lower(project_name)",
    "cloud": "cloud",
    "field_changed": "field",
    "rule_id": "rule",
    "count": "count",
    "grade": _GRADE_RANK,
    "actor": "lower(actor)",
}
_SEARCHED = (
    "resource_name", "resource_id", "old_value", "new_value", "field", "project_name", "domain_name", "actor", "cloud",
    "type",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exempt:
    """What is ignored and why: all that is not None must fit. With `since`, only what changed from then to `until`.

    name  `*` and `?` stand for more; capitals do not matter, here as in `project` (id or name)
    """

    id: str
    reason: str
    name: str | None = None
    tag: str | None = None
    project: str | None = None
    cloud: str | None = None
    type: str | None = None
    severity: str | None = None
    rule: int | None = None
    field: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What people decided.

    acks    id, ack_at, ack_by, ack_note, ack_until of acknowledgements that are not undone
    off     numbers of rules that are off
    exempt  what is ignored, the first that fits gives the reason
    """

    acks: pyarrow.Table
    off: tuple[int, ...] = ()
    exempt: tuple[Exempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """Who looks: his limits and choice, types that his role may not read, and when it is now."""

    now: datetime
    scope: Scope = field(default_factory=Scope)
    hidden_types: tuple[str, ...] = ()


ACK_COLUMNS = [
    ("id", "BIGINT"), ("ack_at", "TIMESTAMP"), ("ack_by", "VARCHAR"), ("ack_note", "VARCHAR"),
    ("ack_until", "TIMESTAMP"),
]  # fmt: skip


def told(connection: duckdb.DuckDBPyConnection, decided: Decided, seen: Seen) -> Sql:
    """WITH clause that makes the relation `told`, of what lies within the limits. Registers the acknowledgements."""
    connection.register("drift_acked", decided.acks)
    ignored, parameters = _ignored(decided)
    limits, values = _limits(seen)
    sql = f"""WITH judged AS (
        SELECT e.*, a.ack_at, a.ack_by, a.ack_note, a.ack_until, {ignored} AS ignored_by, {_FLAPS} AS flapping
        FROM drift_events e
        LEFT JOIN drift_acked a ON a.id = e.id AND (a.ack_until IS NULL OR a.ack_until > ?)
        WHERE {limits}),
    told AS (
        SELECT *, CASE WHEN ack_at IS NOT NULL THEN 'acknowledged'
                       WHEN expected THEN 'expected'
                       WHEN ignored_by IS NOT NULL THEN 'ignored'
                       WHEN state = 'open' THEN 'open'
                       WHEN severity <> 'info' AND NOT moved THEN 'resolved_unseen'
                       ELSE 'resolved' END AS told
        FROM judged)"""
    return sql, [*parameters, naive(seen.now), *values]


def _limits(seen: Seen) -> Sql:
    scope = seen.scope
    parts: list[str] = []
    values: list[Any] = []
    for column, within in (
        ("e.cloud", scope.clouds),
        ("e.cloud", scope.in_clouds),
        ("e.project_id", scope.projects),
        ("e.project_id", scope.in_projects),
        ("e.domain_id", scope.domains),
    ):
        if within is not None:
            parts.append(f"list_contains(?, {column})" if within else "false")
            values += [list(within)] if within else []
    if scope.in_regions:
        parts.append("(list_contains(?, e.region) OR e.region = '')")
        values.append(list(scope.in_regions))
    if seen.hidden_types:
        parts.append("NOT list_contains(?, e.type)")
        values.append(list(seen.hidden_types))
    return " AND ".join(f"coalesce({part}, false)" for part in parts) or "true", values


def _ignored(decided: Decided) -> Sql:
    """SQL of why an event is ignored; NULL for one that is not."""
    cases: list[str] = []
    values: list[Any] = []
    if decided.off:
        cases.append(f"WHEN e.rule IN ({', '.join(str(int(rule)) for rule in decided.off)}) THEN 'the rule is off'")
    for one in decided.exempt:
        parts, parameters = _fits(one)
        cases.append(f"WHEN {' AND '.join(parts) or 'true'} THEN ?")
        values += [*parameters, one.reason]
    return f"CASE {' '.join(cases)} END" if cases else "NULL::VARCHAR", values


def _fits(one: Exempt) -> tuple[list[str], list[Any]]:
    parts: list[str] = []
    values: list[Any] = []

    def add(sql: str, *parameters: Any) -> None:
        parts.append(sql)
        values.extend(parameters)

    for column, wanted in (("cloud", one.cloud), ("type", one.type), ("severity", one.severity), ("rule", one.rule),
                           ("field", one.field)):  # fmt: skip
        if wanted is not None:
            add(f"e.{column} = ?", wanted)
    if one.name is not None:
        add("coalesce(lower(e.resource_name), '') LIKE ? ESCAPE '!'", _like(one.name))
    if one.tag is not None:
        add("list_contains(e.tags, ?)", one.tag)
    if one.project is not None:
        add("(e.project_id = ? OR lower(e.project_name) = ?)", one.project, one.project.lower())
    if one.since is not None:
        # When exactly it changed is not known: somewhere between the last sight of the old value and this listing.
        add("coalesce(e.seen_at, e.opened_at) >= ?", naive(one.since))
        if one.until is not None:
            add("coalesce(e.seen_before, e.opened_at) <= ?", naive(one.until))
    return parts, values


def _like(pattern: str) -> str:
    for special in ("!", "%", "_"):
        pattern = pattern.replace(special, f"!{special}")
    return pattern.lower().replace("*", "%").replace("?", "_")


# Choosing


def chosen(wanted: Any) -> Sql:
    """The condition of an EventFilter (engine/drift/models.py) on `told`. `rules` is in it; who looks for a rule by its
    name puts the number there."""
    parts: list[str] = []
    values: list[Any] = []
    for sql, given in (
        ("list_contains(?, told)", wanted.states),
        ("list_contains(?, severity)", wanted.severities),
        ("list_contains(?, type)", wanted.types),
        ("list_contains(?, cloud)", wanted.clouds),
        ("list_contains(?, region)", wanted.regions),
        ("list_contains(?, domain_id)", wanted.domains),
        ("list_contains(?, rule)", wanted.rules),
        ("list_contains(?, coalesce(grade, 'not_asked'))", wanted.grades),
    ):
        if given:
            parts.append(sql)
            values.append(list(given))
    if wanted.projects:
        parts.append("(list_contains(?, project_id) OR list_contains(?, lower(project_name)))")
        values += [list(wanted.projects), [project.lower() for project in wanted.projects]]
    for sql, given in (("field = ?", wanted.field), ("opened_at >= ?", wanted.since), ("opened_at < ?", wanted.until)):
        if given:
            parts.append(sql)
            values.append(naive(given) if isinstance(given, datetime) else given)
    if wanted.id:
        parts.append("(resource_id = ? OR owner_id = ?)")
        values += [wanted.id, wanted.id]
    if wanted.text:
        parts.append(f"contains(lower(concat_ws(' ', {', '.join(_SEARCHED)})), ?)")
        values.append(wanted.text.lower())
    if wanted.flapping is not None:
        parts.append("flapping" if wanted.flapping else "NOT flapping")
    if wanted.acknowledged is not None:
        parts.append("ack_at IS NOT NULL" if wanted.acknowledged else "ack_at IS NULL")
    if wanted.ids is not None:
        parts.append("id IN (SELECT unnest(?::BIGINT[]))")
        values.append(list(wanted.ids))
    return " AND ".join(f"coalesce({part}, false)" for part in parts) or "true", values


def page(
    connection: duckdb.DuckDBPyConnection,
    decided: Decided,
    seen: Seen,
    wanted: Any,
    order: Any,
    limit: int,
    offset: int = 0,
) -> tuple[int, list[dict[str, Any]]]:
    """(how many pass, the rows from `offset` on). `wanted`, `order`: EventFilter and Order."""
    made, values = told(connection, decided, seen)
    where, more = chosen(wanted)
    total = _all(connection, f"{made} SELECT count(*) FROM told WHERE {where}", [*values, *more])[0][0]
    direction = "DESC" if order.descending else "ASC"
    by = f"{_SORTS[order.column]} {direction} NULLS LAST, opened_at DESC, {_RANK}, id"
    sql = f"{made} SELECT * FROM told WHERE {where} ORDER BY {by} LIMIT {int(limit)} OFFSET {int(offset)}"
    return total, _dicts(connection, sql, [*values, *more])


def ids(
    connection: duckdb.DuckDBPyConnection, decided: Decided, seen: Seen, wanted: Any, last: datetime | None, most: int
) -> list[dict[str, Any]]:
    """{id, cloud, rule, type, resource_id, resource_name, ack_at} of what passes and changed last up to `last`."""
    made, values = told(connection, decided, seen)
    where, more = chosen(wanted)
    if last is not None:
        where, more = f"{where} AND last_at <= ?", [*more, naive(last)]
    sql = f"{made} SELECT id, cloud, rule, type, resource_id, resource_name, ack_at FROM told WHERE {where}"
    return _dicts(connection, f"{sql} ORDER BY id LIMIT {int(most)}", [*values, *more])


def by_state(connection: duckdb.DuckDBPyConnection, decided: Decided, seen: Seen) -> list[tuple[str, str, int]]:
    """[(state, severity, number)]."""
    made, values = told(connection, decided, seen)
    return _all(connection, f"{made} SELECT told, severity, count(*) FROM told GROUP BY ALL", values)


def triage(
    connection: duckdb.DuckDBPyConnection, decided: Decided, seen: Seen
) -> tuple[list[dict[str, Any]], int, int]:
    """([{type, cloud, project_id, project_name, rule, severity, number, level}], flapping, not asked).

    Each row counts one thing: `level` (BY_TYPE, ...) says what kind.
    """
    made, values = told(connection, decided, seen)
    sql = f"""{made} SELECT type, cloud, project_id, any_value(project_name) AS project_name, rule, severity,
            count(*) AS number, grouping_id(type, cloud, project_id, rule) AS level FROM told WHERE {TRIAGE}
        GROUP BY GROUPING SETS ((type, severity), (cloud, severity), (cloud, project_id, severity), (rule, severity))"""
    rows = _dicts(connection, sql, values)
    flags = f"""{made} SELECT count(*) FILTER (flapping), count(*) FILTER (asked_at IS NULL) FROM told
        WHERE {TRIAGE}"""
    flapping, unasked = _all(connection, flags, values)[0]
    return rows, flapping, unasked


def exempted(connection: duckdb.DuckDBPyConnection, exempt: Exempt, decided: Decided, seen: Seen) -> int:
    """How many events an entry hides that would be in triage without it."""
    others = Decided(decided.acks, decided.off, tuple(one for one in decided.exempt if one.id != exempt.id))
    made, values = told(connection, others, seen)
    parts, more = _fits(exempt)
    where = " AND ".join(["true", *parts])
    return int(
        _all(connection, f"{made} SELECT count(*) FROM told e WHERE {TRIAGE} AND {where}", [*values, *more])[0][0]
    )


def by_project(
    connection: duckdb.DuckDBPyConnection, decided: Decided, seen: Seen, since: datetime | None, *, triage_only: bool
) -> dict[tuple[str, str], dict[str, int]]:
    """(cloud, project id) -> severity -> events opened since then. Neither ignored nor expected ones."""
    made, values = told(connection, decided, seen)
    where = TRIAGE if triage_only else "told NOT IN ('ignored', 'expected')"
    if since is not None:
        where, values = f"{where} AND opened_at >= ?", [*values, naive(since)]
    sql = f"""{made} SELECT cloud, project_id, severity, count(*) FROM told
        WHERE {where} AND project_id IS NOT NULL GROUP BY ALL"""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for cloud, project, severity, number in _all(connection, sql, values):
        found.setdefault((cloud, project), {})[severity] = number
    return found


def by_day(
    connection: duckdb.DuckDBPyConnection, decided: Decided, seen: Seen, since: datetime, project: str | None = None
) -> dict[tuple[Any, str], int]:
    """(day in UTC, severity) -> events opened on it. Neither ignored nor expected ones."""
    made, values = told(connection, decided, seen)
    where, values = "opened_at >= ? AND told NOT IN ('ignored', 'expected')", [*values, naive(since)]
    if project is not None:
        where, values = f"{where} AND project_id = ?", [*values, project]
    sql = f"{made} SELECT opened_at::DATE, severity, count(*) FROM told WHERE {where} GROUP BY ALL"
    return {(day, severity): number for day, severity, number in _all(connection, sql, values)}


def groups(connection: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str], int]:
    """(cloud, server, request) -> id of the event that stands for what this one action did: the server's own first."""
    keys = {(row["cloud"], row["owner_id"], row["request_id"]) for row in rows if row["owner_id"] and row["request_id"]}
    if not keys:
        return {}
    first = f"[(type <> 'server')::INT, (field NOT IN ('existence', 'status'))::INT, {_RANK}, id]"
    sql = f"""SELECT cloud, owner_id, request_id, arg_min(id, {first}) AS head
        FROM drift_events WHERE request_id IN (SELECT unnest(?)) AND owner_id IS NOT NULL
        GROUP BY ALL HAVING count(*) > 1"""
    found = _all(connection, sql, [sorted({key[2] for key in keys})])
    return {(cloud, owner, request): head for cloud, owner, request, head in found if (cloud, owner, request) in keys}


def actors(
    connection: duckdb.DuckDBPyConnection, ids: Iterable[str]
) -> dict[tuple[str, str, str, str, datetime], tuple[str, str]]:
    """(cloud, region, type, id, when) -> (actor, source), where one is known to have done all of it."""
    sql = """SELECT cloud, region, type, resource_id, opened_at, any_value(actor), any_value(source) FROM drift_events
        WHERE resource_id IN (SELECT unnest(?)) GROUP BY ALL
        HAVING count(*) = count(actor) FILTER (grade IN ('certain', 'cloud')) AND count(DISTINCT actor) = 1"""
    return {tuple(row[:5]): (row[5], row[6]) for row in _all(connection, sql, [sorted(set(ids))])}  # type: ignore[misc]


def _all(connection: duckdb.DuckDBPyConnection, sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    return run(connection, sql, values).fetchall()


def _dicts(connection: duckdb.DuckDBPyConnection, sql: str, values: list[Any]) -> list[dict[str, Any]]:
    cursor = run(connection, sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
