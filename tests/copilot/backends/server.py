"""A server on loopback that says exactly what a test wants said, byte by byte."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


class Stall:
    """Says nothing more until the client hangs up."""


class Cut:
    """Closes the connection without ending the answer."""


class Reset:
    """Closes the connection so that the client gets a reset."""


@dataclass
class Endless:
    """Says the same again and again until the client hangs up."""

    piece: bytes


Step = bytes | Stall | Cut | Reset | Endless


@dataclass
class Reply:
    """An answer: status, headers, then the body in steps, chunked."""

    steps: list[Any] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Script = Callable[[Asked], Reply | None]


class Server:
    """Answers each request with the next reply of the script, the last one for ever. None = not even a status."""

    def __init__(self, *replies: Reply | Script | None) -> None:
        self.replies = list(replies)
        self.asked: list[Asked] = []
        self.hung_up = threading.Event()  # a client closed its side while it was kept waiting
        self.waiting = threading.Event()  # an answer has come to a Stall
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept: nothing is accepted any more
        self._listener.close()
        for one in list(self._open):
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as lines:
                while (asked := _read(lines)) is not None:
                    self.asked.append(asked)
                    turn = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
                    reply = turn(asked) if callable(turn) else turn
                    if not self._say(connection, reply):
                        return
        except (OSError, ValueError):
            self.hung_up.set()
        finally:
            self._open.discard(connection)

    def _say(self, connection: socket.socket, reply: Reply | None) -> bool:
        """Whether the connection can go on being used."""
        if reply is None:
            self._stall(connection)
            return False
        head = {"transfer-encoding": "chunked", **reply.headers}
        lines = [f"HTTP/1.1 {reply.status} Said", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode())
        for step in reply.steps:
            if isinstance(step, Stall):
                self._stall(connection)
                return False
            if isinstance(step, Cut):
                return False
            if isinstance(step, Reset):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                return False
            if isinstance(step, Endless):
                while True:
                    connection.sendall(_chunk(step.piece))
            connection.sendall(_chunk(step))
        connection.sendall(b"0\r\n\r\n")
        return True

    def _stall(self, connection: socket.socket) -> None:
        self.waiting.set()
        select.select([connection], [], [], 30)
        self.hung_up.set()


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b""


def _read(lines: Any) -> Asked | None:
    first = lines.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := lines.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(first[0], first[1], headers, lines.read(int(headers.get("content-length", 0))))


@contextmanager
def serving(*replies: Reply | Script | None) -> Iterator[Server]:
    server = Server(*replies)
    try:
        yield server
    finally:
        server.close()
