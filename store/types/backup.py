"""Cinder backups."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import CINDER_VOLATILE, OWNER, USER

TYPE = ResourceType(
    name="backup",
    plural="backups",
    title="Backups",
    aliases=("bak", "volume_backup", "volume_backups"),
    listing=Listing(
        service="block-storage",
        path="/backups/detail",
        key="backups",
        microversion="3.65",
        all_projects="all_tenants",
        needs="owner",
        rotates=True,
    ),
    owner="project_id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=22, shown=True, search=True),
        Column("status", path=("status",), role="status", title="STATUS", width=9, shown=True, search=True),
        Column("size_gb", "BIGINT", ("size",), role="size_gb", title="SIZE", width=5, shown=True),
        Column("volume_id", path=("volume_id",), role="id", title="VOLUME ID"),
        Column("snapshot_id", path=("snapshot_id",), role="id", title="SNAPSHOT ID"),
        Column("project_id", path=("os-backup-project-attr:project_id",), role="id", title="PROJECT ID", guarded=True),
        Column("user_id", path=("user_id",), role="id", title="USER ID"),
        Column("is_incremental", "BOOLEAN", ("is_incremental",), role="bool", title="INCR", width=4),
        Column("has_dependents", "BOOLEAN", ("has_dependent_backups",), role="bool", title="DEPENDENTS", width=10),
        Column("container", path=("container",), role="name", title="CONTAINER", width=14, search=True),
        Column("availability_zone", path=("availability_zone",), role="name", title="ZONE"),
        Column("fail_reason", path=("fail_reason",), title="FAILURE", width=24, search=True),
        Column("description", path=("description",), title="DESCRIPTION", width=24, search=True),
        Column("data_timestamp", "TIMESTAMP", ("data_timestamp",), role="time", title="DATA OF", width=7),
        Column("created_at", "TIMESTAMP", ("created_at",), role="time", title="AGE", width=5, shown=True),
    ),
    joined=(*OWNER, USER, Joined("volume_name", "volume", on="volume_id", title="VOLUME", width=16, shown=True)),
    list_columns=("name", "status", "size_gb", "volume_name", "project_name", "created_at"),
    faults=("error", "error_deleting"),
    links=(
        Link("volume", "id", own="volume_id", title="volume"),
        Link("snapshot", "id", own="snapshot_id", title="snapshot"),
        Link("project", "id", own="project_id", title="project"),
        Link("cinder_message", "resource_id", title="messages"),
    ),
    volatile_paths=CINDER_VOLATILE,
)
