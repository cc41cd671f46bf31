"""An engine in this process that watches a demo cloud as if it were a real one: read-only until somebody lifts it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from sqlalchemy import select

from engine.access.models import ENGINE, Caller
from engine.access.service import CALLER
from engine.app import EngineParts, create_app, open_engine
from engine.demo.launch import DemoCloud
from engine.process.control import Control
from engine.process.models import PROTOCOL, Home
from engine.process.status import Status
from store.ops.gate_tables import holds

OPS = Caller("ops", 1000, None, None, "superadmin")
TYPES = ["project", "server", "network", "subnet", "port", "security_group", "security_group_rule", "flavor"]
SECONDS = 60.0


def until(test: Callable[[], Any]) -> Any:
    """What `test` answers, once it is something; AssertionError after a minute."""
    deadline = time.monotonic() + SECONDS
    while not (found := test()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


@dataclass
class World:
    """The engine with its API; `call` asks it as any caller. `demo`: the cloud itself."""

    parts: EngineParts
    app: Any
    demo: DemoCloud

    def call(self, method: str, path: str, caller: Caller = OPS, **how: Any) -> Any:
        """An HTTP answer of the engine's API."""

        async def known(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[CALLER] = caller
            await self.app(scope, receive, send)

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(known, raise_app_exceptions=False)
            headers = {"X-Qdeck-Protocol": str(PROTOCOL)}
            async with httpx.AsyncClient(transport=transport, base_url="http://engine", headers=headers) as client:
                return await client.request(method, path, **how)

        return asyncio.run(asked())

    def get(self, path: str, **query: Any) -> Any:
        """The document of a GET that must succeed."""
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, type: str, filter: str = "") -> list[dict[str, Any]]:
        """Stored resources: {key, name, ...}."""
        rows = self.parts.gate._targeting._rows
        return [dict(row) for row in rows.passing(OPS, type, filter, None, None, None, 1000)[1]]

    def plan(self, action: str, caller: Caller = OPS, **body: Any) -> dict[str, Any]:
        """A plan by POST /q/plans."""
        answer = self.call("POST", "/q/plans", caller, json={"action": action, **body})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def execute(self, plan: dict[str, Any], **given: Any) -> dict[str, Any]:
        """The plan's job, once it has ended."""
        body = {"typed": plan["requires"]["typed"] or "", "reason": "night shift", "ticket": "CHG1", **given}
        answer = self.call("POST", f"/q/plans/{plan['id']}/execute", json=body)
        assert answer.status_code == 202, answer.text
        return self.ended(answer.json()["job"]["id"])

    def ended(self, id: str) -> dict[str, Any]:
        """The job, once it has ended."""
        found: dict[str, Any] = until(lambda: (job := self.get(f"/q/jobs/{id}"))["ended_at"] and job)
        # A moment later it lets go of what it worked on.
        until(lambda: not self._held(id))
        return found

    def _held(self, job_id: str) -> bool:
        with self.parts.ops.read() as connection:
            return connection.scalar(select(holds.c.job_id).where(holds.c.job_id == job_id).limit(1)) is not None

    def cloud_server(self, id: str) -> dict[str, Any]:
        """A server as the cloud has it."""
        session = self.parts.gate._sessions.session("demo", "read")
        raw = session.get("compute", self.region, f"/servers/{id}", "2.87")
        found: dict[str, Any] = orjson.loads(raw.body)["server"]
        return found

    @property
    def region(self) -> str:
        """The demo's only region."""
        return str(self.parts.gate._sessions.regions("demo")[0])


@contextmanager
def running(path: Path, seed: str, servers: int = 40) -> Iterator[World]:
    """Such an engine, with what it collected of the cloud."""
    demo = DemoCloud.start(path / "demo", servers=servers, seed=seed, still=True)
    try:
        with closing(open_engine(Home.at(path))) as parts:
            parts.clouds.add(ENGINE, "demo", file=demo.clouds_yaml)
            (started,) = parts.collections.start(ENGINE, ["demo"], TYPES, True)
            parts.collections.wait(started["id"], SECONDS)
            app = create_app(parts, Control(Status(home=str(path), socket=""), lambda event: None))
            yield World(parts, app, demo)
    finally:
        demo.stop()


@contextmanager
def lifted(world: World) -> Iterator[None]:
    """Read-only mode lifted for five minutes."""
    world.parts.gate.lift(OPS, "demo", 5, "test", "")
    try:
        yield
    finally:
        world.parts.gate.end(OPS, "demo")
