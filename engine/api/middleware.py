"""What every request passes on its way in and out: one plain ASGI layer.

It gives the request an id, checks the client's protocol, bounds the body, turns what nobody foresaw into a 500, adds
the rate limit's headers, counts and logs. Not Starlette's BaseHTTPMiddleware: that one costs a task per request.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import structlog
from starlette.exceptions import HTTPException

from engine.api.answers import dump
from engine.api.statistics import Statistics
from store.ids import uuid7

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY_BYTES = 1024 * 1024
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# What a client of another protocol may still ask: it finds out about the engine and restarts it.
_ANY_PROTOCOL = ("/q/engine", "/health")
# Asked so often by every idle client that the log would hold little else.
_QUIET = frozenset({"/q/changes", "/health", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = structlog.get_logger("qdeck.api")


class RequestLayer:
    """ASGI middleware: `app.add_middleware(RequestLayer, statistics=..., protocol=1, version="0.1.0")`.

    statistics  where requests are counted
    protocol    integer of the `/q/` interface; a client that sends another in X-Qdeck-Protocol gets 426 there
    version     of the engine, told to clients
    most_body   bytes a request's body may have
    """

    def __init__(
        self, app: App, *, statistics: Statistics, protocol: int, version: str, most_body: int = MOST_BODY_BYTES
    ) -> None:
        self._app = app
        self._statistics = statistics
        self._protocol = protocol
        self._version = version
        self._most_body = most_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Passage(self, scope, receive, send).run()

    async def inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application inside this layer."""
        await self._app(scope, receive, send)

    def refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, dict[str, Any]] | None:
        """Status and body for a request that goes no further; None when it may."""
        length = headers.get(b"content-length", b"")
        if length and (not length.isdigit() or int(length) > self._most_body):
            return 413, {"detail": self.too_large()}
        asked = headers.get(b"x-qdeck-protocol")
        path = scope["path"]
        if asked is None or not path.startswith("/q/") or path.startswith(_ANY_PROTOCOL):
            return None
        if asked.isdigit() and int(asked) == self._protocol:
            return None
        shown = asked[:16].decode("latin-1")
        newer = asked.isdigit() and int(asked) > self._protocol
        advice = (
            "restart the engine with `qdeck engine restart` so that it is the installed release"
            if newer
            else f"install qdeck {self._version}, the engine's release"
        )
        return 426, {
            "detail": f"the client speaks protocol {shown} and this engine protocol {self._protocol}; {advice}",
            "protocol": self._protocol,
            "version": self._version,
        }

    def too_large(self) -> str:
        """What a caller with too large a body is told."""
        return f"The body is too large: at most {self._most_body} bytes are accepted"

    def finished(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        """Count and log one answer."""
        route = template_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._statistics.add(method, route, status, seconds)
        if route in _QUIET and status < 400:
            return
        caller = scope.get("state", {}).get("caller")
        _log.log(
            40 if status >= 500 else 20,
            "request",
            request_id=request_id,
            method=method,
            path=scope["path"][:512],
            status=status,
            ms=round(seconds * 1000, 2),
            caller=None if caller is None else caller.name,
            login=None if caller is None else caller.login_name,
            via=None if caller is None else caller.via,
        )

    def common_headers(self, scope: Scope, request_id: str) -> Iterable[tuple[bytes, bytes]]:
        """Headers of every answer."""
        yield b"x-request-id", request_id.encode()
        yield b"x-qdeck-protocol", str(self._protocol).encode()
        yield b"x-qdeck-version", self._version.encode()
        yield b"x-content-type-options", b"nosniff"
        yield b"cache-control", b"no-store"
        for name, value in scope.get("state", {}).get("headers", {}).items():
            yield name.lower().encode(), value.encode()

    @property
    def most_body(self) -> int:
        """Bytes a request's body may have."""
        return self._most_body


class _Passage:
    """One request on its way through the layer."""

    def __init__(self, layer: RequestLayer, scope: Scope, receive: Receive, send: Send) -> None:
        self._layer, self._scope, self._receive, self._send = layer, scope, receive, send
        self._headers = dict(scope.get("headers", ()))
        given = self._headers.get(b"x-request-id", b"")
        self._id = given.decode() if _REQUEST_ID.fullmatch(given) else uuid7()
        scope["state"] = {**scope.get("state", {}), "request_id": self._id}
        self._status = 0
        self._received = 0

    async def run(self) -> None:
        began = time.perf_counter()
        try:
            with structlog.contextvars.bound_contextvars(request_id=self._id):
                await self._answer()
        finally:
            # A client that went away before its answer began is counted as 499, as web servers do.
            self._layer.finished(self._scope, self._status or 499, time.perf_counter() - began, self._id)

    async def _answer(self) -> None:
        refused = self._layer.refusal(self._scope, self._headers)
        if refused is not None:
            await self._reply(*refused)
            return
        try:
            await self._layer.inner(self._scope, self._limited_receive, self._noted_send)
        except Exception:
            _log.exception("unforeseen error", path=self._scope["path"][:512], method=self._scope["method"])
            if self._status:
                raise  # the answer has begun: only breaking the connection can tell the client
            await self._reply(500, {"detail": "Internal server error", "request_id": self._id})

    async def _limited_receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            if self._received > self._layer.most_body:
                raise HTTPException(413, self._layer.too_large())
        return message

    async def _noted_send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            own = {name.lower() for name, _ in message.get("headers", ())}
            common = self._layer.common_headers(self._scope, self._id)
            message = {
                **message,
                "headers": [*message.get("headers", ()), *((n, v) for n, v in common if n not in own)],
            }
        await self._send(message)

    async def _reply(self, status: int, content: dict[str, Any]) -> None:
        body = dump(content)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self._noted_send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def template_of(scope: Scope) -> str:
    """The path of the route that answered, with its parameters' names; "none" when none did."""
    route = scope.get("route")
    return getattr(route, "path", None) or "none"
