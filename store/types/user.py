"""Keystone users."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType
from store.types.parts import KEYSTONE_VOLATILE

TYPE = ResourceType(
    name="user",
    plural="users",
    title="Users",
    aliases=("usr",),
    listing=Listing(service="identity", path="/users", key="users", page=0, needs="admin", global_=True),
    domain="domain_id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=20, shown=True, search=True),
        Column("enabled", "BOOLEAN", ("enabled",), role="bool", title="ENABLED", width=7, shown=True),
        Column("domain_id", path=("domain_id",), role="id", title="DOMAIN ID"),
        Column("default_project_id", path=("default_project_id",), role="id", title="PROJECT ID"),
        Column("email", path=("email",), title="EMAIL", width=24, shown=True, search=True),
        Column("description", path=("description",), title="DESCRIPTION", width=24, search=True),
        Column("password_expires_at", "TIMESTAMP", ("password_expires_at",), role="time", title="PW EXPIRES", width=10),
    ),
    joined=(
        Joined("domain_name", "domain", on="domain_id", title="DOMAIN", width=12, shown=True),
        Joined("default_project_name", "project", on="default_project_id", title="PROJECT", width=12),
    ),
    list_columns=("name", "domain_name", "enabled", "email"),
    links=(
        Link("role_assignment", "user_id", title="role assignments"),
        Link("server", "user_id", title="servers"),
        Link("domain", "id", own="domain_id", title="domain"),
        Link("project", "id", own="default_project_id", title="default project"),
        Link("keypair", "user_id", title="key pairs"),
    ),
    volatile_paths=KEYSTONE_VOLATILE,
    documented={
        "user_id": "id",
        "user_name": "name",
        "email": "email",
        "enabled": "enabled",
        "domain_id": "domain_id",
        "domain_name": "domain_name",
        "default_project_id": "default_project_id",
        "default_project_name": "default_project_name",
        "description": "description",
        "password_expires_at": "password_expires_at",
    },
)
