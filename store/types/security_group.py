"""Neutron security groups. The answer carries the rules, but a rule is a resource of its own: they stay out of the
hash.
"""

from store.types.declaration import Column, Computed, Link, Listing, ResourceType
from store.types.parts import NEUTRON_VOLATILE, OWNER

TYPE = ResourceType(
    name="security_group",
    plural="security_groups",
    title="Security groups",
    aliases=("sg", "sgs", "secgroup", "secgroups"),
    listing=Listing(
        service="network", path="/security-groups", key="security_groups", delta="changed_since", needs="owner"
    ),
    owner="project_id",
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=22, shown=True, search=True),
        Column("description", path=("description",), title="DESCRIPTION", width=20, shown=True, search=True),
        Column("project_id", path=("project_id",), role="id", title="PROJECT ID"),
        Column("stateful", "BOOLEAN", ("stateful",), role="bool", title="STATEFUL", width=8),
        Column("shared", "BOOLEAN", ("shared",), role="bool", title="SHARED", width=6),
        Column("tags", "VARCHAR[]", ("tags",), role="list", title="TAGS", search=True),
        Column("created_at", "TIMESTAMP", ("created_at",), role="time", title="AGE", width=5),
    ),
    joined=OWNER,
    computed=(
        Computed("rule_count", title="RULES", width=5, shown=True),
        Computed("ingress_rule_count", title="INGRESS", width=7),
        Computed("egress_rule_count", title="EGRESS", width=6),
        Computed("attached_vm_count", title="SERVERS", width=7, shown=True),
        Computed("attached_network_count", title="NETWORKS", width=8),
    ),
    list_columns=("name", "project_name", "rule_count", "attached_vm_count", "description"),
    faults=(),
    links=(
        Link("security_group_rule", "security_group_id", title="rules"),
        Link("port", "security_group_ids", title="ports"),
        Link("security_group_rule", "remote_group_id", title="rules that name it"),
        Link("project", "id", own="project_id", title="project"),
    ),
    volatile_paths=(*NEUTRON_VOLATILE, ("security_group_rules",)),
    documented={
        "security_group_id": "id",
        "security_group_name": "name",
        "name": "name",
        "description": "description",
        "project_id": "project_id",
        "project_name": "project_name",
        "tenant_name": "project_name",
        "domain_name": "domain_name",
        "attached_vm_count": "attached_vm_count",
        "attached_network_count": "attached_network_count",
        "ingress_rule_count": "ingress_rule_count",
        "egress_rule_count": "egress_rule_count",
        "rule_count": "rule_count",
    },
)
