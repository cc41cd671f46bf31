"""What a running engine can be asked about itself, and told to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import structlog

from engine.process.models import VERSION
from engine.process.status import Status, now_text, write_new

_log = structlog.get_logger("qdeck.process")


class Store(Protocol):
    """A database that can be copied while it is in use."""

    def backup(self, target: Path) -> None:
        """Write a consistent copy to `target`."""


class BackupRefused(Exception):
    """The backup can't be made as asked; one clear sentence."""


class Control:
    """The engine's worker, for its own routes.

    status  what the parent said when it started this worker
    tell    sends one message to the parent: "stop" or "restart"
    record  writes an audit record (caller, action, target, detail, outcome); None before `attach`
    """

    def __init__(self, status: Status, tell: Callable[[str], None]) -> None:
        self._status = status
        self._tell = tell
        self._worker_started_at = now_text()
        self._describe: Callable[[], dict[str, Any]] = dict
        self._ops: Store | None = None
        self._estate: Store | None = None
        self.record: Callable[..., Any] | None = None

    def attach(
        self,
        ops: Store | None,
        estate: Store | None,
        describe: Callable[[], dict[str, Any]],
        record: Callable[..., Any] | None = None,
    ) -> None:
        """The parts to copy in a backup, who says what the services do (clouds, jobs, collecting), and the audit."""
        self._ops, self._estate, self._describe, self.record = ops, estate, describe, record

    def status(self) -> dict[str, Any]:
        """The engine: state, pid, worker_pid, version, protocol, home, socket, started_at, clouds, jobs, ..."""
        return {
            **self._status.as_dict(),
            "state": "running",
            "worker_pid": os.getpid(),
            "worker_started_at": self._worker_started_at,
            "clouds": [],
            "jobs": [],
            **self._describe(),
        }

    def stop(self) -> None:
        """End the engine once what runs has been answered."""
        self._tell("stop")

    def restart(self) -> None:
        """Replace the engine by a fresh one of the installed release; clients see a pause.

        Raises SettingsError when the configuration, as it is now, would keep it from starting.
        """
        from engine.settings import loading

        loading.load(loading.find(Path(self._status.home), only_home=self._status.demo))
        self._tell("restart")

    def backup(self, directory: Path) -> dict[str, Any]:
        """Copy both databases, ops first, into a new folder below `directory`; {"directory", "files", "bytes"}.

        Raises BackupRefused, OpsError, EstateError; what was copied by then is removed again.
        """
        if self._ops is None or self._estate is None:
            raise BackupRefused("this engine has no databases to copy")
        if not directory.is_absolute():
            raise BackupRefused(f"{directory} is not an absolute path")
        if not directory.is_dir():
            raise BackupRefused(f"{directory} is no folder on the engine's host; make it first")
        name = datetime.now(UTC).strftime("qdeck-%Y%m%dT%H%M%S%fZ")
        target, partial = directory / name, directory / f".{name}.partial"
        try:
            partial.mkdir(mode=0o700)
        except OSError as error:
            raise BackupRefused(f"{directory} can't be written: {error.strerror}") from error
        try:
            # Ops first: a job is never known to the estate only.
            self._ops.backup(partial / "ops.sqlite")
            self._estate.backup(partial / "estate.duckdb")
            about = {"version": VERSION, "made_at": now_text(), "home": self._status.home}
            write_new(partial / "backup.json", _json(about))
            files = sorted(partial.iterdir())
            size = sum(file.stat().st_size for file in files)
            partial.rename(target)
        except OSError as error:
            raise BackupRefused(f"{directory} can't be written: {error.strerror}") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        _log.info("backup made", directory=str(target), bytes=size)
        return {"directory": str(target), "files": [file.name for file in files], "bytes": size}


def _json(content: dict[str, Any]) -> bytes:
    import json

    return json.dumps(content, indent=2).encode()
