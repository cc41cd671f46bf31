"""Other users of the host, played by forked children of root that change their ids: nothing needs to exist for that."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

STRANGER, OTHER, SQUATTER = 64001, 64002, 64003

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root to become other users")


def fork() -> int:
    """os.fork, without the warning about threads: the child only makes system calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def become(uid: int, gid: int | None = None, groups: tuple[int, ...] = ()) -> None:
    """Give up root for another user, for good."""
    os.setgroups(list(groups))
    os.setgid(uid if gid is None else gid)
    os.setuid(uid)


def as_user(work: Callable[[], Any], uid: int, gid: int | None = None, groups: tuple[int, ...] = ()) -> Any:
    """What `work` returns when that user runs it; an exception comes back as its text."""
    reader, writer = os.pipe()
    pid = fork()
    if pid == 0:
        try:
            os.close(reader)
            become(uid, gid, groups)
            result = {"value": work()}
        except BaseException as error:
            result = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(OSError):
            os.write(writer, json.dumps(result).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    found = json.loads(data)
    return found["value"] if "value" in found else found["error"]


def ask(path: Path, target: str = "/who", method: str = "GET") -> tuple[int, Any]:
    """Status and JSON of one request, over a plain socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(f"{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        data = b""
        while block := connection.recv(65536):
            data += block
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@contextlib.contextmanager
def squatter(path: Path, uid: int = SQUATTER) -> Iterator[Callable[[], bytes]]:
    """Another user listens at `path`; yields a function that says which bytes reached him."""
    owner = path.parent.stat()
    path.parent.parent.chmod(0o711)
    os.chown(path.parent, uid, uid)
    listening, ready = os.pipe()
    heard, hears = os.pipe()
    pid = fork()
    if pid == 0:
        try:
            become(uid)
            server = socket.socket(socket.AF_UNIX)
            server.bind(str(path))
            path.chmod(0o777)
            server.listen(8)
            os.write(ready, b"!")
            while True:
                connection, _ = server.accept()
                connection.settimeout(1)
                with contextlib.suppress(OSError):
                    data = connection.recv(65536)
                    os.write(hears, data)
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                connection.close()
        finally:
            os._exit(1)
    os.close(ready)
    os.close(hears)
    assert os.read(listening, 1) == b"!"
    os.chown(path.parent, owner.st_uid, owner.st_gid)

    def received() -> bytes:
        os.kill(pid, 15)
        os.waitpid(pid, 0)
        data = b""
        while block := os.read(heard, 65536):
            data += block
        return data

    try:
        yield received
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        os.close(listening)
        os.close(heard)
