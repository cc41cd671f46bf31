"""Tables of snapshot runs: what each run was to do and did, and every restore point that a policy made.

The points are the register that retention works on: what is not in it was made by somebody else and is never removed.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from store.ops.tables import Instant, metadata

# One run: every policy that is due at one time on one cloud and region. `phase` is where its machinery stands, `status`
# what people are told; `occurrences` {policy: time it was due}, `keys` the volumes it is limited to (null: all).
snapshot_runs = Table(
    "snapshot_runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("uid", String(36), nullable=False),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("policies", JSON, nullable=False),
    Column("occurrences", JSON, nullable=False),
    Column("keys", JSON(none_as_null=True)),
    Column("trigger", String(16), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("status", String(24), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("caller", JSON, nullable=False),
    Column("by", String(255), nullable=False),
    Column("job_ids", JSON, nullable=False, default=list),
    Column("cancelled_by", String(255)),
    Column("attempt", Integer, nullable=False, default=1),
    Column("retry_at", Instant),  # when what could not be made is tried again; null: not
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("total_volumes", Integer, nullable=False, default=0),
    Column("created", Integer, nullable=False, default=0),
    Column("deleted", Integer, nullable=False, default=0),
    Column("skipped", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("quota_blocked", Integer, nullable=False, default=0),
    Column("batches", JSON, nullable=False, default=list),
    UniqueConstraint("uid", name="uq_snapshot_runs_uid"),
    Index("ix_snapshot_runs_status", "status"),
    Index("ix_snapshot_runs_place", "cloud", "region", "created_at"),
)

# What was done with one volume for one policy: one row for each of made, removed, skipped, failed, blocked.
snapshot_records = Table(
    "snapshot_records",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", Integer, ForeignKey("snapshot_runs.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("action", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("code", String(24), nullable=False, default=""),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("volume_id", String(255), nullable=False),
    Column("volume_name", Text, nullable=False, default=""),
    Column("project_id", String(255), nullable=False, default=""),
    Column("project_name", Text, nullable=False, default=""),
    Column("domain_name", Text, nullable=False, default=""),
    Column("server_id", String(255), nullable=False, default=""),
    Column("server_name", Text, nullable=False, default=""),
    Column("policy", String(255), nullable=False),
    Column("keep", Integer, nullable=False, default=0),
    Column("point_id", String(255), nullable=False, default=""),
    Column("point_name", Text, nullable=False, default=""),
    Column("size_gb", Integer, nullable=False, default=0),
    Column("detail", Text, nullable=False, default=""),
    Column("step", Integer, nullable=False, default=0),
    # A step that is done again after a crash writes the same rows once more.
    UniqueConstraint("run_id", "volume_id", "policy", "action", "point_id", name="uq_snapshot_records_once"),
    Index("ix_snapshot_records_volume", "cloud", "region", "volume_id", "at"),
    Index("ix_snapshot_records_status", "status", "at"),
)

# Volumes that got no point because the project's quota has no room, with the numbers that were read.
snapshot_quota_blocks = Table(
    "snapshot_quota_blocks",
    metadata,
    Column("run_id", Integer, ForeignKey("snapshot_runs.id"), primary_key=True),
    Column("volume_id", String(255), primary_key=True),
    Column("policy", String(255), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("volume_name", Text, nullable=False, default=""),
    Column("project_id", String(255), nullable=False, default=""),
    Column("tenant_name", Text, nullable=False, default=""),
    Column("size_gb", Integer, nullable=False, default=0),
    Column("reason", String(64), nullable=False),
    Column("resource", String(255), nullable=False, default=""),
    Column("limit", Integer),
    Column("used", Integer),
    Column("needed", Integer),
    Column("detail", Text, nullable=False, default=""),
    Index("ix_snapshot_quota_blocks_volume", "cloud", "region", "volume_id", "at"),
)

# Every restore point that a policy made. `token` is on disk before the cloud is asked, and in what it makes.
#   state: begun, made, deleting, deleted (by retention), lost (by somebody else), failed (never became usable)
snapshot_points = Table(
    "snapshot_points",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("volume_id", String(255), primary_key=True),  # "" for the image that stands for a machine's volumes
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("project_id", String(255), nullable=False),
    Column("policy", String(255), nullable=False),
    Column("occurrence", Instant, nullable=False),
    Column("run_id", Integer, ForeignKey("snapshot_runs.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("point_id", String(255), nullable=False, default=""),
    Column("group", String(255), nullable=False, default=""),
    Column("server_id", String(255), nullable=False, default=""),
    Column("name", Text, nullable=False, default=""),
    Column("size_gb", Integer, nullable=False, default=0),
    Column("state", String(16), nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("consistency", String(24), nullable=False, default=""),
    Column("proof", Text, nullable=False, default=""),
    Column("spread_ms", Integer),
    Column("detail", Text, nullable=False, default=""),
    Index("ix_snapshot_points_volume", "cloud", "region", "volume_id", "policy"),
    Index("ix_snapshot_points_id", "cloud", "region", "point_id"),
    Index("ix_snapshot_points_state", "cloud", "region", "state"),
)

# The pipeline on demand: four steps, one pipeline at a time. `runs` are those that its third step began.
snapshot_pipelines = Table(
    "snapshot_pipelines",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("by", String(255), nullable=False),
    Column("caller", JSON, nullable=False),
    Column("steps", JSON, nullable=False),
    Column("places", JSON, nullable=False, default=list),
    Column("runs", JSON, nullable=False, default=list),
    Column("detail", Text, nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Index("ix_snapshot_pipelines_created_at", "created_at"),
)
