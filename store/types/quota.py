"""Quota and usage of a project: one document made of the answers of compute, block storage and network.

The document is made by `store.types.derive.quota_document`: {"project_id", "limits": {service: {key: n}}, "usage":
{...}, "reserved": {...}}. A service that did not answer is absent. A limit of -1 means unlimited.
"""

from store.types.declaration import Column, Computed, Joined, Link, Listing, ResourceType, Role
from store.types.parts import DOMAIN_OF_PROJECT


def _pair(
    name: str, service: str, key: str, title: str, *, role: Role = "number", shown: bool = False
) -> tuple[Column, Column]:
    """The columns `<name>_limit` and `<name>_used`."""
    most = Column(f"{name}_limit", "BIGINT", ("limits", service, key), role, f"{title} MAX"[:12], 9)
    path = ("usage", service, key)
    used = Column(f"{name}_used", "BIGINT", path, role, title, 7, shown=shown, volatile=True)
    return most, used


TYPE = ResourceType(
    name="quota",
    plural="quotas",
    title="Quotas",
    aliases=("limits",),
    listing=Listing(
        service="compute",
        path="/os-quota-sets/{project_id}/detail",
        key="quota_set",
        microversion="2.87",
        page=0,
        per="project",
        needs="owner",
    ),
    id_path=("project_id",),
    owner="project_id",
    default_sort=("project_name",),
    columns=(
        Column("project_id", path=("project_id",), role="id", title="PROJECT ID"),
        *_pair("instances", "compute", "instances", "SERVERS", shown=True),
        *_pair("cores", "compute", "cores", "vCPU", shown=True),
        *_pair("ram_mb", "compute", "ram", "RAM", role="size_mb", shown=True),
        *_pair("server_groups", "compute", "server_groups", "GROUPS"),
        *_pair("volumes", "volume", "volumes", "VOLUMES", shown=True),
        *_pair("gigabytes", "volume", "gigabytes", "VOL SIZE", role="size_gb", shown=True),
        *_pair("snapshots", "volume", "snapshots", "SNAPS"),
        *_pair("backups", "volume", "backups", "BACKUPS"),
        *_pair("backup_gigabytes", "volume", "backup_gigabytes", "BACKUP", role="size_gb"),
        *_pair("networks", "network", "network", "NETS"),
        *_pair("subnets", "network", "subnet", "SUBNETS"),
        *_pair("ports", "network", "port", "PORTS"),
        *_pair("routers", "network", "router", "ROUTERS"),
        *_pair("floating_ips", "network", "floatingip", "FIPs"),
        *_pair("security_groups", "network", "security_group", "SGs"),
        *_pair("security_group_rules", "network", "security_group_rule", "RULES"),
    ),
    joined=(
        Joined("project_name", "project", on="project_id", title="PROJECT", width=18, shown=True),
        DOMAIN_OF_PROJECT,
    ),
    computed=(Computed("fullest_percent", "DOUBLE", title="FULLEST %", width=9, shown=True),),
    list_columns=(
        "project_name",
        "fullest_percent",
        "instances_used",
        "cores_used",
        "ram_mb_used",
        "volumes_used",
        "gigabytes_used",
    ),
    faults=(),
    links=(Link("project", "id", own="project_id", title="project"),),
    volatile_paths=(("usage",), ("reserved",)),
)
