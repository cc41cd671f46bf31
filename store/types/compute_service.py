"""Nova services: nova-compute, nova-scheduler, nova-conductor on their hosts."""

from store.types.declaration import Column, Link, Listing, ResourceType

TYPE = ResourceType(
    name="compute_service",
    plural="compute_services",
    title="Compute services",
    aliases=("csvc", "nova_service", "nova_services"),
    listing=Listing(service="compute", path="/os-services", key="services", microversion="2.87", page=0, needs="admin"),
    default_sort=("host", "binary"),
    columns=(
        Column("host", path=("host",), role="name", title="HOST", width=18, shown=True, search=True),
        Column("binary", path=("binary",), role="name", title="BINARY", width=16, shown=True, search=True),
        Column("state", path=("state",), role="status", title="STATE", width=5, shown=True, search=True),
        Column("status", path=("status",), role="status", title="STATUS", width=8, shown=True, search=True),
        Column("zone", path=("zone",), role="name", title="ZONE", width=10, shown=True, search=True),
        Column("forced_down", "BOOLEAN", ("forced_down",), role="bool", title="FORCED", width=6),
        Column("disabled_reason", path=("disabled_reason",), title="REASON", width=12, shown=True, search=True),
    ),
    faults=("down", "disabled", "error"),
    links=(
        Link("hypervisor", "service_host", own="host", title="hypervisor"),
        Link("availability_zone", "name", own="zone", title="zone"),
    ),
    volatile_paths=(("updated_at",),),
)
