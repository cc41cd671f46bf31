"""`kill -9` of the worker while plans are carried out: each machine is rebooted once, each network made once."""

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

from engine.audit.service import AuditService
from engine.demo.launch import DemoCloud
from engine.jobs.models import OPEN
from engine.process.models import Home
from store.ops.ops import Ops
from tests.contract.wire import Actor, Login
from tests.engine.process.running import Engine, temporary_home, wait_for
from tests.faults.test_jobs import SEED, WELL
from tui.api.client import SyncClient
from tui.api.errors import EngineUnavailable

KILLS = 5
NETWORKS = 6

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCloud]:
    """A cloud that outlives every engine."""
    demo = DemoCloud.start(tmp_path_factory.mktemp("cloud"), servers=40, seed="kills", still=True)
    yield demo
    demo.stop()


@contextlib.contextmanager
def running(home: Home, cloud: DemoCloud) -> Iterator[tuple[Engine, SyncClient]]:
    """An engine that may change the cloud, and knows what is in it."""
    one = Engine(home, application="engine.app")
    try:
        one.until_running()
        with one.client() as client:
            client.post("/q/clouds", {"account": "demo", "file": str(cloud.clouds_yaml)})
            client.post("/q/writes/demo", {"minutes": 30})
            (started,) = client.post("/q/collections", {"types": ["server", "project", "network"], "full": True})[
                "items"
            ]
            wait_for(lambda: client.get(f"/q/collections/{started['id']}")["ended_at"], 60)
            yield one, client
    finally:
        one.close()


def rows(client: SyncClient, type: str, filter: str = "") -> list[list[Any]]:
    body = {"type": type, "filter": filter, "columns": ["name"], "after": 200}
    return list(client.post("/q/windows", body)["rows"])


def patiently(work: Any) -> Any:
    """Asked again while the worker is away; for questions only."""
    while True:
        with contextlib.suppress(EngineUnavailable):
            return work()


def began(client: SyncClient, body: dict[str, Any]) -> str:
    """Plan and execute; the id of the job. What was sent into a kill may have been taken: its plan says so."""
    plan = patiently(lambda: client.post("/q/plans", body))
    while True:
        with contextlib.suppress(EngineUnavailable):
            given = {"typed": plan["requires"]["typed"] or ""}
            return str(client.post(f"/q/plans/{plan['id']}/execute", given)["job"]["id"])
        known = patiently(lambda: client.get(f"/q/plans/{plan['id']}"))
        if known["job_id"]:
            return str(known["job_id"])


def ended(client: SyncClient, job: str) -> dict[str, Any]:
    def look() -> Any:
        with contextlib.suppress(EngineUnavailable):
            found = client.get(f"/q/jobs/{job}")
            return found["state"] not in OPEN and found
        return None

    return wait_for(look, 120)


def kill_often(one: Engine, client: SyncClient, chance: random.Random) -> None:
    for _ in range(KILLS):
        patiently(lambda: client.get("/q/jobs"))
        time.sleep(WELL + chance.random() * 0.5)  # moments are what is tried here
        one.kill_worker()


def check_audit(home: Home) -> None:
    with contextlib.closing(Ops.open(home.ops)) as ops:
        audit = AuditService(ops)
        assert audit.verify().ok
        for action in ("server.reboot", "network.create"):
            _, records = audit.page(action=action, limit=1000)
            ends = [record["detail"]["intent"] for record in records if record["outcome"] != "intent"]
            intents = {record["id"] for record in records if record["outcome"] == "intent"}
            assert set(ends) <= intents and len(set(ends)) == len(ends)


def test_every_machine_is_rebooted_once_whatever_is_killed(cloud: DemoCloud) -> None:
    chance = random.Random(SEED)
    entry = yaml.safe_load(Path(cloud.clouds_yaml).read_text())["clouds"]["demo"]["auth"]
    nova = Actor(Login.from_entry(entry))
    with temporary_home() as home:
        with running(home, cloud) as (one, client):
            keys = [row[:3] for row in rows(client, "server", "status:=ACTIVE locked:no")]
            before = {key[2]: reboots(nova, key[2]) for key in keys}
            body = {"action": "server.reboot", "options": {"type": "HARD"}, "targets": {"keys": keys}}
            job = began(client, body)
            kill_often(one, client, chance)
            found = ended(client, job)
        done = [step["key"][2] for step in found["steps"] if step["state"] == "done"]
        assert len(done) >= 10, found["detail"]
        more = {id: reboots(nova, id) - before[id] for id in before}
        assert {id: more[id] for id in done} == dict.fromkeys(done, 1), f"seed {SEED}"
        assert all(count <= 1 for count in more.values())
        assert max(step["attempt"] for step in found["steps"]) > 1, "no kill came in between"
        check_audit(home)


def reboots(nova: Actor, id: str) -> int:
    actions = nova.get("compute", f"/servers/{id}/os-instance-actions")["instanceActions"]
    return sum(action["action"] == "reboot" for action in actions)


def test_every_network_is_made_once_whatever_is_killed(cloud: DemoCloud) -> None:
    chance = random.Random(SEED + 1)
    with temporary_home() as home:
        with running(home, cloud) as (one, client):
            project = rows(client, "project", "name:=demo")[0][2]
            jobs = []
            for number in range(NETWORKS):
                options = {"name": f"kill-{number}", "project": project}
                jobs.append(began(client, {"action": "network.create", "options": options}))
                time.sleep(chance.random() * 0.1)
                one.kill_worker()
                patiently(lambda: client.get("/q/jobs"))
                time.sleep(WELL)
            found = [ended(client, job) for job in jobs]
            assert {job["state"] for job in found} == {"done"}, [job["detail"] for job in found]
            # A worker that was killed after a job's end and before the listing that follows it leaves that to the next.
            client.post("/q/collections", {"types": ["network"], "full": True})
            made = wait_for(lambda: len(names := rows(client, "network", "kill-")) >= NETWORKS and names, 60)
            counted = Counter(row[3] for row in made)
            assert counted == Counter(f"kill-{number}" for number in range(NETWORKS)), f"seed {SEED}"
            assert {row[2] for row in made} == {job["steps"][0]["created"] for job in found}
        check_audit(home)
