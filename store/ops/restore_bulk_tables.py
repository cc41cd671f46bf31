"""Tables of restores of many machines at once: one plan for all, and where each machine of it stands.

What has become of a machine's restore is in its job, whose id is that of the plan in `turn_id`; so nothing here can say
otherwise after a crash.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text

from store.ops.tables import Instant, metadata

# `phase`: PLANNED, RUNNING, PAUSED, ENDED. `caller` is who carries it out, as the jobs know him.
#   passed    groups up to this one have been let pass although not all of their machines ended well
#   forgiven  failures that do not count any more: somebody resumed after them
restore_bulks = Table(
    "restore_bulks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("way", String(24), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("asked", JSON, nullable=False),
    Column("content", JSON, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("owner", String(300), nullable=False),
    Column("made_by", String(255), nullable=False),
    Column("caller", JSON),
    Column("reason", Text, nullable=False, default=""),
    Column("ticket", Text, nullable=False, default=""),
    Column("executed_at", Instant),
    Column("executed_by", String(255)),
    Column("paused_why", Text, nullable=False, default=""),
    Column("passed", Integer, nullable=False, default=-1),
    Column("forgiven", Integer, nullable=False, default=0),
    Column("cancelled_by", String(255)),
    Column("cancel_running", Boolean, nullable=False, default=False),
    Column("ended_at", Instant),
    Column("outcome", String(16), nullable=False, default=""),
    Column("detail", Text, nullable=False, default=""),
    Index("ix_restore_bulks_created_at", "created_at"),
    Index("ix_restore_bulks_phase", "phase"),
)

# One machine. `place`: its group. `state`: "" (its job says it, or it waits), LEFT_OUT, SKIPPED, NOT_BEGUN.
#   plan_id   the plan that was shown; null: none could be made
#   turn_id   the plan that its turn carries out: that one, or a fresh one; on disk before the job is begun
restore_bulk_machines = Table(
    "restore_bulk_machines",
    metadata,
    Column("bulk_id", String(36), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("server_id", String(255), nullable=False),
    Column("server_name", Text, nullable=False, default=""),
    Column("project_id", String(255), nullable=False, default=""),
    Column("project_name", Text, nullable=False, default=""),
    Column("place", Integer, nullable=False),
    Column("back_ends", JSON, nullable=False),
    Column("eligible", Boolean, nullable=False),
    Column("plan_id", String(36)),
    Column("turn_id", String(36)),
    Column("content", JSON, nullable=False),
    Column("state", String(16), nullable=False, default=""),
    Column("detail", Text, nullable=False, default=""),
    Index("uq_restore_bulk_machines_once", "bulk_id", "cloud", "region", "server_id", unique=True),
    Index("ix_restore_bulk_machines_turn", "turn_id"),
)

BULK_TABLES = (restore_bulks, restore_bulk_machines)
