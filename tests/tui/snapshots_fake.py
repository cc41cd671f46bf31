"""A client without an engine that has the room of snapshots: policies, sets, compliance, runs, points, exclusions."""

from __future__ import annotations

import copy
from typing import Any

from tests.tui.fake import FakeClient
from tests.tui.fakes import stamp
from tui.api.errors import ApiError

HOSTILE = "\x1b]0;t\x07[red]=1+1\u202edb\nx"
VOLUME = "0000000a-7e1f-4a4c-9c1d-00000000beef"
HOUR, DAY = 3600, 86400
PATHS = ("/q/snapshot/", "/snapshot-policies", "/snapshot-runs", "/snapshot/runs", "/snapshot/run-now")
STEPS = ("policy_assign", "rvtools_pre", "auto_snapshots", "rvtools_post")


def policy(name: str, words: str, keep: int, **more: Any) -> dict[str, Any]:
    """A policy as the engine tells it."""
    return {
        "name": name, "schedule": "0 2 * * *", "timezone": "Europe/Berlin", "keep": keep,
        "jitter_minutes": 0, "catch_up_hours": None, "window_hours": None, "method": "volume", "group_type": "",
        "enabled": True, "known": True, "description": "", "words": f"{words} Europe/Berlin, keep {keep}",
        "next_at": stamp(DAY), "volumes": 34, "sets": [], "updated_by": "anna", **more,
    }  # fmt: skip


def a_set(id: int, name: str, policies: list[str], **more: Any) -> dict[str, Any]:
    """A set as the engine tells it."""
    return {
        "id": id, "name": name, "description": "", "is_global": True, "tenant_id": "", "tenant_name": "", "cloud": "",
        "region": "", "match": {}, "policies": policies, "retention_map": {}, "priority": 100, "is_active": True,
        "created_at": stamp(-DAY), "created_by": "anna", "updated_at": stamp(-DAY), "updated_by": "anna",
        "volumes": 30, **more,
    }  # fmt: skip


def row(number: int, status: str, policy: str = "daily_5", **more: Any) -> dict[str, Any]:
    """A volume and a policy, as compliance tells it."""
    return {
        "cloud": "prod-eu", "region": "eu-1", "volume_id": f"{number:08x}-7e1f-4a4c-9c1d-00000000beef",
        "volume_name": f"data-{number}", "policy": policy, "status": status, "reason": f"because of {status}",
        "last_at": stamp(-6 * HOUR) if status == "compliant" else None, "project_name": "acme-prod",
        "domain_name": "Default", "server_name": f"web-{number}", "points": 5, "cover": "same", "size_gb": 80,
        "volume_type": "ssd", **more,
    }  # fmt: skip


def point(number: int, **more: Any) -> dict[str, Any]:
    """A restore point as the engine tells it."""
    return {
        "cloud": "prod-eu", "region": "eu-1", "id": f"{number:08x}-aaaa-4a4c-9c1d-00000000cafe", "kind": "snapshot",
        "volume_id": VOLUME, "volume_name": "data-1", "name": f"auto-acme-daily_5-{number}", "status": "available",
        "size_gb": 80,
        "policy": "daily_5", "own": True, "taken_at": stamp(-number * DAY - 90), "server_id": "", "group": "",
        "consistency": "crash-consistent", "proof": "a snapshot of one attached volume", "spread_ms": None,
        "back_end": "same", **more,
    }  # fmt: skip


def run(id: int, status: str, **more: Any) -> dict[str, Any]:
    """A run as the engine tells it."""
    return {
        "id": id, "status": status, "cloud": "prod-eu", "region": "eu-1", "policy_names": ["daily_5"],
        "run_type": "schedule", "dry_run": False, "detail": None, "triggered_by": "engine", "job_ids": [f"job-{id}"],
        "created_at": stamp(-id * HOUR - 30), "started_at": stamp(-id * HOUR - 30),
        "finished_at": None if status == "running" else stamp(-id * HOUR), "total_volumes": 85,
        "snapshots_created": 40, "snapshots_deleted": 38, "volumes_skipped": 2,
        "snapshots_failed": 1 if status == "partial" else 0, "quota_blocked": 3,
        "total_batches": 5, "completed_batches": 2, "current_batch": 3, "progress_pct": 47.1,
        "estimated_finish_at": stamp(20 * 60 + 5), **more,
    }  # fmt: skip


class SnapshotClient(FakeClient):
    """An engine with policies, and an estate that they are for; `bare` has none of them yet."""

    def __init__(self, *, bare: bool = False) -> None:
        super().__init__(20)
        self.bare = bare
        self.enabled = False
        self.idle: dict[str, str] = {}
        self.refusals: dict[str, ApiError] = {}  # by the beginning of the path
        self.policies = {} if bare else {p["name"]: p for p in (
            policy("daily_5", "daily 02:00", 5), policy("weekly_4", "weekly sun 03:00", 4, enabled=False, volumes=0),
            policy("gold", "daily 02:00", 7, known=False, volumes=3),
            policy(HOSTILE, "monthly 1 04:00", 1, method="server", description=HOSTILE),
        )}  # fmt: skip
        self.sets = {} if bare else {s["id"]: s for s in (
            a_set(1, "everything", ["daily_5"]),
            a_set(2, "databases", ["daily_5", "weekly_4"], match={"volume_name_prefix": "db-"}, tenant_name="acme",
                  retention_map={"daily_5": 9}, is_active=False),
        )}  # fmt: skip
        self.exclusions = [] if bare else [
            {"id": 5, "cloud": "prod-eu", "region": "eu-1", "volume_id": VOLUME, "volume_name": "scratch-1",
             "tenant_id": "", "tenant_name": "", "match": {}, "reason": "rebuilt every night", "source": "manual",
             "expires_at": stamp(9 * DAY), "created_at": stamp(-DAY), "created_by": "dana"},
            {"id": 6, "cloud": "prod-eu", "region": None, "volume_id": "", "volume_name": "", "tenant_id": "p9",
             "tenant_name": "lab", "match": {}, "reason": HOSTILE, "source": "api", "expires_at": stamp(-DAY),
             "created_at": stamp(-2 * DAY), "created_by": "dana"},
        ]  # fmt: skip
        self.rows = 20
        self.kept = [] if bare else [
            row(1, "compliant"), row(2, "missing", last_at=stamp(-3 * DAY), policies=[
                {"policy": "daily_5", "status": "missing"}, {"policy": "weekly_4", "status": "compliant"}]),
            row(3, "quota_blocked"),
            row(4, "pending", "weekly_4"), row(5, "excluded", ""), row(6, "missing", volume_name=HOSTILE),
            row(7, "no_policy", "", cover="nothing", points=0),
        ]  # fmt: skip
        self.points = [
            point(1, consistency="group-consistent", spread_ms=120, group="g1"), point(2),
            point(3, policy="", own=False, name="before upgrade", consistency="", proof=""),
            point(4, kind="backup", policy="", own=False, back_end="backup", name="offsite"),
            point(5, status="error", name=HOSTILE),
        ]  # fmt: skip
        self.runs = (
            [] if bare else [run(3, "running"), run(9, "partial", detail="1 volume failed"), run(33, "completed")]
        )
        self.schedule_problems: dict[str, str] = {}
        self.pipeline: dict[str, Any] = {
            "job_id": None, "status": "idle", "triggered_by": None, "started_at": None, "finished_at": None,
            "steps": [{"key": key, "label": key, "status": "pending"} for key in STEPS], "runs": [], "detail": None,
        }  # fmt: skip
        self.preview: dict[str, Any] = {
            "name": "x", "policies": ["daily at 02:00 UTC, keep 5"], "volumes": 34, "new": 31, "size_gb": 2_720,
            "snapshots": 170, "gigabytes": 13_600, "existing_snapshots": 0, "more_snapshots": 170,
            "more_gigabytes": 13_600, "overridden": 2, "excluded": 1, "lost": 0, "existing_known": True,
            "items": [
                {"volume_id": f"v{n}", "volume_name": f"data-{n}", "policies": {"daily_5": 5},
                 "before": {"weekly_4": 4} if n < 3 else {}} for n in range(34)
            ],
            "projects": [
                {"tenant_name": "acme-prod", "volumes": 30, "more_snapshots": 150, "more_gigabytes": 12_000,
                 "quota": {"snapshots": {"limit": 50, "used": 12}, "gigabytes": {"limit": 20_000, "used": 4_000}}},
                {"tenant_name": "acme-dev", "volumes": 4, "more_snapshots": 20, "more_gigabytes": 1_600,
                 "quota": {"snapshots": {"limit": -1, "used": 0}, "gigabytes": {"limit": -1, "used": 100}}},
            ],
        }  # fmt: skip

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        if not path.startswith(PATHS):
            return await super().get(path, params, json)
        self._note("GET", path, copy.deepcopy(params))
        await self._wait(path)
        return copy.deepcopy(self.answers.get(path) or self._told(path, params or {}))

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        if not path.startswith(PATHS):
            return await super().post(path, json, params)
        self._note("POST", path, copy.deepcopy(json))
        await self._refuse(path)
        name = path.removeprefix("/q/snapshot/")
        if name == "sets/preview":
            return self.preview
        if name == "/snapshot/run-now":
            self.pipeline |= {"status": "running", "triggered_by": "anna"}
            self.pipeline["steps"][0] |= {"status": "running", "detail": "34 volumes"}
            return {"job_id": "p", "status": "pending", "message": "queued"}
        if name == "policies":
            self.policies[json["name"]] = policy(json["name"], json["schedule"], json["keep"])
            return self.policies[json["name"]]
        if name == "/snapshot-policies":
            self.sets[len(self.sets) + 1] = a_set(len(self.sets) + 1, json["name"], json["policies"])
            return {"id": len(self.sets)}
        if name == "exclusions":
            self.exclusions.insert(0, {"id": 77, "created_by": "root", "source": "manual", **json})
            return self.exclusions[0]
        if name.startswith("clouds/"):
            self.enabled = True
        return {"id": 44}

    async def put(self, path: str, json: Any = None, params: Any = None) -> Any:
        if not path.startswith(PATHS):
            return await super().put(path, json, params)
        self._note("PUT", path, copy.deepcopy(json))
        await self._refuse(path)
        kind, _, id = path.rpartition("/")
        found = self.sets[int(id)] if kind == "/snapshot-policies" else self.policies[id]
        found |= json
        return found

    async def delete(self, path: str, json: Any = None, params: Any = None) -> Any:
        answer = await super().delete(path, json, params)
        await self._refuse(path)
        kind, _, id = path.partition("?")[0].rpartition("/")
        if kind == "/q/snapshot/policies":
            self.policies.pop(id, None)
        elif kind == "/snapshot-policies":
            self.sets.pop(int(id), None)
        elif kind == "/q/snapshot/clouds":
            self.enabled = False
        elif kind == "/q/snapshot/exclusions":
            self.exclusions = [item for item in self.exclusions if str(item["id"]) != id]
        return answer

    async def _refuse(self, path: str) -> None:
        await self._wait(path)
        error = next((e for p, e in self.refusals.items() if path.startswith(p)), None)
        if error is not None:
            raise error

    def _told(self, path: str, params: dict[str, Any]) -> Any:
        if path.startswith(("/snapshot/runs/", "/q/snapshot/runs/")):
            return self._run(path)
        name = path.removeprefix("/q/snapshot/")
        lists: dict[str, Any] = {
            "policies": list(self.policies.values()), "/snapshot-policies": list(self.sets.values()),
            "exclusions": self.exclusions, "compliance": self.kept, "points": self.points,
            "/snapshot-runs": self.runs, "due": self._due(),
            "clouds": [{"cloud": "prod-eu", "enabled": self.enabled, "demo": False, "production": False}],
        }  # fmt: skip
        if name == "/snapshot/run-now/status":
            return self.pipeline
        if name in lists:
            return {"total": len(lists[name]), "items": lists[name]}
        if name == "schedule":
            times = [] if self.schedule_problems else [stamp(DAY), stamp(2 * DAY), stamp(3 * DAY)]
            return {"schedule": "", "timezone": params["timezone"], "words": "", "next": times,
                    "problems": self.schedule_problems}  # fmt: skip
        return self._summary() if name == "compliance/summary" else self._why()

    def _due(self) -> list[dict[str, Any]]:
        if self.bare:
            return []
        return [
            {"cloud": "prod-eu", "region": "eu-1", "policy": "weekly_4", "due_at": None,
             "next_at": stamp(3 * HOUR + 60), "volumes": 12, "words": "weekly on Sun at 03:00", "enabled": True},
            {"cloud": "prod-eu", "region": "eu-1", "policy": "daily_5", "due_at": stamp(-2 * HOUR - 60),
             "next_at": stamp(DAY), "volumes": 34, "words": "daily at 02:00", "enabled": True},
        ]  # fmt: skip

    def _summary(self) -> dict[str, Any]:
        if self.bare:
            return {
                "counts": {"none": 41},
                "policies": [],
                "cover": {"total": 41, "backup": 0, "same": 0, "nothing": 41},
            }
        statuses = [item["status"] for item in self.kept]
        counts = {
            name: statuses.count(name) for name in ("compliant", "missing", "quota_blocked", "pending", "excluded")
        }
        kept = [
            {"policy": "daily_5", "total": 34, "compliant": 30, "missing": 3, "quota_blocked": 1, "pending": 0,
             "percent": 88.2, "trend": [None, 70, 75, 80, 90, 88.2]},
            {"policy": "weekly_4", "total": 12, "compliant": 12, "missing": 0, "quota_blocked": 0, "pending": 0,
             "percent": 100.0, "trend": [100, 100, 100]},
            {"policy": "new", "total": 1, "compliant": 0, "missing": 0, "quota_blocked": 0, "pending": 1,
             "percent": None, "trend": []},
        ]  # fmt: skip
        cover = {"total": 41, "backup": 4, "same": 30, "nothing": 7}
        return {"counts": {**counts, "none": 7}, "policies": kept, "cover": cover, "failed": 1}

    def _run(self, path: str) -> Any:
        *_, id, part = path.split("/")
        if part == "state":
            return {"idle": self.idle, "problems": {}}
        open = [item for item in self.runs if item["status"] == "running"]
        if id == "active":
            return {"active": bool(open), "run": open[0] if open else None, "batches": [], "runs": open}
        found = next((item for item in self.runs if str(item["id"]) == id), None)
        if found is None:
            raise ApiError(404, f"there is no snapshot run {id}")
        if part == "records":
            return {"items": [
                {"id": 1, "action": "created", "status": "OK", "volume_id": VOLUME, "volume_name": "data-1",
                 "project_name": "acme-prod", "policy": "daily_5", "snapshot_name": "auto-1", "detail": "80 GB"},
                {"id": 2, "action": "failed", "status": "ERROR", "volume_id": VOLUME, "volume_name": HOSTILE,
                 "project_name": "acme-prod", "policy": "daily_5", "snapshot_name": None,
                 "detail": "503 from the cloud"},
            ]}  # fmt: skip
        blocks = [{"volume_id": VOLUME, "volume_name": "db-data-01", "tenant_name": "staging", "policy": "daily_5",
                   "reason": "gigabytes_exceeded", "limit": 500, "used": 480, "needed": 50}]  # fmt: skip
        batches = [{"batch_number": 1, "tenant_names": ["acme-dev", "lab"], "total_volumes": 20, "status": "completed",
                    "completed": 19, "skipped": 1, "failed": 0},
                   {"batch_number": 2, "tenant_names": ["acme-prod"], "total_volumes": 65,
                    "status": "running"}]  # fmt: skip
        return {"run": found, "batches": batches, "quota_blocks": blocks, "is_active": found["status"] == "running"}

    def _why(self) -> Any:
        if self.bare:
            return {"volume_name": "data-1", "policies": [], "excluded": None, "reasons": []}
        return {
            "volume_name": "data-1", "excluded": None,
            "policies": [{"policy": "daily_5", "keep": 9, "kind": "set", "source": "databases"}],
            "reasons": [
                {"kind": "set", "id": "1", "name": "everything", "policies": {"daily_5": None}, "applies": False,
                 "text": "set everything is set aside: set databases says more about the volume"},
                {"kind": "set", "id": "2", "name": "databases", "policies": {"daily_5": 9}, "applies": True,
                 "text": "set databases decides: its name begins with db-"},
            ],
        }  # fmt: skip
