"""An engine inside this process, for tests and scripts: the same API, without sockets or a second process."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.access.service import CALLER
from engine.app import EngineParts, create_app, open_engine
from engine.process.control import Control
from engine.process.models import PROTOCOL, Home
from engine.process.status import Status

if TYPE_CHECKING:
    import httpx

_open = threading.Lock()


class Engine:
    """One open engine: `client` speaks to its API, `parts` are its services."""

    def __init__(self, parts: EngineParts, client: httpx.AsyncClient) -> None:
        self.parts = parts
        self.client = client

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path, caller: Caller, *, demo: bool = False, servers: int | None = None, begin: bool = False
    ) -> AsyncIterator[Engine]:
        """Open the engine of the home at `path`; every request of its client is made by `caller`.

        begin: also start what works by itself (the schedule; with `demo` the demo cloud). Raises RuntimeError when this
        process has an engine already, and what `open_engine` raises.
        """
        import httpx

        if not _open.acquire(blocking=False):
            raise RuntimeError("this process already has an engine; close that one first")
        try:
            home = Home.at(path)
            home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(open_engine(home, demo=demo, servers=servers)) as parts:
                control = Control(Status(home=str(home.path), socket="", demo=demo), _nobody_to_tell)
                control.attach(parts.ops, parts.estate, parts.status)
                app = create_app(parts, control)
                if begin:
                    parts.begin()
                transport = httpx.ASGITransport(app=_Known(app, caller))
                headers = {"X-Qdeck-Protocol": str(PROTOCOL)}
                async with httpx.AsyncClient(transport=transport, base_url="http://engine", headers=headers) as client:
                    yield cls(parts, client)
        finally:
            _open.release()


def _nobody_to_tell(message: str) -> None:
    raise RuntimeError("an engine inside a process ends with the block that opened it")


class _Known:
    """ASGI layer that says who the caller is. Nothing that comes over a wire can."""

    def __init__(self, app: Callable[..., Awaitable[None]], caller: Caller) -> None:
        self._app, self._caller = app, caller

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        scope.setdefault("extensions", {})[CALLER] = self._caller
        await self._app(scope, receive, send)
