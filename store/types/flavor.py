"""Nova flavors, private ones too (is_public=None)."""

from store.types.declaration import Column, Link, Listing, ResourceType

TYPE = ResourceType(
    name="flavor",
    plural="flavors",
    title="Flavors",
    aliases=("flv",),
    listing=Listing(
        service="compute",
        path="/flavors/detail",
        key="flavors",
        microversion="2.87",
        query=(("is_public", "None"),),
        needs="reader",
    ),
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=22, shown=True, search=True),
        Column("vcpus", "BIGINT", ("vcpus",), role="number", title="vCPU", width=4, shown=True),
        Column("ram_mb", "BIGINT", ("ram",), role="size_mb", title="RAM", width=6, shown=True),
        Column("disk_gb", "BIGINT", ("disk",), role="size_gb", title="DISK", width=6, shown=True),
        Column(
            "ephemeral_gb",
            "BIGINT",
            ("OS-FLV-EXT-DATA:ephemeral",),
            role="size_gb",
            title="EPHEMERAL",
            width=9,
            shown=True,
        ),
        Column("swap_mb", "BIGINT", ("swap",), role="size_mb", title="SWAP", width=5, shown=True),
        Column(
            "is_public", "BOOLEAN", ("os-flavor-access:is_public",), role="bool", title="PUBLIC", width=6, shown=True
        ),
        Column("disabled", "BOOLEAN", ("OS-FLV-DISABLED:disabled",), role="bool", title="DISABLED", width=8),
        Column("rxtx_factor", "DOUBLE", ("rxtx_factor",), role="number", title="RXTX", width=5),
        Column("description", path=("description",), title="DESCRIPTION", width=24, search=True),
        Column(
            "extra_specs", "VARCHAR[]", derive="extra_specs", role="list", title="EXTRA SPECS", width=24, search=True
        ),
    ),
    links=(Link("server", "flavor_name", own="name", title="servers"),),
    volatile_paths=(("links",),),
    documented={
        "flavor_id": "id",
        "flavor_name": "name",
        "vcpus": "vcpus",
        "ram_mb": "ram_mb",
        "disk_gb": "disk_gb",
        "ephemeral_gb": "ephemeral_gb",
        "swap_mb": "swap_mb",
        "is_public": "is_public",
    },
)
