"""An estate whose listings the test makes, with the room of drift over it, and a Nova that says what it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from engine.access.models import Caller
from engine.access.service import CALLER, AccessService
from engine.api import errors
from engine.api.changes import ChangeFeed
from engine.audit.service import AuditService
from engine.clouds.errors import CloudError
from engine.drift.models import EventFilter, Order
from engine.drift.room import DriftRoom
from engine.inventory.reads import InventoryReads
from engine.settings.loading import Loaded
from store.estate.estate import Estate
from store.estate.models import Listing
from store.estate.visibility import Visibility
from store.ids import uuid7
from store.ops.ops import Ops
from store.types import registry
from tests.engine.api.furniture import ADMIN, client
from tests.engine.inventory.reading import DOCUMENTS, SEEN, server

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
ALICE = Caller("alice", 1001, role="operator")
BOB = Caller("bob", 1002, role="viewer")
OF_P2 = Caller("tess", 1003, role="operator", projects=("p2",))
OF_D1 = Caller("dora", 1004, role="operator", domains=("d1",))
NEWEST = Order()


def at(minutes: float) -> datetime:
    """So many minutes after the first listing."""
    return START + timedelta(minutes=minutes)


def action(name: str, minutes: float, **more: Any) -> dict[str, Any]:
    """An instance action as Nova lists it."""
    when = at(minutes).isoformat().replace("+00:00", "")
    return {
        "action": name, "request_id": f"req-{name}-{minutes}", "user_id": "u2", "project_id": "p2", "start_time": when,
        "updated_at": when, "message": None, **more,
    }  # fmt: skip


class Nova:
    """Stands where engine.inventory.events_cloud.CloudLines does. `said`: by the server's id."""

    def __init__(self) -> None:
        self.said: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        self.broken: CloudError | None = None

    def line(self, cloud: str, region: str, service: str, project: str, seconds: float) -> Nova:
        return self

    def get(self, path: str, query: Any = None, version: str = "") -> dict[str, Any]:
        id = path.split("/")[2]
        self.asked.append(id)
        if self.broken is not None:
            raise self.broken
        return {"instanceActions": self.said.get(id, [])}


class Place:
    """The room on real files. `minutes` is the time; `listed` makes a listing at it and derives."""

    def __init__(self, home: Path, settings: dict[str, Any] | None = None) -> None:
        self.minutes = 0.0
        self.ops = Ops.open(home / "ops.sqlite")
        self.audit = AuditService(self.ops)
        self.estate = Estate.open(home / "estate.duckdb")
        self.reads = InventoryReads(self.estate, clock=lambda: at(self.minutes))
        self.nova = Nova()
        self.feed = ChangeFeed()
        known = Loaded().settings
        self.settings = known.model_copy(update={"drift": known.drift.model_copy(update=settings or {})})
        self.room = DriftRoom(self.ops, self.audit, self.feed, self.reads, self.nova, lambda: self.settings)  # type: ignore[arg-type]
        self.service, self.decisions = self.room.service, self.room.decisions
        self.access = AccessService(self.ops, known)
        self.app = FastAPI(openapi_url=None)
        for router in self.room.routes(self.access):
            self.app.include_router(router)
        errors.install(self.app)
        self.access.check_routes(self.app)

    def close(self) -> None:
        self.room.close()
        self.feed.close()
        self.reads.close()
        self.estate.close()
        self.ops.close()

    def listed(self, type: str, documents: list[dict[str, Any]], minutes: float, seen: Visibility = SEEN) -> None:
        """One whole listing that begins then and takes half a minute; what it shows is derived."""
        region = "" if registry.ALL[type].listing.global_ else "one"
        writer = self.estate.begin(Listing(uuid7(), "prod", region, type, "full", "all", seen, at(minutes)))
        builder = writer.builder()
        for document in documents:
            builder.add(document)
        writer.add(builder.take())
        writer.finish(ended_at=at(minutes + 0.5))
        self.minutes = max(self.minutes, minutes + 1)
        self.room.deriver.take_in()

    def people(self) -> None:
        """Domains, projects and users are known."""
        for type in ("domain", "project", "user"):
            more = [{"id": "p9", "name": "service", "domain_id": "d1"}] if type == "project" else []
            self.listed(type, DOCUMENTS[type] + more, 0)

    def events(self, caller: Caller = ADMIN, order: Order = NEWEST, **wanted: Any) -> list[dict[str, Any]]:
        return self.service.page(caller, EventFilter(**wanted), order, 500)[1]

    def told(self, caller: Caller = ADMIN, **wanted: Any) -> list[tuple[Any, ...]]:
        """(resource, field, state) in the order of resources and fields."""
        rows = [(one["resource_name"], one["field_changed"], one["state"]) for one in self.events(caller, **wanted)]
        return sorted(rows)

    async def ask(
        self, method: str, path: str, caller: Caller = ADMIN, expect: int = 200, body: Any = None, **query: Any
    ) -> Any:
        transport: httpx.AsyncClient = client(self.app, {CALLER: caller})
        async with transport as asking:
            answer = await asking.request(method, path, params=query, json=body)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else None


def machines(*changed: dict[str, Any], count: int = 4) -> list[dict[str, Any]]:
    """Servers 1 to `count`, the first of them with these fields."""
    return [server(n, **(changed[n - 1] if n <= len(changed) else {})) for n in range(1, count + 1)]
