"""An application of these rooms' own routes on real files, and clients that come in by socket, TCP or embedded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import engine.access.routes
import engine.audit.routes
import engine.monitoring.routes
import engine.settings.routes
from engine.access import passwords
from engine.access.models import Caller
from engine.access.service import CALLER, PEER, AccessService
from engine.access.users import UserService
from engine.api import errors
from engine.api.middleware import RequestLayer
from engine.api.statistics import Statistics
from engine.audit.service import AuditService
from engine.settings.loading import Loaded, load
from engine.settings.models import Settings
from engine.settings.service import SettingsService
from store.ops.errors import OpsError
from store.ops.ops import Ops

ADMIN = Caller(name="root", uid=0, role="superadmin", via="embedded")


@dataclass
class Furniture:
    """The rooms of one engine; `app` answers their routes."""

    home: Path
    loaded: Loaded = field(default_factory=Loaded)

    def __post_init__(self) -> None:
        self.ops = Ops.open(self.home / "ops.sqlite")
        self.settings = SettingsService(self.ops, self.loaded)
        self.access = AccessService(self.ops, self.settings.current)
        self.users = UserService(self.ops, self.access.tokens)
        self.audit = AuditService(self.ops)
        self.statistics = Statistics()
        self.logs = self.home / "logs"
        self.app = FastAPI(openapi_url=None)
        for router in (
            engine.access.routes.routes(self.access, self.users, self.audit.record),
            engine.audit.routes.routes(self.audit, self.access),
            engine.settings.routes.routes(self.settings, self.access.requires, self.audit.record),
            engine.monitoring.routes.routes(self.statistics, self.access, self.logs),
        ):
            self.app.include_router(router)
        errors.install(self.app, {OpsError: 503})
        self.app.add_middleware(RequestLayer, statistics=self.statistics, protocol=1, version="9.9.9")

    def close(self) -> None:
        """Close the files."""
        self.ops.close()

    def socket(self, uid: int | None = None, login_uid: int | None = None) -> httpx.AsyncClient:
        """A client on the socket, as the kernel would report it; this process's own user unless `uid` is given."""
        peer = {"uid": os.getuid() if uid is None else uid, "login_uid": login_uid, "pid": 1}
        return client(self.app, {PEER: peer})

    def embedded(self, caller: Caller = ADMIN) -> httpx.AsyncClient:
        """A client in the engine's own process."""
        return client(self.app, {CALLER: caller})

    def tcp(self, token: str | None = None, address: str = "192.0.2.7") -> httpx.AsyncClient:
        """A client over TCP from `address`."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client(self.app, {}, address, headers)


@contextmanager
def quick_hashes() -> Iterator[None]:
    """Argon2 at its least cost: its strength is not what tests look at."""
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: hasher)
        passwords._decoy.cache_clear()
        yield
    passwords._decoy.cache_clear()


def configured(home: Path, text: str) -> Furniture:
    """Furniture whose configuration file says `text`."""
    file = home / "qdeck.toml"
    file.write_text(text)
    return Furniture(home, load(file))


def client(
    app: Any, extensions: dict[str, Any], address: str = "127.0.0.1", headers: dict[str, str] | None = None
) -> httpx.AsyncClient:
    """An httpx client of an ASGI application, with these extensions in each request's scope."""

    async def with_extensions(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "extensions": {**(scope.get("extensions") or {}), **extensions}}, receive, send)

    transport = httpx.ASGITransport(with_extensions, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://engine", headers=headers)


__all__ = ["ADMIN", "Furniture", "Settings", "client", "configured", "quick_hashes"]
