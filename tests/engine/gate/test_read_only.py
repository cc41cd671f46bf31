"""In read-only mode nothing passes: every route is asked for something that would, and the wire is watched."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from requests.adapters import HTTPAdapter

from engine.access.models import ENGINE, Caller
from engine.demo.launch import DemoCloud
from engine.embedded import Engine

OPS = Caller("ops", 1000, None, None, "superadmin")
# The one route whose purpose it is to end read-only mode.
LIFTS = ("POST", "/q/writes/{cloud}")
# Takes the cloud away from the routes that come after it.
LAST = "/q/clouds/{name}"
# These end the engine, which an engine inside a process can't.
ENDS = ("/q/engine/stop", "/q/engine/restart")
SECONDS = 60.0


class Wire:
    """Every request that leaves for a cloud."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.requests: list[tuple[str, str, str]] = []
        send = HTTPAdapter.send

        def watched(adapter: HTTPAdapter, request: Any, *given: Any, **more: Any) -> Any:
            body = request.body or b""
            words = body.decode() if isinstance(body, bytes) else str(body)
            self.requests.append((str(request.method), str(request.url), words))
            return send(adapter, request, *given, **more)

        patch.setattr(HTTPAdapter, "send", watched)

    def changing(self) -> list[tuple[str, str]]:
        """Those that may change something: not logins, and not the console log, which is asked for with a POST."""
        return [
            (method, url)
            for method, url, body in self.requests
            if method not in ("GET", "HEAD")
            and not (method == "POST" and url.endswith("/auth/tokens"))
            and not (method == "POST" and url.endswith("/action") and list(json.loads(body)) == ["os-getConsoleOutput"])
        ]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCloud]:
    demo = DemoCloud.start(tmp_path_factory.mktemp("cloud"), servers=12, seed="read-only", still=True)
    yield demo
    demo.stop()


@pytest.fixture
async def engine(tmp_path: Path, cloud: DemoCloud) -> AsyncIterator[Engine]:
    """An engine that watches the cloud as a real one: nobody said that it may be written."""
    async with Engine.open(tmp_path, OPS) as opened:
        await asyncio.to_thread(opened.parts.clouds.add, ENGINE, "demo", file=cloud.clouds_yaml)
        types = ["project", "server", "network", "flavor", "security_group"]
        (started,) = opened.parts.collections.start(ENGINE, ["demo"], types, True)
        await asyncio.to_thread(opened.parts.collections.wait, started["id"], SECONDS)
        yield opened


async def rows(engine: Engine, type: str, filter: str = "") -> list[list[Any]]:
    body = {"type": type, "filter": filter, "columns": ["name"], "after": 100}
    answer = await engine.client.post("/q/windows", json=body)
    return list(answer.json()["rows"])


async def ended(engine: Engine, job: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while True:
        found: dict[str, Any] = (await engine.client.get(f"/q/jobs/{job['id']}")).json()
        if found["ended_at"]:
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


async def stop_plan(engine: Engine) -> dict[str, Any]:
    """A plan that could be carried out, were it not for read-only mode."""
    for cloud, region, id, _ in await rows(engine, "server", "status:=ACTIVE"):
        body = {"action": "server.stop", "targets": {"keys": [[cloud, region, id]]}}
        plan: dict[str, Any] = (await engine.client.post("/q/plans", json=body)).json()
        if not plan["refused"]:
            return plan
    raise AssertionError("the demo has no machine that could be stopped")


def body_of(route: Any, known: dict[str, Any]) -> dict[str, Any]:
    """A body for the route: what is known by name, and for the rest that is required something of the right type."""
    model = route.original_route.body_field.field_info.annotation if route.original_route.body_field else None
    schema = model.model_json_schema() if hasattr(model, "model_json_schema") else {}
    required = schema.get("required", ())
    parts = schema.get("properties", {}).items()
    return {name: known.get(name, _some(part)) for name, part in parts if name in known or name in required}


def _some(part: dict[str, Any]) -> Any:
    if "enum" in part:
        return part["enum"][0]
    kind = part.get("type") or next((one.get("type") for one in part.get("anyOf", ())), "object")
    return {"string": "x", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}.get(kind)


async def test_no_write_passes_any_route(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    transport: Any = engine.client._transport
    app = transport.app._app
    plan = await stop_plan(engine)
    # A job that failed, so that there is something to try again: the machine was locked after the plan was made.
    await engine.client.post("/q/writes/demo", json={"minutes": 5})
    failed = await _failed_job(engine, monkeypatch)
    await engine.client.delete("/q/writes/demo")
    server, project = plan["items"][0]["key"], (await rows(engine, "project"))[0]
    wire = Wire(monkeypatch)
    known = {
        "action": "server.stop",
        "targets": {"keys": [server]},
        "cloud": "demo",
        "region": server[1],
        "type": "server",
        "name": "made-by-a-test",
        "project": project[2],
        "project_id": project[2],
        "typed": plan["requires"]["typed"] or "",
        "reason": "test",
        "ticket": "CHG1",
        "options": {},
        "minutes": 5,
    }
    seen = {}
    for method, path, route in _walk(app):
        body = body_of(route, known)
        url = _url(path, plan["id"], failed["id"], server)
        for content in ({}, body) if method != "GET" else (None,):
            seen[method, path] = await _ask(engine, method, url, content)
    assert wire.changing() == []
    assert any(method == "POST" and url.endswith("/auth/tokens") for method, url, _ in wire.requests), (
        "nothing was seen"
    )
    assert seen["POST", "/q/plans/{id}/execute"] == 403
    assert seen["POST", "/q/jobs/{id}/retry"] == 403
    assert len(seen) > 80


async def test_the_same_passes_once_it_is_lifted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would see nothing whatever was sent."""
    plan = await stop_plan(engine)
    wire = Wire(monkeypatch)
    path = f"/q/plans/{plan['id']}/execute"
    refused = await engine.client.post(path, json={})
    assert (refused.status_code, refused.json()["code"]) == (403, "read_only")
    lifted = await engine.client.post("/q/writes/demo", json={"minutes": 5})
    assert lifted.json()["writable"] and lifted.json()["until"]
    (item,) = (await engine.client.get("/q/clouds")).json()["items"]
    assert (item["writable"], item["writable_until"]) == (True, lifted.json()["until"])
    done = await engine.client.post(path, json={"reason": "test", "ticket": "CHG1"})
    assert done.status_code == 202
    job = await ended(engine, done.json()["job"])
    assert job["state"] == "done" and job["steps"][0]["request_id"].startswith("req-")
    server = plan["items"][0]["key"][2]
    assert [(method, url.rsplit("/", 2)[1:]) for method, url in wire.changing()] == [("POST", [server, "action"])]
    again = (await engine.client.post("/q/writes/demo", json={"minutes": 5})).json()
    assert again["writable"]
    assert (await engine.client.delete("/q/writes/demo")).json()["writable"] is False
    (item,) = (await engine.client.get("/q/clouds")).json()["items"]
    assert (item["writable"], item["writable_until"]) == (False, None)


async def _failed_job(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    from engine.gate.performing import Performer
    from engine.gate.refusals import NotDone

    plan = await stop_plan(engine)
    with monkeypatch.context() as patch:

        def fails(*given: Any, **more: Any) -> Any:
            raise NotDone("the cloud is busy")

        patch.setattr(Performer, "perform", fails)
        done = await engine.client.post(f"/q/plans/{plan['id']}/execute", json={})
        job = await ended(engine, done.json()["job"])
    assert job["state"] == "failed" and job["can"] == ["retry"]
    return job


def _walk(app: Any) -> list[tuple[str, str, Any]]:
    found = [
        (method, route.path, route)
        for route in iter_route_contexts(app.routes)
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"})
        if (method, route.path) != LIFTS and route.path not in ENDS
    ]
    return sorted(found, key=lambda one: one[1] == LAST)


def _url(path: str, plan: str, job: str, server: list[str]) -> str:
    """The path with what is really there in place of its parameters."""
    id = plan if "/plans/" in path else job if "/jobs/" in path else server[2]
    values = {"cloud": "demo", "name": "demo", "type": "server", "key": "logging.level"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: values.get(match[1], id), path)


async def _ask(engine: Engine, method: str, url: str, content: dict[str, Any] | None) -> int:
    parameters = {"wait": "0", "cloud": "demo"}
    answer = await asyncio.wait_for(engine.client.request(method, url, json=content, params=parameters), SECONDS)
    return answer.status_code
