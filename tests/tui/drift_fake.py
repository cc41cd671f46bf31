"""A client without an engine that has drift: events, acknowledgements, rules, ignores, windows."""

from __future__ import annotations

import copy
from typing import Any

from engine.drift.models import GRADE_WORDS, SEVERITIES, STATES, TRIAGE
from tests.tui.fake import FakeClient
from tests.tui.fakes import stamp
from tui.api.errors import ApiError

SERVER = "00000001-7e1f-4a4c-9c1d-000000001eef"
HOSTILE = "\x1b]0;t\x07[red]=1+1\u202edb\nx"


def event(id: int, severity: str = "warning", **more: Any) -> dict[str, Any]:
    """An event as the engine tells it."""
    type, resource = more.get("resource_type", "server"), more.get("resource_id", SERVER)
    opened = stamp(-60 * id - 30)
    found = {
        "id": id, "rule_id": 2, "rule_name": "Server Status Change", "rule_description": "Detects a status",
        "kind": "changed", "severity": severity, "state": "open", "ignored_by": None, "cloud": "prod-eu",
        "region": "eu-1", "key": ["prod-eu", "eu-1", resource], "resource_type": type, "resource_id": resource,
        "resource_name": f"web-{id}", "owner_id": None, "project_id": "p1", "project_name": "acme-prod",
        "domain_id": "default", "domain_name": "Default", "field_changed": "status", "old_value": "ACTIVE",
        "new_value": "SHUTOFF", "old_name": None, "new_name": None, "description": "status", "count": 1,
        "times": [opened], "flapping": False, "first_at": opened, "detected_at": opened, "opened_at": opened,
        "resolved_at": None, "last_at": opened, "seen_before": stamp(-60 * id - 330), "seen_at": opened,
        "acknowledged": False, "acknowledged_by": None, "acknowledged_at": None, "acknowledge_note": None,
        "acknowledged_until": None, "grade": None, "grade_words": "", "actor": None, "source": None,
        "request_id": None, "candidates": [], "expected": False, "job": None, "group": None, **more,
    }  # fmt: skip
    return found | {"grade_words": GRADE_WORDS.get(found["grade"], "not asked yet")}


def candidate(action: str, actor: str | None) -> dict[str, Any]:
    """An action that can have done it."""
    return {"action": action, "at": stamp(-100), "actor": actor, "request_id": f"req-{action}", "source": "nova"}


def some_events() -> list[dict[str, Any]]:
    """One of everything that lists show differently."""
    return [
        event(1, "critical", grade="cloud", actor="m.levi", source="nova: resize", request_id="req-1",
              field_changed="flavor_id", old_value="m1.small", new_value="m1.large", rule_id=1,
              rule_name="Server Flavor Change"),
        event(2, "critical", kind="deleted", resource_type="subnet", resource_id="s-2", grade="unknown",
              field_changed="existence", old_value="present", new_value="deleted", rule_id=133),
        event(3, grade="one_of", candidates=[candidate("stop", "anna"), candidate("reboot", None)]),
        event(4, grade="service", actor="cinder (a service of the cloud)", resource_type="volume", resource_id="v-4",
              source="nova: extend", field_changed="size", old_value="10", new_value="20", rule_id=8),
        event(5, state="resolved_unseen", resolved_at=stamp(-40), count=4, flapping=True),
        event(6, "info", kind="unseen", resource_type="subnet", resource_id="s-6", field_changed="revision_number",
              old_value="5", new_value="7", state="resolved", rule_id=134),
        event(7, state="acknowledged", acknowledged=True, acknowledged_by="anna", acknowledge_note="planned",
              acknowledged_at=stamp(-10)),
        event(8, state="expected", expected=True, job="118", grade="certain", actor="root"),
        event(9, "info", state="ignored", ignored_by="maintenance until 18:00: disks"),
        event(10, "info", kind="created", resource_type="security_group_rule", resource_id="r-10", rule_id=172,
              resource_name="ingress tcp 22 from 0.0.0.0/0", field_changed="existence", old_value="absent",
              new_value="present"),
        event(11, "info", resource_name=HOSTILE, old_value=HOSTILE, new_value=None, field_changed="name"),
    ]  # fmt: skip


def rule(number: int, **more: Any) -> dict[str, Any]:
    """A rule as the engine tells it."""
    return {
        "id": number, "resource_type": "server", "field": "status", "kind": "changed", "name": f"Rule {number}",
        "description": "Detects when something changes", "severity": "warning", "default_severity": "warning",
        "enabled": True, "documented": True, "triage": number, "changed_at": None, "changed_by": None, **more,
    }  # fmt: skip


class DriftClient(FakeClient):
    """An engine with drift."""

    def __init__(self, events: list[dict[str, Any]] | None = None) -> None:
        super().__init__(20)
        self.events = {e["id"]: e for e in (some_events() if events is None else events)}
        self.rules = {n: rule(n) for n in (1, 2, 3)}
        self.entries: dict[str, list[dict[str, Any]]] = {"ignores": [], "windows": []}
        self.batches: dict[str, list[int]] = {}
        self.refusal: ApiError | None = None
        self.gaps: list[str] = []  # why drift is not whole

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        if not path.startswith("/q/drift/"):
            return await super().get(path, params, json)
        self._note("GET", path, copy.deepcopy(params))
        await self._wait(path)
        name, _, id = path.removeprefix("/q/drift/").partition("/")
        if name == "events" and id:
            return self._detail(int(id))
        if name == "events":
            return self._page(params or {})
        if name == "summary":
            counted = {state: {"total": sum(e["state"] == state for e in self.events.values())} for state in STATES}
            return {"triage": self._triage(), "by_state": counted, "problems": self.gaps}
        items = list(self.rules.values()) if name == "rules" else self.entries[name]
        return {"total": len(items), "items": copy.deepcopy(items)}

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        if not path.startswith("/q/drift/"):
            return await super().post(path, json, params)
        self._note("POST", path, copy.deepcopy(json))
        await self._wait(path)
        if self.refusal is not None:
            raise self.refusal
        name = path.rpartition("/")[2]
        if name == "acknowledge":
            return self._acknowledge(json)
        if name == "unacknowledge":
            ids = json.get("ids") or self.batches[json["batch"]]
            for id in ids:
                self.events[id] |= {"state": "open", "acknowledged": False}
            return {"undone": len(ids), "ids": ids}
        made = {"id": f"{name}-{len(self.entries[name])}", "created_by": "root", "created_at": stamp(0), "events": 2,
                "since": stamp(0), "until": None, "active": name == "windows", **json}  # fmt: skip
        self.entries[name].insert(0, made)
        return made

    async def put(self, path: str, json: Any = None, params: Any = None) -> Any:
        if not path.startswith("/q/drift/rules/"):
            return await super().put(path, json, params)
        self._note("PUT", path, json)
        found = self.rules[int(path.rpartition("/")[2])]
        found |= {name: "warning" if value is None else value for name, value in json.items()}
        return found

    async def delete(self, path: str, json: Any = None, params: Any = None) -> Any:
        answer = await super().delete(path, json, params)
        for items in self.entries.values():
            items[:] = [item for item in items if not path.endswith(item["id"])]
        return answer

    def _page(self, params: dict[str, Any]) -> Any:
        states = TRIAGE if params["state"] == "triage" else params["state"]
        wanted = params.get("severity") or SEVERITIES
        found = [e for e in self.events.values() if e["state"] in states and e["severity"] in wanted]
        if about := params.get("id"):
            found = [e for e in found if about in (e["resource_id"], e["owner_id"])]
        if text := params.get("text", "").lower():
            found = [e for e in found if text in f"{e['resource_name']} {e['new_value']}".lower()]
        found.sort(key=lambda e: (SEVERITIES.index(e["severity"]), e["id"]))
        size = params.get("page_size") or params["limit"]
        start = params.get("offset", (params.get("page", 1) - 1) * size)
        return {"total": len(found), "items": copy.deepcopy(found[start : start + size])}

    def _triage(self) -> dict[str, int]:
        seen = [e["severity"] for e in self.events.values() if e["state"] in TRIAGE]
        return {**{s: seen.count(s) for s in SEVERITIES}, "total": len(seen)}

    def _detail(self, id: int) -> Any:
        found = self.events[id]
        if found["grade"] is None:
            found |= {"grade": "unknown", "grade_words": "unknown"}
        related = [e for e in self.events.values() if e["key"] == found["key"] and e["id"] != id][:2]
        acks = [{"at": stamp(-10), "by": "anna", "note": "planned", "until": None, "undone_at": stamp(-5),
                 "undone_by": "bob", "in_force": False}]  # fmt: skip
        return copy.deepcopy({**found, "rule": rule(found["rule_id"]), "created_by": "dana", "problem": None,
                              "related": related, "acks": acks})  # fmt: skip

    def _acknowledge(self, body: dict[str, Any]) -> Any:
        known = [id for id in body["ids"] if id in self.events]
        new = [id for id in known if not self.events[id]["acknowledged"]]
        for id in new:
            self.events[id] |= {"state": "acknowledged", "acknowledged": True, "acknowledged_by": "root",
                                "acknowledge_note": body["note"], "acknowledged_until": body.get("until")}  # fmt: skip
        batch = f"b{len(self.batches)}"
        self.batches[batch] = new
        missing = [id for id in body["ids"] if id not in known]
        return {"acknowledged": len(new), "already": len(known) - len(new), "missing": missing,
                "batch": batch if new else None, "until": body.get("until")}  # fmt: skip
