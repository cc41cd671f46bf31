"""Keystone's service catalog: services."""

from store.types.declaration import Column, Link, Listing, ResourceType
from store.types.parts import KEYSTONE_VOLATILE

TYPE = ResourceType(
    name="service",
    plural="services",
    title="Catalog services",
    aliases=("svc", "catalog"),
    listing=Listing(service="identity", path="/services", key="services", page=0, needs="admin", global_=True),
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=22, shown=True, search=True),
        Column("service_type", path=("type",), title="TYPE", width=20, shown=True, search=True),
        Column("enabled", "BOOLEAN", ("enabled",), role="bool", title="ENABLED", width=7, shown=True),
        Column("description", path=("description",), title="DESCRIPTION", width=20, shown=True, search=True),
    ),
    links=(Link("endpoint", "service_id", title="endpoints"),),
    volatile_paths=KEYSTONE_VOLATILE,
)
