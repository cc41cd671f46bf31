"""Neutron routers."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import NEUTRON_VOLATILE, OWNER

TYPE = ResourceType(
    name="router",
    plural="routers",
    title="Routers",
    aliases=("rtr",),
    listing=Listing(service="network", path="/routers", key="routers", delta="changed_since", needs="owner"),
    owner="project_id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=24, shown=True, search=True),
        Column("status", path=("status",), role="status", title="STATUS", width=7, shown=True, search=True),
        Column("project_id", path=("project_id",), role="id", title="PROJECT ID"),
        Column("admin_state_up", "BOOLEAN", ("admin_state_up",), role="bool", title="UP", width=5),
        Column("external_network_id", path=("external_gateway_info", "network_id"), role="id", title="EXT NET ID"),
        Column(
            "external_ips",
            "VARCHAR[]",
            derive="router_external_ips",
            role="address",
            title="GATEWAY IPs",
            width=15,
            shown=True,
            search=True,
        ),
        Column("enable_snat", "BOOLEAN", ("external_gateway_info", "enable_snat"), role="bool", title="SNAT", width=5),
        Column("ha", "BOOLEAN", ("ha",), role="bool", title="HA", width=5, guarded=True),
        Column("distributed", "BOOLEAN", ("distributed",), role="bool", title="DVR", width=5),
        Column("routes", "VARCHAR[]", derive="router_routes", role="address", title="ROUTES", width=24, search=True),
        Column("description", path=("description",), title="DESCRIPTION", width=24, search=True),
        Column("tags", "VARCHAR[]", ("tags",), role="list", title="TAGS", search=True),
        Column("created_at", "TIMESTAMP", ("created_at",), role="time", title="AGE", width=5),
    ),
    joined=(
        *OWNER,
        Joined(
            "external_network_name", "network", on="external_network_id", title="EXTERNAL NET", width=12, shown=True
        ),
    ),
    list_columns=("name", "status", "project_name", "external_network_name", "external_ips"),
    faults=("error", "down"),
    links=(
        Link("port", "device_id", title="ports"),
        Link("network", "id", own="external_network_id", title="external network"),
        Link("floating_ip", "router_id", title="floating IPs"),
        Link("project", "id", own="project_id", title="project"),
    ),
    volatile_paths=NEUTRON_VOLATILE,
)
