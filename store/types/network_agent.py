"""Neutron agents. A token without the right gets an empty list, not a refusal."""

from store.types.declaration import Column, Link, Listing, ResourceType

# The agents' own counters; the rest of `configurations` is what somebody configured.
_COUNTERS = (
    "devices",
    "ex_gw_ports",
    "floating_ips",
    "interfaces",
    "routers",
    "networks",
    "ports",
    "subnets",
    "dhcp_leases",
)

TYPE = ResourceType(
    name="network_agent",
    plural="network_agents",
    title="Network agents",
    aliases=("agent", "agents", "nagent"),
    listing=Listing(service="network", path="/agents", key="agents", needs="admin"),
    default_sort=("host", "binary"),
    columns=(
        Column("host", path=("host",), role="name", title="HOST", width=16, shown=True, search=True),
        Column("binary", path=("binary",), role="name", title="BINARY", width=24, shown=True, search=True),
        Column("agent_type", path=("agent_type",), title="TYPE", width=16, search=True),
        Column("state", derive="agent_state", role="status", title="STATE", width=5, shown=True, search=True),
        Column("admin_state_up", "BOOLEAN", ("admin_state_up",), role="bool", title="ENABLED", width=7, shown=True),
        Column("availability_zone", path=("availability_zone",), role="name", title="ZONE", width=10, shown=True),
        Column("description", path=("description",), title="DESCRIPTION", width=24, search=True),
        Column("created_at", "TIMESTAMP", ("created_at",), role="time", title="AGE", width=5),
        Column("started_at", "TIMESTAMP", ("started_at",), role="time", title="STARTED", width=7),
    ),
    faults=("down",),
    links=(Link("hypervisor", "service_host", own="host", title="hypervisor"),),
    volatile_paths=(
        ("heartbeat_timestamp",),
        ("resources_synced",),
        *(("configurations", counter) for counter in _COUNTERS),
    ),
)
