"""Health, figures and logs of the engine itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

from engine.access.service import AccessService
from engine.api.statistics import Statistics
from engine.monitoring import logs
from store import times
from store.ops.errors import OpsError

SERVICE = "pf9-mgmt-api"  # the documented name, which monitoring systems look for


class MonitoringService:
    """Figures of one engine.

    log_folder  where its log files lie
    checks      further parts to ask at `/health`: each returns None, or one sentence on what is wrong
    """

    def __init__(
        self,
        statistics: Statistics,
        access: AccessService,
        log_folder: Path,
        checks: tuple[Callable[[], str | None], ...] = (),
    ) -> None:
        self._access = access
        self._statistics = statistics
        self._log_folder = log_folder
        self._checks = checks
        statistics.gauge("qdeck_active_sessions", "Logins over TCP that are open.", access.tokens.active_sessions)

    def health(self) -> dict[str, Any]:
        """The documented answer; `degraded` with a reason when a part does not answer."""
        problems = [problem for check in (self._database, *self._checks) if (problem := check())]
        return {
            "status": "degraded" if problems else "ok",
            "service": SERVICE,
            "timestamp": times.text(times.utcnow().replace(microsecond=0)),
            "detail": "; ".join(problems) or None,
        }

    def metrics(self) -> dict[str, Any]:
        """The documented figures."""
        return {**self._statistics.summary(), "active_sessions": self._access.tokens.active_sessions()}

    def exposition(self) -> bytes:
        """The same and more, in Prometheus' text format."""
        return self._statistics.exposition()

    def logs(self, limit: int, level: str | None, source: str | None, log_file: str | None) -> dict[str, Any]:
        """The newest log entries and the names of the files there are. Raises BadRequest, NotFound."""
        found = logs.entries(self._log_folder, limit=limit, level=level, source=source, log_file=log_file)
        return {"total": len(found), "logs": found, "log_files": logs.files(self._log_folder)}

    def _database(self) -> str | None:
        try:
            with self._access.ops.read() as connection:
                connection.execute(text("SELECT 1"))
        except OpsError as error:
            return str(error)
        return None
