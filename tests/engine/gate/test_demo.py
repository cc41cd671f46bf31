"""The gate against the demo cloud: plans, jobs, audit and what is collected afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import ENGINE, Caller
from engine.app import EngineParts, open_engine
from engine.demo.launch import DemoCloud
from engine.gate.bodies import ExecuteBody, PlanBody
from engine.gate.refusals import Refused
from engine.process.models import Home

OPS = Caller("ops", 1000, None, None, "superadmin")
TYPES = ["project", "server", "network", "security_group", "flavor"]
SECONDS = 60.0


def until(test: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (found := test()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineParts]:
    """An engine that watches a demo cloud as if it were a real one: read-only until somebody lifts it."""
    path: Path = tmp_path_factory.mktemp("gate")
    demo = DemoCloud.start(path / "demo", servers=30, seed="gate", still=True)
    try:
        with closing(open_engine(Home.at(path))) as opened:
            opened.clouds.add(ENGINE, "demo", file=demo.clouds_yaml)
            (started,) = opened.collections.start(ENGINE, ["demo"], TYPES, True)
            opened.collections.wait(started["id"], SECONDS)
            yield opened
    finally:
        demo.stop()


@pytest.fixture
def lifted(parts: EngineParts) -> Iterator[None]:
    parts.gate.lift(OPS, "demo", 5, "test", "")
    yield
    parts.gate.end(OPS, "demo")


def plan(parts: EngineParts, action: str, caller: Caller = OPS, **body: Any) -> dict[str, Any]:
    return parts.gate.plan(caller, PlanBody.model_validate({"action": action, **body}))


def execute(parts: EngineParts, made: dict[str, Any], caller: Caller = OPS, **body: Any) -> dict[str, Any]:
    given = {"typed": made["requires"]["typed"] or "", "reason": "night shift", "ticket": "CHG1", **body}
    job = parts.gate.execute(caller, made["id"], ExecuteBody.model_validate(given))
    return until(lambda: (found := parts.jobs.job(job["id"]))["ended_at"] and found)


def servers(parts: EngineParts, filter: str = "") -> list[dict[str, Any]]:
    rows = parts.gate._targeting._rows
    return [dict(row) for row in rows.passing(OPS, "server", filter, None, None, None, 1000)[1]]


def test_a_machine_is_stopped_and_seen_stopped(parts: EngineParts, lifted: None) -> None:
    server = servers(parts, "status:=ACTIVE locked:no !host:=cmp-003")[0]
    made = plan(parts, "server.stop", targets={"keys": [server["key"]]})
    assert (made["count"], made["refused"]) == (1, 0), made["items"][0]["problem"]
    job = execute(parts, made)
    assert job["state"] == "done", job
    until(lambda: servers(parts, f"id:={server['key'][2]}")[0]["status"] == "SHUTOFF")
    _, records = parts.audit.page(action="server.stop")
    intent, done = sorted(records, key=lambda one: one["seq"])
    assert (intent["outcome"], done["outcome"]) == ("intent", "ok")
    assert done["detail"]["status"] == 202
    assert done["detail"]["request_ids"][0].startswith("req-")


def keys(parts: EngineParts, type: str, filter: str = "") -> list[tuple[str, str, str]]:
    rows = parts.gate._targeting._rows
    return [row["key"] for row in rows.passing(OPS, type, filter, None, None, None, 1000)[1]]


def project(parts: EngineParts) -> str:
    return servers(parts)[0]["project_id"]


def test_a_network_comes_and_goes(parts: EngineParts, lifted: None) -> None:
    options = {"name": "throw-away", "project": project(parts)}
    made = plan(parts, "network.create", options=options)
    assert made["commands"][0].startswith("openstack --os-cloud demo network create")
    job = execute(parts, made)
    assert job["state"] == "done", job["steps"]
    (key,) = until(lambda: keys(parts, "network", "name:=throw-away"))
    assert key[2] == job["steps"][0]["created"]
    made = plan(parts, "network.delete", targets={"keys": [key]})
    assert made["requires"]["typed"] == "throw-away"
    with pytest.raises(Refused, match="throw-away"):
        execute(parts, made, typed="")
    assert execute(parts, made)["state"] == "done"
    until(lambda: not keys(parts, "network", "name:=throw-away"))


def test_many_machines_with_one_that_is_locked(parts: EngineParts, lifted: None) -> None:
    chosen = [one["key"] for one in servers(parts, "status:=ACTIVE locked:no !host:=cmp-003")[:3]]
    locked = execute(parts, plan(parts, "server.lock", targets={"keys": chosen[:1]}, options={"reason": "month end"}))
    assert locked["state"] == "done", locked["steps"]
    made = plan(parts, "server.reboot", targets={"keys": chosen}, options={"type": "HARD"})
    assert [item["code"] for item in made["items"]] == ["locked", None, None]
    assert "month end" in made["items"][0]["problem"]
    job = execute(parts, made)
    assert job["state"] == "done" and (job["total"], job["title"]) == (2, "Reboot 2 servers"), job["steps"]
    # Passed by name, alone; then unlocked again.
    made = plan(parts, "server.reboot", targets={"keys": chosen[:1]})
    job = execute(parts, made, override=[chosen[0]], typed=made["requires"]["override"])
    assert job["state"] == "done", job["steps"]
    assert execute(parts, plan(parts, "server.unlock", targets={"keys": chosen[:1]}))["state"] == "done"
    until(lambda: not servers(parts, f"id:={chosen[0][2]} locked:yes"))


def test_the_console_log_is_asked_in_read_only_mode(parts: EngineParts) -> None:
    from engine.gate.models import Call

    key = servers(parts, "status:=ACTIVE !host:=cmp-003")[0]["key"]
    body = {"os-getConsoleOutput": {"length": 5}}
    call = Call(*key[:2], "compute", "POST", f"/servers/{key[2]}/action", body, session="read", type="server")
    assert isinstance(parts.gate.ask(OPS, call).document["output"], str)
