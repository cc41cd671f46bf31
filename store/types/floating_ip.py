"""Neutron floating IPs."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import NEUTRON_VOLATILE, OWNER

TYPE = ResourceType(
    name="floating_ip",
    plural="floating_ips",
    title="Floating IPs",
    aliases=("fip", "fips", "floatingip", "floatingips"),
    listing=Listing(service="network", path="/floatingips", key="floatingips", delta="changed_since", needs="owner"),
    owner="project_id",
    default_sort=("address",),
    columns=(
        Column(
            "address", path=("floating_ip_address",), role="address", title="ADDRESS", width=15, shown=True, search=True
        ),
        Column("status", path=("status",), role="status", title="STATUS", width=7, shown=True, search=True),
        Column(
            "fixed_ip", path=("fixed_ip_address",), role="address", title="FIXED IP", width=15, shown=True, search=True
        ),
        Column("project_id", path=("project_id",), role="id", title="PROJECT ID"),
        Column("network_id", path=("floating_network_id",), role="id", title="NETWORK ID"),
        Column("router_id", path=("router_id",), role="id", title="ROUTER ID"),
        Column("port_id", path=("port_id",), role="id", title="PORT ID"),
        Column("server_id", derive="floating_ip_server_id", role="id", title="SERVER ID"),
        Column("description", path=("description",), title="DESCRIPTION", width=24, search=True),
        Column("dns_name", path=("dns_name",), role="name", title="DNS NAME", search=True),
        Column("tags", "VARCHAR[]", ("tags",), role="list", title="TAGS", search=True),
        Column("created_at", "TIMESTAMP", ("created_at",), role="time", title="AGE", width=5),
    ),
    joined=(
        *OWNER,
        Joined("server_name", "server", on="server_id", title="SERVER", width=16, shown=True),
        Joined("network_name", "network", on="network_id", title="NETWORK", width=12),
        Joined("router_name", "router", on="router_id", title="ROUTER", width=14),
    ),
    list_columns=("address", "status", "fixed_ip", "server_name", "project_name"),
    faults=("error",),
    links=(
        Link("server", "id", own="server_id", title="server"),
        Link("port", "id", own="port_id", title="port"),
        Link("router", "id", own="router_id", title="router"),
        Link("network", "id", own="network_id", title="external network"),
        Link("project", "id", own="project_id", title="project"),
    ),
    volatile_paths=(*NEUTRON_VOLATILE, ("port_details",)),
    documented={
        "floating_ip_id": "id",
        "floating_ip_address": "address",
        "fixed_ip_address": "fixed_ip",
        "status": "status",
        "port_id": "port_id",
        "router_id": "router_id",
        "floating_network_id": "network_id",
        "network_name": "network_name",
        "server_name": "server_name",
        "project_id": "project_id",
        "tenant_name": "project_name",
        "domain_name": "domain_name",
    },
)
