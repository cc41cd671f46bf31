"""The cloud's own time: it runs with the wall clock, can start in the past and be put forward, never back."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from datetime import datetime, timedelta

_EPOCH = datetime(1970, 1, 1)


def nova_time(seconds: float) -> str:
    """2026-02-08T09:00:00Z, as Nova, Neutron and Glance write it."""
    return (_EPOCH + timedelta(seconds=int(seconds))).isoformat() + "Z"


def micro_time(seconds: float) -> str:
    """2026-02-08T09:00:00.000000, as Cinder and Nova's extensions write it."""
    return (_EPOCH + timedelta(seconds=int(seconds))).isoformat() + ".000000"


def read_time(text: str) -> int | None:
    """Seconds of an ISO 8601 text, taken as UTC when it names no zone; None when it is none."""
    text = text.strip()
    # A plus sign that the caller didn't quote arrives as a space.
    if len(text) > 19 and text[-6] == " ":
        text = text[:-6] + "+" + text[-5:]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        offset = moment.utcoffset() or timedelta(0)
        moment = (moment - offset).replace(tzinfo=None)
    return int((moment - _EPOCH).total_seconds())


class Clock:
    """Virtual seconds since the epoch, and what is due at which of them."""

    def __init__(self, start: float, *, wall: Callable[[], float] = time.monotonic) -> None:
        self._start = start
        self._wall = wall
        self._began = wall()
        self._advanced = 0.0
        self.pace = 1.0  # how long a change takes, as a part of what it usually takes
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        return self._start + self._advanced + (self._wall() - self._began)

    def advance(self, seconds: float) -> None:
        """Puts the clock forward. Raises ValueError for a negative number."""
        if not 0 <= seconds <= 3660 * 86400:
            raise ValueError("the demo cloud's clock only goes forward, by at most ten years at once")
        self._advanced += seconds

    def after(self, seconds: float, action: Callable[[float], None], *, since: float | None = None) -> None:
        """Runs `action(its due time)` once the clock has passed `seconds` from now (or from `since`)."""
        due = (self.now() if since is None else since) + seconds
        heapq.heappush(self._due, (due, next(self._numbers), action))

    def takes(self, seconds: float, finish: Callable[[int], None], *, since: float | None = None) -> None:
        """Runs `finish(its time)` when a change that usually takes so many seconds is done."""
        self.after(seconds * self.pace, lambda due: finish(int(due)), since=since)

    def run_due(self) -> None:
        """Does everything that is due, in the order of its times, also what that makes due."""
        now = self.now()
        while self._due and self._due[0][0] <= now:
            due, _, action = heapq.heappop(self._due)
            action(due)
