"""Nova availability zones. Hosts are left out of the hash: their heart-beats would make a version a minute."""

from store.types.declaration import Column, Link, Listing, ResourceType

TYPE = ResourceType(
    name="availability_zone",
    plural="availability_zones",
    title="Availability zones",
    aliases=("az", "azs", "zone", "zones"),
    listing=Listing(
        service="compute",
        path="/os-availability-zone/detail",
        key="availabilityZoneInfo",
        microversion="2.87",
        page=0,
        needs="admin",
    ),
    id_path=("zoneName",),
    columns=(
        Column("name", path=("zoneName",), role="name", title="NAME", width=24, shown=True, search=True),
        Column("available", "BOOLEAN", ("zoneState", "available"), role="bool", title="AVAILABLE", width=9, shown=True),
        Column(
            "hosts", "VARCHAR[]", derive="zone_hosts", role="list", title="HOSTS", width=38, shown=True, search=True
        ),
    ),
    links=(
        Link("server", "availability_zone", own="name", title="servers"),
        Link("aggregate", "availability_zone", own="name", title="aggregates"),
        Link("compute_service", "zone", own="name", title="compute services"),
    ),
    volatile_paths=(("hosts",),),
)
