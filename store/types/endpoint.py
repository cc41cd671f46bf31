"""Keystone's service catalog: endpoints."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import KEYSTONE_VOLATILE

TYPE = ResourceType(
    name="endpoint",
    plural="endpoints",
    title="Endpoints",
    aliases=("ep",),
    listing=Listing(service="identity", path="/endpoints", key="endpoints", page=0, needs="admin", global_=True),
    default_sort=("service_name", "interface"),
    columns=(
        Column("service_id", path=("service_id",), role="id", title="SERVICE ID"),
        Column("interface", path=("interface",), title="INTERFACE", width=9, shown=True, search=True),
        Column("region_id", path=("region_id",), role="name", title="REGION", width=10, shown=True, search=True),
        Column("url", path=("url",), title="URL", width=34, shown=True, search=True),
        Column("enabled", "BOOLEAN", ("enabled",), role="bool", title="ENABLED", width=7),
    ),
    joined=(
        Joined("service_name", "service", on="service_id", title="SERVICE", width=12, shown=True),
        Joined("service_type", "service", on="service_id", take="service_type", role="text", title="TYPE", width=14),
    ),
    list_columns=("service_name", "interface", "region_id", "url"),
    links=(Link("service", "id", own="service_id", title="service"),),
    volatile_paths=KEYSTONE_VOLATILE,
)
