"""Drift follows the listings: one thread takes in what is not derived yet, soon after a listing ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from engine.drift.decisions import Decisions
from engine.drift.watching import watch_of
from store import times
from store.estate import drift
from store.estate.drift_models import Derived
from store.estate.errors import EstateError

if TYPE_CHECKING:
    from store.estate.estate import Estate

_log = structlog.get_logger("qdeck.drift")

TICK_SECONDS = 5.0  # listings that changed nothing are looked for so often
AGAIN_SECONDS = 30.0  # after an error
TIDY = timedelta(hours=6)
# Earlier history means that everything is derived anew, so while it arrives that is done seldom: after so many seconds,
# and so many times what it took.
SELDOM_SECONDS, SELDOM_TIMES = 20.0, 20.0
# Where a cloud is listed without a pause, several listings are taken in at once: it rests so many times what it took,
# and people who read meanwhile have the machine for themselves.
REST_TIMES = 4.0


class Deriver:
    """Derives drift. `begin` starts its thread; `take_in` does the work at once, on the caller's thread.

    moved    called when events are other than before, with what came of it
    holding  whether history is just being put behind: then it is derived seldom
    kept     how long history is kept, and with it events that people have accepted
    """

    def __init__(
        self,
        estate: Estate,
        decisions: Decisions,
        moved: Callable[[], Any],
        holding: Callable[[], bool] = lambda: False,
        *,
        kept: Callable[[], timedelta] = lambda: timedelta(days=90),
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        self._estate = estate
        self._decisions = decisions
        self._moved = moved
        self._holding = holding
        self._kept = kept
        self._tidied: datetime | None = None
        self._clock = clock
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._working = threading.Lock()
        self._not_before = self._rests_until = 0.0  # monotonic time; the first while history arrives
        self.seconds = 0.0  # that the last run with listings took
        self.problem = ""

    def begin(self) -> None:
        """Follow the listings from now on."""
        self._estate.on_change(lambda cloud, type, version: self._wake.set())
        self._thread = threading.Thread(target=self._run, name="drift", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; what is not derived yet is derived by the next engine."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def take_in(self) -> Derived:
        """Derive everything that is not derived yet. Raises EstateError."""
        with self._working:
            opened = resolved = listings = 0
            began = time.monotonic()
            with self._estate.reader() as connection:
                waiting = drift.pending(connection)
            for listed in waiting:
                if self._stop.is_set():
                    break
                done = self._one(listed)
                opened, resolved, listings = opened + done.opened, resolved + done.resolved, listings + done.listings
            found = Derived(opened, resolved, listings)
            if listings:
                self.seconds = time.monotonic() - began
            if found.moved:
                _log.info("drift", opened=opened, resolved=resolved, listings=listings, seconds=round(self.seconds, 3))
                self._moved()
            return found

    def _one(self, listed: drift.Listed) -> Derived:
        watch = watch_of(listed[2], self._decisions.switches())
        accepted = self._decisions.accepted() if watch is not None else ()
        return self._estate.write(lambda connection: drift.derive(connection, listed, watch, accepted)).result()

    def _run(self) -> None:
        told = self._clock()
        while not self._stop.is_set():
            pause = TICK_SECONDS
            try:
                if self._is_due():
                    found = self.take_in()
                    ended = time.monotonic()
                    self._not_before = ended + max(SELDOM_SECONDS, SELDOM_TIMES * self.seconds)
                    self._rests_until = ended + (REST_TIMES * self.seconds if found.listings else 0.0)
                    self.problem = ""
                rest = self._rests_until - time.monotonic()
                pause = min(rest, TICK_SECONDS) if rest > 0 else TICK_SECONDS
                told = self._ended(told)
                self._tidy()
            except EstateError as error:
                if self._stop.is_set():
                    return
                self.problem, pause = str(error), AGAIN_SECONDS
                _log.error("drift was not derived", reason=str(error))
            except Exception as error:
                if self._stop.is_set():
                    return
                self.problem, pause = f"an error of the engine itself ({type(error).__name__})", AGAIN_SECONDS
                _log.exception("drift was not derived")
            self._wake.wait(pause)
            self._wake.clear()

    def _is_due(self) -> bool:
        now = time.monotonic()
        return now >= self._rests_until and (now >= self._not_before or not self._holding())

    def _tidy(self) -> None:
        """Now and then: what people have accepted is not kept for ever."""
        now = self._clock()
        if self._tidied is not None and now - self._tidied < TIDY:
            return
        self._tidied, before = now, now - self._kept()
        ids = [id for id, at in self._decisions.accepted() if at < before]
        if ids and self._estate.write(lambda connection: drift.forget_accepted(connection, ids, before)).result():
            self._moved()

    def _ended(self, told: datetime) -> datetime:
        """What people decided may have ended since then: events are in another state without any listing."""
        now = self._clock()
        end = self._decisions.next_end(told)
        if end is not None and end <= now:
            self._moved()
        return now
