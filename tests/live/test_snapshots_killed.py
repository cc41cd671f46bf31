"""`kill -9` of the engine at every step of a snapshot run over the lab: each volume gets one point, and none twice."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from engine.process.models import Home
from tests.contract.wire import Actor
from tests.engine.process.running import Engine, temporary_home, wait_for
from tests.faults.test_jobs import WELL
from tests.live.keeping import check_owner, limit, snapshots
from tests.live.lab_cloud import LabCloud
from tests.live.projects import Project
from tui.api.client import SyncClient
from tui.api.errors import EngineUnavailable

pytestmark = pytest.mark.live

VOLUMES = 4
KEEP = 1
POLICY = "kept-once"
ENDED = ("completed", "partial", "failed", "cancelled")


@contextlib.contextmanager
def running(home: Home, lab: LabCloud, project: Project) -> Iterator[tuple[Engine, SyncClient]]:
    """An engine that knows the project's volumes and may make snapshots of them."""
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = home.path / "qdeck.toml"
    file.write_text("[snapshots]\nparallel = 1\n")
    file.chmod(0o600)
    one = Engine(home, application="engine.app")
    try:
        one.until_running()
        with one.client() as client:
            client.post("/q/clouds", {"account": "lab-admin", "name": "lab", "file": str(lab.clouds_yaml)})
            client.post("/q/snapshot/clouds/lab", {"reason": "tests"})
            types = {"types": ["project", "domain", "server", "volume", "snapshot"], "full": True}
            (started,) = client.post("/q/collections", types)["items"]
            wait_for(lambda: client.get(f"/q/collections/{started['id']}")["ended_at"], 120)
            client.post("/q/snapshot/policies", {"name": POLICY, "schedule": "0 3 1 1 *", "keep": KEEP})
            client.post("/snapshot-policies", {"name": "own", "tenant_id": project.id, "policies": [POLICY]})
            yield one, client
    finally:
        one.close()


def patiently(work: Any) -> Any:
    """Asked again while the worker is away; for questions only."""

    def ask() -> Any:
        with contextlib.suppress(EngineUnavailable):
            return (work(),)
        return None

    return wait_for(ask, 60)[0]


def made(project: Project) -> Counter[str]:
    """How many snapshots of the policy each volume has."""
    rows = snapshots(project.member)
    return Counter(row["volume_id"] for row in rows if row["metadata"].get("policy") == POLICY)


def run(one: Engine, client: SyncClient, volumes: list[str], watch: Actor) -> tuple[dict[str, Any], int]:
    """A run to its end, the engine being killed whenever something new is there or gone: (run, number of kills)."""
    body = {"cloud": "lab", "policies": [POLICY], "volumes": volumes}
    id = client.post("/q/snapshot/runs", body)["id"]
    killed, back = 0, time.monotonic()
    seen: set[frozenset[tuple[str, str]]] = set()

    def look() -> Any:
        nonlocal killed, back
        found = client.get(f"/q/snapshot/runs/{id}")
        if found["status"] in ENDED:
            return found
        # A phase of the run, a snapshot that came, one that goes: each of them is a step to be killed after.
        rows = {(row["id"], row["status"]) for row in snapshots(watch) if row["volume_id"] in volumes}
        now = frozenset(rows | {("", found["phase"])})
        if now not in seen and time.monotonic() - back > WELL:
            seen.add(now)
            one.kill_worker()
            killed += 1
            patiently(lambda: client.get("/q/jobs"))
            back = time.monotonic()
        return None

    return wait_for(lambda: patiently(look), 240), killed


def test_every_step_is_done_once(lab: LabCloud, project: Project) -> None:
    limit(project, snapshots=100)
    project.grant(project.admin.token["user"]["id"], "member")
    volumes = [project.volume(f"disk-{number}")["id"] for number in range(VOLUMES)]
    by_hand = project.snapshot(volumes[0], "by hand")["id"]
    with temporary_home() as home, running(home, lab, project) as (one, client):
        for round in range(2):  # the second removes what the first made
            before = {row["id"] for row in snapshots(project.member)} - {by_hand}
            ended, killed = run(one, client, volumes, project.member)
            assert ended["status"] == "completed", ended
            assert killed >= VOLUMES, "it was killed too seldom to prove anything"
            assert made(project) == dict.fromkeys(volumes, KEEP)
            after = {row["id"] for row in snapshots(project.member)} - {by_hand}
            assert len(after) == VOLUMES and not after & before
            assert (ended["snapshots_created"], ended["snapshots_deleted"]) == (VOLUMES, VOLUMES * round)
        assert by_hand in {row["id"] for row in snapshots(project.member)}
        check_owner(project)
        assert client.get("/q/audit/verification")["ok"] is True
