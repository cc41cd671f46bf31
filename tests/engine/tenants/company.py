"""A small company in an estate, with the routes of tenant health, drift and the dashboard's neighbours over it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from engine.access.models import Caller
from engine.access.service import CALLER, AccessService
from engine.api import errors
from engine.audit.service import AuditService
from engine.drift import routes as drift_routes
from engine.drift.decisions import Decisions
from engine.drift.service import DriftService
from engine.inventory.kept import Kept
from engine.inventory.reads import InventoryReads, scope_of
from engine.settings.loading import Loaded
from engine.settings.models import Settings
from engine.snapshots.compliance.room import ComplianceRoom
from engine.snapshots.policies.service import PolicyService
from engine.snapshots.runs.register import Register
from engine.tenants import routes
from engine.tenants.drift_source import RoomDrift
from engine.tenants.service import TenantHealth
from store.estate.estate import Estate
from store.estate.reading.models import Window
from store.estate.rows import to_arrow
from store.ops.ops import Ops
from store.times import naive, parse
from tests.engine.api.furniture import ADMIN, client
from tests.engine.inventory.reading import DOCUMENTS, VOLUME_TENANT, server, take_in

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
BEGAN = NOW - timedelta(days=10)
SNAPSHOT_TENANT = "os-extended-snapshot-attributes:project_id"
BY_POLICY = {"created_by": "p9_auto_snapshots", "policy": "daily_5"}
ASKED = {"auto_snapshot": "true", "snapshot_policies": "daily_5"}


def days(back: float) -> datetime:
    return NOW - timedelta(days=back)


def volume(number: int, project: str, status: str = "in-use", **more: Any) -> dict[str, Any]:
    return {"id": f"vol-{number}", "name": f"disk-{number}", "status": status, "size": 10 * number,
            VOLUME_TENANT: project, "attachments": [], "metadata": {}, "created_at": "2026-11-01T00:00:00",
            "os-vol-host-attr:host": "h@b#p", **more}  # fmt: skip


def snapshot(number: int, of: int, project: str, made: datetime, status: str = "available") -> dict[str, Any]:
    return {"id": f"snap-{number}", "name": f"snap-{number}", "status": status, "size": 1, "volume_id": f"vol-{of}",
            SNAPSHOT_TENANT: project, "created_at": naive(made).isoformat()}  # fmt: skip


def made(number: int, of: int, project: str, at: datetime, status: str = "available", **more: str) -> dict[str, Any]:
    """A snapshot as another tool makes it for the policy that the volumes ask for."""
    return {**snapshot(number, of, project, at, status), "metadata": {**BY_POLICY, **more}}


def documents() -> dict[str, list[dict[str, Any]]]:
    """acme-prod (p1) is not well, labs-dev (p2) is, empty (p3) owns nothing."""
    projects = [*DOCUMENTS["project"], {"id": "p3", "name": "empty", "domain_id": "d2", "enabled": True}]
    servers = [
        server(2),
        server(4, status="ERROR"),
        server(6, status="SHUTOFF"),
        server(8, status="PAUSED"),
        server(1),
        server(3),
    ]
    volumes = [
        volume(1, "p1", metadata=ASKED),
        volume(2, "p1", metadata=ASKED, attachments=[{"server_id": server(2)["id"], "device": "/dev/vda"}]),
        volume(3, "p1", "error_deleting"),
        volume(4, "p1", "available"),
        volume(5, "p2", metadata=ASKED),
    ]
    snapshots = [
        made(1, 1, "p1", days(1)),
        made(2, 2, "p1", days(5)),
        made(3, 2, "p1", days(1), "error"),
        made(4, 5, "p2", days(0.5)),
    ]
    kept = {name: DOCUMENTS[name] for name in ("domain", "user", "hypervisor", "image", "network", "floating_ip")}
    return {**kept, "project": projects, "server": servers, "volume": volumes, "snapshot": snapshots}


def event(number: int, severity: str, opened: datetime, **more: Any) -> dict[str, Any]:
    """A row of drift_events."""
    return {"id": number, "cloud": "prod", "region": "RegionOne", "type": "server", "resource_id": server(2)["id"],
            "resource_name": "web-2", "project_id": "p1", "project_name": "acme-prod", "domain_id": "d1", "rule": 2,
            "kind": "changed", "field": "status", "severity": severity, "old_value": "ACTIVE",
            "new_value": "ERROR", "state": "open", "count": 1, "opened_at": opened, "resolved_at": None,
            "moved": False, "expected": False, **more}  # fmt: skip


_EVENT = [
    *((name, "VARCHAR") for name in (
        "cloud", "region", "type", "resource_id", "resource_name", "project_id", "project_name", "domain_id", "kind",
        "field", "severity", "old_value", "new_value", "state")),
    ("id", "BIGINT"), ("rule", "INTEGER"), ("count", "INTEGER"), ("moved", "BOOLEAN"), ("expected", "BOOLEAN"),
    *((name, "TIMESTAMP") for name in ("opened_at", "resolved_at", "first_at", "last_at", "seen_at")),
]  # fmt: skip


class Company:
    """See the module. `now` is everybody's clock."""

    def __init__(self, home: Path, given: dict[str, list[dict[str, Any]]] | None = None, text: str = "") -> None:
        self.now = NOW
        self.ops = Ops.open(home / "ops.sqlite")
        self.estate = Estate.open(home / "estate.duckdb")
        self.reads = InventoryReads(self.estate, clock=lambda: self.now)
        self.settings = Settings.model_validate({"tenants": {}})
        self.audit = AuditService(self.ops)
        self.decisions = Decisions(self.ops, self.audit, clock=lambda: self.now)
        self.drift = DriftService(self.reads, self.decisions, lambda version: None)
        self.policies = PolicyService(self.ops, self.audit, self.reads, clock=lambda: self.now)
        self.register = Register(self.ops, lambda: self.now)
        self.compliance = ComplianceRoom(
            self.ops, self.audit, self.reads, self.policies, self.register, lambda: self.settings, home,
            lambda: self.now,
        )  # fmt: skip
        course = self.compliance.course
        self.health = TenantHealth(self.reads, lambda: self.settings, RoomDrift(self.drift), course)
        self.quotas: list[tuple[str, str, str]] = []
        self.access = AccessService(self.ops, Loaded().settings)
        self.app = FastAPI(openapi_url=None)
        quota: Any = self
        # What tests change is no version: nothing is kept.
        self.kept = Kept(object)
        self.app.include_router(routes.routes(self.reads, self.health, quota, self.access, self.kept))
        self.app.include_router(drift_routes.routes(self.drift, self.access))
        for router in self.compliance.routes(self.access):
            self.app.include_router(router)
        errors.install(self.app)
        for type, rows in (documents() if given is None else given).items():
            take_in(self.estate, type, rows, BEGAN)

    def close(self) -> None:
        self.reads.close()
        self.estate.close()
        self.ops.close()

    def read(self, cloud: str, region: str, project: str) -> dict[str, Any]:
        """Stands for LiveQuota."""
        self.quotas.append((cloud, region, project))
        return {"available": False, "reason": "OpenStack credentials not configured"}

    def set(self, **tenants: Any) -> None:
        self.settings = Settings.model_validate({"tenants": tenants})

    def drifted(self, *events: dict[str, Any]) -> None:
        rows = []
        for one in events:
            full = {"first_at": one["opened_at"], "last_at": one["opened_at"], "seen_at": one["opened_at"], **one}
            rows.append(tuple(naive(v) if isinstance(v := full[name], datetime) else v for name, _ in _EVENT))

        def work(connection: Any) -> None:
            connection.register("arriving", to_arrow(_EVENT, rows))
            connection.execute("INSERT INTO drift_events BY NAME SELECT * FROM arriving")

        self.estate.write(work).result()

    def as_(self, caller: Caller = ADMIN) -> httpx.AsyncClient:
        return client(self.app, {CALLER: caller})

    async def get(self, path: str, caller: Caller = ADMIN, expect: int = 200, **query: Any) -> Any:
        async with self.as_(caller) as asking:
            answer = await asking.get(path, params=query)
        assert answer.status_code == expect, answer.text
        return answer.json()

    async def rows_behind(self, behind: dict[str, Any], caller: Caller = ADMIN) -> int:
        """How many rows the list behind a number has, for this caller."""
        if behind["type"] == "drift":
            return int((await self.get("/q/drift/events", caller, **behind["query"]))["total"])
        if behind["type"] == "compliance":
            return int((await self.get("/q/snapshot/compliance", caller, **behind["query"]))["total"])
        at = parse(behind["at"]) if behind["at"] else None
        window = Window(behind["type"], filter=behind["filter"], at=at, scope=scope_of(caller))
        return self.reads.page(window, 0, 1)[0]

    async def check_counts(self, answer: Any, caller: Caller = ADMIN) -> int:
        """Every number with a list behind it has as many rows; answers how many such numbers there are."""
        found = 0
        for behind in behinds(answer):
            if behind["count"] is not None:
                found += 1
                assert await self.rows_behind(behind, caller) == behind["count"], behind
        return found


def behinds(answer: Any) -> list[dict[str, Any]]:
    """Every `Behind` in an answer."""
    if isinstance(answer, list):
        return [one for item in answer for one in behinds(item)]
    if not isinstance(answer, dict):
        return []
    if set(answer) == {"type", "filter", "query", "at", "count"}:
        return [answer]
    return [one for item in answer.values() for one in behinds(item)]


def named(tenants: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {re.sub(r"\W", "_", row["project_name"] or row["project_id"]): row for row in tenants}
