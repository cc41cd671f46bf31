"""A client without an engine that plans, carries out and has jobs."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.tui.fake import FakeClient
from tui.api.errors import ApiError

HOSTILE = "\x1b]0;t\x07[red]=1+1\u202edb"


def stamp(seconds: float) -> str:
    """A time so many seconds from now, as the API tells it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def item(key: list[str], name: str, **more: Any) -> dict[str, Any]:
    """A target of a plan."""
    return {
        "key": key, "name": name, "project_name": "acme-prod", "cloud": key[0], "state": "ACTIVE", "ok": True,
        "problem": None, "override": None, "changes": [{"field": "status", "from": "ACTIVE", "to": "SHUTOFF"}],
        "lost": [], **more,
    }  # fmt: skip


def plan(items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A plan as the engine makes it."""
    return {
        "id": "plan-1", "action": "server.stop", "title": f"Stop {len(items)} servers", "danger": "disruptive",
        "expires_at": stamp(1800), "items": items, "count": len(items),
        "refused": sum(not one["ok"] for one in items),
        "commands": [f"openstack --os-cloud prod-eu server stop {one['key'][2]}" for one in items if one["ok"]],
        "warnings": [], "hash": "h",
        "requires": {"reason": False, "ticket": False, "ticket_pattern": None, "typed": None}, **more,
    }  # fmt: skip


def step(seq: int, state: str = "pending", **more: Any) -> dict[str, Any]:
    """A step of a job."""
    key = ["prod-eu", "eu-1", f"{seq:08x}-7e1f-4a4c-9c1d-000000001eef"]
    return {
        "seq": seq, "group": 0, "name": "server.stop", "key": key, "target": f"web-{seq}", "state": state,
        "detail": None, "request_id": None, "created": None, "attempt": 1,
        "started_at": stamp(-20) if state != "pending" else None,
        "ended_at": stamp(-15) if state in ("done", "failed") else None, **more,
    }  # fmt: skip


def job(number: int, state: str = "running", steps: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """A job as the engine tells it."""
    steps = [step(1, "done"), step(2, "running"), step(3)] if steps is None else steps
    return {
        "id": f"job-{number}", "number": number, "kind": "actions", "title": "Stop 3 servers", "state": state,
        "detail": None, "by": "root", "cloud": "prod-eu", "reason": "disk", "ticket": "CHG42", "plan_id": "plan-1",
        "plan_version": 1, "retry_of": None, "created_at": stamp(-21), "started_at": stamp(-20),
        "ended_at": None if state in ("queued", "running", "waiting") else stamp(-1), "cancel_asked": False,
        "cancelled_by": None, "done": sum(s["state"] == "done" for s in steps),
        "failed": sum(s["state"] == "failed" for s in steps),
        "running": sum(s["state"] == "running" for s in steps), "total": len(steps),
        "can": ["cancel"] if state in ("queued", "running", "waiting") else [],
        "steps": steps, "plan": {"action": "server.stop"}, **more,
    }  # fmt: skip


class GateClient(FakeClient):
    """An engine with a gate. `plan` is what it plans next; `refusal` is raised instead of planning or doing."""

    def __init__(self, rows: int = 20, *, writable: bool = True) -> None:
        super().__init__(rows)
        self.clouds[0]["writable"] = writable
        self.clouds[0]["writable_until"] = stamp(2500) if writable else None
        self.role = "admin"
        self.plan: dict[str, Any] | None = None
        self.refusal: dict[str, ApiError] = {}
        self.jobs: list[dict[str, Any]] = []
        self.rules: dict[str, Any] = {"production": False, "reason_required": False, "minutes": 60}

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What was sent that is more than a question."""
        reads = ("/q/windows", "/q/session-view", "/q/columns", "/q/collections")
        return [(m, p) for m, p, _ in self.calls if m not in ("GET", "CLOSE") and not p.startswith(reads)]

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        if path == "/q/whoami":
            self._note("GET", path, params)
            return {"name": "root", "role": self.role}
        if path == "/q/writes":
            self._note("GET", path, params)
            return {"items": [self._writes()]}
        if path == "/q/jobs":
            self._note("GET", path, params)
            wanted = (params or {}).get("by")
            items = [copy.deepcopy(j) for j in self.jobs if wanted in (None, j["by"])]
            return {"total": len(self.jobs), "items": items}
        if path.startswith("/q/jobs/"):
            self._note("GET", path, params)
            return copy.deepcopy(self._job(path.split("/")[3]))
        return await super().get(path, params, json)

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        if not path.startswith(("/q/plans", "/q/jobs", "/q/writes")):
            return await super().post(path, json, params)
        self._note("POST", path, copy.deepcopy(json))
        await self._wait(path)
        if path in self.refusal:
            raise self.refusal[path]
        if path == "/q/plans":
            return self.plan or plan([item(key, f"web-{n}") for n, key in enumerate(json["targets"].get("keys", []))])
        if path.startswith("/q/plans/"):
            self.jobs.insert(0, job(100 + len(self.jobs)))
            return {"job": self.jobs[0]}
        if path.startswith("/q/writes/"):
            self.clouds[0] |= {"writable": True, "writable_until": stamp(60 * json["minutes"])}
            return self._writes()
        found = self._job(path.split("/")[3])
        if path.endswith("/cancel"):
            found |= {"cancel_asked": True, "can": []}
            return found
        self.jobs.insert(0, job(100 + len(self.jobs)))
        return self.jobs[0]

    async def delete(self, path: str, json: Any = None, params: Any = None) -> Any:
        answer = await super().delete(path, json, params)
        if path.startswith("/q/writes/"):
            self.clouds[0] |= {"writable": False, "writable_until": None}
            return self._writes()
        return answer

    def _job(self, reference: str) -> dict[str, Any]:
        found = next((j for j in self.jobs if reference in (j["id"], str(j["number"]))), None)
        if found is None:
            raise ApiError(404, f"there is no job {reference}")
        return found

    def _writes(self) -> dict[str, Any]:
        cloud = self.clouds[0]
        return {"cloud": cloud["name"], "writable": cloud["writable"], "until": cloud["writable_until"], **self.rules}
