"""An estate with a past, and the history's routes over it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from engine.access.models import Caller
from engine.access.service import CALLER, AccessService
from engine.api import errors
from engine.history.routes import routes
from engine.history.service import HistoryService
from engine.inventory.reads import InventoryReads
from engine.settings.loading import Loaded
from store.estate.estate import Estate
from store.estate.models import Kind, Listing
from store.estate.visibility import Visibility
from store.ids import uuid7
from store.ops.ops import Ops
from store.types import registry
from tests.engine.api.furniture import ADMIN, client

START = datetime(2026, 11, 20, 10, tzinfo=UTC)
SEEN = Visibility("http://keystone", "u-admin", "project:admin", ("admin",), True)
VOLUME_OWNER = "os-vol-tenant-attr:tenant_id"


def at(hours: float) -> datetime:
    """So many hours after the first listing."""
    return START + timedelta(hours=hours)


def volume(number: int, project: str = "p1", **more: Any) -> dict[str, Any]:
    """A volume as Cinder answers an administrator."""
    return {
        "id": f"v{number}",
        "name": f"data-{number}",
        "status": "available",
        "size": 10,
        "attachments": [],
        "metadata": {},
        VOLUME_OWNER: project,
        "os-vol-host-attr:host": "h@b#p",
        **more,
    }


class Past:
    """A store whose clock stands where the test sets it, and a client of its history."""

    def __init__(self, home: Path) -> None:
        self.now = START
        self.ops = Ops.open(home / "ops.sqlite")
        self.estate = Estate.open(home / "estate.duckdb")
        self.reads = InventoryReads(self.estate, clock=lambda: self.now)
        self.history = HistoryService(self.reads)
        self.access = AccessService(self.ops, Loaded().settings)
        self.app = FastAPI(openapi_url=None)
        self.app.include_router(routes(self.history, self.access))
        errors.install(self.app)
        self.access.check_routes(self.app)

    def close(self) -> None:
        self.reads.close()
        self.estate.close()
        self.ops.close()

    def list(
        self,
        hours: float,
        type: str,
        documents: list[dict[str, Any]],
        *,
        cloud: str = "prod",
        kind: Kind = "full",
        seen: Visibility = SEEN,
        broken: str = "",
        gone: tuple[str, ...] = (),
    ) -> None:
        """One listing that begins then; the clock stands a minute behind it afterwards."""
        region = "" if registry.ALL[type].listing.global_ else "RegionOne"
        writer = self.estate.begin(Listing(uuid7(), cloud, region, type, kind, "all", seen, at(hours)))
        builder = writer.builder()
        for document in documents:
            builder.add(document, deleted=document["id"] in gone)
        writer.add(builder.take())
        if broken:
            writer.abandon(broken, "broke off", ended_at=at(hours))  # type: ignore[arg-type]
        else:
            writer.finish(ended_at=at(hours))
        self.now = max(self.now, at(hours) + timedelta(minutes=1))

    def client(self, caller: Caller = ADMIN) -> httpx.AsyncClient:
        return client(self.app, {CALLER: caller})

    async def get(self, path: str, caller: Caller = ADMIN, expect: int = 200, **query: Any) -> Any:
        async with self.client(caller) as asking:
            answer = await asking.get(path, params=query)
        assert answer.status_code == expect, answer.text
        return answer.json()


def filled(home: Path) -> Past:
    """Three days: projects, volumes that are made, changed, gone and back, and a security group rule."""
    past = Past(home)
    past.list(0, "domain", [{"id": "d1", "name": "acme", "enabled": True}])
    projects = [{"id": f"p{n}", "name": name, "domain_id": "d1", "enabled": True, "is_domain": False}
                for n, name in ((1, "shop"), (2, "lab"))]  # fmt: skip
    past.list(0, "project", projects)
    past.list(0, "volume", [volume(1), volume(2, "p2")])
    past.list(0, "security_group_rule", [])
    past.list(1, "volume", [volume(1, status="in-use"), volume(2, "p2"), volume(3)])
    past.list(2, "volume", [volume(1, status="in-use", name="new-name"), volume(2, "p2"), volume(3)])
    rule = {"id": "r1", "security_group_id": "g", "direction": "ingress", "project_id": "p1", "ethertype": "IPv4"}
    past.list(3, "security_group_rule", [rule])
    past.list(30, "volume", [volume(2, "p2"), volume(3)])  # 1 is gone
    past.list(31, "volume", [volume(1, status="in-use", name="new-name"), volume(2, "p2", size=20), volume(3)])
    past.list(32, "volume", [volume(1, status="available"), volume(2, "p2", size=20)])  # 3 is gone
    past.now = at(33)
    return past
