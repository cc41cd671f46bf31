"""Neutron subnets."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import NEUTRON_VOLATILE, OWNER

TYPE = ResourceType(
    name="subnet",
    plural="subnets",
    title="Subnets",
    aliases=("sub",),
    listing=Listing(service="network", path="/subnets", key="subnets", delta="changed_since", needs="owner"),
    owner="project_id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=20, shown=True, search=True),
        Column("cidr", path=("cidr",), role="address", title="CIDR", width=16, shown=True, search=True),
        Column("gateway_ip", path=("gateway_ip",), role="address", title="GATEWAY", width=13, shown=True, search=True),
        Column("ip_version", "BIGINT", ("ip_version",), role="number", title="IP", width=2),
        Column("enable_dhcp", "BOOLEAN", ("enable_dhcp",), role="bool", title="DHCP", width=5),
        Column("network_id", path=("network_id",), role="id", title="NETWORK ID"),
        Column("project_id", path=("project_id",), role="id", title="PROJECT ID"),
        Column(
            "dns_nameservers", "VARCHAR[]", ("dns_nameservers",), role="address", title="DNS", width=15, search=True
        ),
        Column(
            "allocation_pools", "VARCHAR[]", derive="subnet_pools", role="address", title="POOLS", width=24, search=True
        ),
        Column(
            "host_routes", "VARCHAR[]", derive="subnet_routes", role="address", title="ROUTES", width=24, search=True
        ),
        Column("description", path=("description",), title="DESCRIPTION", width=24, search=True),
        Column("tags", "VARCHAR[]", ("tags",), role="list", title="TAGS", search=True),
        Column("created_at", "TIMESTAMP", ("created_at",), role="time", title="AGE", width=5),
    ),
    joined=(*OWNER, Joined("network_name", "network", on="network_id", title="NETWORK", shown=True)),
    list_columns=("name", "cidr", "gateway_ip", "network_name", "project_name"),
    faults=(),
    links=(
        Link("network", "id", own="network_id", title="network"),
        Link("port", "subnet_ids", title="ports"),
        Link("project", "id", own="project_id", title="project"),
    ),
    volatile_paths=NEUTRON_VOLATILE,
    documented={
        "subnet_id": "id",
        "subnet_name": "name",
        "cidr": "cidr",
        "gateway_ip": "gateway_ip",
        "ip_version": "ip_version",
        "enable_dhcp": "enable_dhcp",
        "network_id": "network_id",
        "network_name": "network_name",
        "project_id": "project_id",
        "tenant_name": "project_name",
        "domain_name": "domain_name",
    },
)
