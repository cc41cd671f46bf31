"""Cinder volume attachments. Their connection data is secret and is taken out where answers enter the engine."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import SERVER

TYPE = ResourceType(
    name="volume_attachment",
    plural="volume_attachments",
    title="Volume attachments",
    aliases=("attachment", "attachments", "vatt"),
    listing=Listing(
        service="block-storage",
        path="/attachments/detail",
        key="attachments",
        microversion="3.65",
        all_projects="all_tenants",
        needs="owner",
    ),
    default_sort=("attached_at",),
    columns=(
        Column("status", path=("status",), role="status", title="STATUS", width=10, shown=True, search=True),
        Column("server_id", path=("instance",), role="id", title="SERVER ID"),
        Column("volume_id", path=("volume_id",), role="id", title="VOLUME ID"),
        Column("attach_mode", path=("attach_mode",), title="MODE", width=4, shown=True),
        Column("attached_at", "TIMESTAMP", ("attached_at",), role="time", title="ATTACHED", width=8, shown=True),
        Column("detached_at", "TIMESTAMP", ("detached_at",), role="time", title="DETACHED", width=8),
    ),
    joined=(
        SERVER,
        Joined("volume_name", "volume", on="volume_id", title="VOLUME", width=18, shown=True),
        Joined("project_id", "volume", on="volume_id", take="project_id", role="id", title="PROJECT ID"),
        Joined("project_name", "volume", on="volume_id", take="project_name", title="PROJECT", width=12, shown=True),
    ),
    list_columns=("server_name", "volume_name", "status", "attach_mode", "attached_at", "project_name"),
    limited_by="project_id",
    faults=("error_attaching", "error_detaching", "error"),
    links=(
        Link("server", "id", own="server_id", title="server"),
        Link("volume", "id", own="volume_id", title="volume"),
    ),
    volatile_paths=(("connection_info",),),
)
