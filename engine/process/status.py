"""The status file: what the parent said last, for clients that find nobody listening."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.process.models import PROTOCOL, VERSION, Home


def now_text() -> str:
    """The time as RFC 3339 with Z, in seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Status:
    """One engine as its parent sees it.

    state         starting, running, restarting, stopping, stopped, failed
    restarts      workers that died and were replaced
    last_failure  {"at", "message", "code"} of the last death or failed start
    """

    home: str
    socket: str
    demo: bool = False
    state: str = "starting"
    pid: int = field(default_factory=os.getpid)
    worker_pid: int | None = None
    version: str = VERSION
    protocol: int = PROTOCOL
    started_at: str = field(default_factory=now_text)
    restarts: int = 0
    last_failure: dict[str, Any] | None = None

    def failed(self, message: str, code: int) -> None:
        """Remember a failure."""
        self.last_failure = {"at": now_text(), "message": message, "code": code}

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def write(self, home: Home) -> bool:
        """Replace the status file whole; False when that was not possible (a full disk)."""
        partial = home.status.with_name(f"{home.status.name}.partial")
        try:
            write_new(partial, json.dumps(self.as_dict()).encode())
            partial.replace(home.status)
        except OSError:
            return False
        return True


def write_new(path: Path, data: bytes) -> None:
    """Write a file of the owner's alone that replaces what was there."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
