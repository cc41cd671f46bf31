"""Dashboard and tenant health: `python -m benchmarks.dashboard`.

The store of benchmarks/history.py (100,000 resources, 30 days in which 1 % of them change every hour), with capacity of
500 hosts, ten pools and 30 days of their measurements. Every endpoint is asked through the service that the API calls,
its answer written as JSON; the figure is the 95th percentile. Nothing is kept between two questions here: the engine
does keep answers, so this is what the first question after a listing costs. CPU is the least of all rounds, over all
threads: where other work takes the machine, it tells more than the clock does.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.find import small
from benchmarks.harness import machine, seconds, table
from benchmarks.history import fill, ingest
from engine.access.models import Caller
from engine.api.answers import dump
from engine.audit.service import AuditService
from engine.dashboard.figures import Figures
from engine.dashboard.growing import Growing
from engine.dashboard.protecting import Protection
from engine.dashboard.utilisation import Measurements
from engine.inventory.reads import InventoryReads
from engine.settings.models import Settings
from engine.snapshots.compliance.course import Course
from engine.snapshots.compliance.service import ComplianceService
from engine.snapshots.compliance.trend import Trend
from engine.snapshots.policies.service import PolicyService
from engine.tenants.service import TenantHealth
from store.estate.estate import Estate
from store.estate.reading.models import Scope
from store.ops.ops import Ops
from store.times import naive

LIMIT = 0.150
CALLER = Caller(name="bench", role="admin", via="embedded")
POOLS = 10
_ALERTS = {"critical": 0, "warning": 0, "info": 0}


class NoDrift:
    """Tenant health without drift: its own reading is measured in benchmarks/drift.py."""

    def counts(self, *_: Any) -> dict[Any, Any]:
        return {}

    def events(self, *_: Any) -> list[Any]:
        return []


def equip(estate: Estate, now: datetime) -> None:
    """What the dashboard looks at besides: capacity, pools, snapshots that are asked for, measurements by the hour."""
    hosts = [
        {**one, "vcpus": 128, "vcpus_used": 90, "memory_mb": 524288, "memory_mb_used": 400000}
        for one in small(0)["hypervisor"]
    ]
    ingest(estate, "hypervisor", hosts, now)
    capacity = {"total_capacity_gb": 500_000.0, "free_capacity_gb": 100_000.0, "provisioned_capacity_gb": 600_000.0}
    ingest(estate, "storage_pool", [{"name": f"cinder@ceph#{n}", "capabilities": capacity} for n in range(POOLS)], now)
    start = naive(now) - timedelta(days=30)

    def measured(connection: Any) -> None:
        connection.execute("UPDATE volume_versions SET metadata = ['auto_snapshot=true'] WHERE hash(id) % 2 = 0")
        for type, metric in (("hypervisor", "cpu:nova"), ("hypervisor", "memory:nova"), ("storage_pool", "free_gb")):
            connection.execute(
                f"""INSERT INTO samples_hourly SELECT h.cloud, h.region, '{type}', h.id, '{metric}',
                    ?::TIMESTAMP + n * INTERVAL 1 HOUR, 12, 1, 99, 12 * (20 + n % 60), NULL, 50
                FROM {type}_versions h, range(720) t(n) WHERE h.valid_to IS NULL""",
                [start],
            )

    estate.write(measured).result()
    estate.checkpoint()


def endpoints(reads: InventoryReads, ops: Ops, project: str) -> dict[str, Callable[[], Any]]:
    """Every endpoint by its path."""
    settings, scope = Settings(), Scope()
    policies = PolicyService(ops, AuditService(ops), reads, clock=reads.clock)
    service = ComplianceService(ops, reads, policies, reads.clock)
    course = Course(reads, service, Trend(ops, service))
    measurements = Measurements(reads, lambda: settings.metrics)
    figures = Figures(reads, measurements, lambda caller, cloud: _ALERTS)
    protection, growing = Protection(reads, lambda: settings, course), Growing(reads, measurements, figures)
    health = TenantHealth(reads, lambda: settings, NoDrift(), course)
    return {
        "/dashboard/health-summary": lambda: figures.health_summary(CALLER, scope),
        "/dashboard/snapshot-sla-compliance": lambda: protection.sla(CALLER, scope, 2),
        "/dashboard/top-hosts-utilization": lambda: figures.top_hosts(CALLER, scope, 10, "cpu"),
        "/dashboard/recent-changes": lambda: growing.recent(CALLER, scope, 24, 20),
        "/dashboard/coverage-risks": lambda: protection.coverage(CALLER, scope, 50),
        "/dashboard/capacity-pressure": lambda: growing.pressure(CALLER, scope),
        "/dashboard/vm-hotspots": lambda: figures.hotspots(CALLER, scope, 10, "cpu"),
        "/dashboard/tenant-risk-scores": lambda: protection.risks(CALLER, scope),
        "/dashboard/compliance-drift": lambda: protection.compliance(CALLER, scope, 7),
        "/dashboard/capacity-trends": lambda: growing.capacity_trends(CALLER, scope, 7),
        "/dashboard/capacity-trends?days=30": lambda: growing.capacity_trends(CALLER, scope, 30),
        "/dashboard/trendlines": lambda: growing.trendlines(CALLER, scope, 7),
        "/dashboard/trendlines?period=30": lambda: growing.trendlines(CALLER, scope, 30),
        "/tenant-health/overview": lambda: health.overview(CALLER, scope),
        "/tenant-health/heatmap": lambda: health.heatmap(CALLER, scope),
        "/tenant-health/{project_id}": lambda: health.detail(CALLER, project, scope),
        "/tenant-health/trends/{project_id}": lambda: health.trends(CALLER, project, scope, 30),
    }


def row(name: str, times: list[float], cpu: float) -> list[str]:
    """A line of the table: CPU, the median, the 95th percentile."""
    worst = statistics.quantiles(times, n=20)[18]
    verdict = "ok" if worst <= LIMIT else "TOO SLOW"
    return [name, seconds(cpu), seconds(statistics.median(times)), seconds(worst), seconds(LIMIT), verdict]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--keep", metavar="FILE", type=Path, help="fill this file once and use it again")
    options = parser.parse_args()
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory(prefix="qdeck-bench-") as folder:
        path = options.keep or Path(folder) / "estate.duckdb"
        fresh = not path.exists()
        with Estate.open(path) as estate:
            if fresh:
                fill(estate, options.count)
            with estate.reader() as connection:
                (last,) = connection.execute("SELECT max(ended_at) FROM listings").fetchall()[0]
                (equipped,) = connection.execute("SELECT count(*) FROM samples_hourly").fetchall()[0]
                (project,) = connection.execute("SELECT max(project_id) FROM server_versions").fetchall()[0]
            now = last.replace(tzinfo=UTC)
            if not equipped:
                equip(estate, now)
            reads = InventoryReads(estate, clock=lambda: now + timedelta(minutes=1))
            with contextlib.closing(Ops.open(Path(folder) / "ops.sqlite")) as ops:
                print(table(measured(endpoints(reads, ops, project), options.rounds), HEAD))
            reads.close()


HEAD = ("Endpoint", "CPU", "Median", "p95", "Limit", "")


def measured(asked: dict[str, Callable[[], Any]], rounds: int) -> list[list[str]]:
    """Each endpoint in turn, so that what else the machine does falls on all alike."""
    times: dict[str, list[float]] = {name: [] for name in asked}
    spent: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(rounds + 1):
        for name, ask in asked.items():
            began, cpu = time.perf_counter(), time.process_time()
            dump(ask())
            times[name].append(time.perf_counter() - began)
            spent[name].append(time.process_time() - cpu)
    return [row(name, found[1:], min(spent[name])) for name, found in times.items()]


if __name__ == "__main__":
    main()
