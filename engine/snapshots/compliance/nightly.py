"""What compliance does by itself: a day's record, brought up to date through the day, and the report of the night."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from engine.snapshots.compliance.report import Reports
from engine.snapshots.compliance.trend import Trend
from store.estate.errors import EstateError
from store.ops.errors import OpsError

if TYPE_CHECKING:
    from engine.settings.models import Reports as ReportSettings

EVERY = timedelta(hours=1)  # the last record of a day stands for its end, also when the engine is stopped before it
SECONDS = 60.0
_log = structlog.get_logger("qdeck.compliance")


class Nightly:
    """See the module. `tick` may be called at any time; `begin` has a thread of its own call it each minute."""

    def __init__(
        self, trend: Trend, reports: Reports, settings: Callable[[], ReportSettings], clock: Callable[[], datetime]
    ) -> None:
        self._trend, self._reports, self._settings, self._clock = trend, reports, settings, clock
        self.problem: str | None = None  # a sentence about what did not work last
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start."""
        self._thread = threading.Thread(target=self._run, name="compliance", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; what is being written is written whole."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10.0)

    def tick(self, now: datetime) -> None:
        """Do what is due now; a failure is told (`problem`) and tried again at the next call."""
        try:
            if self._record_due(now):
                self._trend.record(now)
            if self._report_due(now):
                self._reports.nightly(now)
        except (OpsError, EstateError) as error:
            self._failed(f"compliance was not recorded: {error}")
        except OSError as error:
            words = error.strerror or str(error)
            self._failed(f"the nightly compliance report could not be written to {self._reports.folder}: {words}")
        else:
            self.problem = None

    def _record_due(self, now: datetime) -> bool:
        last = self._trend.last(now)
        # The distance, either way: a clock that was set back must not stop the records.
        return last is None or abs(now - last) >= EVERY

    def _report_due(self, now: datetime) -> bool:
        settings = self._settings()
        if settings.keep_days == 0 or now.astimezone(UTC).hour < settings.hour:
            return False
        newest = self._reports.newest()
        return newest is None or newest < now.astimezone(UTC).date()

    def _failed(self, sentence: str) -> None:
        if sentence != self.problem:
            _log.error("compliance by night failed", reason=sentence)
        self.problem = sentence

    def _run(self) -> None:
        while not self._stop.wait(SECONDS):
            try:
                self.tick(self._clock())
            except Exception:
                # A thread that ended silently would leave a trend without an end.
                _log.exception("compliance by night failed")
