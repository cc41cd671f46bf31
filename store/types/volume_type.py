"""Cinder volume types, private ones too."""

from store.types.declaration import Column, Link, Listing, ResourceType

TYPE = ResourceType(
    name="volume_type",
    plural="volume_types",
    title="Volume types",
    aliases=("vtype", "vtypes"),
    listing=Listing(
        service="block-storage",
        path="/types",
        key="volume_types",
        microversion="3.65",
        query=(("is_public", "None"),),
        needs="reader",
    ),
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=22, shown=True, search=True),
        Column("is_public", "BOOLEAN", ("is_public",), role="bool", title="PUBLIC", width=6, shown=True),
        Column(
            "backend",
            path=("extra_specs", "volume_backend_name"),
            role="name",
            title="BACKEND",
            width=14,
            shown=True,
            search=True,
            guarded=True,
        ),
        Column("description", path=("description",), title="DESCRIPTION", width=28, shown=True, search=True),
        Column("qos_specs_id", path=("qos_specs_id",), role="id", title="QOS ID", guarded=True),
        Column(
            "extra_specs",
            "VARCHAR[]",
            ("extra_specs",),
            derive="extra_specs",
            role="list",
            title="EXTRA SPECS",
            width=24,
            search=True,
            guarded=True,
        ),
    ),
    links=(Link("volume", "volume_type", own="name", title="volumes"),),
)
