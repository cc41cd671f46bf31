"""Nova host aggregates."""

from store.types.declaration import Column, Link, Listing, ResourceType

TYPE = ResourceType(
    name="aggregate",
    plural="aggregates",
    title="Host aggregates",
    aliases=("agg", "host_aggregate", "host_aggregates"),
    listing=Listing(
        service="compute", path="/os-aggregates", key="aggregates", microversion="2.87", page=0, needs="admin"
    ),
    id_path=(),
    id_derive="aggregate_id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=22, shown=True, search=True),
        Column(
            "availability_zone",
            path=("availability_zone",),
            role="name",
            title="ZONE",
            width=14,
            shown=True,
            search=True,
        ),
        Column(
            "host_count", "BIGINT", derive="aggregate_host_count", role="number", title="HOSTS", width=5, shown=True
        ),
        Column("hosts", "VARCHAR[]", ("hosts",), role="list", title="HOST NAMES", width=30, shown=True, search=True),
        Column("number", "BIGINT", ("id",), role="number", title="NUMBER", width=6),
        Column("metadata", "VARCHAR[]", derive="metadata_items", role="list", title="METADATA", width=24, search=True),
        Column("created_at", "TIMESTAMP", ("created_at",), role="time", title="AGE", width=5),
    ),
    links=(
        Link("hypervisor", "service_host", own="hosts", title="hypervisors"),
        Link("availability_zone", "name", own="availability_zone", title="zone"),
    ),
    volatile_paths=(("updated_at",),),
)
