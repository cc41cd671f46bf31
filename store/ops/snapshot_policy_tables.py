"""Tables of what people decided on snapshots: policies, which volumes get them, what is left out; and what came of it.

What a policy made is in the tables of runs; here is only which occurrences of its schedule were taken up.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, String, Table, Text, UniqueConstraint

from store.ops.tables import Instant, metadata

# Names that nobody made here work too (engine/snapshots/policies/naming.py); those have no row. `since`: when the
# present schedule began to hold; occurrences before it are not made.
snapshot_policies = Table(
    "snapshot_policies",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("cron", String(255), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("keep", Integer, nullable=False),
    Column("jitter_minutes", Integer, nullable=False),
    Column("catch_up_hours", Float),
    Column("window_hours", Float),
    Column("method", String(16), nullable=False),
    Column("group_type", String(255), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("description", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", String(255), nullable=False),
)

# The documented policy sets; "" stands for "any" in tenant, cloud and region. Numbers are not used twice.
snapshot_policy_sets = Table(
    "snapshot_policy_sets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("is_global", Boolean, nullable=False),
    Column("tenant_id", String(64), nullable=False),
    Column("tenant_name", String(255), nullable=False),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("match", JSON, nullable=False),
    Column("policies", JSON, nullable=False),
    Column("retention_map", JSON, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", String(255), nullable=False),
    sqlite_autoincrement=True,
)

# One row gives one volume either a set (`policy` is "") or one policy (`policy_set_id` is 0) with its own `keep`.
snapshot_assignments = Table(
    "snapshot_assignments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("volume_id", String(64), nullable=False),
    Column("volume_name", String(255), nullable=False),
    Column("tenant_id", String(64), nullable=False),
    Column("tenant_name", String(255), nullable=False),
    Column("policy_set_id", Integer, nullable=False),
    Column("policy", String(64), nullable=False),
    Column("keep", Integer),
    Column("reason", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", String(255), nullable=False),
    UniqueConstraint("cloud", "region", "volume_id", "policy_set_id", "policy", name="uq_snapshot_assignments"),
    Index("ix_snapshot_assignments_set", "policy_set_id"),
    sqlite_autoincrement=True,
)

# What no policy takes, whatever a set says. A volume, a tenant, a match, or several of them: all must hold.
snapshot_exclusions = Table(
    "snapshot_exclusions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("volume_id", String(64), nullable=False),
    Column("volume_name", String(255), nullable=False),
    Column("tenant_id", String(64), nullable=False),
    Column("tenant_name", String(255), nullable=False),
    Column("match", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", String(16), nullable=False),
    Column("expires_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(255), nullable=False),
    Index("ix_snapshot_exclusions_volume", "volume_id"),
    sqlite_autoincrement=True,
)

# `since`: when this policy was first looked for there; `occurrence`: the newest that a run took up.
snapshot_occurrences = Table(
    "snapshot_occurrences",
    metadata,
    Column("cloud", String(63), primary_key=True),
    Column("region", String(255), primary_key=True),
    Column("policy", String(64), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("occurrence", Instant),
    Column("run_id", String(64)),
    Column("at", Instant),
)

# What we wrote to the metadata of a volume: while it is still so, it says nothing that was not decided here.
snapshot_metadata_written = Table(
    "snapshot_metadata_written",
    metadata,
    Column("cloud", String(63), primary_key=True),
    Column("region", String(255), primary_key=True),
    Column("volume_id", String(64), primary_key=True),
    Column("metadata", JSON, nullable=False),
    Column("at", Instant, nullable=False),
)

TABLES = (
    snapshot_policies,
    snapshot_policy_sets,
    snapshot_assignments,
    snapshot_exclusions,
    snapshot_occurrences,
    snapshot_metadata_written,
)
