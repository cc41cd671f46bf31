"""Snapshots and backups against volumes: who is protected, since when, and how that was on earlier days.

A volume is *covered* (`protected`) when it has a snapshot or a backup that can be used. On days before compliance with
policies was recorded it is *governed* when its metadata ask for automatic snapshots (`auto_snapshot`); what policies
promise now is judged elsewhere. Numbers are made of the same columns that a list of volumes has, so a filter lists
exactly what is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.capacity import NOW, select
from store.estate.reading.capacity_history import ends, known_since
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.problems import Rows
from store.estate.reading.relation import Relation, literal, quoted
from store.types import registry

if TYPE_CHECKING:
    import duckdb

STALE_DAYS = 7
_SNAPSHOTS = quoted(registry.ALL["snapshot"].table)
# How much is lost with it, 1 to 10: in use 5 (else 1), 500 GB or more 3 (100: 2, 20: 1), older than a week 2.
_RISK = """(CASE WHEN t.server_id IS NOT NULL THEN 5 ELSE 1 END
    + CASE WHEN t.size_gb >= 500 THEN 3 WHEN t.size_gb >= 100 THEN 2 WHEN t.size_gb >= 20 THEN 1 ELSE 0 END
    + CASE WHEN t.created_at < {week} THEN 2 ELSE 0 END)"""
_SUMS = ("volumes", "with_snapshot", "with_backup", "same_back_end_only", "uncovered", "stale")


def protection(connection: duckdb.DuckDBPyConnection, scope: Scope, now: datetime) -> Rows:
    """Per project, most volumes first: cloud, project_id, project_name, domain_id, domain_name, and how many

    volumes, with_snapshot, with_backup, same_back_end_only (snapshots and no backup), uncovered (neither), stale
    (covered, but not within a week)
    """
    week = literal(now - timedelta(days=STALE_DAYS))
    return select(
        connection,
        "volume",
        "t.cloud, t.project_id, any_value({project_name}) AS project_name, any_value({domain_name}) AS domain_name,"
        " count(*) AS volumes, count(*) FILTER ({snapshot_count} > 0) AS with_snapshot,"
        " count(*) FILTER ({backup_count} > 0) AS with_backup,"
        " count(*) FILTER ({snapshot_count} > 0 AND {backup_count} = 0) AS same_back_end_only,"
        " count(*) FILTER (NOT {protected}) AS uncovered,"
        f" count(*) FILTER ({{protected}} AND ({{last_snapshot_at}} > {week}) IS NOT TRUE"
        f" AND ({{last_backup_at}} > {week}) IS NOT TRUE) AS stale",
        scope,
        "GROUP BY t.cloud, t.project_id ORDER BY volumes DESC, t.cloud, t.project_id",
    )


def uncovered(connection: duckdb.DuckDBPyConnection, scope: Scope, now: datetime, limit: int) -> Rows:
    """Volumes without snapshot and backup, most at risk first: id, name, size_gb, project, server, risk."""
    risk = _RISK.replace("{week}", literal(now - timedelta(days=STALE_DAYS)))
    return select(
        connection,
        "volume",
        "t.cloud, t.region, t.id, t.name, t.size_gb, t.project_id, {project_name} AS project_name, t.server_id,"
        f" {risk} AS risk",
        scope,
        f"ORDER BY risk DESC, t.size_gb DESC NULLS LAST, t.name, t.cloud, t.id LIMIT {int(limit)}",
        "NOT {protected}",
    )


def copies(connection: duckdb.DuckDBPyConnection, scope: Scope, now: datetime) -> Rows:
    """Every volume with its usable snapshots and backups: cloud, region, volume_id, volume_name, volume_type, size_gb,
    status, tenant, server, snapshot_count, last_snapshot_at, backup_count, last_backup_at, risk_score."""
    risk = _RISK.replace("{week}", literal(now - timedelta(days=STALE_DAYS)))
    return select(
        connection,
        "volume",
        "t.cloud, t.region, t.id AS volume_id, t.name AS volume_name, t.volume_type, t.size_gb, t.status,"
        " t.project_id AS tenant_id, {project_name} AS tenant_name, {domain_name} AS domain_name,"
        " t.server_id AS vm_id, {server_name} AS vm_name, {snapshot_count} AS snapshot_count,"
        f" {{last_snapshot_at}} AS last_snapshot_at, {{backup_count}} AS backup_count,"
        f" {{last_backup_at}} AS last_backup_at, {risk} AS risk_score",
        scope,
    )


def kept_promises(
    connection: duckdb.DuckDBPyConnection, scope: Scope, days: Sequence[date], now: datetime, window_days: int
) -> list[tuple[int, int] | None]:
    """Each day's end: (governed volumes there were, of these with a usable snapshot within the window).

    As a list of volumes as of that time has them; None for days before volumes and snapshots were listed whole.
    """
    relation = Relation(registry.ALL["volume"], NOW)
    inside, parameters = limits.condition(relation, scope)
    governed = relation.column("auto_snapshot")
    instants = ends(days, now)
    bounds = ", ".join(f"({index}, {literal(at)})" for index, at in enumerate(instants))
    sql = f"""
        WITH days(n, till) AS (VALUES {bounds}),
        volumes AS (
            SELECT t.cloud, t.region, t.id, days.n {relation.from_clause}
            JOIN days ON t.valid_from <= days.till AND (t.valid_to IS NULL OR t.valid_to > days.till)
            WHERE {governed} AND ({inside})),
        covered AS (
            SELECT DISTINCT s.cloud, s.region, s.volume_id, days.n FROM {_SNAPSHOTS} s
            JOIN days ON s.valid_from <= days.till AND (s.valid_to IS NULL OR s.valid_to > days.till)
                AND s.created_at > days.till - to_days({int(window_days)})
            WHERE lower(s.status) = 'available' AND s.created_at > {literal(instants[0] - timedelta(days=window_days))})
        SELECT v.n, count(*), count(c.volume_id) FROM volumes v LEFT JOIN covered c
            ON c.cloud = v.cloud AND c.region = v.region AND c.volume_id = v.id AND c.n = v.n
        GROUP BY v.n"""
    found: dict[int, tuple[int, int]] = {}
    for index, count, kept in run(connection, sql, parameters).fetchall():
        found[index] = (count, kept)
    begun = first_known(connection, scope, ("volume", "snapshot"))
    return [
        None if begun is None or begun > instant else found.get(index, (0, 0)) for index, instant in enumerate(instants)
    ]


def first_known(connection: duckdb.DuckDBPyConnection, scope: Scope, types: Sequence[str]) -> datetime | None:
    """Since when all these types have been listed whole in every cloud and region that has them; None: not yet."""
    found: list[datetime] = []
    for type in types:
        firsts = known_since(connection, type, scope)
        if not firsts:
            return None
        found += firsts.values()
    return max(found)


def sums(rows: Rows) -> dict[str, Any]:
    """Sums of `protection` over all projects."""
    return {name: sum(row[name] for row in rows) for name in _SUMS}
