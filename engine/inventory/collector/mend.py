"""Servers that a delta did not bring although something about them changed.

Nova's `changes-since` looks at the server's own record. Addresses and volumes are other services' facts: a floating IP
that is associated, a port that gets another address, a volume that is attached do not count as a change of the server,
but its document shows them. They are found by what did change in this collection, and read again one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from store.times import naive

if TYPE_CHECKING:
    import duckdb

_MOVED = "x.cloud = ? AND x.region = ? AND (x.valid_from >= ? OR x.valid_to >= ?)"
_SQL = f"""
    SELECT DISTINCT id FROM (
        SELECT x.device_id AS id FROM port_versions x WHERE {_MOVED}
        UNION ALL
        SELECT p.device_id FROM floating_ip_versions x JOIN port_versions p
            ON p.id = x.port_id AND p.cloud = x.cloud AND p.region = x.region WHERE {_MOVED}
        UNION ALL
        SELECT unnest(x.server_ids) FROM volume_versions x WHERE {_MOVED}
    ) WHERE id IN (
        SELECT id FROM server_versions WHERE cloud = ? AND region = ? AND valid_to IS NULL AND valid_from < ?
    ) ORDER BY id"""


def touched_servers(connection: duckdb.DuckDBPyConnection, cloud: str, region: str, began: datetime) -> Sequence[str]:
    """Ids of servers without a version from `began` on whose ports, floating IPs or volumes have one."""
    since = naive(began)
    moved = [cloud, region, since, since]
    rows = connection.execute(_SQL, [*moved * 3, cloud, region, since]).fetchall()
    return [row[0] for row in rows]
