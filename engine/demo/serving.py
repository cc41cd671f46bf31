"""A small HTTP/1.1 server on asyncio and h11.

Our own, because the demo cloud has to misbehave on purpose: hang, reset, or end in the middle of a body. A
framework's server would repair or refuse that.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

import h11

MAX_BODY = 16 * 1024 * 1024
CHUNK = 256 * 1024


@dataclass(slots=True)
class Request:
    """One call: path decoded, query as ordered pairs, header names in lower case."""

    method: str
    path: str
    target: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes = b""

    def first(self, name: str) -> str | None:
        """The first value of a query parameter, None when it was not sent."""
        return next((value for key, value in self.query if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]


@dataclass(slots=True)
class Response:
    """An answer; `wreck` says how the connection is to break: hang, reset or truncate."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    delay: float = 0.0
    wreck: str | None = None


Handler = Callable[[Request], Awaitable[Response]]
REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 300: "Multiple Choices", 302: "Found",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 409: "Conflict", 413: "Request Entity Too Large", 415: "Unsupported Media Type",
    429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


class HttpServer:
    """Serves one handler on a listening socket; open connections are dropped when it is closed."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start_tcp(self, host: str, port: int) -> int:
        """Listens on the address; returns the port (chosen by the system for 0). Raises OSError."""
        self._server = await asyncio.start_server(self._connected, host, port, backlog=512)
        return int(self._server.sockets[0].getsockname()[1])

    async def start_socket(self, listener: socket.socket) -> None:
        self._server = await asyncio.start_server(self._connected, sock=listener)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, h11.RemoteProtocolError, asyncio.IncompleteReadError, TimeoutError):
            pass  # The other side left or spoke no HTTP: there is nobody to tell.
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
        while True:
            request = await self._read(connection, reader)
            if request is None:
                return
            response = await self._handler(request)
            if response.delay:
                await asyncio.sleep(response.delay)
            if response.wreck == "hang":
                # Until the other side loses patience.
                await reader.read()
                return
            if not await self._answer(connection, writer, request, response):
                return
            if connection.our_state is h11.MUST_CLOSE:
                return
            connection.start_next_cycle()

    async def _read(self, connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
        request: Request | None = None
        parts: list[bytes] = []
        size = 0
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(CHUNK))
            elif isinstance(event, h11.Request):
                request = _request(event)
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > MAX_BODY:
                    return None
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                assert request is not None
                request.body = b"".join(parts)
                return request
            else:
                return None

    async def _answer(
        self, connection: h11.Connection, writer: asyncio.StreamWriter, request: Request, response: Response
    ) -> bool:
        """Writes the answer; False when the connection is not to be used again."""
        if response.wreck == "reset":
            # With a linger time of zero the kernel sends RST instead of closing in order.
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            writer.transport.abort()
            return False
        headers = [*response.headers]
        if response.status != 204:
            headers.append(("Content-Length", str(len(response.body))))
        reason = REASONS.get(response.status, "Unknown").encode()
        head = connection.send(h11.Response(status_code=response.status, reason=reason, headers=headers))
        writer.write(head or b"")
        body = b"" if request.method == "HEAD" or response.status == 204 else response.body
        if response.wreck == "truncate":
            writer.write(body[: len(body) // 2])
            await writer.drain()
            return False
        if body:
            writer.write(connection.send(h11.Data(data=body)) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()
        return True


def _request(event: h11.Request) -> Request:
    target = event.target.decode("latin-1")
    path, _, query = target.partition("?")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in event.headers}
    pairs = parse_qsl(query, keep_blank_values=True)
    return Request(event.method.decode("ascii"), unquote(path), target, pairs, headers)
