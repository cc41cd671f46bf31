"""SQL of the columns that are counted or added up from other types (`Computed`), by (type, column).

Each function gets the relation, joins what it needs, and answers the column's expression. NEEDS names the type's own
columns that it uses.
"""

from __future__ import annotations

from collections.abc import Callable

from store.estate.reading.relation import Relation

COMPUTED: dict[tuple[str, str], Callable[[Relation], str]] = {}
NEEDS: dict[tuple[str, str], tuple[str, ...]] = {}


def _computes(
    type: str, *names: str, needs: tuple[str, ...] = ()
) -> Callable[[Callable[[Relation, str], str]], Callable[[Relation, str], str]]:
    def register(function: Callable[[Relation, str], str]) -> Callable[[Relation, str], str]:
        for name in names:
            COMPUTED[type, name] = lambda relation, name=name: function(relation, name)  # type: ignore[misc]
            NEEDS[type, name] = needs
        return function

    return register


def _same(a: str, b: str) -> str:
    """Same cloud and region."""
    return f"{a}.cloud = {b}.cloud AND {a}.region = {b}.region"


@_computes("server", "ips", needs=("addresses",))
def _ips(relation: Relation, name: str) -> str:
    return f"array_to_string({relation.column('addresses')}, ', ')"


def _volumes(relation: Relation) -> None:
    """Join `disk`: the sizes and the boot image of the volumes of servers that have no image."""
    t = relation.alias
    relation.computed_join(
        "disk",
        f"""SELECT b.cloud, b.region, b.id, sum(v.size_gb)::BIGINT AS gb,
                min(v.image_name) FILTER (v.bootable) AS image_name
            FROM (SELECT r.cloud, r.region, r.id, unnest(r.volume_ids) AS volume_id FROM {relation.rows} r
                  WHERE r.image_id IS NULL) b
            JOIN {relation.of("volume", "v")} ON {_same("v", "b")} AND v.id = b.volume_id AND {relation.at("v")}
            GROUP BY b.cloud, b.region, b.id""",
        f"{_same('disk', t)} AND disk.id = {t}.id",
    )


@_computes("server", "disk_gb", needs=("image_id", "volume_ids", "flavor_disk_gb"))
def _disk_gb(relation: Relation, name: str) -> str:
    """The flavor's disk, or for a server booted from a volume the sum of its volumes' sizes (when they are known)."""
    _volumes(relation)
    flavor = relation.column("flavor_disk_gb")
    return f"CASE WHEN {relation.column('image_id')} IS NULL THEN coalesce(disk.gb, {flavor}) ELSE {flavor} END"


@_computes("server", "boot_image_name", needs=("image_id", "volume_ids"))
def _boot_image_name(relation: Relation, name: str) -> str:
    """The image's name, or for a server booted from a volume that of the image the volume was made from."""
    _volumes(relation)
    return (
        f"CASE WHEN {relation.column('image_id')} IS NULL THEN disk.image_name ELSE {relation.column('image_name')} END"
    )


_HOST = {
    "host_vcpus_used": "vcpus",
    "host_ram_used_mb": "ram_mb",
    "host_disk_used_gb": "disk_gb",
    "host_running_vms": "running",
}


@_computes("server", *_HOST, needs=("host",))
def _host_used(relation: Relation, name: str) -> str:
    """What the servers on the host add up to: vCPUs and RAM of all, local disk of those booted from an image, and how
    many run.
    """
    t = relation.alias
    relation.computed_join(
        "host_used",
        f"""SELECT s.cloud, s.region, s.host, sum(s.vcpus)::BIGINT AS vcpus, sum(s.ram_mb)::BIGINT AS ram_mb,
                sum(coalesce(s.ephemeral_gb, 0)
                    + CASE WHEN s.image_id IS NULL THEN 0 ELSE coalesce(s.flavor_disk_gb, 0) END)::BIGINT AS disk_gb,
                count(*) FILTER (coalesce(s.power_state = 1, upper(s.status) = 'ACTIVE')) AS running
            FROM {relation.of("server", "s")} WHERE s.host IS NOT NULL AND {relation.at("s")}
            GROUP BY s.cloud, s.region, s.host""",
        f"{_same('host_used', t)} AND host_used.host = {relation.column('host')}",
    )
    return f"host_used.{_HOST[name]}"


@_computes("domain", "project_count")
def _project_count(relation: Relation, name: str) -> str:
    t = relation.alias
    relation.computed_join(
        "projects",
        f"""SELECT p.cloud, p.domain_id, count(*) AS n FROM {relation.of("project", "p")}
            WHERE {relation.at("p")} AND p.is_domain IS NOT TRUE GROUP BY p.cloud, p.domain_id""",
        f"projects.cloud = {t}.cloud AND projects.domain_id = {t}.id",
    )
    return "coalesce(projects.n, 0)"


_OWNED = {
    "server_count": ("server", "count(*)"),
    "volume_count": ("volume", "count(*)"),
    "volume_gb": ("volume", "sum(o.size_gb)::BIGINT"),
    "snapshot_count": ("snapshot", "count(*)"),
    "network_count": ("network", "count(*)"),
    "floating_ip_count": ("floating_ip", "count(*)"),
    "security_group_count": ("security_group", "count(*)"),
}


@_computes("project", *_OWNED)
def _owned(relation: Relation, name: str) -> str:
    """Resources of the project, in all regions."""
    type, aggregate = _OWNED[name]
    t = relation.alias
    relation.computed_join(
        f"owned_{name}",
        f"""SELECT o.cloud, o.project_id, {aggregate} AS n FROM {relation.of(type, "o")}
            WHERE {relation.at("o")} GROUP BY o.cloud, o.project_id""",
        f"owned_{name}.cloud = {t}.cloud AND owned_{name}.project_id = {t}.id",
    )
    return f"coalesce(owned_{name}.n, 0)"


_RULES = {
    "rule_count": "count(*)",
    "ingress_rule_count": "count(*) FILTER (o.direction = 'ingress')",
    "egress_rule_count": "count(*) FILTER (o.direction = 'egress')",
}


@_computes("security_group", *_RULES)
def _rules(relation: Relation, name: str) -> str:
    t = relation.alias
    counts = ", ".join(f"{sql} AS {column}" for column, sql in _RULES.items())
    relation.computed_join(
        "group_rules",
        f"""SELECT o.cloud, o.region, o.security_group_id, {counts} FROM {relation.of("security_group_rule", "o")}
            WHERE {relation.at("o")} GROUP BY o.cloud, o.region, o.security_group_id""",
        f"{_same('group_rules', t)} AND group_rules.security_group_id = {t}.id",
    )
    return f"coalesce(group_rules.{name}, 0)"


_ATTACHED = {
    "attached_vm_count": "count(DISTINCT p.device_id) FILTER (starts_with(p.device_owner, 'compute:'))",
    "attached_network_count": "count(DISTINCT p.network_id)",
}


@_computes("security_group", *_ATTACHED)
def _attached(relation: Relation, name: str) -> str:
    """Servers and networks that the group's ports belong to."""
    t = relation.alias
    counts = ", ".join(f"{sql} AS {column}" for column, sql in _ATTACHED.items())
    relation.computed_join(
        "group_ports",
        f"""SELECT p.cloud, p.region, p.group_id, {counts}
            FROM (SELECT q.cloud, q.region, q.device_id, q.device_owner, q.network_id,
                      unnest(q.security_group_ids) AS group_id
                  FROM {relation.of("port", "q")} WHERE {relation.at("q")}) p
            GROUP BY p.cloud, p.region, p.group_id""",
        f"{_same('group_ports', t)} AND group_ports.group_id = {t}.id",
    )
    return f"coalesce(group_ports.{name}, 0)"


_YES = ", ".join(f"'auto_snapshot={word}'" for word in ("true", "True", "TRUE", "yes", "Yes", "1"))


@_computes("volume", "auto_snapshot", needs=("metadata",))
def _auto_snapshot(relation: Relation, name: str) -> str:
    """Whether the volume's metadata ask for automatic snapshots."""
    return f"coalesce(list_has_any({relation.column('metadata')}, [{_YES}]), false)"


def _usable(relation: Relation, type: str) -> str:
    """Join the volume's usable (available) snapshots or backups: how many, and when the newest was made."""
    t = relation.alias
    relation.computed_join(
        f"usable_{type}",
        f"""SELECT o.cloud, o.region, o.volume_id, count(*) AS n, max(o.created_at) AS newest
            FROM {relation.of(type, "o")} WHERE {relation.at("o")} AND lower(o.status) = 'available'
            GROUP BY o.cloud, o.region, o.volume_id""",
        f"{_same(f'usable_{type}', t)} AND usable_{type}.volume_id = {t}.id",
    )
    return f"usable_{type}"


@_computes("volume", "snapshot_count", "last_snapshot_at", "backup_count", "last_backup_at")
def _copies(relation: Relation, name: str) -> str:
    found = _usable(relation, "snapshot" if "snapshot" in name else "backup")
    return f"coalesce({found}.n, 0)" if name.endswith("count") else f"{found}.newest"


@_computes("volume", "protected")
def _protected(relation: Relation, name: str) -> str:
    """Whether there is a usable snapshot or backup of it."""
    return f"({_usable(relation, 'snapshot')}.n IS NOT NULL OR {_usable(relation, 'backup')}.n IS NOT NULL)"


def _quota_pairs() -> list[str]:
    from store.types.quota import TYPE

    return [column.name.removesuffix("_limit") for column in TYPE.columns if column.name.endswith("_limit")]


@_computes("quota", "fullest_percent", needs=tuple(f"{n}_{end}" for n in _quota_pairs() for end in ("limit", "used")))
def _fullest(relation: Relation, name: str) -> str:
    """The largest share of a limit that is used, in percent; NULL when nothing is limited."""
    t = relation.alias
    shares = [
        f"CASE WHEN {t}.{pair}_limit > 0 THEN 100.0 * {t}.{pair}_used / {t}.{pair}_limit END" for pair in _quota_pairs()
    ]
    return f"round(greatest({', '.join(shares)}), 1)::DOUBLE"
