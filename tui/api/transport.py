"""Connections to an engine, blocking and asynchronous; a server that may not serve there is refused before use."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.process.models import credentials
from tui.api.errors import ConnectionLost, EngineUnavailable
from tui.api.http import Answer, NotHttp, Reader
from tui.api.target import Target, check_server

if TYPE_CHECKING:
    import asyncio
    import ssl

_CONNECT_SECONDS = 10.0
_BLOCK = 256 * 1024


@contextmanager
def _broken(close: Callable[[], None], seconds: float) -> Iterator[None]:
    """Close a connection on which an exchange broke off, and raise ConnectionLost or EngineUnavailable for it.

    Also when it was cancelled: the answer to come would be taken for the next request's.
    """
    try:
        yield
    except TimeoutError as error:
        close()
        raise EngineUnavailable(f"the engine did not answer within {seconds:g} s") from error
    except OSError as error:
        close()
        raise ConnectionLost(error.strerror or "the connection broke", sent=True) from error
    except NotHttp as error:
        close()
        raise EngineUnavailable(f"what answers is no engine: {error}") from error
    except BaseException:
        close()
        raise


class Connection:
    """A blocking connection."""

    def __init__(self, target: Target) -> None:
        """Connect. Raises ConnectionLost (gone) when nobody listens, EngineUnavailable when it must not be used."""
        try:
            self._socket = _connect(target)
        except OSError as error:
            raise _explained(error, target) from error
        self._closed = False

    @property
    def is_stale(self) -> bool:
        """Whether the engine has closed it, or sent what nobody asked for."""
        return self._closed or bool(select.select([self._socket], [], [], 0)[0])

    def exchange(self, data: bytes, reader: Reader, seconds: float) -> Answer:
        """Send a request and wait for its answer. Raises ConnectionLost, EngineUnavailable (time-out)."""
        deadline = time.monotonic() + seconds
        with _broken(self.close, seconds):
            self._socket.settimeout(seconds)
            self._socket.sendall(data)
            while True:
                self._socket.settimeout(max(0.01, deadline - time.monotonic()))
                block = self._socket.recv(_BLOCK)
                answer = reader.feed(block) if block else reader.end()
                if answer is not None:
                    if not answer.keeps_open or not block:
                        self.close()
                    return answer
                if not block:
                    raise ConnectionLost("the engine closed the connection", sent=True)

    def close(self) -> None:
        """Close it; it may be closed twice."""
        self._closed = True
        self._socket.close()


class AsyncConnection:
    """An asynchronous connection; made by `open`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, target: Target) -> AsyncConnection:
        """Connect. Raises as Connection does."""
        import asyncio

        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                if target.socket is not None:
                    reader, writer = await asyncio.open_unix_connection(str(target.socket), limit=_BLOCK * 4)
                    try:
                        check_server(target, credentials(writer.get_extra_info("socket")).uid)
                    except BaseException:
                        writer.close()
                        raise
                else:
                    context = _tls() if target.tls else None
                    reader, writer = await asyncio.open_connection(target.host, target.port, ssl=context)
        except OSError as error:
            raise _explained(error, target) from error
        return cls(reader, writer)

    @property
    def is_stale(self) -> bool:
        """Whether the engine has closed it."""
        return self._reader.at_eof() or self._writer.is_closing() or self._reader.exception() is not None

    async def exchange(self, data: bytes, reader: Reader, seconds: float) -> Answer:
        """Send a request and wait for its answer. Raises as Connection does."""
        import asyncio

        with _broken(self.close, seconds):
            async with asyncio.timeout(seconds):
                self._writer.write(data)
                await self._writer.drain()
                while True:
                    block = await self._reader.read(_BLOCK)
                    answer = reader.feed(block) if block else reader.end()
                    if answer is not None:
                        if not answer.keeps_open or not block:
                            self.close()
                        return answer
                    if not block:
                        raise ConnectionLost("the engine closed the connection", sent=True)

    def close(self) -> None:
        """Close it; it may be closed twice."""
        self._writer.close()


def _connect(target: Target) -> socket.socket:
    if target.socket is None:
        plain = socket.create_connection((target.host, target.port), timeout=_CONNECT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _tls().wrap_socket(plain, server_hostname=target.host) if target.tls else plain
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(_CONNECT_SECONDS)
        made.connect(str(target.socket))
        check_server(target, credentials(made).uid)
    except BaseException:
        made.close()
        raise
    return made


def _tls() -> ssl.SSLContext:
    import os
    import ssl

    return ssl.create_default_context(cafile=os.environ.get("QDECK_CA") or None)


def _explained(error: OSError, target: Target) -> Exception:
    """What a failed connection means."""
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return ConnectionLost(f"no engine listens on {target.address}", gone=True)
    if isinstance(error, PermissionError):
        return EngineUnavailable(
            f"you may not use the engine at {target.address}; ask its administrator to add you to its group"
        )
    if type(error).__name__ == "SSLCertVerificationError":
        reason = getattr(error, "verify_message", "") or str(error)
        return EngineUnavailable(
            f"the certificate of {target.address} can't be trusted: {reason}; name its authority's file in QDECK_CA"
        )
    if isinstance(error, TimeoutError):
        return EngineUnavailable(f"{target.address} does not answer")
    return EngineUnavailable(f"the engine at {target.address} can't be reached: {error.strerror or error}")
