"""A whole engine with a small estate of two tenants, something in every list, and the copilot's routes over it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import insert

from copilot.answers import Answer, Context, Usage
from copilot.sources import Sources
from engine.access.models import Caller
from engine.access.service import CALLER
from engine.api import errors
from engine.app import open_engine
from engine.copilot.asking_models import Task
from engine.copilot.room import CopilotRoom
from engine.copilot.sources import CallerSources
from engine.notes.models import Subject
from engine.process.models import Home
from engine.snapshots.policies.models import AssignmentBody
from engine.snapshots.runs.driving import run_values
from store import times
from store.ops.errors import OpsError
from store.ops.jobs_tables import jobs
from store.ops.restore_tables import restore_plans
from store.ops.tables import accounts
from tests.engine.api.furniture import ADMIN, client
from tests.engine.inventory.reading import DOCUMENTS, server, take_in

VIEWER = Caller("eve", 1001, role="viewer")
LABS = Caller("lab", 1002, role="operator", projects=("p2",))  # sees labs-dev (p2) only
OTHER_CLOUD = Caller("out", 1003, role="admin", clouds=("elsewhere",))
WEB_1, WEB_2 = server(1)["id"], server(2)["id"]  # of labs-dev (p2), of acme-prod (p1)
AGO = timedelta(hours=2)


class Parrot:
    """Stands for the copilot: gives `answer`, or what it makes of (question, context, sources)."""

    def __init__(self) -> None:
        self.answer: Answer | Callable[[str, Context, Sources], Answer] = Answer(
            "answer", "There are 35 VMs.", "vm_count", 35
        )
        self.contexts: list[Context] = []

    def ask(self, question: str, context: Context, sources: Sources) -> Answer:
        self.contexts.append(context)
        return self.answer(question, context, sources) if callable(self.answer) else self.answer


class Oracle:
    """Stands for a language model: does `work`."""

    def __init__(self) -> None:
        self.work: Callable[[Task], tuple[Answer, Usage]] = lambda task: (Answer("answer", "42", value=42), Usage(7, 3))
        self.tasks: list[Task] = []

    def __call__(self, task: Task, settings: Any) -> tuple[Answer, Usage]:
        self.tasks.append(task)
        return self.work(task)


class House:
    """See the module. `parrot` and `oracle` answer the routes' questions; `sources` are the real ones."""

    def __init__(self, home: Path, settings: str = "", *, filled: bool = True) -> None:
        (home / "qdeck.toml").write_text("[storage]\nreserve_mb = 0\n" + settings)
        self.parts = open_engine(Home.at(home))
        self.parrot, self.oracle = Parrot(), Oracle()
        parts = self.parts
        self.room = CopilotRoom(
            parts.ops, parts.audit, parts.settings, parts.copilot.rooms, lambda: self.parrot, self.oracle
        )
        self.app = FastAPI(openapi_url=None)
        self.app.include_router(self.room.routes(parts.access))
        errors.install(self.app, {OpsError: 503})
        if filled:
            fill(parts)

    def close(self) -> None:
        self.room.close()
        self.parts.close()

    def as_(self, caller: Caller = ADMIN) -> httpx.AsyncClient:
        return client(self.app, {CALLER: caller})

    async def send(self, method: str, path: str, caller: Caller = ADMIN, expect: int = 200, **more: Any) -> Any:
        async with self.as_(caller) as asking:
            answer = await asking.request(method, path, **more)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None

    async def ask(self, question: str, caller: Caller = ADMIN, **more: Any) -> Any:
        return await self.send("POST", "/q/copilot/questions", caller, json={"question": question, **more})

    def sources(self, caller: Caller = ADMIN, *clouds: str) -> CallerSources:
        return CallerSources(self.parts.copilot.rooms, caller, clouds)


def fill(parts: Any) -> None:
    """Something in every list; two hours ago web-1 (p2) and web-2 (p1) ran, now they don't."""
    now = times.utcnow()
    for type, documents in DOCUMENTS.items():
        take_in(parts.estate, type, documents, now - AGO)
    stopped = [{**one, "status": "ERROR"} for one in DOCUMENTS["server"]]
    take_in(parts.estate, "server", stopped, now - timedelta(minutes=5))
    parts.drift.deriver.take_in()
    _work(parts, now)
    for type, id, owner in (("server", WEB_2, "p1"), ("server", WEB_1, "p2")):
        subject = Subject(kind="resource", type=type, key=["prod", "RegionOne", id], name=f"vm of {owner}")
        parts.notes.add(ADMIN, subject, f"about a machine of {owner}")
    parts.users.create("ada", "a long password", "viewer", "root")
    parts.audit.record(VIEWER, "auth.login", "eve", {"address": "192.0.2.7", "agent": "curl"}, "refused")
    parts.audit.record(LABS, "auth.login", "lab", {"address": "192.0.2.8", "agent": "curl"})
    body = AssignmentBody.model_validate({"volume_ids": ["v1", "v3"], "policies": ["daily_5"], "reason": "asked for"})
    parts.snapshots.desk.giving.assign(ADMIN, body)
    with parts.ops.begin() as connection:
        run = run_values("prod", "RegionOne", {"daily_5": now}, "schedule", ADMIN)
        parts.snapshots.records.create(connection, run)
        account = {"id": "a1", "cloud": "prod", "account": "prod", "auth_url": "http://keystone", "source": "/c.yaml",
                   "regions": ["RegionOne"], "created_at": now, "created_by": "root"}  # fmt: skip
        connection.execute(insert(accounts).values(account))
    parts.dashboard.problems.look()


def _work(parts: Any, now: datetime) -> None:
    """A job that has ended and a restore of each tenant, and what they keep."""
    common = {"plan_version": 1, "plan": {}, "options": {}, "cloud": "prod", "caller": {}, "reason": "", "ticket": "",
              "created_at": now, "state": "done", "done": 1, "failed": 0, "total": 1, "detail": "done"}  # fmt: skip
    with parts.ops.begin() as connection:
        for number, caller in enumerate((ADMIN, LABS), 1):
            who = {"by": caller.name, "owner": caller.owner}
            connection.execute(
                insert(jobs).values(id=f"j{number}", number=number, kind="actions", title="stop", **who, **common)
            )
        for id, server_id, project in (("r1", WEB_2, "p1"), ("r2", WEB_1, "p2")):
            plan = {"id": id, "created_at": now, "expires_at": now + AGO, "cloud": "prod", "region": "RegionOne",
                    "project_id": project, "project_name": project, "server_id": server_id, "way": "NEW", "hash": "h",
                    "server_name": f"vm of {project}", "status": "PLANNED", "eligible": True, "content": {},
                    "owner": "uid:0", "made_by": "root"}  # fmt: skip
            connection.execute(insert(restore_plans).values(plan))
    for id, key, project in (("r1", WEB_2, "p1"), ("r2", WEB_1, "p2")):
        parts.restore.records.keep(id, "machine", ("prod", "RegionOne", key), project, f"old {project}", now + AGO)
