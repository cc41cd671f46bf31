"""Cinder volume snapshots."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import CINDER_VOLATILE, OWNER, USER

TYPE = ResourceType(
    name="snapshot",
    plural="snapshots",
    title="Snapshots",
    aliases=("snap", "snaps", "volume_snapshot"),
    listing=Listing(
        service="block-storage",
        path="/snapshots/detail",
        key="snapshots",
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
        Column("project_id", path=("os-extended-snapshot-attributes:project_id",), role="id", title="PROJECT ID"),
        Column("user_id", path=("user_id",), role="id", title="USER ID"),
        Column("progress", path=("os-extended-snapshot-attributes:progress",), title="PROGRESS", width=8),
        Column("group_snapshot_id", path=("group_snapshot_id",), role="id", title="GROUP SNAP"),
        Column("description", path=("description",), title="DESCRIPTION", width=24, search=True),
        Column("metadata", "VARCHAR[]", derive="metadata_items", role="list", title="METADATA", width=20, search=True),
        Column("created_at", "TIMESTAMP", ("created_at",), role="time", title="AGE", width=5, shown=True),
    ),
    joined=(
        *OWNER,
        USER,
        Joined("volume_name", "volume", on="volume_id", title="VOLUME", width=16, shown=True),
        Joined("server_name", "volume", on="volume_id", take="server_name", title="SERVER", width=16),
    ),
    list_columns=("name", "status", "size_gb", "volume_name", "project_name", "created_at"),
    faults=("error", "error_deleting"),
    links=(
        Link("volume", "id", own="volume_id", title="volume"),
        Link("volume", "snapshot_id", title="volumes made from it"),
        Link("backup", "snapshot_id", title="backups"),
        Link("project", "id", own="project_id", title="project"),
        Link("cinder_message", "resource_id", title="messages"),
    ),
    volatile_paths=CINDER_VOLATILE,
    documented={
        "snapshot_id": "id",
        "snapshot_name": "name",
        "status": "status",
        "size_gb": "size_gb",
        "volume_id": "volume_id",
        "volume_name": "volume_name",
        "project_id": "project_id",
        "project_name": "project_name",
        "tenant_name": "project_name",
        "domain_name": "domain_name",
        "description": "description",
        "created_at": "created_at",
    },
)
