"""Neutron trunks; an extension that many clouds do not have."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import NEUTRON_VOLATILE, OWNER

TYPE = ResourceType(
    name="trunk",
    plural="trunks",
    title="Trunks",
    listing=Listing(service="network", path="/trunks", key="trunks", delta="changed_since", needs="owner"),
    owner="project_id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=24, shown=True, search=True),
        Column("status", path=("status",), role="status", title="STATUS", width=8, shown=True, search=True),
        Column("project_id", path=("project_id",), role="id", title="PROJECT ID"),
        Column("port_id", path=("port_id",), role="id", title="PORT ID"),
        Column("sub_port_ids", "VARCHAR[]", derive="trunk_sub_port_ids", role="list", title="SUB PORTS"),
        Column("admin_state_up", "BOOLEAN", ("admin_state_up",), role="bool", title="UP", width=5),
        Column("description", path=("description",), title="DESCRIPTION", width=24, search=True),
        Column("tags", "VARCHAR[]", ("tags",), role="list", title="TAGS", search=True),
        Column("created_at", "TIMESTAMP", ("created_at",), role="time", title="AGE", width=5),
    ),
    joined=(
        *OWNER,
        Joined("server_name", "port", on="port_id", take="server_name", title="SERVER", width=18, shown=True),
    ),
    list_columns=("name", "status", "server_name", "project_name"),
    faults=("error", "down", "degraded"),
    links=(
        Link("port", "id", own="port_id", title="parent port"),
        Link("port", "id", own="sub_port_ids", title="sub-ports"),
        Link("project", "id", own="project_id", title="project"),
    ),
    volatile_paths=NEUTRON_VOLATILE,
)
