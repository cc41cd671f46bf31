"""Tables of restores: plans, everything a job made and whose it is now, what is kept of old machines, and lineage.

`restore_resources` is what clean-up works on: what is not in it was made by somebody else and is never deleted.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, String, Table, Text, text

from store.ops.tables import Instant, metadata

# A plan as it was shown; a job's id is its plan's. `status`: PLANNED; RUNNING from its execution until its job has
# ended; then ENDED. What came of it is in the tables of jobs.
_RUNNING = text("status = 'RUNNING'")
restore_plans = Table(
    "restore_plans",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("project_id", String(255), nullable=False),
    Column("project_name", Text, nullable=False, default=""),
    Column("domain_name", Text, nullable=False, default=""),
    Column("server_id", String(255), nullable=False),
    Column("server_name", Text, nullable=False),
    Column("way", String(24), nullable=False),
    Column("status", String(16), nullable=False),
    Column("eligible", Boolean, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("content", JSON, nullable=False),
    Column("owner", String(300), nullable=False),
    Column("made_by", String(255), nullable=False),
    Column("executed_at", Instant),
    Column("executed_by", String(255)),
    Column("ended_at", Instant),
    Column("retry_of", String(36)),
    Column("bulk_id", String(36)),
    Index("ix_restore_plans_created_at", "created_at"),
    Index("ix_restore_plans_server", "cloud", "region", "server_id"),
    Index("ix_restore_plans_retry_of", "retry_of"),
    Index("ix_restore_plans_bulk", "bulk_id"),
    # One job per machine at a time, whatever else goes wrong.
    Index(
        "uq_restore_plans_running",
        "cloud",
        "region",
        "server_id",
        unique=True,
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    ),
)

# What a job made. `token` (in the resource, too) is on disk before the cloud is asked.
#   state: begun (the id is not known yet), made, handed_over (in use: no longer the job's to delete), passed_on (to a
#   retry of the job, which has a row of its own), removed
restore_resources = Table(
    "restore_resources",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("purpose", String(255), primary_key=True),
    Column("type", String(32), nullable=False),
    Column("id", String(255), nullable=False, default=""),
    Column("seq", Integer, nullable=False),
    Column("token", String(255), nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("project_id", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("ix_restore_resources_id", "cloud", "region", "id"),
)

# What is kept for a time: an old machine, an old volume, a copy of a disk. `at_end`: none (it is only told) or delete.
#   kind: machine, volume, disk_beside; state: kept, released (nobody's concern any more), removed
restore_kept = Table(
    "restore_kept",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("job_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("cloud", String(63), nullable=False),
    Column("region", String(255), nullable=False),
    Column("project_id", String(255), nullable=False),
    Column("resource_id", String(255), nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("since", Instant, nullable=False),
    Column("until", Instant),  # null: until somebody says
    Column("at_end", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Column("problem", Text, nullable=False, default=""),
    Column("tried_at", Instant),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(255), nullable=False, default=""),
    Index("uq_restore_kept_once", "job_id", "kind", "resource_id", unique=True),
    Index("ix_restore_kept_resource", "cloud", "region", "resource_id"),
    Index("ix_restore_kept_state", "state", "until"),
)

# Which machine or volume took the place of which: policies, restore points and history follow.
restore_lineage = Table(
    "restore_lineage",
    metadata,
    Column("cloud", String(63), primary_key=True),
    Column("region", String(255), primary_key=True),
    Column("type", String(32), primary_key=True),
    Column("old_id", String(255), primary_key=True),
    Column("new_id", String(255), primary_key=True),
    Column("job_id", String(36), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_restore_lineage_new", "cloud", "region", "new_id"),
)

# What a person said when a job asked whether the machine answers.
restore_answers = Table(
    "restore_answers",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("answer", String(8), nullable=False),
    Column("by", String(255), nullable=False),
    Column("at", Instant, nullable=False),
)

TABLES = (restore_plans, restore_resources, restore_kept, restore_lineage, restore_answers)
