"""Tables of the write gate: plans that were shown, clouds that may be written just now, resources that a job holds."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from store.ops.tables import Instant, metadata

# A plan as it was shown, with what it relies on; executed at most once.
plans = Table(
    "plans",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(300), nullable=False),
    Column("made_by", String(255), nullable=False),
    Column("action", String(128), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("hash", String(64), nullable=False),
    # JSON texts: the request, the answer, and per target what must not have changed.
    Column("request", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("relied", Text, nullable=False),
    Column("executed_at", Instant),
    Column("job_id", String(64)),
    Index("ix_plans_created_at", "created_at"),
)

# Read-only mode lifted: a cloud without a row, or with one that ended, is read-only.
write_windows = Table(
    "write_windows",
    metadata,
    Column("cloud", String(63), primary_key=True),
    Column("began_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("lifted_by", String(255), nullable=False),
    Column("reason", Text, nullable=False),
)

# A resource that a plan's job works on; nothing else may be done to it meanwhile.
holds = Table(
    "holds",
    metadata,
    Column("type", String(64), primary_key=True),
    Column("cloud", String(63), primary_key=True),
    Column("region", String(255), primary_key=True),
    Column("resource_id", String(255), primary_key=True),
    Column("plan_id", String(36), nullable=False),
    Column("job_id", String(64)),
    Column("title", Text, nullable=False),
    Column("held_by", String(255), nullable=False),
    Column("since", Instant, nullable=False),
    Index("ix_holds_plan_id", "plan_id"),
)
