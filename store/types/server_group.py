"""Nova server groups (affinity rules), read with limit and offset."""

from store.types.declaration import Column, Link, Listing, ResourceType
from store.types.parts import OWNER

TYPE = ResourceType(
    name="server_group",
    plural="server_groups",
    title="Server groups",
    aliases=("sgrp", "affinity"),
    listing=Listing(
        service="compute",
        path="/os-server-groups",
        key="server_groups",
        microversion="2.87",
        paging="offset",
        all_projects="all_projects=True",
        needs="owner",
    ),
    owner="project_id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=24, shown=True, search=True),
        Column("policy", derive="server_group_policy", title="POLICY", width=20, shown=True, search=True),
        Column(
            "member_count",
            "BIGINT",
            derive="server_group_member_count",
            role="number",
            title="MEMBERS",
            width=7,
            shown=True,
        ),
        Column("server_ids", "VARCHAR[]", ("members",), role="list", title="SERVERS"),
        Column("project_id", path=("project_id",), role="id", title="PROJECT ID"),
        Column("user_id", path=("user_id",), role="id", title="USER ID"),
    ),
    joined=OWNER,
    list_columns=("name", "policy", "member_count", "project_name"),
    links=(
        Link("server", "id", own="server_ids", title="servers"),
        Link("project", "id", own="project_id", title="project"),
    ),
)
