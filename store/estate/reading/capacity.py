"""Counts and sums of what there is now, per project, per host and per pool: what health and dashboard are made of.

Everything is read set by set within a scope. Times are aware.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.problems import Rows, aware
from store.estate.reading.relation import Moment, Relation, quoted
from store.types import registry

if TYPE_CHECKING:
    import duckdb

Tenant = tuple[str, str]  # (cloud, project id)
NOW = Moment(None)

# What is counted of each type, per project: name -> SQL over `t`.
ERROR = "starts_with(lower(t.status), 'error')"
MEASURES: dict[str, dict[str, str]] = {
    "server": {
        "total_servers": "count(*)",
        "active_servers": "count(*) FILTER (upper(t.status) = 'ACTIVE')",
        "shutoff_servers": "count(*) FILTER (upper(t.status) = 'SHUTOFF')",
        "error_servers": "count(*) FILTER (upper(t.status) = 'ERROR')",
        "total_vcpus": "coalesce(sum(t.vcpus), 0)::BIGINT",
        "total_ram_mb": "coalesce(sum(t.ram_mb), 0)::BIGINT",
        "total_flavor_disk_gb": "coalesce(sum(t.flavor_disk_gb), 0)::BIGINT",
        "active_vcpus": "coalesce(sum(t.vcpus) FILTER (upper(t.status) = 'ACTIVE'), 0)::BIGINT",
        "active_ram_mb": "coalesce(sum(t.ram_mb) FILTER (upper(t.status) = 'ACTIVE'), 0)::BIGINT",
        "hypervisor_count": "count(DISTINCT t.host)",
    },
    "volume": {
        "total_volumes": "count(*)",
        "total_volume_gb": "coalesce(sum(t.size_gb), 0)::BIGINT",
        "available_volumes": "count(*) FILTER (lower(t.status) = 'available')",
        "in_use_volumes": "count(*) FILTER (lower(t.status) = 'in-use')",
        "error_volumes": f"count(*) FILTER ({ERROR})",
    },
    "snapshot": {
        "total_snapshots": "count(*)",
        "available_snapshots": "count(*) FILTER (lower(t.status) = 'available')",
        "error_snapshots": f"count(*) FILTER ({ERROR})",
        "total_snapshot_gb": "coalesce(sum(t.size_gb), 0)::BIGINT",
    },
    "network": {"total_networks": "count(*)"},
    "floating_ip": {"total_floating_ips": "count(*)"},
}
NAMES = tuple(name for measures in MEASURES.values() for name in measures)


def select(
    connection: duckdb.DuckDBPyConnection,
    type: str,
    picked: str,
    scope: Scope,
    rest: str = "",
    where: str = "",
    parameters: tuple[Any, ...] = (),
    joins: str = "",
) -> Rows:
    """Current rows of `SELECT picked FROM <type> t joins WHERE where` in the scope; `{column}` in picked and where
    stands for the SQL of a joined column."""
    relation = Relation(registry.ALL[type], NOW)
    columns = _Columns(relation)
    chosen, condition = picked.format_map(columns), where.format_map(columns) if where else "true"
    inside, values = limits.condition(relation, scope)
    sql = f"""SELECT {chosen} {relation.from_clause} {joins}
        WHERE {relation.at("t")} AND ({condition}) AND ({inside}) {rest}"""
    found = run(connection, sql, [*parameters, *values])
    names = [column[0] for column in found.description or ()]
    return [aware(dict(zip(names, row, strict=True))) for row in found.fetchall()]


class _Columns(dict[str, str]):
    """Expressions of a relation's columns, by name."""

    def __init__(self, relation: Relation) -> None:
        super().__init__()
        self._relation = relation

    def __missing__(self, name: str) -> str:
        return self._relation.column(name)


def tenants(connection: duckdb.DuckDBPyConnection, scope: Scope) -> dict[Tenant, dict[str, Any]]:
    """Every project in the scope with the measures of what it owns (0 where it owns none), its name and domain.

    A project that cannot be listed is there all the same, without a name, when it owns something that can be.
    """
    found: dict[Tenant, dict[str, Any]] = {}
    # A choice of region leaves projects in; they belong to none.
    projects = select(connection, "project", "t.cloud, t.id, t.name, t.domain_id, {domain_name} AS domain_name", scope,
                      where="t.is_domain IS NOT TRUE")  # fmt: skip
    for row in projects:
        found[row["cloud"], row["id"]] = _empty(row)
    for type, measures in MEASURES.items():
        picked = ", ".join(f"{sql} AS {name}" for name, sql in measures.items())
        rows = select(connection, type, f"t.cloud, t.project_id, {picked}", scope, "GROUP BY t.cloud, t.project_id",
                      "t.project_id IS NOT NULL")  # fmt: skip
        for row in rows:
            key = (row.pop("cloud"), row.pop("project_id"))
            # What is shared with a limited role, like a network, does not make its owner a tenant of the role's.
            if key in found or not scope.limited or (scope.projects is not None and key[1] in scope.projects):
                found.setdefault(key, _empty({"cloud": key[0], "id": key[1]})).update(row)
    return found


def _empty(project: dict[str, Any]) -> dict[str, Any]:
    return {
        "cloud": project["cloud"],
        "project_id": project["id"],
        "project_name": project.get("name"),
        "domain_id": project.get("domain_id"),
        "domain_name": project.get("domain_name"),
        **dict.fromkeys(NAMES, 0),
    }


TOTALS = ("project", "server", "volume", "network", "hypervisor", "snapshot")


def totals(connection: duckdb.DuckDBPyConnection, scope: Scope, types: Sequence[str] = TOTALS) -> dict[str, int]:
    """How many there are of each type; of servers also those `running`, and in `error`."""
    found: dict[str, int] = {}
    for type in types:
        states = {"running": "ACTIVE", "error": "ERROR"} if type == "server" else {}
        picked = "".join(f", count(*) FILTER (upper(t.status) = '{word}') AS {name}" for name, word in states.items())
        where = "t.is_domain IS NOT TRUE" if type == "project" else ""
        (row,) = select(connection, type, f"count(*) AS n{picked}", scope, where=where)
        found[type] = row.pop("n")
        found |= row
    return found


def hosts(connection: duckdb.DuckDBPyConnection, scope: Scope) -> Rows:
    """Hypervisors with what they have and what the servers on them were promised.

    cloud, region, id, name, service_host, host_ip, state, status, vcpus, memory_mb, local_gb, the cloud's own *_used,
    and of the servers vm_count, vm_vcpus, vm_ram_mb, vm_active.
    """
    found = select(
        connection,
        "hypervisor",
        "t.cloud, t.region, t.id, t.name, t.service_host, t.host_ip, t.state, t.status, t.vcpus, t.memory_mb, "
        "t.local_gb, t.vcpus_used, t.memory_mb_used, t.local_gb_used",
        scope,
        "ORDER BY t.cloud, t.region, t.name, t.id",
    )
    placed = select(
        connection,
        "server",
        "t.cloud, t.region, t.host, count(*) AS vm_count, coalesce(sum(t.vcpus), 0)::BIGINT AS vm_vcpus, "
        "coalesce(sum(t.ram_mb), 0)::BIGINT AS vm_ram_mb, count(*) FILTER (upper(t.status) = 'ACTIVE') AS vm_active",
        scope,
        "GROUP BY t.cloud, t.region, t.host",
        "t.host IS NOT NULL",
    )
    by_host = {(row["cloud"], row["region"], row["host"]): row for row in placed}
    nothing = {"vm_count": 0, "vm_vcpus": 0, "vm_ram_mb": 0, "vm_active": 0}
    for row in found:
        own = by_host.get((row["cloud"], row["region"], row["name"]), nothing)
        row.update({name: own[name] for name in nothing})
    return found


def pools(connection: duckdb.DuckDBPyConnection, scope: Scope) -> Rows:
    """Storage pools of a known size: cloud, region, id, name, total_gb, free_gb, provisioned_gb, max_over_subscription,
    and of the volumes in it their sum volume_gb and how many `volumes` there are."""
    found = select(
        connection,
        "storage_pool",
        "t.cloud, t.region, t.id, t.name, t.total_gb, t.free_gb, t.provisioned_gb, t.max_over_subscription, t.state",
        scope,
        "ORDER BY t.cloud, t.region, t.name",
        "t.total_gb > 0 AND isfinite(t.total_gb)",
    )
    if not found:
        return []
    placed = select(
        connection,
        "volume",
        "t.cloud, t.region, t.host, coalesce(sum(t.size_gb), 0)::BIGINT AS gb, count(*) AS n",
        scope,
        "GROUP BY t.cloud, t.region, t.host",
        "t.host IS NOT NULL",
    )
    by_pool = {(row["cloud"], row["region"], row["host"]): (row["gb"], row["n"]) for row in placed}
    for row in found:
        row["volume_gb"], row["volumes"] = by_pool.get((row["cloud"], row["region"], row["name"]), (0, 0))
    return found


def big_volumes(connection: duckdb.DuckDBPyConnection, tenant: Tenant, scope: Scope, limit: int = 10) -> Rows:
    """The project's largest volumes: id, name, size_gb, status, server_id, server_name."""
    return select(
        connection,
        "volume",
        "t.id, t.name, t.size_gb, t.status, t.server_id, {server_name} AS server_name, t.region",
        scope,
        f"ORDER BY t.size_gb DESC NULLS LAST, t.name, t.id LIMIT {int(limit)}",
        "t.cloud = ? AND t.project_id = ?",
        tenant,
    )


_SERVER = (
    "t.cloud, t.region, t.id, t.name, t.status, t.project_id, {project_name} AS project_name, t.vcpus, t.ram_mb, "
    "t.host, {host_vcpus_total} AS host_vcpus, {host_ram_total_mb} AS host_ram_mb, coalesce(disks.gb, 0)"
    " + coalesce(t.ephemeral_gb, 0) + CASE WHEN t.image_id IS NULL THEN 0 ELSE coalesce(t.flavor_disk_gb, 0) END"
    " AS disk_gb"
)
# What hangs on each server; local disk and ephemeral come from its flavor.
_DISKS = f"""LEFT JOIN (SELECT v.cloud, v.region, v.server_id, sum(v.size_gb)::BIGINT AS gb
    FROM {quoted(registry.ALL["volume"].table)} v WHERE v.valid_to IS NULL AND v.server_id IS NOT NULL GROUP BY ALL
    ) disks ON disks.cloud = t.cloud AND disks.region = t.region AND disks.server_id = t.id"""
LARGEST = {"cpu": "t.vcpus", "memory": "t.ram_mb", "storage": "disk_gb"}


def big_servers(connection: duckdb.DuckDBPyConnection, scope: Scope, sort: str, limit: int) -> Rows:
    """Running servers that were promised most of "cpu", "memory" or "storage"; disk_gb is local disk and volumes."""
    order = f"ORDER BY {LARGEST[sort]} DESC NULLS LAST, t.name, t.id LIMIT {int(limit)}"
    return select(connection, "server", _SERVER, scope, order, "upper(t.status) = 'ACTIVE'", joins=_DISKS)


def servers(connection: duckdb.DuckDBPyConnection, ids: list[str], scope: Scope) -> Rows:
    """Servers with these ids, where they are in the scope; as `big_servers`."""
    if not ids:
        return []
    return select(connection, "server", _SERVER, scope, "", "t.id IN (SELECT unnest(?))", (ids,), _DISKS)


def fullest_quotas(connection: duckdb.DuckDBPyConnection, scope: Scope) -> dict[Tenant, dict[str, Any]]:
    """Per project the largest share of a limit that is used, in percent, of all regions: `percent` (None: no limits),
    project_name."""
    rows = select(
        connection,
        "quota",
        "t.cloud, t.project_id, any_value({project_name}) AS project_name, max({fullest_percent}) AS percent",
        scope,
        "GROUP BY t.cloud, t.project_id",
        "t.project_id IS NOT NULL",
    )
    return {(row["cloud"], row["project_id"]): row for row in rows}


def running(connection: duckdb.DuckDBPyConnection, scope: Scope) -> Rows:
    """Servers that run, with what a measurement needs to find them: cloud, region, id, instance_name, host,
    service_host, vcpus, ram_mb."""
    picked = "t.cloud, t.region, t.id, t.instance_name, t.host, t.service_host, t.vcpus, t.ram_mb"
    return select(connection, "server", picked, scope, where="upper(t.status) = 'ACTIVE'")
