"""A client without an engine behind a Unix socket, for consoles that are processes of their own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.tui.fake import FakeClient
from tui.api.errors import ApiError

SECONDS = 30.0  # the longest that an answer is held back


class Socketed(ThreadingMixIn, UnixStreamServer):
    """The server. Answers are held back where `hold` says so; all others come at once."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, path: Path, client: FakeClient) -> None:
        self.client = client
        self._held: dict[str, threading.Event] = {}
        self._told: tuple[str, ...] = ()  # paths that are told while all others are held back
        super().__init__(str(path), Handler)

    def hold(self, *paths: str) -> threading.Event:
        """Hold back the answers to these paths until the event is set."""
        event = threading.Event()
        self._held.update(dict.fromkeys(paths, event))
        return event

    def hold_all_but(self, *paths: str) -> None:
        """Hold back the answers to all other paths."""
        self._told = paths

    def wait(self, path: str) -> None:
        """Until an answer may be given."""
        event = self._held.get(path) or (threading.Event() if self._told and path not in self._told else None)
        if event is not None:
            event.wait(SECONDS)

    def handle_error(self, request: object, client_address: object) -> None:
        """A console that goes away in the middle of an answer is none."""


class Handler(BaseHTTPRequestHandler):
    """One request after the other."""

    protocol_version = "HTTP/1.1"
    server: Socketed

    def address_string(self) -> str:
        """Nobody's: a Unix socket has none."""
        return ""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is written."""

    def _answer(self) -> None:
        url = urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"null")
        params, status = dict(parse_qsl(url.query)), 200
        self.server.wait(url.path)
        client = self.server.client
        try:
            if url.path == "/q/changes":  # nothing ever changes
                threading.Event().wait(0 if params.get("wait") == "0" else SECONDS)
                found: Any = {"seq": 1, "hints": []}
            elif self.command == "GET":
                found = asyncio.run(client.get(url.path, params))
            else:
                found = asyncio.run((client.put if self.command == "PUT" else client.post)(url.path, body))
        except ApiError as error:
            status, found = error.status, {"error": {"message": str(error)}}
        data = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("x-qdeck-protocol", "1")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = _answer


@contextmanager
def serving(path: Path, client: FakeClient) -> Iterator[Socketed]:
    """The server on a socket at that path, in a thread."""
    with Socketed(path, client) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
