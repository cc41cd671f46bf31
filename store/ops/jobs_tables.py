"""Tables of the jobs: what was asked for, its plan step by step, and every attempt at a step (the journal).

The durable-workflow library keeps its own tables in the same file (`workflow_status`, `workflow_input`,
`workflow_output`, `workflow_events`, `workflow_events_history`, `workflow_schedules`, `operation_outputs`,
`datasource_outputs`, `notifications`, `queues`, `streams`, `application_versions`, `dbos_migrations`,
`dbos_datasource_migrations`): no table of ours may have one of these names.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from store.ops.tables import Instant, metadata

# One job. `plan` is all of the submitted plan but its steps; `caller` is who asked, as the kernel and the login say.
jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("detail", Text),
    Column("plan_version", Integer, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("options", JSON, nullable=False),
    Column("plan_id", String(64)),
    Column("cloud", String(63)),
    Column("caller", JSON, nullable=False),
    Column("by", String(255), nullable=False),
    Column("owner", String(300), nullable=False),
    Column("reason", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("retry_of", String(36)),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("cancel_asked_at", Instant),
    Column("cancelled_by", String(255)),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    UniqueConstraint("number", name="uq_jobs_number"),
    Index("ix_jobs_state", "state"),
    Index("ix_jobs_created_at", "created_at"),
)

# The plan's steps, in order. Steps of one group run side by side; a group begins when the one before has ended. The
# phase "undo" is taken only when the job fails, or is cancelled, before its commit.
job_steps = Table(
    "job_steps",
    metadata,
    Column("job_id", String(36), ForeignKey("jobs.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("group", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("key", JSON(none_as_null=True)),
    Column("target", Text),
    Column("args", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("detail", Text),
    Column("request_ids", JSON, nullable=False, default=list),
    Column("created", Text),
    Column("result", JSON, nullable=False, default=dict),
    Column("token", String(64)),
    Column("attempt", Integer, nullable=False, default=0),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("phase", String(8), nullable=False, default="do", server_default="do"),
)

# Written before a step's first call (the intent) and completed after it; one without `ended_at` may have reached the
# cloud, so the next attempt looks for the token first.
job_attempts = Table(
    "job_attempts",
    metadata,
    Column("job_id", String(36), ForeignKey("jobs.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("token", String(64), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", String(16)),
    Column("detail", Text),
)
