"""Keystone roles."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import KEYSTONE_VOLATILE

TYPE = ResourceType(
    name="role",
    plural="roles",
    title="Roles",
    listing=Listing(service="identity", path="/roles", key="roles", page=0, needs="admin", global_=True),
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=22, shown=True, search=True),
        Column("domain_id", path=("domain_id",), role="id", title="DOMAIN ID"),
        Column("description", path=("description",), title="DESCRIPTION", width=34, shown=True, search=True),
        Column("immutable", "BOOLEAN", ("options", "immutable"), role="bool", title="IMMUTABLE", width=9),
    ),
    joined=(Joined("domain_name", "domain", on="domain_id", title="DOMAIN", shown=True),),
    list_columns=("name", "domain_name", "description"),
    links=(
        Link("role_assignment", "role_id", title="assignments"),
        Link("domain", "id", own="domain_id", title="domain"),
    ),
    volatile_paths=KEYSTONE_VOLATILE,
    documented={
        "role_id": "id",
        "role_name": "name",
        "domain_id": "domain_id",
        "domain_name": "domain_name",
        "description": "description",
    },
)
