"""What there is now: the estate in numbers, the busiest hosts and machines. Blocks; safe on any thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.dashboard import rules
from engine.dashboard.utilisation import Chosen, Measurements, host_rows, told
from engine.tenants.behind import asked, listed, place, term
from store.estate.reading import capacity
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    import duckdb

    from engine.inventory.reads import InventoryReads

Row = dict[str, Any]
# Problems that are not muted, by severity, for a caller and a cloud (None: all).
Alerts = Callable[[Caller, str | None], Mapping[str, int]]
# Number of the summary -> (count of capacity.totals, type, filter).
_COUNTS = {
    "total_tenants": ("project", "project", "!is_domain:yes"),
    "total_vms": ("server", "server", ""),
    "vms_running": ("running", "server", "status:active"),
    "vms_error": ("error", "server", "status:error"),
    "total_volumes": ("volume", "volume", ""),
    "total_networks": ("network", "network", ""),
    "total_hosts": ("hypervisor", "hypervisor", ""),
    "total_snapshots": ("snapshot", "snapshot", ""),
}


def chosen_place(scope: Scope) -> tuple[str | None, str | None]:
    """Cloud and region that a request chose."""
    cloud = scope.in_clouds[0] if scope.in_clouds else None
    return cloud, scope.in_regions[0] if scope.in_regions else None


class Figures:
    """See the module."""

    def __init__(self, reads: InventoryReads, measurements: Measurements, alerts: Alerts) -> None:
        self._reads = reads
        self._measurements = measurements
        self._alerts = alerts

    def health_summary(self, caller: Caller, scope: Scope) -> Row:
        """A HealthSummary."""
        now, chosen = self._reads.clock(), self._measurements.choose("hypervisor", scope)

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, int], list[Row]]:
            return capacity.totals(connection, scope), capacity.hosts(connection, scope)

        totals, hosts = self._reads.read(work)
        rows = host_rows(hosts, chosen)
        cloud, region = chosen_place(scope)
        alerts = self._alerts(caller, cloud)
        counts = {name: totals[key] for name, (key, _, _) in _COUNTS.items()}
        behind = {
            name: listed(type, place(type, cloud, region), text, count=counts[name])
            for name, (_, type, text) in _COUNTS.items()
        }
        for severity in ("critical", "warning", "info"):
            behind[f"alerts_{severity}"] = asked(
                "problem", alerts[severity], severity=severity, cloud=cloud, muted="false"
            )
        metrics = self.metrics(chosen, rows, scope)
        return {
            "timestamp": now,
            **counts,
            "avg_cpu_utilization": rules.mean(row["cpu"] for row in rows),
            "avg_memory_utilization": rules.mean(row["memory"] for row in rows),
            "alerts": {severity: alerts[severity] for severity in ("critical", "warning", "info")},
            "metrics_last_update": metrics["last_update"],
            "metrics": metrics,
            "behind": behind,
        }

    def top_hosts(self, caller: Caller, scope: Scope, limit: int, sort: str) -> Row:
        """A TopHosts: sorted first, cut then."""
        chosen = self._measurements.choose("hypervisor", scope)
        rows = host_rows(self._reads.read(lambda connection: capacity.hosts(connection, scope)), chosen)
        other = "memory" if sort == "cpu" else "cpu"
        rows.sort(
            key=lambda row: (*(-(row[n] if row[n] is not None else -1.0) for n in (sort, other)), row["name"] or "")
        )
        cloud, region = chosen_place(scope)
        every = listed("hypervisor", place("hypervisor", cloud, region), count=len(rows))
        return {
            "hosts": [told_host(row) for row in rows[:limit]],
            "total_hosts": len(rows),
            "sort_by": sort,
            "timestamp": self._reads.clock(),
            "metrics": self.metrics(chosen, rows, scope),
            "behind": {"total_hosts": every},
        }

    def hotspots(self, caller: Caller, scope: Scope, limit: int, sort: str) -> Row:
        """A Hotspots. Measured ones by what they use, of the machines that the scope shows; else by their share."""
        chosen = self._measurements.choose("server", scope)

        def work(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, int], list[Row]]:
            totals = capacity.totals(connection, scope, ("server",))
            if chosen.source == "allocation" or sort == "storage":
                return totals, capacity.big_servers(connection, scope, sort, limit)
            order = sorted(
                (key for key, reading in chosen.readings.items() if _value(reading, sort) is not None),
                key=lambda key: (-_value(chosen.readings[key], sort), key),
            )
            rows: list[Row] = []
            # Those that the scope does not show drop out, so the next ones are asked for.
            for start in range(0, len(order), step := max(200, 4 * limit)):
                part = order[start : start + step]
                found = {
                    (row["cloud"], row["region"], row["id"]): row
                    for row in capacity.servers(connection, [key[2] for key in part], scope)
                }
                rows += [found[key] for key in part if key in found]
                if len(rows) >= limit:
                    break
            return totals, rows[:limit]

        totals, rows = self._reads.read(work)
        cloud, region = chosen_place(scope)
        where = place("server", cloud, region)
        return {
            "hotspots": [_hotspot(row, chosen) for row in rows],
            "sort_by": sort,
            "total_vms": totals["server"],
            "metrics": {
                **self.metrics(chosen, [], scope),
                "known": totals["running"]
                if chosen.source == "allocation"
                else min(len(chosen.readings), totals["running"]),
                "total": totals["running"],
            },
            "behind": {
                "total_vms": listed("server", where, count=totals["server"]),
                "vms_running": listed("server", where, "status:active", count=totals["running"]),
            },
        }

    def metrics(self, chosen: Chosen, rows: list[Row], scope: Scope) -> Row:
        """A Metrics answer about these hosts."""
        known = sum(row["cpu"] is not None or row["memory"] is not None for row in rows)
        return told(chosen, known, len(rows), self.listed_at(scope))

    def listed_at(self, scope: Scope) -> datetime | None:
        """When the hosts of the clouds were last listed, where that is longest ago."""
        times = [
            state["fresh_ended_at"]
            for state in self._reads.states()
            if state["type"] == "hypervisor"
            and all(clouds is None or state["cloud"] in clouds for clouds in (scope.clouds, scope.in_clouds))
        ]
        return min((at for at in times if at is not None), default=None)


def told_host(row: Row) -> Row:
    """A Host."""
    where, name = place("server", row["cloud"], row["region"]), row["name"]
    behind = {"vm_count": listed("server", where, term("host", name), count=row["vm_count"])} if name else {}
    return {
        "cloud": row["cloud"],
        "region": row["region"],
        "host_id": row["id"],
        "hostname": row["name"],
        "state": row["state"],
        "cpu_percent": _rounded(row["cpu"]),
        "memory_percent": _rounded(row["memory"]),
        "allocated_cpu_percent": row["allocated_cpu"],
        "allocated_memory_percent": row["allocated_memory"],
        "vm_count": row["vm_count"],
        "status": row["status"],
        "behind": behind,
    }


def _hotspot(row: Row, chosen: Chosen) -> Row:
    if chosen.source == "allocation":
        cpu = rules.percent(row["vcpus"], row["host_vcpus"])
        memory = rules.percent(row["ram_mb"], row["host_ram_mb"])
    else:
        reading = chosen.readings.get((row["cloud"], row["region"], row["id"]))
        cpu, memory = (reading.cpu, reading.memory) if reading else (None, None)
    return {
        "cloud": row["cloud"],
        "region": row["region"],
        "vm_id": row["id"],
        "vm_name": row["name"],
        "tenant_id": row["project_id"],
        "tenant_name": row["project_name"],
        "host": row["host"],
        "vcpus": row["vcpus"],
        "ram_mb": row["ram_mb"],
        "cpu_percent": _rounded(cpu),
        "memory_percent": _rounded(memory),
        "storage_gb": row["disk_gb"],
        "status": rules.level(cpu, memory),
    }


def _value(reading: Any, sort: str) -> Any:
    return reading.cpu if sort == "cpu" else reading.memory


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
