"""Who is at the other end of a Unix socket, by the kernel's word."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.process.models import credentials

# The login uid of a process that no login started (services, many containers).
NO_LOGIN = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Peer:
    """A connected process. `login_uid` is the user that logged in to the host, also behind sudo; None when unknown."""

    uid: int
    pid: int
    login_uid: int | None

    def as_extension(self) -> dict[str, int | None]:
        """As it stands in an ASGI scope."""
        return {"uid": self.uid, "login_uid": self.login_uid, "pid": self.pid}


def read_login_uid(pid: int, uid: int) -> int | None:
    """The login uid of process `pid` if it still runs as `uid`; None when there is none or it can't be read.

    A process that ended may have left its number to another one: that one is believed only if it runs as the same user.
    """
    folder = Path(f"/proc/{pid}")
    try:
        login = int((folder / "loginuid").read_text())
        if folder.stat().st_uid != uid:
            return None
    except (OSError, ValueError):
        return None
    return None if login == NO_LOGIN else login


def peer_of(connection: socket.socket, login_uid: Callable[[int, int], int | None] = read_login_uid) -> Peer:
    """The process that connected. `login_uid(pid, uid)` is asked for the user behind it."""
    found = credentials(connection)
    return Peer(found.uid, found.pid, login_uid(found.pid, found.uid))
