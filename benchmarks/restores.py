"""Restores: `python -m benchmarks.restores [--machines 50] [--pace 0.01]`.

Fifty machines are restored at once (NEW, by one plan, with its limits lifted) in the demo cloud by an engine of its own
process: all have to finish. The cloud counts the requests that it saw meanwhile, the kernel the engine's CPU time, so
that nothing of this program is in the figures.

Then one restore alone, in a cloud that takes its usual time: we look at its volume and its machine 50 times a second,
and the engine must have noticed each within a second of that.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.harness import _cpu_of, machine, seconds, single, table
from engine.demo.launch import DemoCloud
from engine.process.models import Home
from tests.engine.process.running import Engine, wait_for
from tests.faults.restore_scene import collect
from tests.faults.restoring import Tenant
from tui.api.client import SyncClient

CPU_LIMIT, NOTICED_LIMIT = 1.0, 1.0  # seconds
WAIT = 900.0  # seconds until everything has to be over
BULK = "/q/restore/bulk"
OVER = ("SUCCEEDED", "PARTIAL", "FAILED", "CANCELED")
# Step that waits, purpose of what it waits for (a root has its volume's id), what it is then.
WAITED = (("WAIT_VOLUME_AVAILABLE", "volume", "available"), ("WAIT_SERVER_ACTIVE", "server", "ACTIVE"))


@contextlib.contextmanager
def scene(folder: Path, servers: int, pace: float) -> Iterator[tuple[DemoCloud, Tenant, SyncClient, int]]:
    """A cloud, a tenant in it, and an engine that may change it; its worker's process id."""
    cloud = DemoCloud.start(folder / "cloud", servers=servers, seed="restores", still=True, pace=pace)
    home = Home(folder / "home")
    home.path.mkdir(mode=0o700, parents=True)
    (home.path / "qdeck.toml").write_text("[clouds.demo]\ngrant_member = true\n")
    engine = Engine(home, application="engine.app")
    try:
        engine.until_running()
        with engine.client() as client:
            client.post("/q/clouds", {"account": "demo", "file": str(cloud.clouds_yaml)})
            client.post("/q/writes/demo", {"minutes": 240, "reason": "measured"})
            yield cloud, Tenant(cloud), client, engine.worker()
    finally:
        engine.close()
        cloud.stop()


def planned(client: SyncClient, servers: list[str]) -> dict[str, Any]:
    """A plan for all of them that can be carried out, with no limit below their number."""
    count = len(servers)
    asked = {"type": "server", "columns": ["name"], "after": 500}
    known = {row[2]: list(row[:3]) for row in client.post("/q/windows", asked)["rows"]}
    body = {
        "keys": [known[server] for server in servers], "way": "NEW", "prove": {"seconds": 5, "ask": False},
        "limits": {"parallel": count, "per_backend": count, "per_project": count},
    }  # fmt: skip
    plan = dict(client.request("POST", BULK, json=body, seconds=WAIT))
    assert plan["counts"] == {"WAITING": count}, [one["detail"] for one in plan["machines"]]
    return plan


def ended(client: SyncClient, plan: dict[str, Any]) -> dict[str, Any]:
    """The plan, carried out to its end; looked at rarely, because looking is work for the engine, too."""
    client.post(f"{BULK}/{plan['id']}/execute", {"hash": plan["hash"], "reason": "measured"})
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        found = next(one for one in client.get(BULK)["items"] if one["id"] == plan["id"])
        if found["status"] in OVER:
            return dict(found)
        time.sleep(0.5)
    raise AssertionError(f"not over within {WAIT:g} s: {found['detail']}")


def at_once(folder: Path, count: int, pace: float) -> list[list[str]]:
    """So many restores side by side."""
    with scene(folder, 60, pace) as (cloud, tenant, client, pid):
        unlimited = {"quota_set": {"ram": -1, "cores": -1, "instances": -1}}
        answer = tenant.admin("compute", f"/os-quota-sets/{tenant.project}", "PUT", json=unlimited)
        assert answer.status_code == 200, answer.text
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda number: tenant.machine(data=0), range(count)))
        collect(client)

        def seen() -> int:
            return int(cloud.call("GET", "/state")["requests"])

        calls, began = seen(), time.perf_counter()
        plan = planned(client, [one.server for one in made])
        planning, asked = time.perf_counter() - began, seen() - calls
        calls, cpu, began = seen(), _cpu_of(pid), time.perf_counter()
        found = ended(client, plan)
        wall, used, sent = time.perf_counter() - began, _cpu_of(pid) - cpu, seen() - calls
    good = found["counts"].get("SUCCEEDED", 0)
    return [
        single(f"{count} restores at once (NEW): finished", f"{good} of {count}", str(count), good == count),
        single("the plan for all of them (wall)", seconds(planning)),
        single("requests for each in that plan", f"{asked / count:.1f}"),
        single("all of them carried out (wall)", seconds(wall)),
        single("requests for each (with the listing that follows)", f"{sent / count:.1f}"),
        single(
            "the engine's own CPU time for each", seconds(used / count), seconds(CPU_LIMIT), used / count <= CPU_LIMIT
        ),
    ]


def noticed(folder: Path) -> list[list[str]]:
    """How much later than we the engine sees a change, while one restore runs."""
    with scene(folder, 20, 1.0) as (_cloud, tenant, client, _pid):
        one = tenant.machine(data=0)
        collect(client)
        plan = planned(client, [one.server])
        job = plan["machines"][0]["plan_id"]
        client.post(f"{BULK}/{plan['id']}/execute", {"hash": plan["hash"], "reason": "measured"})
        rows = []
        for step, type, state in WAITED:
            id = wait_for(lambda type=type: _made(client, job, type), WAIT)  # type: ignore[misc]
            look = tenant.volume if type == "volume" else tenant.server
            while look(id).get("status") != state:
                time.sleep(0.02)
            at = time.time()
            late = wait_for(lambda step=step: _ended(client, job, step), WAIT) - at  # type: ignore[misc]
            words = f"a {type} is {state}: noticed so much later"
            rows.append(single(words, seconds(max(0.0, late)), seconds(NOTICED_LIMIT), late <= NOTICED_LIMIT))
    return rows


def _made(client: SyncClient, job: str, type: str) -> str:
    """The id of what the job has made of that type; "" before it is known."""
    resources = client.get(f"/q/restore/jobs/{job}")["resources"]
    return next((str(row["id"]) for row in resources if row["type"] == type and row["id"]), "")


def _ended(client: SyncClient, job: str, step: str) -> float:
    """When a step had ended (seconds since the epoch); 0 before. Raises AssertionError when it failed."""
    found = next(one for one in client.get(f"/q/restore/jobs/{job}")["steps"] if one["name"] == step)
    assert found["status"] != "FAILED", found["detail"]
    return datetime.fromisoformat(found["ended_at"]).timestamp() if found["ended_at"] else 0.0


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=50)
    parser.add_argument("--pace", type=float, default=0.01)
    given = parser.parse_args()
    rows: list[list[str]] = []
    for work in (lambda folder: at_once(folder, given.machines, given.pace), noticed):
        folder = Path(tempfile.mkdtemp(prefix="qd-"))  # a socket's path is short
        try:
            rows += work(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(table(rows))
    print(f"\n{machine()}. State changes of the cloud take {given.pace:g} of their usual time while many are restored.")


if __name__ == "__main__":
    main()
