"""The smallest application an engine can run: the real stores and access rules, and a few routes to look through.

QDECK_TEST_FAIL makes its start fail: "crash" ends the process, "error" raises, "lifespan" raises once it should serve.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fastapi import Depends, FastAPI, Request

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api import errors
from engine.api.changes import ChangeFeed
from engine.api.middleware import RequestLayer
from engine.api.statistics import Statistics
from engine.audit.service import AuditService
from engine.process.control import Control
from engine.process.models import PROTOCOL, VERSION, Home
from engine.process.routes import routes
from engine.settings import loading
from engine.settings.service import SettingsService
from store.estate.estate import Estate
from store.ops.ops import Ops


class TinyParts:
    """The parts that the process needs, and no more."""

    def __init__(self, home: Home, demo: bool) -> None:
        fail = os.environ.get("QDECK_TEST_FAIL")
        if fail == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if fail == "error":
            raise ValueError("nobody expected this")
        with contextlib.ExitStack() as closing:
            loaded = loading.load(loading.find(home.path, only_home=demo))
            self.ops = closing.enter_context(contextlib.closing(Ops.open(home.ops, busy_timeout=0.2)))
            self.estate = closing.enter_context(contextlib.closing(Estate.open(home.estate, threads=1)))
            self.settings = SettingsService(self.ops, loaded)
            self.access = AccessService(self.ops, loaded.settings)
            self.audit = AuditService(self.ops)
            self.feed = ChangeFeed()
            self._closing = closing.pop_all()

    def status(self) -> dict[str, Any]:
        """Nothing runs here."""
        return {"clouds": [{"name": "one"}, {"name": "two"}], "jobs": [], "collecting": []}

    def close(self) -> None:
        """Close the stores."""
        self._closing.close()


def open_engine(home: Home, *, demo: bool = False, servers: int | None = None) -> TinyParts:
    """As the real application's."""
    return TinyParts(home, demo)


def create_app(parts: TinyParts, control: Control) -> FastAPI:
    """As the real application's."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if os.environ.get("QDECK_TEST_FAIL") == "lifespan":
            raise RuntimeError("the services would not begin")
        yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(routes(control, parts.access))
    someone = Depends(parts.access.requires("authenticated"))
    counts = SimpleNamespace(posts=0)

    @app.get("/who")
    def who(request: Request, caller: Caller = someone) -> dict[str, Any]:
        peer = request.scope["extensions"]["qdeck.peer"]
        return {**peer, "name": caller.name, "role": caller.role, "server": os.getpid()}

    @app.get("/slow")
    async def slow(seconds: float, caller: Caller = someone) -> dict[str, Any]:
        await asyncio.sleep(seconds)
        return {"server": os.getpid()}

    @app.post("/count")
    def count(caller: Caller = someone) -> dict[str, Any]:
        counts.posts += 1
        return {"posts": counts.posts, "server": os.getpid()}

    @app.post("/die")
    def die(caller: Caller = someone) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @app.get("/text")
    def text(caller: Caller = someone) -> dict[str, Any]:
        return {"cwd": str(Path.cwd()), "umask": f"{os.umask(0o077):o}"}

    @app.get("/q/changes")
    async def changes(since: int | None = None, wait: float = 25.0, caller: Caller = someone) -> dict[str, Any]:
        return await parts.feed.wait(since, wait)

    @app.post("/publish")
    async def publish(caller: Caller = someone) -> dict[str, Any]:
        return {"seq": parts.feed.publish("engine", note="test")}

    errors.install(app)
    app.add_middleware(RequestLayer, statistics=Statistics(), protocol=PROTOCOL, version=VERSION)
    return app
