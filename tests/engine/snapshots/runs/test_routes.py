"""Runs over the API and on the command line: as documented, and what goes beyond it; the pipeline on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api import errors
from engine.audit.service import AuditService
from engine.embedded import CALLER
from engine.settings.models import Settings
from engine.snapshots.models import Volume
from engine.snapshots.runs import documented, routes
from engine.snapshots.runs.pipeline import STEPS, Pipeline
from tests.engine.snapshots.runs.simulated import CLOUD, REGION, World
from tui.api.errors import ApiError
from tui.cli import snapshot_runs
from tui.cli.commands import app as commands
from tui.cli.exits import DENIED, FAILED, OK, PARTIAL, USAGE, leave, of_status
from tui.cli.options import GlobalOptions

ADMIN = Caller("ops", 1000, None, None, "superadmin")
VIEWER = Caller("eve", 1001, None, None, "viewer")
OF_P2 = Caller("tess", 1002, None, None, "admin", projects=("p2",))
ELSEWHERE = Caller("carl", 1003, None, None, "admin", clouds=("other",))


class Place:
    """A world with an API; what it is asked is asked as `caller`."""

    def __init__(self, folder: Path) -> None:
        self.world = world = World(folder)
        self.caller = ADMIN
        self.syncs: list[str] = []
        self.broken: str = ""
        inventory: Any = SimpleNamespace(sync=self.sync, synced=lambda id: self.broken)
        estate: Any = SimpleNamespace(regions=lambda cloud: [REGION], volumes=lambda *place: list(world.listed))
        self.stale: list[Volume] = []
        self.pipeline = Pipeline(
            world.real, AuditService(world.real), world.runs, estate, inventory, world.journal, lambda found: [],
            lambda: [CLOUD], lambda cloud: world.forbidden, lambda: None, lambda: world.now,
        )  # fmt: skip
        access = AccessService(world.real, Settings())
        self.app = FastAPI()
        errors.install(self.app)
        for router in (documented.routes(world.runs, self.pipeline, access), routes.routes(world.runs, access)):
            self.app.include_router(router)

    def sync(self, cloud: str) -> str:
        self.syncs.append(cloud)
        return f"sync-{len(self.syncs)}"

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[CALLER] = self.caller
            await self.app(scope, receive, send)

        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url="http://e") as client:
                return await client.request(method, path, json=body)

        return asyncio.run(asked())

    def json(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, path, body)
        if answer.status_code >= 400:
            raise ApiError(answer.status_code, answer.json()["detail"])
        return answer.json()

    # As the command line's client

    def get(self, path: str, params: Any = None) -> Any:
        if path == "/q/snapshot/clouds":
            return {"items": [{"cloud": CLOUD, "enabled": self.world.forbidden is None, "production": False}]}
        return {"items": [{"name": CLOUD}]} if path == "/q/clouds" else self.json("GET", path)

    def post(self, path: str, json: Any = None) -> Any:
        answer = self.json("POST", path, json)
        if path == "/q/snapshot/runs":
            self.world.settle()
        return answer

    def begin_pipeline(self) -> None:
        for _ in range(20):
            self.pipeline.look(self.world.now)
            self.world.settle()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    world = made.world
    world.policy("daily")
    for number, project in enumerate(("p1", "p1", "p2")):
        world.hold(world.cloud.add_volume(number + 1, project), "daily")
    world.settle()
    yield made
    world.close()


def test_history_and_progress_as_documented(place: Place) -> None:
    place.world.cloud.limits["p2/gigabytes"] = 2
    place.world.pass_time(timedelta(days=1))
    page = place.json("GET", "/snapshot-runs?limit=5")
    assert (page["total"], page["items"][0]["status"]) == (1, "partial")
    assert place.json("GET", "/snapshot-runs?status=failed")["items"] == []
    found = place.json("GET", "/snapshot/runs/1/progress")
    run = found["run"]
    assert (run["id"], run["total_volumes"], run["snapshots_created"], run["quota_blocked"]) == (1, 3, 2, 1)
    assert (run["total_batches"], run["completed_batches"], run["progress_pct"]) == (1, 1, 100.0)
    assert found["batches"][0] | {"started_at": None, "finished_at": None} == {
        "batch_number": 1, "tenant_names": ["p1"], "total_volumes": 2, "status": "completed", "completed": 2,
        "skipped": 0, "failed": 0, "started_at": None, "finished_at": None,
    }  # fmt: skip
    (block,) = found["quota_blocks"]
    assert (block["tenant_name"], block["quota_limit_gb"], block["quota_used_gb"], block["quota_needed_gb"]) == (
        "p2", 2, 0, 3,
    )  # fmt: skip
    assert found["is_active"] is False
    idle: dict[str, Any] = {"active": False, "run": None, "batches": []}
    assert idle.items() <= place.json("GET", "/snapshot/runs/active/progress").items()
    assert place.ask("GET", "/snapshot/runs/99/progress").status_code == 404


def test_a_run_for_chosen_volumes_and_its_records(place: Place) -> None:
    place.world.pass_time(timedelta(days=1))
    volume = place.world.listed[0].id
    begun = place.ask("POST", "/q/snapshot/runs", {"cloud": CLOUD, "volumes": [volume]})
    assert begun.status_code == 202
    active = place.json("GET", "/snapshot/runs/active/progress")
    assert active["active"] and active["run"]["id"] == begun.json()["id"]
    place.world.settle()
    records = place.json("GET", f"/q/snapshot/runs/{begun.json()['id']}/records")
    assert [(row["volume_id"], row["action"], row["status"]) for row in records["items"]] == [(volume, "created", "OK")]
    for body, status in (({"cloud": "none"}, 404), ({"cloud": CLOUD, "volumes": ["x"]}, 400), ({}, 422)):
        assert place.ask("POST", "/q/snapshot/runs", body).status_code == status


def test_a_policy_that_nobody_made_and_no_volume_has_begins_nothing(place: Place) -> None:
    refused = place.ask("POST", "/q/snapshot/runs", {"cloud": CLOUD, "policies": ["daily", "nosuch"]})
    assert (refused.status_code, "no policy 'nosuch'" in refused.json()["detail"]) == (400, True)
    assert place.json("GET", "/snapshot-runs")["total"] == 0


def test_who_may_see_and_do_what(place: Place) -> None:
    place.world.pass_time(timedelta(days=1))
    place.caller = VIEWER
    assert place.ask("GET", "/snapshot-runs").status_code == 200
    for path in ("/q/snapshot/runs", "/snapshot/run-now", "/q/snapshot/runs/1/cancel"):
        assert place.ask("POST", path, {"cloud": CLOUD}).status_code == 403
    place.caller = OF_P2
    place.world.runs._visible = lambda caller: [v for v in place.world.listed if v.project_id == "p2"]
    assert {row["project_id"] for row in place.json("GET", "/q/snapshot/runs/1/records")["items"]} == {"p2"}
    run = place.json("POST", "/q/snapshot/runs", {"cloud": CLOUD})
    place.world.settle()
    assert place.world.runs.run(run["id"])["snapshots_created"] == 1, "a limited role runs its own volumes"
    place.caller = ELSEWHERE
    assert place.json("GET", "/snapshot-runs")["items"] == []
    assert place.ask("GET", "/snapshot/runs/1/progress").status_code == 404


def test_the_pipeline_has_four_steps_and_is_alone(place: Place) -> None:
    assert place.json("GET", "/snapshot/run-now/status")["status"] == "idle"
    begun = place.ask("POST", "/snapshot/run-now")
    assert begun.status_code == 202 and begun.json()["status"] == "pending"
    again = place.ask("POST", "/snapshot/run-now")
    assert (again.status_code, again.json()["detail"]) == (
        409, "An on-demand snapshot pipeline is already pending or running.",
    )  # fmt: skip
    place.begin_pipeline()
    found = place.json("GET", "/snapshot/run-now/status")
    assert (found["job_id"], found["status"], found["triggered_by"]) == (begun.json()["job_id"], "completed", "ops")
    assert [(step["key"], step["label"]) for step in found["steps"]] == list(STEPS)
    assert {step["status"] for step in found["steps"]} == {"completed"}
    assert len(place.world.cloud.made) == 3 and len(place.syncs) == 2
    assert place.world.runs.run(found["runs"][0])["run_type"] == "on_demand"
    assert place.ask("POST", "/snapshot/run-now").status_code == 202


def test_a_pipeline_whose_collection_fails_makes_nothing(place: Place) -> None:
    place.broken = "the cloud does not answer"
    place.ask("POST", "/snapshot/run-now")
    place.begin_pipeline()
    found = place.json("GET", "/snapshot/run-now/status")
    assert [step["status"] for step in found["steps"]] == ["completed", "failed", "pending", "pending"]
    assert found["status"] == "failed" and "does not answer" in found["detail"] and not place.world.cloud.made


def test_a_pipeline_nowhere_to_work_is_refused(place: Place) -> None:
    place.world.forbidden = "sim is read-only"
    answer = place.ask("POST", "/snapshot/run-now")
    assert (answer.status_code, answer.json()["detail"]) == (409, "sim is read-only")


# The command line


@pytest.fixture
def line(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    @contextmanager
    def connected(options: GlobalOptions) -> Iterator[Place]:
        try:
            yield place
        except ApiError as error:
            leave(of_status(error.status), str(error.detail))

    monkeypatch.setattr(snapshot_runs, "connected", connected)
    monkeypatch.setattr(snapshot_runs, "_LOOK_SECONDS", 0.0)
    return place


def said(*words: str, code: int = OK, noted: str = "") -> str:
    done = CliRunner().invoke(commands, ["snapshot", *words])
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    assert noted in done.stderr
    return done.stdout


def test_a_run_on_the_command_line(line: Place) -> None:
    line.world.pass_time(timedelta(days=1))
    assert "DRY_RUN" in said("run", "--dry-run", noted="3 restore points would be made")
    assert "completed" in said("run", "--wait")
    assert said("runs").count("completed") == 3
    assert said("runs", "3").count("created") == 3
    line.world.now += timedelta(seconds=1)
    line.world.cloud.limits["p2/snapshots"] = 0
    said("run", "--cloud", CLOUD, "--wait", code=PARTIAL, noted="1 blocked by quota")
    assert "snapshots" in said("runs", "4", "--failed")
    said("runs", "--failed", code=USAGE)
    said("run", "--cloud", "none", code=4, noted="there is no cloud")
    line.caller = VIEWER
    said("run", code=DENIED)


def test_what_runs_and_why_nothing_does(line: Place) -> None:
    line.world.forbidden = "sim is read-only"
    line.world.pass_time(timedelta(days=1))
    said("status", noted="something is due and nothing runs: sim is read-only")
    said("run", "--wait", code=FAILED, noted="sim is read-only")
    line.world.forbidden = None
    line.post("/snapshot/run-now")
    assert "Policy Assignment" in said("status", noted="no run is at work")


def test_who_stops_watching_stops_nothing(line: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    line.world.pass_time(timedelta(days=1))
    monkeypatch.setattr(line.world, "settle", lambda: None)  # it has not ended when it is asked for
    monkeypatch.setattr(snapshot_runs.time, "sleep", interrupted)
    done = CliRunner().invoke(commands, ["snapshot", "run", "--wait"])
    assert done.exit_code != OK and "run 2 goes on" in done.stderr
    monkeypatch.undo()
    line.world.settle()
    assert line.world.runs.run(2)["status"] == "completed"
