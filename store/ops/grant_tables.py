"""Tables of what reaches beyond a lifted window: roles given for the length of a job, and clouds where policies run."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from store.ops.tables import Instant, metadata

# A role that the engine gave its own user in a project, one row for each job that uses it: the role is taken back when
# the last row goes. Written before the role is given ("giving") and removed after it was taken back; `problem` says why
# that did not work.
role_grants = Table(
    "role_grants",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("user_name", String(255), nullable=False),
    Column("role_id", String(64), nullable=False),
    Column("role_name", String(255), nullable=False),
    Column("account", String(255), nullable=False),
    Column("job_id", String(64), nullable=False),
    Column("asked_by", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("problem", Text),
    Column("attempts", Integer, nullable=False, default=0),
    Column("since", Instant, nullable=False),
    Column("tried_at", Instant),  # when it was last tried to take it back
    UniqueConstraint("cloud", "project_id", "job_id", name="uq_role_grants_use"),
    Index("ix_role_grants_job_id", "job_id"),
)

# Clouds where scheduled policy runs may make and remove restore points while the cloud is read-only for everybody else.
snapshot_clouds = Table(
    "snapshot_clouds",
    metadata,
    Column("cloud", String(63), primary_key=True),
    Column("enabled_at", Instant, nullable=False),
    Column("enabled_by", String(255), nullable=False),
    Column("reason", Text, nullable=False),
)
