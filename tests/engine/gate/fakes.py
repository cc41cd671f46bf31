"""A cloud, rows and jobs in memory, and a gate over them with real plans, windows and audit on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engine.access.models import Caller
from engine.api.changes import ChangeFeed
from engine.api.errors import ApiError
from engine.audit.service import AuditService
from engine.gate.bodies import ExecuteBody, PlanBody
from engine.gate.models import Call, Change, Check, Context, NoRole, Operation, Settled, Target
from engine.gate.service import Gate
from engine.settings.models import Settings
from store.ids import uuid7
from store.ops.ops import Ops
from store.types.actions import ACTIONS

OPS = Caller("ops", 1000, None, None, "superadmin")
OTHER = Caller("anna", 1001, None, None, "admin")
VIEWER = Caller("eve", 1002, None, None, "viewer")
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Reply:
    """An HTTP answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def reply(status: int, document: Any = None, request: str = "") -> Reply:
    """A JSON answer with a request id."""
    headers = {"x-openstack-request-id": request} if request else {}
    return Reply(status, headers, b"" if document is None else json.dumps(document).encode())


@dataclass
class FakeCloud:
    """Sessions over documents by id. `sent`: every request that could change something, in order."""

    docs: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    opened: list[tuple[str, str, str]] = field(default_factory=list)
    writable: set[str] = field(default_factory=set)
    clouds: dict[str, list[str]] = field(default_factory=lambda: {"east": ["r1"]})
    members: set[str] | None = None  # projects that a tenant session reaches
    token_project: str = "admin"
    on_send: Callable[[str, str, Any], Reply | Exception] | None = None
    on_get: Callable[[str], Reply | Exception | None] | None = None

    def names(self) -> list[str]:
        return sorted(self.clouds)

    def regions(self, cloud: str) -> list[str]:
        return self.clouds.get(cloud, [])

    def always_writable(self, cloud: str) -> bool:
        return cloud in self.writable

    def account(self, cloud: str, kind: str, project_id: str = "") -> str:
        return f"{cloud}-{kind}"

    def session(self, cloud: str, kind: str, project_id: str = "") -> Any:
        self.opened.append((cloud, kind, project_id))
        if kind == "tenant" and self.members is not None and project_id not in self.members:
            raise NoRole(f"no account of {cloud} has a role in {project_id}", "openstack role add x")
        own = project_id if kind == "tenant" else self.token_project
        return SimpleNamespace(
            account=f"{cloud}-{kind}", project_id=own, user_id="u", roles=("admin",), get=self.get, send=self.send
        )

    def get(self, service: str, region: str, path: str, microversion: str = "", query: Any = ()) -> Reply:
        self.asked.append(path)
        if self.on_get is not None and (found := self.on_get(path)) is not None:
            if isinstance(found, Exception):
                raise found
            return found
        _, kind, id = path.rsplit("/", 2) if path.count("/") > 1 else ("", "", path)
        doc = self.docs.get(id)
        return reply(404, {}) if doc is None else reply(200, {kind.removesuffix("s"): doc})

    def send(self, method: str, service: str, region: str, path: str, body: Any, microversion: str = "") -> Reply:
        self.sent.append((method, path, body))
        found = self.on_send(method, path, body) if self.on_send else reply(202, None, f"req-{len(self.sent)}")
        if isinstance(found, Exception):
            raise found
        return found

    def server(self, id: str, name: str = "", **doc: Any) -> tuple[str, str, str]:
        """Put a machine there; answers its key."""
        self.docs[id] = {"id": id, "name": name or f"web-{id}", "status": "ACTIVE", "tenant_id": "p1", **doc}
        return ("east", "r1", id)


class FakeRows:
    """Stored rows: what the fake cloud has, as of now, or whatever `stale` says."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.versions = 7
        self.named: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def by_keys(self, caller: Caller, type: str, keys: Sequence[Any]) -> list[Any]:
        if type == "project":
            return [{"key": tuple(key), "name": key[2]} for key in keys if key[2] in self.seen_by(caller)]
        rows = []
        for key in keys:
            doc = self.cloud.docs.get(key[2])
            if doc is not None and (doc.get("shared") or doc.get("tenant_id") in self.seen_by(caller)):
                name = {"p1": "shop", "p2": "bank"}.get(doc.get("tenant_id", ""), "")
                rows.append(
                    {"key": tuple(key), "name": doc["name"], "project_id": doc.get("tenant_id"), "project_name": name}
                )
        return rows

    def seen_by(self, caller: Caller) -> tuple[str, ...]:
        """Projects that lie within the limits of the role: p1 is in the domain d1, p2 in d2."""
        own = ("p1", "p2", "") if caller.projects is None else caller.projects
        return tuple(one for one in own if caller.domains is None or f"d{one[1:]}" in caller.domains)

    def passing(
        self, caller: Caller, type: str, filter: str, clouds: Any, regions: Any, projects: Any, most: int
    ) -> Any:
        keys = [("east", "r1", id) for id, doc in self.cloud.docs.items() if filter in doc["name"]]
        rows = self.by_keys(caller, type, keys)
        return len(rows), rows[:most]

    def referred(self, caller: Caller, type: str, reference: str, cloud: str, region: str) -> list[Any]:
        return self.named.get((type, reference), [])

    def version(self, type: str) -> int:
        return self.versions


class FakeJobs:
    """Carries a plan out at once, in the caller's thread; steps that raise become failed ones."""

    def __init__(self) -> None:
        self.gate: Gate | None = None
        self.running: set[str] = set()
        self.jobs: list[dict[str, Any]] = []
        self.held = False  # submitted, and left lying
        self.error: Exception | None = None
        self.tries = 5

    def open(self, job_id: str) -> bool:
        return job_id in self.running

    def exists(self, job_id: str) -> bool:
        return any(job["id"] == job_id for job in self.jobs)

    def submit(self, kind: str, title: str, caller: Caller, plan: Mapping[str, Any], options: Any) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        job = {
            "id": options["job_id"],
            "title": title,
            "plan": plan,
            "options": options,
            "results": [],
            "caller": caller,
        }
        self.jobs.append(job)
        self.running.add(job["id"])
        if not self.held:
            self.run(job)
        return job

    def run(self, job: dict[str, Any], attempt: int = 1) -> None:
        """Every step once, in order."""
        assert self.gate is not None
        bare = {name: value for name, value in job["plan"].items() if name != "steps"}
        for seq, step in enumerate(job["plan"]["steps"], 1):
            try:
                outcome = self.gate.carry_out(self.item(job, bare, step, seq, attempt))
            except ApiError as error:
                outcome = error  # type: ignore[assignment]
            job["results"].append(outcome)
        self.running.discard(job["id"])
        self.gate.release(bare, job["id"])

    def item(self, job: dict[str, Any], plan: Any, step: Any, seq: int, attempt: int) -> Any:
        """The step as a runner gets it."""

        def wait(check: Callable[[], Any], seconds: float) -> Any:
            return next((found for _ in range(self.tries) if (found := check()) is not None), None)

        return SimpleNamespace(
            plan=plan, args=step["args"], job_id=job["id"], seq=seq, attempt=attempt, token=f"token-{seq}",
            caller=job["caller"], reason=plan["reason"], ticket=plan["ticket"], wait=wait,
        )  # fmt: skip


# Operations


def action(id: str, body: Mapping[str, Any], after: str = "", **more: Any) -> Operation:
    """An action on servers that brings them into the status `after`."""

    def check(ctx: Context, target: Target, options: Mapping[str, Any]) -> Check:
        problem = target.doc.get("refuses")
        return Check(problem=problem, changes=(Change("status", target.doc.get("status"), after),))

    def calls(ctx: Context, target: Target, options: Mapping[str, Any]) -> list[Call]:
        path = f"/servers/{target.id}/action"
        return [
            Call(target.cloud, target.region, "compute", "POST", path, body, what=f"do it to {target.name}",
                 key=target.key, type="server", project_id=target.project_id)
        ]  # fmt: skip

    def is_so(ctx: Context, target: Target, options: Mapping[str, Any]) -> bool:
        return bool(target.doc.get("status") == after)

    def settled(ctx: Context, target: Target, options: Mapping[str, Any]) -> Settled | None:
        return Settled(f"is {after}") if target.doc.get("status") == after else None

    return Operation(
        ACTIONS[id], check, calls, lambda ctx, target, options: [("server", "stop", target.id)],
        already=is_so, settled=settled, **more,
    )  # fmt: skip


def deletion(id: str = "network.delete") -> Operation:
    """Deletes networks."""

    def calls(ctx: Context, target: Target, options: Mapping[str, Any]) -> list[Call]:
        return [
            Call(target.cloud, target.region, "network", "DELETE", f"/networks/{target.id}", key=target.key,
                 what=f"delete {target.name}", type="network", project_id=target.project_id)
        ]  # fmt: skip

    return Operation(
        ACTIONS[id], lambda ctx, target, options: Check(lost=("the network",)), calls,
        already=lambda ctx, target, options: not target.doc,
        settled=lambda ctx, target, options: None if target.doc else Settled("gone"),
    )  # fmt: skip


def creation(service: str = "network", session: Any = "admin", find: Any = None) -> Operation:
    """Creates networks."""

    def calls(ctx: Context, target: Target, options: Mapping[str, Any]) -> list[Call]:
        body = {"network": {"name": options["name"], "project_id": options["project"], "description": ctx.token}}
        return [
            Call(target.cloud, target.region, service, "POST", "/networks", body, session=session, creates=True,
                 what=f"create {target.name}", type="network", project_id=options["project"])
        ]  # fmt: skip

    return Operation(ACTIONS["network.create"], lambda ctx, target, options: Check(), calls, find=find)


@dataclass
class Room:
    """A gate with everything around it; `now` moves only when told to."""

    gate: Gate
    cloud: FakeCloud
    rows: FakeRows
    jobs: FakeJobs
    audit: AuditService
    feed: ChangeFeed
    changed: list[tuple[str, str, tuple[str, ...]]]
    clock: list[datetime]
    settings: list[Settings]

    def later(self, minutes: float) -> None:
        """Let time pass."""
        self.clock[0] += timedelta(minutes=minutes)

    def rules(self, **rules: Any) -> None:
        """Configure the cloud east."""
        self.settings[0] = Settings.model_validate({"clouds": {"east": rules}})

    def lift(self, cloud: str = "east") -> None:
        """Lift read-only mode whatever is configured."""
        self.gate.lift(OPS, cloud, 240, "a reason", cloud)

    def plan(self, action: str, *keys: Any, caller: Caller = OPS, **body: Any) -> dict[str, Any]:
        """A plan of the action for these keys."""
        if keys:
            body["targets"] = {"keys": [list(key) for key in keys]}
        return self.gate.plan(caller, PlanBody.model_validate({"action": action, **body}))

    def execute(self, made: Mapping[str, Any], caller: Caller = OPS, **body: Any) -> dict[str, Any]:
        """Execute it with what it asks to type, unless told otherwise."""
        given = {"typed": made["requires"]["typed"] or "", **body}
        return self.gate.execute(caller, made["id"], ExecuteBody.model_validate(given))

    def records(self, action: str, outcome: str | None = None) -> list[dict[str, Any]]:
        """Audit records, oldest first."""
        _, found = self.audit.page(action=action, outcome=outcome, limit=1000)
        return found[::-1]

    def stops(self, status: str = "SHUTOFF") -> None:
        """Have the cloud do what a stop asks for."""

        def on_send(method: str, path: str, body: Any) -> Reply:
            self.cloud.docs[path.split("/")[2]]["status"] = status
            return reply(202, None, f"req-{uuid7()}")

        self.cloud.on_send = on_send


@contextmanager
def room(path: Path, *operations: Operation) -> Iterator[Room]:
    """A gate with these operations; the usual ones without."""
    clock, settings = [START], [Settings()]
    cloud, jobs = FakeCloud(), FakeJobs()
    rows = FakeRows(cloud)
    changed: list[tuple[str, str, tuple[str, ...]]] = []
    with closing(Ops.open(path / "ops.sqlite")) as ops:
        audit, feed = AuditService(ops), ChangeFeed()
        gate = Gate(
            ops, lambda: settings[0], audit, feed, cloud, rows,
            lambda cloud, region, types: changed.append((cloud, region, tuple(types))), clock=lambda: clock[0],
        )  # fmt: skip
        usual = (
            action("server.stop", {"os-stop": None}, "SHUTOFF"),
            action("server.unlock", {"unlock": None}, "UNLOCKED", passes_locks=True),
            deletion(),
            creation(),
        )
        gate.register(*(operations or usual))
        gate.attach(jobs)
        jobs.gate = gate
        try:
            yield Room(gate, cloud, rows, jobs, audit, feed, changed, clock, settings)
        finally:
            gate.close()
            feed.close()
