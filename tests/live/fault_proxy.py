"""A proxy between the collector and the lab that breaks chosen answers, as a bad day would.

It stands before all services at once: `http://127.0.0.1:PROXY/25000/v3` is Keystone
on port 25000. Addresses in answers (the catalog, links) are rewritten to lead back to
the proxy, so a client that signs in through it stays in it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import requests

How = Literal["status", "reset", "truncate"]

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "content-encoding", "keep-alive"}


@dataclass
class Fault:
    """What happens to `times` GETs (None: all) whose path and query match, from the (after + 1)th on."""

    pattern: re.Pattern[str]
    how: How
    after: int = 0
    status: int = 500
    times: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seen: int = 0

    def strikes(self, path: str) -> bool:
        """Count a matching request; whether this one is to be broken."""
        if not self.pattern.search(path):
            return False
        self.seen += 1
        return self.after < self.seen and (self.times is None or self.seen <= self.after + self.times)


class FaultProxy:
    """The running proxy. `page_limit` caps every `limit` parameter, as a cloud with small pages does."""

    def __init__(self) -> None:
        self.page_limit: int | None = None
        self.requests: list[str] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def through(self, url: str) -> str:
        """The address that leads through the proxy to a loopback address."""
        return re.sub(r"http://127\.0\.0\.1:(\d+)", rf"http://127.0.0.1:{self.port}/\1", url)

    @contextmanager
    def broken(
        self,
        pattern: str,
        how: How,
        *,
        after: int = 0,
        status: int = 500,
        times: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> Iterator[Fault]:
        """While in the block, GETs of matching paths are broken: after the first `after`, `times` of them or all."""
        fault = Fault(re.compile(pattern), how, after, status, times, headers or {})
        with self._lock:
            self._faults.append(fault)
        try:
            yield fault
        finally:
            with self._lock:
                self._faults.remove(fault)

    def fault_for(self, path: str) -> Fault | None:
        """The fault that strikes this GET, if any; every matching fault counts it."""
        with self._lock:
            self.requests.append(path)
            struck = [fault for fault in self._faults if fault.strikes(path)]
        return struck[0] if struck else None

    def capped(self, path: str) -> str:
        """The path with its `limit` lowered to `page_limit`."""
        if self.page_limit is None:
            return path
        limit = self.page_limit
        return re.sub(r"(?<=[?&]limit=)\d+", lambda found: str(min(int(found[0]), limit)), path)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                pass

            def _answer(self) -> None:
                forward(proxy, self)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _answer

        return Handler


def forward(proxy: FaultProxy, handler: BaseHTTPRequestHandler) -> None:
    """Pass one request on and its answer back, broken when a fault says so."""
    _, port, rest = [*handler.path.split("/", 2), ""][:3]
    path = f"/{rest}"
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    fault = proxy.fault_for(path) if handler.command == "GET" else None
    if fault and fault.how == "reset":
        handler.close_connection = True
        handler.connection.close()
        return
    if fault and fault.how == "status":
        headers = {"Content-Type": "application/json", **fault.headers}
        send(handler, fault.status, headers, b'{"error": {"message": "broken on purpose"}}')
        return
    headers = {key: value for key, value in handler.headers.items() if key.lower() not in HOP_BY_HOP | {"host"}}
    headers["Accept-Encoding"] = "identity"
    with requests.Session() as session:
        session.trust_env = False
        url = f"http://127.0.0.1:{port}{proxy.capped(path)}"
        answer = session.request(handler.command, url, data=body, headers=headers, timeout=60, allow_redirects=False)
    content = proxy.through(answer.text).encode() if answer.content else b""
    kept = {key: value for key, value in answer.headers.items() if key.lower() not in HOP_BY_HOP}
    send(handler, answer.status_code, kept, content, cut=bool(fault))


def send(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], content: bytes, cut: bool = False
) -> None:
    """Write an answer; `cut` ends the connection after half of the promised body."""
    handler.send_response(status)
    for key, value in headers.items():
        handler.send_header(key, value)
    if status not in (204, 304):
        handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content[: len(content) // 2] if cut else content)
    if cut:
        handler.wfile.flush()
        handler.close_connection = True
