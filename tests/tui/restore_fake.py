"""A client without an engine that restores: what the wizard asks first, plans, jobs, and what is kept."""

from __future__ import annotations

import copy
from typing import Any

from engine.restore import bodies
from tests.tui.fakes import HOSTILE, GateClient, stamp
from tui.api.errors import ApiError

HOUR, DAY = 3600, 86400
ROOT, DATA = "0000000a-0000-4a4c-9c1d-00000000beef", "0000000b-0000-4a4c-9c1d-00000000beef"
NETWORK = "000000aa-0000-4a4c-9c1d-00000000beef"
NAME = "db-primary"
PHRASE = f"DELETE AND RESTORE {NAME}"
BODIES = {
    "plans": bodies.RequestBody, "execute": bodies.GivenBody, "cancel": bodies.CancelBody, "retry": bodies.AgainBody,
    "answer": bodies.AnswerBody, "cleanup": bodies.SweepBody, "cleanup-storage": bodies.StorageBody,
    "extend": bodies.ExtendBody, "release": bodies.ReleaseBody, "remove": bodies.RemoveBody,
}  # fmt: skip
WAYS = ("DATA_VOLUME_BACK", "DISK_BESIDE", "IN_PLACE", "NEW", "REPLACE")


def machine(**more: Any) -> dict[str, Any]:
    """A machine as the engine tells it."""
    return {
        "key": ["prod-eu", "eu-1", "00000003-7e1f-4a4c-9c1d-000000005ccd"], "name": NAME, "project_id": "p1",
        "project_name": "acme-prod", "status": "ERROR", "host": "cmp-02", "host_status": "UP", "gone": False,
        "zone": "zone-1", "user_data_bytes": 120, **more,
    }  # fmt: skip


def disk(volume_id: str, name: str, **more: Any) -> dict[str, Any]:
    """A disk of it."""
    return {"volume_id": volume_id, "name": name, "size_gb": 80, "root": volume_id == ROOT, "order": 0, **more}


def nic(**more: Any) -> dict[str, Any]:
    """A port of it."""
    return {
        "port_id": "port-1", "network_id": NETWORK, "network_name": "acme-net", "order": 0,
        "fixed": [{"address": "10.20.0.9", "subnet_id": "s1"}], "floating": [], "wanted": [], "keep_mac": False,
        "fall_back": False, **more,
    }  # fmt: skip


def point(hours: float, **more: Any) -> dict[str, Any]:
    """A restore point of the timeline, so many hours old."""
    seconds = int(hours * HOUR) + 300
    return {
        "id": f"point-{hours:g}", "kind": "snapshot", "taken_at": stamp(-seconds), "age_seconds": seconds,
        "policy": "daily_5", "consistency": "group-consistent", "proof": "one group snapshot", "back_end": "same",
        "volumes": [ROOT, DATA], "missing": [], "spread_ms": None, **more,
    }  # fmt: skip


def way(name: str, *, possible: bool = True, first: bool = False, why: str = "") -> dict[str, Any]:
    """A way of the wizard."""
    return {"way": name, "title": name, "possible": possible, "first": first, "why": why}


def step(name: str, status: str = "PENDING", **more: Any) -> dict[str, Any]:
    """A step of a restore."""
    began = status != "PENDING"
    return {
        "name": name, "phase": "do", "status": status, "detail": None, "progress": None, "attempt": 1,
        "started_at": stamp(-70) if began else None, "ended_at": stamp(-8) if status == "SUCCEEDED" else None,
        "seconds": None, "usual_seconds": None, "created": None, **more,
    }  # fmt: skip


def job(number: int, status: str = "RUNNING", way: str = "NEW", **more: Any) -> dict[str, Any]:
    """A restore as the engine tells it."""
    steps = [
        step("VALIDATE_LIVE_STATE", "SUCCEEDED"), step("CREATE_VOLUME_FROM_SNAPSHOT", "SUCCEEDED", created="vol-77aa"),
        step("WAIT_VOLUME_AVAILABLE", "RUNNING", progress="creating", usual_seconds=130), step("CREATE_SERVER"),
        step("FINALIZE"), step("UNDO_SERVER", phase="undo"), step("UNDO_VOLUMES", phase="undo"),
    ]  # fmt: skip
    return {
        "id": f"restore-{number}", "number": number, "status": status, "way": way, "mode": way, "cloud": "prod-eu",
        "region": "eu-1", "vm_id": machine()["key"][2], "vm_name": NAME, "project_id": "p1",
        "project_name": "acme-prod", "by": "dana", "created_at": stamp(-132), "started_at": stamp(-131),
        "ended_at": None if status in ("RUNNING", "PENDING", "PLANNED") else stamp(-1), "reason": "patch", "ticket": "",
        "error_message": None, "steps": steps, "asks": None, "can": ["cancel"] if status == "RUNNING" else [],
        "old_machine": f"{NAME} is as it was, kept until 2026-12-07T09:54:12.992530Z",
        "resources": [{"purpose": "volume:root", "type": "volume", "id": "vol-77aa", "name": "db-root",
                       "state": "made"}], **more,
    }  # fmt: skip


class RestoreClient(GateClient):
    """An engine with restores. `answer` is the wizard's first answer; `refusals` are raised by path."""

    def __init__(self, rows: int = 20) -> None:
        super().__init__(rows)
        self.start: dict[str, Any] = {
            "machine": machine(),
            "findings": [{"level": "ok", "text": "its host is up", "command": ""},
                         {"level": "ok", "text": "attachments agree", "command": ""}],
            "ways": [way(name, first=name == "NEW", why="smallest that helps" if name == "NEW" else "")
                     for name in WAYS],
            "points": [point(16), point(40), point(64, back_end="backup", kind="backup", consistency=""),
                       point(88, volumes=[ROOT], missing=[DATA], consistency="")],
            "disks": [disk(ROOT, "db-root"), disk(DATA, "data1", order=1)],
            "nics": [nic()], "rights": {"access": "role"},
        }  # fmt: skip
        self.plans: list[dict[str, Any]] = []
        self.more: dict[str, Any] = {}  # of the next plans
        self.requires: dict[str, Any] = {}
        self.refusals: dict[str, ApiError] = {}
        self.restores: list[dict[str, Any]] = []
        self.kept: list[dict[str, Any]] = []
        self.left: list[dict[str, Any]] = []
        self.user_data: dict[str, Any] = {
            "bytes": 120, "sha256": "ab" * 32, "kind": "text", "lines": ["#cloud-config", "password: hunter2"],
            "more": True,
        }  # fmt: skip
        self.free: dict[str, Any] = {
            "network_id": NETWORK, "known": True, "why": "",
            "subnets": [{"id": "s1", "cidr": "10.20.0.0/24", "free": ["10.20.0.50", "10.20.0.51", "10.20.0.150"],
                         "count": 200}],
        }  # fmt: skip

    def plan_for(self, request: dict[str, Any]) -> dict[str, Any]:
        """A plan of a request, as the engine makes one."""
        way = request["way"]
        source = {"kind": "snapshot", "id": request.get("restore_point_id") or "point-16",
                  "taken_at": stamp(-16 * HOUR - 300), "policy": "daily_5", "consistency": "group-consistent",
                  "back_end": "same"}  # fmt: skip
        choices = request.get("disks") or {}
        disks = []
        for one in self.start["disks"]:
            choice = choices.get(one["volume_id"], "restore_point" if one["root"] else "keep_current")
            back = choice == "restore_point" or choice.startswith("point:")
            disks.append({**one, "choice": "restore_point" if back else choice, "source": source if back else None,
                          "lost_seconds": 16 * HOUR + 300 if back and way != "NEW" else None, "note": ""})  # fmt: skip
        strategy = request.get("ip_strategy") or "NEW_IPS"
        same = strategy in ("TRY_SAME_IPS", "SAME_IPS_OR_FAIL")
        wanted = [{"address": "10.20.0.9"}] if same else []
        if strategy == "MANUAL_IP":
            wanted = [{"address": request["manual_ips"][NETWORK]}]
        replace = way == "REPLACE"
        return {
            "id": f"plan-{len(self.plans) + 1}", "way": way, "machine": self.start["machine"],
            "created_at": stamp(0), "expires_at": stamp(1781.5), "request": {"keep_days": 7, **request},
            "eligible": True, "problems": [],
            "warnings": [], "point": source, "disks": disks, "nics": [nic(wanted=wanted, keep_mac=same)],
            "new_name": f"{NAME}-restored", "strategy": strategy, "park": "shelve" if replace else "",
            "access": "role", "access_command": "", "findings": self.start["findings"],
            "lost": [] if way in ("NEW", "DISK_BESIDE") else ["16h05m of root, 0 of data1"],
            "differs": [{"field": "server.id", "text": "UUID"}, {"field": "server.user_id", "text": "user_id = ops"}],
            "points_at_old": [], "fits": [{"what": "volumes", "ok": True, "text": "volumes 8/10 → 9/10"}],
            "creates": ["1 volume", "1 server", "1 port"], "commands": ["openstack volume create --snapshot x"],
            "seconds": 130, "steps": [{"name": "CREATE_SERVER", "phase": "do"},
                                      {"name": "UNDO_SERVER", "phase": "undo"}],
            "commit": "PROVE_IT_ANSWERS", "hash": "h1", "phrase": PHRASE if replace else None,
            "requires": {"reason": False, "ticket": False, "ticket_pattern": None,
                         "typed": PHRASE if replace else None, **self.requires},
            "dry_run": [{"step": "CREATE_SERVER", "would": "POST /servers with 1 volume and 1 port"}], **self.more,
        }  # fmt: skip

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        if not path.startswith("/q/restore/"):
            return await super().get(path, params, json)
        self._note("GET", path, params)
        await self._wait(path)
        if path in self.refusals:
            raise self.refusals[path]
        *_, last = path.split("/")
        if last == "start":
            return copy.deepcopy(self.start)
        if last == "jobs":
            return {"total": len(self.restores), "items": copy.deepcopy(self.restores)}
        if last == "kept":
            return {"total": len(self.kept), "items": copy.deepcopy(self.kept)}
        if last == "addresses":
            return copy.deepcopy(self.free)
        if last == "user-data":
            return copy.deepcopy(self.user_data)
        if last == "left":
            return {"items": copy.deepcopy(self.left)}
        if "/plans/" in path:
            return copy.deepcopy(next(plan for plan in self.plans if plan["id"] == last))
        return copy.deepcopy(self._restore(last))

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        if not path.startswith("/q/restore/"):
            return await super().post(path, json, params)
        self._note("POST", path, copy.deepcopy(json))
        await self._wait(path)
        if path in self.refusals:
            raise self.refusals[path]
        parts = path.removeprefix("/q/restore/").split("/")
        BODIES[parts[-1]].model_validate(json)  # as the engine does; raises for what it would refuse
        if parts == ["plans"]:
            self.plans.append(self.plan_for(json))
            return copy.deepcopy(self.plans[-1])
        if parts[0] == "plans":
            plan = next(plan for plan in self.plans if plan["id"] == parts[1])
            self.restores.insert(0, job(118 + len(self.restores), way=plan["way"]))
            return copy.deepcopy(self.restores[0])
        if parts[0] == "kept":
            return {}
        found = self._restore(parts[1])
        if parts[2] == "cancel":
            found |= {"cancel_asked": True, "can": []}
        elif parts[2] == "answer":
            found |= {"asks": None, "can": ["cancel"]}
        elif parts[2] == "retry":
            self.restores.insert(0, job(200, way=found["way"]))
            return {"job_id": "restore-200", "original_job_id": found["id"], "status": "PENDING"}
        elif parts[2] == "cleanup":
            return {"job_id": found["id"], "cleaned": {"ports": ["p"], "errors": []}, "message": "Cleanup completed"}
        return copy.deepcopy(found)

    def _restore(self, id: str) -> dict[str, Any]:
        found = next((one for one in self.restores if id in (one["id"], str(one["number"]))), None)
        if found is None:
            raise ApiError(404, f"there is no restore {id}")
        return found


def hostile(client: RestoreClient) -> None:
    """Every text that comes from a cloud is one nobody wants on a terminal."""
    client.start["machine"]["name"] = HOSTILE
    client.start["disks"][1]["name"] = HOSTILE
    client.start["points"][0] |= {"policy": HOSTILE, "consistency": HOSTILE}
    client.start["findings"] = [{"level": "warning", "text": HOSTILE, "command": HOSTILE}]
    client.start["ways"][0] |= {"possible": False, "why": HOSTILE}
    client.more = {"warnings": [HOSTILE], "lost": [HOSTILE], "creates": [HOSTILE], "commands": [HOSTILE]}
