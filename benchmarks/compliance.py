"""Compliance with snapshot policies: `python -m benchmarks.compliance`.

2,000 volumes of 40 tenants, half with two policies, and 20,000 snapshots: half in our journal, the others made by
another tool or by hand. "All anew" reads volumes, snapshots, journal and what people decided, decides for every volume
and judges every promise; "judged again" is what a question costs while nothing has moved but the time. CPU is the least
of all rounds, over all threads.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.harness import machine, seconds, table
from benchmarks.history import ingest
from engine.api.answers import dump
from engine.audit.service import AuditService
from engine.inventory.reads import InventoryReads
from engine.settings.models import Settings
from engine.snapshots.compliance.answers import Choice
from engine.snapshots.compliance.room import ComplianceRoom
from engine.snapshots.compliance.telling import documented
from engine.snapshots.policies.service import PolicyService
from engine.snapshots.runs.register import Register
from store.estate.estate import Estate
from store.estate.reading.models import Scope
from store.ops.ops import Ops
from store.ops.snapshot_policy_tables import snapshot_policy_sets
from store.ops.snapshot_run_tables import snapshot_points, snapshot_runs
from store.times import naive

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
LIMIT = 0.300
TENANTS = 40
EVERYTHING = Scope()


def documents(volumes: int, snapshots: int) -> dict[str, list[dict[str, Any]]]:
    """Projects, volumes and snapshots as the services give them."""
    projects = [{"id": f"p{n:03d}", "name": f"tenant {n}", "domain_id": f"d{n % 4}"} for n in range(TENANTS)]
    own = {"auto_snapshot": "true", "snapshot_policies": "daily_5,weekly_4"}
    disks = [
        {"id": f"v{n:06d}", "name": f"disk {n}", "status": "in-use", "size": 20 + n % 200, "attachments": [],
         "os-vol-tenant-attr:tenant_id": f"p{n % TENANTS:03d}", "metadata": own if n % 2 else {},
         "created_at": "2026-01-01T00:00:00"}
        for n in range(volumes)
    ]  # fmt: skip
    made = []
    for n in range(snapshots):
        metadata = {"created_by": "p9_auto_snapshots", "policy": "daily_5" if n % 3 else "weekly_4"} if n % 5 else {}
        at = NOW - timedelta(hours=24 * (n // volumes) + n % 40)
        made.append({"id": f"s{n:06d}", "name": f"auto-{n}", "status": "available", "size": 20, "metadata": metadata,
                     "volume_id": f"v{n % volumes:06d}", "created_at": naive(at).isoformat(),
                     "os-extended-snapshot-attributes:project_id": f"p{n % volumes % TENANTS:03d}"})  # fmt: skip
    return {"domain": [{"id": f"d{n}", "name": f"domain {n}"} for n in range(4)], "project": projects,
            "volume": disks, "snapshot": made}  # fmt: skip


def decide(ops: Ops, snapshots: int, volumes: int) -> None:
    """A set for everything, a run, and half of the snapshots in the journal."""
    one = {"name": "all", "description": "", "is_global": True, "tenant_id": "", "tenant_name": "", "cloud": "",
           "region": "", "match": {}, "policies": ["daily_5"], "retention_map": {}, "priority": 100, "is_active": True,
           "created_at": NOW, "created_by": "b", "updated_at": NOW - timedelta(days=90), "updated_by": "b"}  # fmt: skip
    run = {"id": 1, "uid": "r", "cloud": "bench", "region": "one", "policies": [], "occurrences": {}, "dry_run": False,
           "trigger": "schedule", "status": "completed", "phase": "done", "caller": {}, "by": "b",
           "created_at": NOW}  # fmt: skip
    points = [
        {"token": f"t{n}", "volume_id": f"v{n % volumes:06d}", "cloud": "bench", "region": "one", "project_id": "p",
         "policy": "daily_5" if n % 3 else "weekly_4", "occurrence": NOW, "run_id": 1, "kind": "snapshot",
         "point_id": f"s{n:06d}", "state": "made", "taken_at": NOW - timedelta(hours=24 * (n // volumes) + n % 40),
         "changed_at": NOW}
        for n in range(0, snapshots, 2)
    ]  # fmt: skip
    with ops.begin() as connection:
        connection.execute(insert(snapshot_policy_sets).values(one))
        connection.execute(insert(snapshot_runs).values(run))
        connection.execute(insert(snapshot_points), points)


def least(work: Callable[[], Any], rounds: int, before: Callable[[], Any] = lambda: None) -> tuple[float, float]:
    """(CPU, wall) of the quickest of so many rounds."""
    found = []
    for _ in range(rounds):
        before()
        began, cpu = time.perf_counter(), time.process_time()
        work()
        found.append((time.process_time() - cpu, time.perf_counter() - began))
    return min(one[0] for one in found), min(one[1] for one in found)


def main() -> None:
    """Measure, and say so when the limit is passed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--volumes", type=int, default=2_000)
    parser.add_argument("--snapshots", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--profile", action="store_true", help="where the time of `all anew` goes, on stderr")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qdeck-bench-") as name:
        folder = Path(name)
        with Estate.open(folder / "estate.duckdb") as estate:
            for type, rows in documents(options.volumes, options.snapshots).items():
                ingest(estate, type, rows, NOW - timedelta(hours=1))
            ops = Ops.open(folder / "ops.sqlite")
            decide(ops, options.snapshots, options.volumes)
            reads = InventoryReads(estate, clock=lambda: NOW)
            audit, settings = AuditService(ops), Settings()
            policies = PolicyService(ops, audit, reads, clock=lambda: NOW)
            room = ComplianceRoom(ops, audit, reads, policies, Register(ops), lambda: settings, folder, lambda: NOW)
            rows = room.service.rows(EVERYTHING)
            kept = sum(row.status == "compliant" for row in rows)
            sizes = f"{options.volumes:,} volumes, {options.snapshots:,} snapshots"
            print(f"{machine()}\n\n{sizes}, {len(rows):,} promises, {kept:,} kept\n")
            if options.profile:
                profile(lambda: room.service.rows(EVERYTHING), policies.moved)

            def answer() -> bytes:
                found, head = room.answers.report(EVERYTHING, Choice())
                return dump([documented(row, head["timestamp"]) for row in found])

            asked: dict[str, tuple[Callable[[], Any], Callable[[], Any], float | None]] = {
                "all anew": (lambda: room.service.rows(EVERYTHING), policies.moved, LIMIT),
                "judged again": (lambda: room.service.rows(EVERYTHING), lambda: None, None),
                "documented answer, all rows as JSON": (answer, lambda: None, None),
                "a day's record": (lambda: room.trend.record(NOW), lambda: None, None),
            }
            lines, good = [], True
            for title, (work, before, limit) in asked.items():
                cpu, wall = least(work, options.rounds, before)
                within = limit is None or cpu <= limit
                good = good and within
                lines.append([title, seconds(cpu), seconds(wall), "" if limit is None else seconds(limit),
                              "" if limit is None else "yes" if within else "NO"])  # fmt: skip
            print(table(lines, ("What", "CPU", "Wall", "Limit", "")))
            reads.close()
            ops.close()
    sys.exit(0 if good else 1)


def profile(work: Callable[[], Any], before: Callable[[], Any]) -> None:
    """The functions that take longest."""
    import cProfile
    import pstats

    before()
    watched = cProfile.Profile()
    watched.runcall(work)
    pstats.Stats(watched, stream=sys.stderr).sort_stats("cumulative").print_stats(40)


if __name__ == "__main__":
    main()
