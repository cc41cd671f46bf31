"""Pieces that several declarations share."""

from store.types.declaration import Joined

PROJECT = Joined("project_name", "project", on="project_id", title="PROJECT", width=12, shown=True)
PROJECT_HIDDEN = Joined("project_name", "project", on="project_id", title="PROJECT", width=12)
DOMAIN_OF_PROJECT = Joined("domain_name", "project", on="project_id", take="domain_name", title="DOMAIN", width=12)
OWNER = (PROJECT, DOMAIN_OF_PROJECT)
OWNER_HIDDEN = (PROJECT_HIDDEN, DOMAIN_OF_PROJECT)
USER = Joined("user_name", "user", on="user_id", title="USER", width=12)
SERVER = Joined("server_name", "server", on="server_id", title="SERVER", width=18, shown=True)

# Every write to a Neutron resource moves these two, also when nothing else does.
NEUTRON_VOLATILE = (("updated_at",), ("revision_number",))
KEYSTONE_VOLATILE = (("links",),)
CINDER_VOLATILE = (("links",), ("updated_at",))
