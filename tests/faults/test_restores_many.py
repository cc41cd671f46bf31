"""A dozen machines restored by one plan, with kills of the engine in between: no machine twice, none forgotten."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from engine.demo.launch import DemoCloud
from engine.process.models import Home
from tests.engine.process.running import Engine, temporary_home, wait_for
from tests.faults.restore_scene import collect
from tests.faults.restoring import Doc, Machine, Tenant
from tests.faults.test_gate import patiently
from tui.api.client import SyncClient
from tui.api.errors import EngineUnavailable

pytestmark = pytest.mark.faults

MACHINES, FIRST = 12, 3
OVER = ("SUCCEEDED", "PARTIAL", "FAILED", "CANCELED")
QUICK = {"seconds": 5, "ask": False}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCloud]:
    demo = DemoCloud.start(tmp_path_factory.mktemp("cloud"), servers=8, seed="many", still=True, pace=0.01)
    yield demo
    demo.stop()


@contextlib.contextmanager
def running(home: Home, cloud: DemoCloud) -> Iterator[tuple[Engine, SyncClient]]:
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home.path / "qdeck.toml").write_text("[clouds.demo]\ngrant_member = true\n")
    one = Engine(home, application="engine.app")
    try:
        one.until_running()
        with one.client() as client:
            client.post("/q/clouds", {"account": "demo", "file": str(cloud.clouds_yaml)})
            client.post("/q/writes/demo", {"minutes": 240, "reason": "this is tried"})
            yield one, client
    finally:
        one.close()


def keys_of(client: SyncClient, machines: Sequence[Machine]) -> list[list[str]]:
    """As the lists have them."""
    asked = {"type": "server", "columns": ["name"], "after": 200}
    known = {row[2]: list(row[:3]) for row in client.post("/q/windows", asked)["rows"]}
    return [known[machine.server] for machine in machines]


def planned(client: SyncClient, body: Doc) -> Doc:
    return dict(client.request("POST", "/q/restore/bulk", json=body, seconds=300))


def ended(client: SyncClient, id: str, most: Counter[str]) -> Doc:
    """The plan once it is over; `most`: how many ran at once, by group."""

    def look() -> Any:
        with contextlib.suppress(EngineUnavailable):
            found = client.get(f"/q/restore/bulk/{id}")
            now = Counter(str(one["group"]) for one in found["machines"] if one["state"] == "RUNNING")
            for group, count in now.items():
                most[group] = max(most[group], count)
            most["at once"] = max(most["at once"], sum(now.values()))
            return found if found["status"] in OVER else None
        return None

    return dict(wait_for(look, 240))


def test_a_dozen_machines_come_back_once_each_whatever_is_killed(cloud: DemoCloud) -> None:
    tenant = Tenant(cloud)
    machines = [tenant.machine(data=0) for _ in range(MACHINES)]
    first = [machine.name for machine in machines[-FIRST:]]
    with temporary_home() as home, running(home, cloud) as (engine, client):
        collect(client)
        keys = keys_of(client, machines)
        body = {"keys": keys, "way": "NEW", "order": [", ".join(first)], "limits": {"parallel": 5, "per_project": 5},
                "prove": QUICK}  # fmt: skip
        plan = planned(client, body)
        assert plan["detail"] == f"{MACHINES} of {MACHINES} machines can be restored so", plan["machines"]
        assert [one["name"] for one in plan["machines"][:FIRST]] == first
        assert all(one["back_ends"] and one["point"]["id"] and one["lost"] for one in plan["machines"])
        needed = {one["what"]: one["need"] for one in plan["sums"]}
        assert needed["instances"] == MACHINES and needed["gigabytes"] == 20 * MACHINES

        client.post(f"/q/restore/bulk/{plan['id']}/execute", {"hash": plan["hash"], "reason": "this is tried"})
        done = lambda: [  # noqa: E731
            one for one in patiently(lambda: client.get(f"/q/restore/bulk/{plan['id']}"))["machines"]
            if one["state"] == "SUCCEEDED"
        ]  # fmt: skip
        for count in (1, FIRST + 1, MACHINES // 2):
            wait_for(lambda count=count: len(done()) >= count, 120)  # type: ignore[misc]
            engine.kill_worker()
        most: Counter[str] = Counter()
        found = ended(client, plan["id"], most)
        assert (found["status"], found["detail"]) == ("SUCCEEDED", f"{MACHINES} of {MACHINES} machines restored"), found
        assert most["at once"] <= 5
        jobs = client.get("/q/restore/jobs", {"limit": 200})["items"]
        begun = Counter(job["vm_id"] for job in jobs if job["executed_at"])
        assert begun == {machine.server: 1 for machine in machines}
        # The first group was over before the next began.
        begins = {one["name"]: one["started_at"] for one in found["machines"]}
        ends = {one["name"]: one["ended_at"] for one in found["machines"]}
        assert max(ends[name] for name in first) <= min(begins[name] for name in begins if name not in first)
        names = Counter(row["name"] for row in tenant.all()["server"].values())
        for one in jobs:
            assert names[one["new_vm_name"]] == 1
        records = client.get("/q/audit", {"action": "restore.bulk_end"})["items"]
        assert [record["outcome"] for record in records] == ["ok"]


def test_the_rest_is_cancelled_with_what_runs(cloud: DemoCloud) -> None:
    tenant = Tenant(cloud)
    machines = [tenant.machine(data=0) for _ in range(3)]
    with temporary_home() as home, running(home, cloud) as (_engine, client):
        collect(client)
        keys = keys_of(client, machines)
        body = {"keys": keys, "way": "REPLACE", "limits": {"parallel": 1}, "prove": QUICK}
        plan = planned(client, body)
        assert plan["requires"]["typed"] == "DELETE AND RESTORE 3 MACHINES"
        leave = {"typed": "DELETE AND RESTORE 2 MACHINES", "leave_out": [keys[0]], "reason": "this is tried"}
        client.post(f"/q/restore/bulk/{plan['id']}/execute", leave)
        states = lambda: Counter(  # noqa: E731
            one["state"] for one in client.get(f"/q/restore/bulk/{plan['id']}")["machines"]
        )
        wait_for(lambda: states()["RUNNING"], 60)
        client.post(f"/q/restore/bulk/{plan['id']}/cancel", {"running": True})
        found = ended(client, plan["id"], Counter())
        assert found["counts"]["LEFT_OUT"] == 1 and found["status"] == "CANCELED", found
        assert found["counts"]["NOT_BEGUN"] == 1
        for machine in machines:
            # One that was past its commit went on to its end; the others are as they were.
            server = tenant.server(machine.server)
            assert server["status"] == "ACTIVE" or found["counts"].get("SUCCEEDED") == 1
