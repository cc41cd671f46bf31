"""Cinder's user messages: why a request on a volume, snapshot or backup failed. Read for one resource when asked."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType

TYPE = ResourceType(
    name="cinder_message",
    plural="cinder_messages",
    title="Volume messages",
    aliases=("message", "messages"),
    listing=Listing(
        service="block-storage",
        path="/messages",
        key="messages",
        microversion="3.65",
        query=(("resource_uuid", "{resource_id}"),),  # the only way for an administrator of another project, too
        on_demand=True,
        needs="owner",
    ),
    default_sort=("created_at",),
    columns=(
        Column("user_message", path=("user_message",), title="MESSAGE", width=44, shown=True, search=True),
        Column("message_level", path=("message_level",), role="status", title="LEVEL", width=7, shown=True),
        Column("event_id", path=("event_id",), title="EVENT", width=12, search=True),
        Column("resource_type", path=("resource_type",), title="ON", width=9, shown=True),
        Column("resource_id", path=("resource_uuid",), role="id", title="ON ID"),
        Column("request_id", path=("request_id",), role="id", title="REQUEST", search=True),
        Column("created_at", "TIMESTAMP", ("created_at",), role="time", title="AGE", width=5, shown=True),
        Column("expires_at", "TIMESTAMP", ("guaranteed_until",), role="time", title="KEPT UNTIL", width=10),
    ),
    joined=(
        Joined("volume_name", "volume", on="resource_id", title="VOLUME", width=18),
        Joined("project_id", "volume", on="resource_id", take="project_id", role="id", title="PROJECT ID"),
    ),
    limited_by="project_id",
    links=(
        Link("volume", "id", own="resource_id", title="volume"),
        Link("snapshot", "id", own="resource_id", title="snapshot"),
        Link("backup", "id", own="resource_id", title="backup"),
    ),
    volatile_paths=(("links",),),
)
