"""Snapshot runs: `python -m benchmarks.snapshots`.

The plan of a run over 2,000 volumes that have 20,000 snapshots, 10,000 of them a policy's: from the estate and the
register to the steps of its job, by the calls that a run makes. Beside it, the same question asked as it is asked
without a register: for each volume, all snapshots are gone through. Live quotas are given (asking is the cloud's time).

Then a whole run in the demo cloud, in one process with its engine, whose requests are counted: how often each list was
read from the beginning.
"""

from __future__ import annotations

import asyncio
import logging
import random
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import structlog
from sqlalchemy import insert

from benchmarks.generated import documents
from benchmarks.harness import machine, pair, seconds, single, table
from benchmarks.history import ingest
from engine.access.models import ENGINE, Caller
from engine.audit.service import AuditService
from engine.clouds.session import CloudSession
from engine.demo.launch import DemoCloud
from engine.embedded import Engine
from engine.inventory.reads import InventoryReads
from engine.settings.models import Settings
from engine.snapshots.models import CREATED_BY, CREATED_BY_POLICY, POLICY
from engine.snapshots.policies.changing import Changing
from engine.snapshots.policies.models import SetBody
from engine.snapshots.policies.service import PolicyService
from engine.snapshots.runs.driving import Driver, run_values
from engine.snapshots.runs.quota import Entry
from engine.snapshots.runs.reading import NEEDED, EstateReads
from engine.snapshots.runs.records import Records
from engine.snapshots.runs.register import Register
from store.estate.estate import Estate
from store.ops.ops import Ops
from store.ops.snapshot_run_tables import snapshot_points, snapshot_runs
from store.times import utcnow

VOLUMES, SNAPSHOTS, KEEP = 2_000, 20_000, 5
LIMIT = 2.0
LISTS = {"volumes/detail": "volume", "snapshots/detail": "snapshot", "servers/detail": "server", "projects": "project"}


def filled(folder: Path) -> tuple[Estate, Ops, list[dict[str, Any]], list[dict[str, Any]]]:
    """A cloud with policies in force for some days: five points of each volume are the policy's, five are not."""
    estate, ops, now = Estate.open(folder / "estate.duckdb"), Ops.open(folder / "ops.sqlite"), utcnow()
    chance = random.Random(3)
    volumes = list(documents("volume", VOLUMES))
    snapshots = list(documents("snapshot", SNAPSHOTS))
    rows = []
    run = run_values("bench", "one", {"daily_5": now - timedelta(days=1)}, "schedule", ENGINE) | {"phase": "ended"}
    with ops.begin() as connection:
        made = connection.execute(insert(snapshot_runs).values(**run, created_at=now)).inserted_primary_key
        assert made is not None
        for place, snapshot in enumerate(snapshots):
            volume = volumes[place % VOLUMES]
            snapshot["volume_id"] = volume["id"]
            if place // VOLUMES >= KEEP:
                continue
            at = now - timedelta(days=1 + place // VOLUMES, seconds=chance.randrange(600))
            snapshot["metadata"] = {CREATED_BY: CREATED_BY_POLICY, POLICY: "daily_5"}
            rows.append(
                {"token": f"{place:032x}", "volume_id": volume["id"], "cloud": "bench", "region": "one",
                 "project_id": volume["os-vol-tenant-attr:tenant_id"], "policy": "daily_5", "occurrence": at,
                 "run_id": made[0], "kind": "snapshot", "point_id": snapshot["id"],
                 "state": "made", "taken_at": at, "changed_at": at, "size_gb": volume["size"]}
            )  # fmt: skip
        connection.execute(insert(snapshot_points), rows)
    ingest(estate, "volume", volumes, now)
    ingest(estate, "snapshot", snapshots, now)
    ingest(estate, "server", documents("server", VOLUMES), now)
    return estate, ops, volumes, snapshots


def quotas(cloud: str, region: str, projects: Sequence[str]) -> Mapping[str, Any]:
    """Wide enough for all but a few."""
    return {project: {"snapshots": Entry(1000, 100), "gigabytes": Entry(100_000, 10_000)} for project in projects}


def plan(folder: Path) -> list[list[str]]:
    """The plan beside the search without a register."""
    estate, ops, volumes, snapshots = filled(folder)
    reads, audit = InventoryReads(estate), AuditService(ops)
    policies = PolicyService(ops, audit, reads)
    Changing(policies).add_set(ENGINE, SetBody(name="all", is_global=True, policies=["daily_5"]))
    nothing: Any = SimpleNamespace()
    driver = Driver(
        ops, audit, Records(ops), Register(ops), policies, EstateReads(reads, nothing),
        SimpleNamespace(storage=quotas), nothing, Settings, lambda cloud: None, lambda run, cloud: None,
        lambda job: None, utcnow,
    )  # fmt: skip
    row = run_values("bench", "one", {"daily_5": utcnow()}, "schedule", ENGINE)
    row |= {"id": 2, "created_at": utcnow()}
    found = driver.made_plan(row, utcnow())
    assert sum(len(steps) for steps in found[1].values()) == VOLUMES, found[0].skips[:3]
    assert all(len(want.frees) == 1 for want in found[0].wants)

    def through_all() -> None:
        for volume in volumes[:: VOLUMES // 200]:
            own = [s for s in snapshots if s["volume_id"] == volume["id"] and s["metadata"].get(POLICY) == "daily_5"]
            sorted(own, key=lambda snapshot: snapshot["created_at"])[:-KEEP]

    paired = pair("plan over 2,000 volumes and 20,000 snapshots", lambda: driver.made_plan(row, utcnow()), through_all)
    reads.close()
    estate.close()
    ops.close()
    rows = [paired.row(at_most=LIMIT), paired.row(what="cpu", at_most=LIMIT)]
    for one in rows:
        one[2] += " (200 volumes)"
        one[3] = ""
    return rows


class Counted:
    """Counts what a session asks."""

    def __init__(self) -> None:
        self.lists: Counter[str] = Counter()
        self.all = 0
        self._get, self._send = CloudSession.get, CloudSession.send

    def __enter__(self) -> Counted:
        counted = self

        def get(session: CloudSession, url: str, *given: Any, **named: Any) -> Any:
            counted.note(url)
            return counted._get(session, url, *given, **named)

        def send(session: CloudSession, *given: Any, **named: Any) -> Any:
            counted.all += 1
            return counted._send(session, *given, **named)

        CloudSession.get, CloudSession.send = get, send  # type: ignore[method-assign,assignment]
        return self

    def __exit__(self, *error: object) -> None:
        CloudSession.get, CloudSession.send = self._get, self._send  # type: ignore[method-assign]

    def note(self, url: str) -> None:
        """No list: a page that is not the first, one volume's snapshots, a look at one row whether it is permitted."""
        self.all += 1
        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        for path, name in LISTS.items():
            whole = not {"marker", "volume_id"} & set(query) and query.get("limit") != ["1"]
            if parts.path.endswith("/" + path) and whole and not parts.path.endswith("/auth/projects"):
                self.lists[name] += 1


async def counted(folder: Path) -> list[list[str]]:
    """A run of all volumes of a small cloud; the listing that follows every change comes after its end."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    (home / "qdeck.toml").write_text("[clouds.demo]\ngrant_member = true\n[snapshots]\nparallel = 16\n")
    cloud = await asyncio.to_thread(lambda: DemoCloud.start(folder / "cloud", servers=40, seed="bench", still=True))
    try:
        async with Engine.open(home, Caller("bench", role="superadmin")) as engine:
            client, parts = engine.client, engine.parts
            await client.post("/q/clouds", json={"account": "demo", "file": str(cloud.clouds_yaml)})
            (first,) = parts.collections.start(ENGINE, ["demo"], full=True)
            await asyncio.to_thread(parts.collections.wait, first["id"])
            await client.post("/q/snapshot/clouds/demo", json={"reason": "measured"})
            await client.post("/snapshot-policies", json={"name": "all", "is_global": True, "policies": ["daily_2"]})
            with Counted() as count:
                run = parts.snapshots.runs.start(ENGINE, "demo", policies=["daily_2"])
                lists: Counter[str] | None = None
                while run["finished_at"] is None:
                    await asyncio.to_thread(parts.snapshots.runs.tick, utcnow())
                    run = parts.snapshots.runs.run(run["id"])
                    if lists is None and run["total_batches"]:
                        lists = Counter(count.lists)
                    await asyncio.sleep(0.05)
            assert lists is not None
    finally:
        cloud.stop()
    rows = [single(f"lists of {name} read for a run", str(lists[name]), "1", lists[name] <= 1) for name in NEEDED]
    made = run["snapshots_created"]
    return [
        *rows,
        single(f"requests for each of {made} restore points (all together)", f"{count.all / max(1, made):.1f}"),
    ]


def main() -> None:
    """Print the report."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="qdeck-bench-") as name:
        folder = Path(name)
        rows = plan(folder)
        rows += asyncio.run(counted(folder))
    print(table(rows))
    print(f"\n{machine()}. The plan is to be made within {seconds(LIMIT)}.")


if __name__ == "__main__":
    main()
