"""Keystone groups."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import KEYSTONE_VOLATILE

TYPE = ResourceType(
    name="group",
    plural="groups",
    title="Groups",
    aliases=("grp",),
    listing=Listing(service="identity", path="/groups", key="groups", page=0, needs="admin", global_=True),
    domain="domain_id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=22, shown=True, search=True),
        Column("domain_id", path=("domain_id",), role="id", title="DOMAIN ID"),
        Column("description", path=("description",), title="DESCRIPTION", width=34, shown=True, search=True),
    ),
    joined=(Joined("domain_name", "domain", on="domain_id", title="DOMAIN", shown=True),),
    list_columns=("name", "domain_name", "description"),
    links=(
        Link("role_assignment", "group_id", title="role assignments"),
        Link("domain", "id", own="domain_id", title="domain"),
    ),
    volatile_paths=KEYSTONE_VOLATILE,
)
