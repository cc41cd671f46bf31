"""HTTP on the engine's Unix socket: each connection is asked who it is before its first byte counts."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.process.models import PEER
from engine.process.peers import Peer, peer_of

_REFUSED_SECONDS = 5.0  # a stranger that asks nothing is not kept longer


def socket_protocol(
    *, shared: bool, identify: Callable[[Any], Peer] = peer_of, owner: int | None = None
) -> type[H11Protocol]:
    """A protocol class for uvicorn.

    shared    False: only `owner` (default: this process's user) is answered, everybody else gets 403 and is cut off
    identify  tells the peer of a socket
    """
    own = os.getuid() if owner is None else owner

    class SocketProtocol(H11Protocol):
        """HTTP/1.1 that knows its peer and puts it into `scope["extensions"]["qdeck.peer"]`."""

        refusal: bytes | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(cast(asyncio.Transport, Together(transport)))
            try:
                peer = identify(transport.get_extra_info("socket"))
            except OSError:
                self.refuse("the engine can't tell who is asking")
                return
            if not shared and peer.uid != own:
                self.refuse(f"this engine belongs to user {_name(own)} and answers nobody else")
                return
            application, extension = self.app, peer.as_extension()

            async def known(scope: Any, receive: Any, send: Any) -> None:
                scope.setdefault("extensions", {})[PEER] = extension
                await application(scope, receive, send)

            self.app = cast(Any, known)

        def refuse(self, reason: str) -> None:
            """Answer whatever comes with 403, then close."""
            body = json.dumps({"detail": reason}).encode()
            self.refusal = (
                b"HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\nconnection: close\r\n"
                b"content-length: %d\r\n\r\n%b" % (len(body), body)
            )
            self.loop.call_later(_REFUSED_SECONDS, self.transport.abort)

        def data_received(self, data: bytes) -> None:
            if self.refusal is None:
                super().data_received(data)
            elif not self.transport.is_closing():
                self.transport.write(self.refusal)
                self.transport.close()

    return SocketProtocol


class Together:
    """A transport that sends an answer's head with the beginning of its body.

    uvicorn writes them one after the other, and whoever hands bytes to the kernel lets another thread have the
    interpreter: while a cloud is collected, each such time costs a millisecond.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def write(self, data: bytes) -> None:
        """Send, or keep what is the head of a final answer until the next bytes come."""
        if not self._head and data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 1"):
            self._head = bytes(data)
            return
        head, self._head = self._head, b""
        self._transport.write(head + data if head else data)

    def close(self) -> None:
        """Send what was kept, and close."""
        if self._head:
            self.write(b"")
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
