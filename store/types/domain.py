"""Keystone domains."""

from store.types.declaration import Column, Computed, Link, Listing, ResourceType
from store.types.parts import KEYSTONE_VOLATILE

TYPE = ResourceType(
    name="domain",
    plural="domains",
    title="Domains",
    aliases=("dom",),
    listing=Listing(service="identity", path="/domains", key="domains", page=0, needs="admin", global_=True),
    domain="id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=20, shown=True, search=True),
        Column("enabled", "BOOLEAN", ("enabled",), role="bool", title="ENABLED", width=7, shown=True),
        Column("description", path=("description",), title="DESCRIPTION", width=32, shown=True, search=True),
        Column("tags", "VARCHAR[]", ("tags",), role="list", title="TAGS", search=True),
    ),
    computed=(Computed("project_count", title="PROJECTS", width=8, shown=True),),
    list_columns=("name", "enabled", "project_count", "description"),
    links=(
        Link("project", "domain_id", title="projects"),
        Link("user", "domain_id", title="users"),
        Link("group", "domain_id", title="groups"),
        Link("role", "domain_id", title="roles"),
        Link("role_assignment", "domain_id", title="role assignments"),
    ),
    volatile_paths=KEYSTONE_VOLATILE,
    documented={
        "domain_id": "id",
        "domain_name": "name",
        "enabled": "enabled",
        "description": "description",
        "project_count": "project_count",
    },
)
