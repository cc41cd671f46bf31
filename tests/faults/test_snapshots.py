"""`kill -9` of the worker while policies run: each point is made once, retention is exact, what others made stays."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from engine.audit.service import AuditService
from engine.demo.launch import DemoCloud
from engine.process.models import Home
from engine.snapshots.models import POLICY, TOKEN
from store.ops.ops import Ops
from store.ops.snapshot_run_tables import snapshot_points as points
from tests.contract.wire import Actor, Login
from tests.engine.process.running import Engine, temporary_home, wait_for
from tests.faults.test_gate import patiently
from tests.faults.test_jobs import SEED, WELL
from tui.api.client import SyncClient
from tui.api.errors import ApiError, EngineUnavailable

RUNS = 3
KILLS = 3  # in each run
POLICY_NAME = "kept_1"

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCloud]:
    """A cloud that outlives every engine."""
    demo = DemoCloud.start(tmp_path_factory.mktemp("cloud"), servers=16, seed="snapshots", still=True)
    yield demo
    demo.stop()


@contextlib.contextmanager
def running(home: Home, cloud: DemoCloud) -> Iterator[tuple[Engine, SyncClient]]:
    """An engine whose policies may work in the cloud, which is read-only for everybody else."""
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home.path / "qdeck.toml").write_text("[clouds.demo]\ngrant_member = true\n[snapshots]\nparallel = 8\n")
    one = Engine(home, application="engine.app")
    try:
        one.until_running()
        with one.client() as client:
            client.post("/q/clouds", {"account": "demo", "file": str(cloud.clouds_yaml)})
            (started,) = client.post("/q/collections", {"full": True})["items"]
            wait_for(lambda: client.get(f"/q/collections/{started['id']}")["ended_at"], 120)
            client.post("/q/snapshot/clouds/demo", {"reason": "this is tried"})
            client.post("/q/snapshot/policies", {"name": POLICY_NAME, "schedule": "monthly 1 04:00", "keep": 1})
            body = {"name": "all", "is_global": True, "policies": [POLICY_NAME], "match": {"max_size_gb": 100}}
            client.post("/snapshot-policies", body)
            yield one, client
    finally:
        one.close()


def kill_at(one: Engine, client: SyncClient, seconds: float) -> None:
    """Kill the worker at that moment, after enough service that it is replaced at once."""
    patiently(lambda: client.get("/q/engine"))
    time.sleep(seconds)  # moments are what is tried here
    one.kill_worker()


def ended(client: SyncClient, path: str) -> dict[str, Any]:
    def look() -> Any:
        with contextlib.suppress(EngineUnavailable):
            found = client.get(path)
            return found["finished_at"] and found
        return None

    return wait_for(look, 240)


def of_cloud(cloud: DemoCloud) -> dict[str, dict[str, Any]]:
    """Every snapshot that the cloud has, of all projects."""
    entry = yaml.safe_load(Path(cloud.clouds_yaml).read_text())["clouds"]["demo"]["auth"]
    actor = Actor(Login.from_entry(entry))
    found = actor.pages("block-storage", "/snapshots/detail?all_tenants=1")
    return {row["id"]: row for document in found for row in document.get("snapshots", [document])}


def records(client: SyncClient, run: int) -> list[dict[str, Any]]:
    return list(patiently(lambda: client.get(f"/q/snapshot/runs/{run}/records?limit=1000"))["items"])


def check(home: Home, cloud: DemoCloud, foreign: set[str], made: list[dict[str, Any]]) -> None:
    """Nobody has the databases open: cloud, records and register say the same."""
    there = of_cloud(cloud)
    assert foreign <= set(there), "something that others made is gone"
    created = [row["snapshot_id"] for row in made if row["action"] == "created"]
    deleted = [row["snapshot_id"] for row in made if row["action"] == "deleted" and row["status"] == "OK"]
    assert max(Counter(created).values()) == max(Counter(deleted).values()) == 1
    ours = {id: row for id, row in there.items() if row["metadata"].get(POLICY) == POLICY_NAME}
    assert set(ours) == set(created) - set(deleted), f"seed {SEED}"
    per_volume = Counter(row["volume_id"] for row in ours.values())
    assert set(per_volume.values()) == {1}, "one point is kept of each volume"
    # Each in its volume's own project, and known to the register by its token.
    with contextlib.closing(Ops.open(home.ops)) as ops:
        assert AuditService(ops).verify().ok
        with ops.read() as connection:
            known = {row.point_id: row for row in connection.execute(select(points)).all() if row.state == "made"}
            states = {row.state for row in connection.execute(select(points.c.state)).all()}
    assert set(known) == set(ours) and states <= {"made", "deleted"}
    for id, row in ours.items():
        assert row["metadata"][TOKEN] == known[id].token
        assert row["os-extended-snapshot-attributes:project_id"] == known[id].project_id


def test_every_point_is_made_once_whatever_is_killed(cloud: DemoCloud) -> None:
    chance = random.Random(SEED)
    foreign = set(of_cloud(cloud))
    made: list[dict[str, Any]] = []
    with temporary_home() as home:
        with running(home, cloud) as (one, client):
            for _ in range(RUNS):
                body = {"cloud": "demo", "policies": [POLICY_NAME]}
                run = client.post("/q/snapshot/runs", body)["id"]
                for _ in range(KILLS):
                    kill_at(one, client, WELL + chance.random() * 1.5)
                found = ended(client, f"/q/snapshot/runs/{run}")
                assert found["snapshots_created"] >= 10, found["detail"]
                assert found["snapshots_failed"] == 0, [
                    r["detail"] for r in records(client, run) if r["status"] == "ERROR"
                ]
                made += records(client, run)
            jobs = [client.get(f"/q/jobs/{id}") for id in client.get(f"/q/snapshot/runs/{run}")["job_ids"]]
            assert all(job["ended_at"] for job in jobs)
            # Roles that were lent for it are taken back.
            wait_for(lambda: patiently(lambda: client.get("/q/grants"))["items"] == [], 60)
        check(home, cloud, foreign, made)


def test_the_pipeline_goes_through_its_four_steps_whatever_is_killed(cloud: DemoCloud) -> None:
    chance = random.Random(SEED + 1)
    before = of_cloud(cloud)
    with temporary_home() as home:
        with running(home, cloud) as (one, client):
            begun = client.post("/snapshot/run-now")
            with pytest.raises(ApiError) as refused:
                client.post("/snapshot/run-now")
            assert refused.value.status == 409
            for _ in range(2 * KILLS):
                kill_at(one, client, WELL + chance.random())
            found = ended(client, "/snapshot/run-now/status")
            assert found["job_id"] == begun["job_id"] and found["status"] == "completed", found
            assert [step["status"] for step in found["steps"]] == ["completed"] * 4
            run = client.get(f"/q/snapshot/runs/{found['runs'][0]}")
            assert run["snapshots_failed"] == 0 and run["snapshots_created"] >= 5
            rows = [row for row in records(client, run["id"]) if row["action"] == "created"]
        new = {id: row for id, row in of_cloud(cloud).items() if id not in before and row["metadata"].get(TOKEN)}
        assert Counter(row["snapshot_id"] for row in rows) == Counter(dict.fromkeys(new, 1)), f"seed {SEED}"
