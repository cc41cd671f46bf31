"""Neutron counts a write to a network also when one of its subnets is written (its gateway, DHCP or name; made or
deleted). A jump of a network's counter that a change of its subnets explains is no event of the network.

The two listings come in any order, so this is looked at after either: an event goes when the times in which both must
have happened overlap.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from store.types import registry

if TYPE_CHECKING:
    import duckdb

TYPES = ("network", "subnet")
_BACK = timedelta(days=1)  # how much earlier events are looked at


def forget(connection: duckdb.DuckDBPyConnection, cloud: str, region: str, since: datetime) -> int:
    """Delete the echoes among a region's events since then (and a day before); answers how many there were."""
    place = [cloud, region]
    waiting = """SELECT id, resource_id, first_at FROM drift_events
        WHERE cloud = ? AND region = ? AND type = 'network' AND kind = 'unseen' AND first_at >= ?"""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE echo_events AS {waiting}", [*place, since - _BACK])
    if not connection.execute("SELECT 1 FROM echo_events LIMIT 1").fetchall():
        connection.execute("DROP TABLE echo_events")
        return 0
    table = f'"{registry.ALL["subnet"].table}"'
    gone = connection.execute(
        f"""DELETE FROM drift_events AS d WHERE d.cloud = ? AND d.region = ? AND d.id IN (
            WITH listed AS (SELECT type, started_at, coalesce(ended_at, started_at) AS ended_at,
                                   state IN ('ok', 'suspect') AS sound
                            FROM listings WHERE cloud = ? AND region = ? AND type IN ('network', 'subnet')),
                 moved AS (SELECT network_id AS id, unnest([valid_from, valid_to]) AS moment FROM {table}
                           WHERE cloud = ? AND region = ? AND network_id IN (SELECT resource_id FROM echo_events)
                           UNION
                           SELECT s.network_id, e.first_at FROM drift_events e JOIN {table} s ON s.id = e.resource_id
                           WHERE e.cloud = ? AND e.region = ? AND e.type = 'subnet' AND e.kind = 'unseen'
                             AND s.cloud = e.cloud AND s.region = e.region),
                 times AS (SELECT 'subnet' AS type, id, moment FROM moved WHERE moment IS NOT NULL
                           UNION SELECT 'network', resource_id, first_at FROM echo_events),
                 spans AS (SELECT t.type, t.id, t.moment,
                                  max(l.started_at) FILTER (l.started_at < t.moment AND l.sound) AS since,
                                  coalesce(min(l.ended_at) FILTER (l.started_at >= t.moment), t.moment) AS until
                           FROM times t JOIN listed l ON l.type = t.type GROUP BY t.type, t.id, t.moment)
            SELECT e.id FROM echo_events e
            JOIN spans n ON n.type = 'network' AND n.id = e.resource_id AND n.moment = e.first_at
            JOIN spans s ON s.type = 'subnet' AND s.id = n.id AND s.until > n.since AND s.since < n.until)""",
        [*place, *place, *place, *place],
    ).fetchall()[0][0]
    connection.execute("DROP TABLE echo_events")
    return int(gone)
