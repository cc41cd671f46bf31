"""Vocabulary that the engine's processes and its clients share. Standard library only: the client starts with it."""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

VERSION = "0.1.0"
# Of the `/q/` interface: raised whenever an older client or engine could misunderstand the other.
PROTOCOL = 1

SHARED_SOCKET = Path("/run/qdeck/engine.sock")
PEER = "qdeck.peer"  # key in an ASGI scope's extensions: {"uid", "login_uid", "pid"}, by the kernel's word

# sun_path holds 108 bytes; some systems less. A longer path goes to a folder of the user's own below /tmp.
MOST_SOCKET_BYTES = 100
_UCRED = struct.Struct("3i")


class Exit(IntEnum):
    """Exit codes of the engine's process; 10 and above are reasons that starting again does not cure."""

    OK = 0
    FAILED = 1
    USAGE = 2
    ALREADY_RUNNING = 10
    SOCKET_TAKEN = 11
    LOCKED = 12
    NEWER = 13
    CORRUPT = 14
    FOREIGN = 15
    DISK_FULL = 16
    READ_ONLY = 17
    NETWORK_HOME = 18
    CONFIGURATION = 19
    UNSAFE_HOME = 20
    ADDRESS_TAKEN = 21
    INSTALLATION = 22


@dataclass(frozen=True, slots=True)
class Home:
    """Where one engine keeps its state, and how its files are called.

    Socket, lock and status carry the host's name, so that a home seen from two hosts is never mistaken for one engine.
    """

    path: Path

    @classmethod
    def find(cls, demo: bool = False, env: Mapping[str, str] | None = None) -> Home:
        """`QDECK_HOME`, else `$XDG_DATA_HOME/qdeck`, else `~/.local/share/qdeck`; the demo's is `demo` below it."""
        env = os.environ if env is None else env
        if given := env.get("QDECK_HOME"):
            base = Path(given)
        elif data := env.get("XDG_DATA_HOME"):
            base = Path(data) / "qdeck"
        else:
            base = Path(env.get("HOME") or Path.home()) / ".local" / "share" / "qdeck"
        return cls(_absolute(base)).of(demo)

    @classmethod
    def at(cls, path: Path, demo: bool = False) -> Home:
        """The home at `path`, or its demo's."""
        return cls(_absolute(path)).of(demo)

    def of(self, demo: bool) -> Home:
        """This home, or its demo's."""
        return Home(self.path / "demo") if demo else self

    @property
    def estate(self) -> Path:
        """What was observed: DuckDB."""
        return self.path / "estate.duckdb"

    @property
    def ops(self) -> Path:
        """What was decided: SQLite."""
        return self.path / "ops.sqlite"

    @property
    def reserve(self) -> Path:
        """Space kept back for the records of what was begun."""
        return self.path / "ops.reserve"

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.path / "logs"

    @property
    def config(self) -> Path:
        """The configuration file that wins over the user's."""
        return self.path / "qdeck.toml"

    @property
    def lock(self) -> Path:
        """Locked by the engine as long as it lives."""
        return self.path / f"engine-{host_name()}.lock"

    @property
    def status(self) -> Path:
        """What the engine said last about itself, as JSON."""
        return self.path / f"engine-{host_name()}.json"

    @property
    def socket(self) -> Path:
        """The engine's socket: in the home, or in the fall-back folder when that path is too long."""
        beside = self.path / f"engine-{host_name()}.sock"
        if len(os.fsencode(beside)) <= MOST_SOCKET_BYTES:
            return beside
        import hashlib

        return fallback_folder() / f"{hashlib.blake2b(os.fsencode(beside), digest_size=12).hexdigest()}.sock"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Process, user and group that connected (for a server: that listens)."""

    pid: int
    uid: int
    gid: int


def credentials(connection: socket.socket) -> Credentials:
    """SO_PEERCRED of a connected Unix socket. Raises OSError for a socket of another kind."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, gid = _UCRED.unpack(data)
    # The kernel's ids are unsigned.
    return Credentials(pid, uid & 0xFFFFFFFF, gid & 0xFFFFFFFF)


def host_name() -> str:
    """The host's name as a part of file names, at most 24 characters."""
    name = os.uname().nodename.partition(".")[0]
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)[:24] or "host"


def fallback_folder() -> Path:
    """Where sockets with too long a path go. Never the runtime directory: it vanishes at logout."""
    return Path(f"/tmp/qdeck-{os.getuid()}")


def folder_fault(folder: Path) -> str | None:
    """Why sockets and databases in `folder` are not safe from other users; None when they are. It must exist."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return f"{folder} is not a folder"
    if found.st_uid not in (os.getuid(), 0):
        return f"{folder} belongs to user {found.st_uid}"
    # Others may write into a folder of root's only when nobody can replace another's files there.
    if found.st_mode & 0o022 and not (found.st_uid == 0 and found.st_mode & stat.S_ISVTX):
        return f"{folder} can be written by other users"
    return None


def _absolute(path: Path) -> Path:
    # Not resolve(): a link to the home keeps its name in messages.
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100
