"""What in the current state looks broken, for rules to judge: rows picked by their state, with since when it is so.

Everything is read set by set; a healthy estate answers empty lists. Times are aware. `since` is the time at which the
state was first seen without a break; `since_exact` is false when the oldest version known had it already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from store.estate.reading.relation import quoted
from store.types import registry

if TYPE_CHECKING:
    import duckdb

Rows = list[dict[str, Any]]

MOST = 20_000  # rows of one kind; a cloud with more broken things has one problem, not that many
QUOTA_SHARE = 0.9
VOLUME_RESTING = ("available", "in-use", "awaiting-transfer")
SNAPSHOT_RESTING = ("available",)
_GONE = "('DELETED', 'SOFT_DELETED')"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the functions of this module found, by their names."""

    services: Rows = field(default_factory=list)
    hosts: Rows = field(default_factory=list)
    machines: Rows = field(default_factory=list)
    storage: Rows = field(default_factory=list)
    attachments: Rows = field(default_factory=list)
    floating_ips: Rows = field(default_factory=list)
    quotas: Rows = field(default_factory=list)
    pools: Rows = field(default_factory=list)


def read(connection: duckdb.DuckDBPyConnection) -> Facts:
    """All of them, of one state of the store when the connection is inside a transaction."""
    return Facts(
        services(connection),
        hosts(connection),
        machines(connection),
        storage(connection),
        attachments(connection),
        floating_ips(connection),
        quotas(connection),
        pools(connection),
    )


def _table(type: str) -> str:
    return quoted(registry.ALL[type].table)


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None) -> Rows:
    """The rows as dicts; times aware."""
    found = connection.execute(sql, parameters or [])
    names = [column[0] for column in found.description or ()]
    return [aware(dict(zip(names, row, strict=True))) for row in found.fetchall()]


def aware(row: dict[str, Any]) -> dict[str, Any]:
    """The row with DuckDB's naive times made aware."""
    return {name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for name, value in row.items()}


def _since(type: str, columns: tuple[str, ...], picked: str, condition: str, state: str) -> str:
    """SQL of the current rows that fulfil the condition, with since when the expression `state` has its value."""
    names = ", ".join(f"t.{quoted(column)}" for column in columns)
    return f"""
        WITH bad AS (
            SELECT t.cloud, t.region, t.id, {names}, {picked}, {state.format(t="t")} AS judged
            FROM {_table(type)} t WHERE t.valid_to IS NULL AND ({condition}) LIMIT {MOST}),
        began AS (
            SELECT b.cloud, b.region, b.id, min(v.valid_from) AS first,
                max(v.valid_to) FILTER ({state.format(t="v")} IS DISTINCT FROM b.judged) AS other
            FROM bad b JOIN {_table(type)} v ON v.cloud = b.cloud AND v.region = b.region AND v.id = b.id
            GROUP BY b.cloud, b.region, b.id)
        SELECT b.* EXCLUDE (judged), coalesce(w.other, w.first) AS since, w.other IS NOT NULL AS since_exact
        FROM bad b JOIN began w USING (cloud, region, id) ORDER BY b.cloud, b.region, b.id"""


def _owned(connection: duckdb.DuckDBPyConnection, rows: Rows) -> Rows:
    """Rows with the name and domain of their project."""
    wanted = sorted({row["project_id"] for row in rows if row["project_id"]})
    known: dict[tuple[str, str], tuple[str | None, str | None]] = {}
    if wanted:
        sql = f"""SELECT cloud, id, name, domain_id FROM {_table("project")}
            WHERE valid_to IS NULL AND id IN (SELECT unnest(?))"""
        for cloud, id, name, domain in connection.execute(sql, [wanted]).fetchall():
            known[cloud, id] = (name, domain)
    for row in rows:
        row["project_name"], row["domain_id"] = known.get((row["cloud"], row["project_id"] or ""), (None, None))
    return rows


def services(connection: duckdb.DuckDBPyConnection) -> Rows:
    """Services and agents that are down or disabled: type, host, binary, state ("up"/"down"), disabled, forced, reason;
    `peers` of the same binary in the region, `peers_up` of them; machines, volumes and groups behind the host.
    """
    found: Rows = []
    for type, disabled, reason, forced in (
        ("compute_service", "status = 'disabled'", "disabled_reason", "coalesce(t.forced_down, false)"),
        ("volume_service", "status = 'disabled'", "disabled_reason", "false"),
        ("network_agent", "NOT coalesce(admin_state_up, true)", "description", "false"),
    ):
        off = disabled.replace("status", "t.status").replace("admin_state_up", "t.admin_state_up")
        picked = f"t.{reason} AS reason, {off} AS disabled, {forced} AS forced"
        down = "coalesce(lower({t}.state) = 'down', false)"
        condition = f"{down.format(t='t')} OR {off}"
        found += [{"type": type, **row} for row in rows_of(
            connection, _since(type, ("host", "binary", "state"), picked, condition, down))]  # fmt: skip
    if not found:
        return []
    peers: dict[tuple[str, ...], tuple[int, int]] = {}
    for type in ("compute_service", "volume_service", "network_agent"):
        sql = f"""SELECT cloud, region, "binary", count(*), count(*) FILTER (lower(state) = 'up') FROM {_table(type)}
            WHERE valid_to IS NULL GROUP BY ALL"""
        for cloud, region, binary, count, up in connection.execute(sql).fetchall():
            peers[type, cloud, region, binary] = (count, up)
    for row in found:
        row["peers"], row["peers_up"] = peers[row["type"], row["cloud"], row["region"], row["binary"]]
    behind = _behind_hosts(connection)
    stored = _behind_backends(connection) if any(row["type"] == "volume_service" for row in found) else {}
    for row in found:
        place = (row["cloud"], row["region"], row["host"])
        if row["type"] == "volume_service":
            row["volumes"], row["machines"] = stored.get(place, (0, 0))
            row["groups"] = 0
        else:
            row["machines"], row["groups"] = behind.get(place, (0, 0))
            row["volumes"] = 0
    return found


def _behind_hosts(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(cloud, region, service host) -> machines on it, anti-affinity groups with a member on it."""
    sql = f"""
        WITH groups AS (SELECT g.cloud, g.region, g.id AS group_id, unnest(g.server_ids) AS server_id
            FROM {_table("server_group")} g WHERE g.valid_to IS NULL AND starts_with(g.policy, 'anti-affinity'))
        SELECT s.cloud, s.region, s.service_host, count(DISTINCT s.id), count(DISTINCT g.group_id)
        FROM {_table("server")} s LEFT JOIN groups g
            ON g.cloud = s.cloud AND g.region = s.region AND g.server_id = s.id
        WHERE s.valid_to IS NULL AND s.service_host IS NOT NULL GROUP BY ALL"""
    return {(c, r, host): (n, groups) for c, r, host, n, groups in connection.execute(sql).fetchall()}


def _behind_backends(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(cloud, region, service host) -> volumes in its pools, machines that use them."""
    sql = f"""
        SELECT cloud, region, service, count(DISTINCT id), count(DISTINCT server_id) FROM (
            SELECT v.cloud, v.region, v.id, split_part(v.host, '#', 1) AS service, v.server_id
            FROM {_table("volume")} v WHERE v.valid_to IS NULL AND v.host IS NOT NULL)
        GROUP BY ALL"""
    return {(c, r, host): (volumes, machines) for c, r, host, volumes, machines in connection.execute(sql).fetchall()}


def hosts(connection: duckdb.DuckDBPyConnection) -> Rows:
    """Hypervisors that are down or disabled: name, service_host, disabled, reason; machines on them."""
    picked = "t.disabled_reason AS reason, coalesce(t.status = 'disabled', false) AS disabled"
    down = "coalesce(lower({t}.state) = 'down', false)"
    condition = f"{down.format(t='t')} OR t.status = 'disabled'"
    found = rows_of(connection, _since("hypervisor", ("name", "service_host", "state"), picked, condition, down))
    if found:
        sql = f"""SELECT cloud, region, host, count(*) FROM {_table("server")}
            WHERE valid_to IS NULL AND host IS NOT NULL GROUP BY ALL"""
        behind = {(c, r, host): n for c, r, host, n in connection.execute(sql).fetchall()}
        for row in found:
            row["machines"] = behind.get((row["cloud"], row["region"], row["name"]), 0)
    return found


def machines(connection: duckdb.DuckDBPyConnection) -> Rows:
    """Servers in ERROR, or with a task running: name, status, task_state, fault, launched_at, host, project."""
    columns = ("name", "status", "task_state", "fault", "launched_at", "host", "project_id")
    state = "concat_ws('/', upper({t}.status), {t}.task_state)"
    condition = "upper(t.status) = 'ERROR' OR (t.task_state IS NOT NULL AND t.task_state <> '')"
    return _owned(
        connection, rows_of(connection, _since("server", columns, "t.valid_from AS changed", condition, state))
    )


def storage(connection: duckdb.DuckDBPyConnection) -> Rows:
    """Volumes, snapshots and backups that are not at rest: type, name, status, size_gb, attached, project."""
    found: Rows = []
    resting = ", ".join(f"'{status}'" for status in VOLUME_RESTING)
    for type, attached in (("volume", "t.server_id IS NOT NULL"), ("snapshot", "false"), ("backup", "false")):
        state = "lower({t}.status)"
        condition = f"lower(t.status) NOT IN ({resting})"
        sql = _since(type, ("name", "status", "size_gb", "project_id"), f"{attached} AS attached", condition, state)
        found += [{"type": type, **row} for row in rows_of(connection, sql)]
    return _owned(connection, found)


def attachments(connection: duckdb.DuckDBPyConnection) -> Rows:
    """Attachments that only one of Nova and Cinder knows: `by` ("nova" or "cinder"), server and volume ids and names,
    whether each exists (`server_there`, `volume_there`), volume_status; since both sides have been as they are.
    """
    sql = f"""
        WITH n AS (SELECT s.cloud, s.region, s.id AS server_id, unnest(s.volume_ids) AS volume_id
            FROM {_table("server")} s WHERE s.valid_to IS NULL AND len(s.volume_ids) > 0
                AND coalesce(upper(s.status) NOT IN {_GONE}, true)),
        c AS (SELECT v.cloud, v.region, unnest(v.server_ids) AS server_id, v.id AS volume_id
            FROM {_table("volume")} v WHERE v.valid_to IS NULL AND len(v.server_ids) > 0),
        apart AS (
            SELECT *, 'nova' AS "by" FROM n ANTI JOIN c USING (cloud, region, server_id, volume_id)
            UNION ALL BY NAME
            SELECT *, 'cinder' AS "by" FROM c ANTI JOIN n USING (cloud, region, server_id, volume_id))
        SELECT a.*, s.name AS server_name, v.name AS volume_name, v.status AS volume_status,
            s.id IS NOT NULL AS server_there, v.id IS NOT NULL AS volume_there,
            coalesce(v.project_id, s.project_id) AS project_id, greatest(s.valid_from, v.valid_from) AS since
        FROM apart a
        LEFT JOIN {_table("server")} s ON s.cloud = a.cloud AND s.region = a.region AND s.id = a.server_id
            AND s.valid_to IS NULL
        LEFT JOIN {_table("volume")} v ON v.cloud = a.cloud AND v.region = a.region AND v.id = a.volume_id
            AND v.valid_to IS NULL
        ORDER BY a.cloud, a.region, a.server_id, a.volume_id LIMIT {MOST}"""
    return _owned(connection, rows_of(connection, sql))


def floating_ips(connection: duckdb.DuckDBPyConnection) -> Rows:
    """Floating IPs that are DOWN while the machine behind their port is ACTIVE: address, server, project."""
    picked = "t.server_id AS known_server, t.port_id AS port"
    condition = "upper(t.status) = 'DOWN' AND t.port_id IS NOT NULL"
    found = rows_of(
        connection, _since("floating_ip", ("address", "status", "project_id"), picked, condition, "upper({t}.status)")
    )
    if not found:
        return []
    ports = sorted({row["port"] for row in found})
    sql = f"""SELECT p.cloud, p.region, p.id, s.id, s.name FROM {_table("port")} p
        JOIN {_table("server")} s ON s.cloud = p.cloud AND s.region = p.region AND s.id = p.device_id
            AND s.valid_to IS NULL AND upper(s.status) = 'ACTIVE'
        WHERE p.valid_to IS NULL AND p.id IN (SELECT unnest(?))"""
    running = {(c, r, port): (id, name) for c, r, port, id, name in connection.execute(sql, [ports]).fetchall()}
    kept = []
    for row in found:
        server = running.get((row["cloud"], row["region"], row["port"]))
        if server is not None:
            kept.append({**row, "server_id": server[0], "server_name": server[1]})
    return _owned(connection, kept)


def quota_names() -> list[str]:
    """What quotas limit: "instances", "cores", ..."""
    columns = registry.ALL["quota"].columns
    return [column.name.removesuffix("_limit") for column in columns if column.name.endswith("_limit")]


def quotas(connection: duckdb.DuckDBPyConnection, share: float = QUOTA_SHARE) -> Rows:
    """Projects that use at least `share` of a limit: `full` is [(what, used, limit), ...], the fullest first."""
    names = quota_names()
    shares = ", ".join(
        f"CASE WHEN t.{n}_limit > 0 THEN t.{n}_used::DOUBLE / t.{n}_limit ELSE 0 END" for n in names
    )  # fmt: skip
    numbers = ", ".join(f"t.{n}_used, t.{n}_limit" for n in names)
    sql = f"""SELECT t.cloud, t.region, t.id, t.project_id, t.valid_from AS since, {numbers} FROM {_table("quota")} t
        WHERE t.valid_to IS NULL AND greatest({shares}) >= ? ORDER BY t.cloud, t.region, t.id LIMIT {MOST}"""
    found = rows_of(connection, sql, [share])
    for row in found:
        pairs = [(name, row.pop(f"{name}_used"), row.pop(f"{name}_limit")) for name in names]
        full = [(n, used, limit) for n, used, limit in pairs if used is not None and limit and limit > 0
                and used / limit >= share]  # fmt: skip
        row["full"] = sorted(full, key=lambda one: (-one[1] / one[2], one[0]))
    return _owned(connection, found)


def pools(connection: duckdb.DuckDBPyConnection) -> Rows:
    """Storage pools with a known size: name, total_gb, free_gb, provisioned_gb, max_over_subscription, state."""
    sql = f"""SELECT cloud, region, id, name, state, total_gb, free_gb, provisioned_gb, max_over_subscription,
            reserved_percent, valid_from AS since
        FROM {_table("storage_pool")} WHERE valid_to IS NULL AND (state = 'down' OR
            (total_gb > 0 AND isfinite(total_gb) AND isfinite(free_gb)))
        ORDER BY cloud, region, id"""
    return rows_of(connection, sql)
