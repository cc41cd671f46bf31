"""Which engine a client talks to: the rule of docs/architecture.md, and who may serve there."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.process.models import SHARED_SOCKET, Home
from tui.api.errors import EngineUnavailable

if TYPE_CHECKING:
    from tui.cli.options import GlobalOptions


@dataclass(frozen=True, slots=True)
class Target:
    """One engine's address.

    socket    path of its Unix socket; None over TCP
    host      name (and port, TLS) over TCP; token is sent with every request there
    home      of the engine that this client may start; None when somebody else looks after it
    servers   size of the demo estate when this client starts it; past: days of its history
    """

    socket: Path | None = None
    host: str = "qdeck"
    port: int = 0
    tls: bool = False
    token: str | None = None
    home: Home | None = None
    demo: bool = False
    shared: bool = False
    servers: int | None = None
    past: int | None = None

    @property
    def address(self) -> str:
        """As a person would write it."""
        if self.socket is not None:
            return str(self.socket)
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"


def find(options: GlobalOptions, env: Mapping[str, str] | None = None, shared: Path = SHARED_SOCKET) -> Target:
    """The engine that the options mean: `engine`, else the demo's, else a home given by hand, else the host's shared
    one when its group admits us, else the private one. Raises EngineUnavailable for an address that is none.
    """
    env = os.environ if env is None else env
    if options.engine:
        return _given(options.engine, env)
    home = Home.at(options.home, options.demo) if options.home else Home.find(options.demo, env)
    chosen = options.home is not None or bool(env.get("QDECK_HOME"))
    if not options.demo and not chosen and _admits(shared):
        return Target(socket=shared, shared=True)
    servers, past = (options.servers, options.past) if options.demo else (None, None)
    return Target(socket=home.socket, home=home, demo=options.demo, servers=servers, past=past)


def _given(address: str, env: Mapping[str, str]) -> Target:
    if "://" not in address:
        path = address.removeprefix("unix:")
        return Target(socket=Path(os.path.abspath(Path(path).expanduser())))  # noqa: PTH100
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise EngineUnavailable(f"{address} is no engine's address; write a socket's path or https://HOST:PORT")
    tls = parts.scheme == "https"
    if not tls and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise EngineUnavailable(f"{address} would send your token in clear over the network; use https://")
    token = env.get("QDECK_TOKEN") or None
    return Target(host=parts.hostname, port=port or (443 if tls else 80), tls=tls, token=token)


def _admits(path: Path) -> bool:
    """Whether a socket is there that this user may connect to."""
    try:
        return stat.S_ISSOCK(path.stat().st_mode) and os.access(path, os.R_OK | os.W_OK)
    except OSError:
        return False


def check_server(target: Target, uid: int) -> None:
    """Raise EngineUnavailable when the process that listens on the target's socket runs as a user who has no business
    there: then the socket was squatted, and what it answers is not to be believed.
    """
    assert target.socket is not None
    allowed = {os.getuid()}
    if target.home is None:
        allowed |= {0} | _owner(target.socket.parent)
    if uid not in allowed:
        raise EngineUnavailable(
            f"the socket {target.socket} is served by user {_name(uid)}, who may not: somebody has taken the engine's "
            "place; nothing was sent to it"
        )


def _owner(folder: Path) -> set[int]:
    """The owner of a folder that nobody else can write to: who put the socket there."""
    try:
        found = folder.stat()
    except OSError:
        return set()
    return set() if found.st_mode & 0o022 else {found.st_uid}


def _name(uid: int) -> str:
    import pwd

    try:
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    except KeyError:
        return str(uid)
