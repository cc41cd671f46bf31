"""Numbered migrations of the operations database, applied in order, each in a transaction, when it is opened.

A migration that was released is never edited: version 1 states its tables by name, so a table added to the metadata
later is made by the migration that adds it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, inspect, select, text

from store.ops.audit_tables import audit_tickets
from store.ops.compliance_tables import TABLES as COMPLIANCE_TABLES
from store.ops.copilot_tables import copilot_history
from store.ops.dashboard_tables import problems
from store.ops.drift_tables import drift_acks, drift_exceptions, drift_rules
from store.ops.gate_tables import holds, plans, write_windows
from store.ops.grant_tables import role_grants, snapshot_clouds
from store.ops.jobs_tables import job_attempts, job_steps, jobs
from store.ops.notes_tables import notes
from store.ops.restore_bulk_tables import BULK_TABLES
from store.ops.restore_tables import TABLES as RESTORE_TABLES
from store.ops.shift_tables import shift_marks
from store.ops.snapshot_policy_tables import TABLES as SNAPSHOT_POLICY_TABLES
from store.ops.snapshot_run_tables import (
    snapshot_pipelines,
    snapshot_points,
    snapshot_quota_blocks,
    snapshot_records,
    snapshot_runs,
)
from store.ops.tables import audit, metadata
from store.ops.views_tables import column_choices, saved_views

_FIRST_TABLES = (
    "accounts",
    "users",
    "role_bindings",
    "api_tokens",
    "sessions",
    "audit",
    "settings",
    "session_views",
    "access_log",
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: `version` it leads to, `title` for the log, `apply(connection)`."""

    version: int
    title: str
    apply: Callable[[Connection], None]


def _first(connection: Connection) -> None:
    metadata.create_all(connection, tables=[metadata.tables[name] for name in _FIRST_TABLES])
    for statement in _APPEND_ONLY[connection.dialect.name]:
        connection.execute(text(statement))


def _gate(connection: Connection) -> None:
    metadata.create_all(connection, tables=[plans, write_windows, holds])


def _jobs(connection: Connection) -> None:
    metadata.create_all(connection, tables=[jobs, job_steps, job_attempts])


def _notes(connection: Connection) -> None:
    metadata.create_all(connection, tables=[notes, shift_marks, saved_views, column_choices, audit_tickets])
    copied = select(audit.c.seq, audit.c.detail).where(audit.c.detail.contains('"ticket"'))
    for seq, detail in connection.execute(copied).all():
        ticket = json.loads(detail).get("ticket")
        if isinstance(ticket, str) and ticket:
            connection.execute(insert(audit_tickets).values(ticket=ticket[:255], seq=seq))


def _problems(connection: Connection) -> None:
    metadata.create_all(connection, tables=[problems])


def _drift(connection: Connection) -> None:
    metadata.create_all(connection, tables=[drift_acks, drift_rules, drift_exceptions])


def _snapshot_runs(connection: Connection) -> None:
    own = [snapshot_runs, snapshot_records, snapshot_quota_blocks, snapshot_points, snapshot_pipelines]
    metadata.create_all(connection, tables=own)


def _snapshot_policies(connection: Connection) -> None:
    metadata.create_all(connection, tables=list(SNAPSHOT_POLICY_TABLES))


def _compliance(connection: Connection) -> None:
    metadata.create_all(connection, tables=list(COMPLIANCE_TABLES))


def _grants(connection: Connection) -> None:
    metadata.create_all(connection, tables=[role_grants, snapshot_clouds])


def _restores(connection: Connection) -> None:
    metadata.create_all(connection, tables=list(RESTORE_TABLES))


def _bulk_restores(connection: Connection) -> None:
    metadata.create_all(connection, tables=list(BULK_TABLES))


def _phases(connection: Connection) -> None:
    # A database that is made now has the column already.
    if "phase" not in {column["name"] for column in inspect(connection).get_columns("job_steps")}:
        connection.execute(text("ALTER TABLE job_steps ADD COLUMN phase VARCHAR(8) NOT NULL DEFAULT 'do'"))


def _copilot(connection: Connection) -> None:
    metadata.create_all(connection, tables=[copilot_history])


# The audit refuses UPDATE and DELETE also to a program that has the file open.
_APPEND_ONLY: dict[str, tuple[str, ...]] = {
    "sqlite": (
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ),
}

MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "first tables", _first),
    Migration(2, "the write gate", _gate),
    Migration(3, "jobs", _jobs),
    Migration(4, "notes, shifts and saved views", _notes),
    Migration(6, "problems", _problems),
    Migration(7, "what people decide on drift", _drift),
    Migration(8, "snapshot policies", _snapshot_policies),
    Migration(9, "snapshot runs and the points they made", _snapshot_runs),
    Migration(10, "roles given for a job, and clouds where policies run", _grants),
    Migration(11, "compliance day by day", _compliance),
    Migration(12, "restores", _restores),
    Migration(13, "steps that take back what a job did", _phases),
    Migration(14, "restores of many machines at once", _bulk_restores),
    Migration(15, "what the copilot was asked", _copilot),
)

LATEST = MIGRATIONS[-1].version
