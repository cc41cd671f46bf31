"""GET with patience: bounded parallelism per service, retries with jitter, Retry-After honoured, cancelled at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from engine.clouds import errors
from engine.clouds.errors import CloudError
from engine.clouds.session import Answer, CloudSession
from engine.inventory.pages import BadPage

T = TypeVar("T")

_LATER = (429, 503)  # the service says: not now
_AGAIN = (500, 502, 504)  # a worker died, a proxy lost its back end
_BROKE_OFF = ("unreachable", "refused")


class Cancelled(Exception):
    """The collection was cancelled."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try. Delays are in seconds; `after_cap` is the most that a Retry-After is believed."""

    attempts: int = 4
    timeouts: int = 1  # a call that hung is tried again this often: each costs a whole time-out
    base: float = 0.5
    cap: float = 20.0
    after_cap: float = 60.0

    def delay(self, attempt: int, asked: float | None) -> float:
        """Seconds to wait after failure number `attempt` (from 0): full jitter, never less than what the service asked
        for."""
        drawn = random.uniform(0, min(self.cap, self.base * 2**attempt))
        return drawn if asked is None else min(asked, self.after_cap) + drawn / 4


class Gate:
    """The door to one service of one region: at most `width` calls inside, and nobody enters while the service asked
    for peace."""

    def __init__(self, width: int) -> None:
        self._room = threading.BoundedSemaphore(width)
        self._lock = threading.Lock()
        self._closed_until = 0.0

    def hold(self, seconds: float) -> None:
        """Let nobody in for that long."""
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)

    def wait(self) -> float:
        """Seconds until the door opens."""
        with self._lock:
            return max(0.0, self._closed_until - time.monotonic())

    def pass_through(self, work: Callable[[], T], stop: threading.Event) -> T:
        """Do `work` inside; raises Cancelled when `stop` is set before it begins."""
        while True:
            sleep(self.wait(), stop)
            while not self._room.acquire(timeout=0.2):
                check(stop)
            if self.wait() <= 0:
                break
            self._room.release()
        try:
            check(stop)
            return work()
        finally:
            self._room.release()


class Caller:
    """Makes the calls of one account to one service. `stop` cancels."""

    def __init__(self, session: CloudSession, gate: Gate, patience: Patience, stop: threading.Event) -> None:
        self.session = session
        self._gate = gate
        self._patience = patience
        self.stop = stop
        self.calls = 0

    def get(self, url: str, headers: Mapping[str, str], what: str, read: Callable[[Answer], T]) -> T:
        """GET until it succeeds or patience ends; `read` makes the result and may raise BadPage, which is tried again
        too.

        Raises CloudError (with the sentence for `what`), BadPage, Cancelled.
        """
        attempt = hung = 0
        while True:
            asked: float | None = None
            try:
                self.calls += 1
                answer = self._gate.pass_through(lambda: self._call(url, headers), self.stop)
                if answer.status == 200:
                    return read(answer)
                failure: Exception = errors.of_status(answer.status, answer.body, what)
                if answer.status not in _LATER and answer.status not in _AGAIN:
                    raise failure
                asked = retry_after(answer.headers)
                if answer.status in _LATER:
                    self._gate.hold(min(asked or 0.0, self._patience.after_cap))
            except BadPage as error:
                failure = error
            except CloudError as error:
                check(self.stop)
                if error.kind == "timeout":
                    hung += 1
                    if hung > self._patience.timeouts:
                        raise
                elif error.kind not in _BROKE_OFF:
                    raise
                failure = error
            if attempt + 1 >= self._patience.attempts:
                raise failure
            sleep(self._patience.delay(attempt, asked), self.stop)
            attempt += 1

    def _call(self, url: str, headers: Mapping[str, str]) -> Answer:
        return self.session.get(url, headers=headers, cancelled=self.stop.is_set)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for (a number or a date); None without one that can be read."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(int(value)))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def check(stop: threading.Event) -> None:
    """Raise Cancelled when the collection was cancelled."""
    if stop.is_set():
        raise Cancelled


def sleep(seconds: float, stop: threading.Event) -> None:
    """Sleep, or raise Cancelled at once."""
    if (seconds > 0 and stop.wait(seconds)) or stop.is_set():
        raise Cancelled
