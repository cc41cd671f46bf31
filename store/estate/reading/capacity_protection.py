"""Snapshots and backups against volumes: who is protected, since when, and how that was on earlier days.

A volume is *governed* when its metadata asks for automatic snapshots; only such a volume can break a promise. A volume
is *covered* when it has a snapshot or a backup that can be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.capacity import select
from store.estate.reading.capacity_history import ends, known_since
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.problems import Rows
from store.estate.reading.relation import Moment, Relation, literal, quoted
from store.types import registry

if TYPE_CHECKING:
    import duckdb

_SNAPSHOTS = quoted(registry.ALL["snapshot"].table)
_BACKUPS = quoted(registry.ALL["backup"].table)
_YES = ", ".join(f"'auto_snapshot={word}'" for word in ("true", "True", "TRUE", "yes", "Yes", "1"))
GOVERNED = f"coalesce(list_has_any(t.metadata, [{_YES}]), false)"
_NEWEST = f"""LEFT JOIN (SELECT s.cloud, s.region, s.volume_id, max(s.created_at) AS at FROM {_SNAPSHOTS} s
    WHERE s.valid_to IS NULL AND lower(s.status) = 'available' GROUP BY ALL
    ) newest ON newest.cloud = t.cloud AND newest.region = t.region AND newest.volume_id = t.id"""
_BACKED = f"""LEFT JOIN (SELECT b.cloud, b.region, b.volume_id, max(b.created_at) AS at FROM {_BACKUPS} b
    WHERE b.valid_to IS NULL AND lower(b.status) = 'available' GROUP BY ALL
    ) backed ON backed.cloud = t.cloud AND backed.region = t.region AND backed.volume_id = t.id"""
JOINS = f"{_NEWEST}\n{_BACKED}"
# The policies that a volume's metadata names.
_POLICY = """list_first(list_transform(list_filter(t.metadata, lambda m: starts_with(m, 'snapshot_policies=')
    OR starts_with(m, 'snapshot_policy=')), lambda m: split_part(m, '=', 2)))"""

# How much is lost with it, 1 to 10: in use 5 (else 1), 500 GB or more 3 (100: 2, 20: 1), older than a week 2.
RISK = """(CASE WHEN t.server_id IS NOT NULL THEN 5 ELSE 1 END
    + CASE WHEN t.size_gb >= 500 THEN 3 WHEN t.size_gb >= 100 THEN 2 WHEN t.size_gb >= 20 THEN 1 ELSE 0 END
    + CASE WHEN t.created_at < {week} THEN 2 ELSE 0 END)"""
STALE_DAYS = 7


def sla(connection: duckdb.DuckDBPyConnection, scope: Scope, now: datetime, days: int) -> Rows:
    """Per project: governed volumes, of these compliant (newest snapshot younger than `days`), late (older, but not
    twice as old) and missing (older still, or none); and volumes that nothing governs.
    """
    young, old = literal(now - timedelta(days=days)), literal(now - timedelta(days=2 * days))
    return select(
        connection,
        "volume",
        "t.cloud, t.project_id, any_value({project_name}) AS project_name, any_value({domain_name}) AS domain_name,"
        f" count(*) FILTER ({GOVERNED}) AS governed,"
        f" count(*) FILTER ({GOVERNED} AND newest.at >= {young}) AS compliant,"
        f" count(*) FILTER ({GOVERNED} AND newest.at < {young} AND newest.at >= {old}) AS late,"
        f" count(*) FILTER ({GOVERNED} AND (newest.at IS NULL OR newest.at < {old})) AS missing,"
        f" count(*) FILTER (NOT {GOVERNED}) AS ungoverned",
        scope,
        "GROUP BY t.cloud, t.project_id ORDER BY project_name NULLS LAST, t.cloud, t.project_id",
        joins=_NEWEST,
    )


def broken_promises(
    connection: duckdb.DuckDBPyConnection, scope: Scope, now: datetime, days: int, limit: int = 1000
) -> Rows:
    """Governed volumes without a snapshot young enough, the oldest first: id, name, project, policy, last."""
    young = literal(now - timedelta(days=days))
    return select(
        connection,
        "volume",
        f"t.cloud, t.region, t.id, t.name, t.project_id, {_POLICY} AS policy, newest.at AS last",
        scope,
        f"ORDER BY newest.at NULLS FIRST, t.cloud, t.id LIMIT {int(limit)}",
        f"{GOVERNED} AND (newest.at IS NULL OR newest.at < {young})",
        joins=_NEWEST,
    )


def uncovered(connection: duckdb.DuckDBPyConnection, scope: Scope, now: datetime, limit: int) -> Rows:
    """Volumes without snapshot and backup, most at risk first: id, name, size_gb, project, server, risk."""
    return select(
        connection,
        "volume",
        "t.cloud, t.region, t.id, t.name, t.size_gb, t.project_id, {project_name} AS project_name, t.server_id, "
        f"{GOVERNED} AS governed, {_risk(now)} AS risk",
        scope,
        f"ORDER BY risk DESC, t.size_gb DESC NULLS LAST, t.name, t.id LIMIT {int(limit)}",
        "newest.volume_id IS NULL AND backed.volume_id IS NULL",
        joins=JOINS,
    )


def _risk(now: datetime) -> str:
    return RISK.replace("{week}", literal(now - timedelta(days=STALE_DAYS)))


def protection(connection: duckdb.DuckDBPyConnection, scope: Scope, now: datetime) -> Rows:
    """Per project: volumes, those with a snapshot, with a backup, with neither, and those whose newest snapshot or
    backup is older than a week."""
    week = literal(now - timedelta(days=STALE_DAYS))
    last = "greatest(newest.at, backed.at)"
    return select(
        connection,
        "volume",
        "t.cloud, t.project_id, any_value({project_name}) AS project_name, count(*) AS volumes,"
        " count(newest.volume_id) AS with_snapshot, count(backed.volume_id) AS with_backup,"
        " count(*) FILTER (newest.volume_id IS NULL AND backed.volume_id IS NULL) AS uncovered,"
        f" count(*) FILTER ({last} < {week}) AS stale",
        scope,
        "GROUP BY t.cloud, t.project_id ORDER BY project_name NULLS LAST, t.cloud, t.project_id",
        joins=JOINS,
    )


def kept_promises(
    connection: duckdb.DuckDBPyConnection, scope: Scope, days: Sequence[date], now: datetime, window_days: int
) -> list[tuple[date, int, int] | None]:
    """Each day's end: (day, governed volumes there were, of these with a snapshot not older than the window).

    None for days before everything was listed. A snapshot counts from when it was made until it was gone.
    """
    relation = Relation(registry.ALL["volume"], Moment("TIMESTAMP 'epoch'"))
    inside, parameters = limits.condition(relation, scope)
    instants = ends(days, now)
    bounds = ", ".join(f"({index}, {literal(at)})" for index, at in enumerate(instants))
    sql = f"""
        WITH days(n, at) AS (VALUES {bounds}),
        volumes AS (
            SELECT t.cloud, t.region, t.id, days.n FROM {relation.source} t {" ".join(relation.joins)}
            JOIN days ON t.valid_from < days.at AND (t.valid_to IS NULL OR t.valid_to >= days.at)
            WHERE {GOVERNED} AND ({inside})),
        snapshots AS (
            SELECT s.cloud, s.region, s.volume_id, min(s.created_at) AS made, arg_max(s.status, s.valid_from) AS status,
                CASE WHEN bool_or(s.valid_to IS NULL) THEN NULL ELSE max(s.valid_to) END AS gone
            FROM {_SNAPSHOTS} s GROUP BY s.cloud, s.region, s.id, s.volume_id),
        covered AS (
            SELECT DISTINCT s.cloud, s.region, s.volume_id, days.n FROM snapshots s
            JOIN days ON s.made < days.at AND s.made >= days.at - to_days({int(window_days)})
                AND (s.gone IS NULL OR s.gone >= days.at)
            WHERE lower(s.status) = 'available')
        SELECT v.n, count(*), count(c.volume_id) FROM volumes v LEFT JOIN covered c
            ON c.cloud = v.cloud AND c.region = v.region AND c.volume_id = v.id AND c.n = v.n
        GROUP BY v.n"""
    found: dict[int, tuple[int, int]] = {}
    for index, count, kept in run(connection, sql, parameters).fetchall():
        found[index] = (count, kept)
    first = [*known_since(connection, "volume").values(), *known_since(connection, "snapshot").values()]
    begun = max(first, default=None)
    return [
        None if begun is None or begun > instant else (day, *found.get(index, (0, 0)))
        for index, (day, instant) in enumerate(zip(days, instants, strict=True))
    ]


def latest(rows: Rows) -> dict[str, Any]:
    """Sums of `protection` over all projects."""
    names = ("volumes", "with_snapshot", "with_backup", "uncovered", "stale")
    return {name: sum(row[name] for row in rows) for name in names}
