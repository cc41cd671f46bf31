"""Hints about what changed, for the clients' long poll: `GET /q/changes?since=SEQ&wait=25`.

Anybody publishes (the estate's writer thread does after each commit); waiting clients are answered at most four times a
second, because hints are released in batches a quarter of a second apart. Hints about the same thing replace each
other, so memory is bounded by the number of things; a client that was away too long is told to read everything again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

Hint = dict[str, Any]

RESYNC: Hint = {"topic": "resync"}
# Least seconds between two batches of what is only watched, never waited for: progress moves with every page read.
SLOW = {"collection": 1.0}
# Every waiting client puts off its answers by up to so long for each of the others, and by no more than the most: an
# answer costs the event loop about two milliseconds, and a crowd's would keep everybody's pages waiting.
SPREAD_SECONDS, MOST_SPREAD_SECONDS = 0.02, 1.0


class ChangeFeed:
    """The feed of one engine. `publish` from any thread; `wait` from any event loop.

    interval  least seconds between two batches
    capacity  most hints remembered; the oldest go first, and who has not seen them gets "resync"
    """

    def __init__(
        self,
        *,
        interval: float = 0.25,
        capacity: int = 1024,
        clock: Callable[[], float] = time.monotonic,
        first: int | None = None,
    ) -> None:
        self._interval = interval
        self._capacity = capacity
        self._clock = clock
        self._lock = threading.Lock()
        # Milliseconds of the start: numbers of an earlier engine are smaller, so its clients notice the change.
        self._seq = int(time.time() * 1000) if first is None else first
        self._floor = self._seq
        self._batches: dict[float, float] = {}  # pace -> when its newest batch goes out
        # key of the thing -> (seq, time of release, hint), oldest first
        self._hints: OrderedDict[tuple[Any, ...], tuple[int, float, Hint]] = OrderedDict()
        self._waiters: set[_Waiter] = set()
        self._closed = False
        self._also: list[Callable[[], object]] = []

    @property
    def seq(self) -> int:
        """Number of the newest hint."""
        return self._seq

    def publish(self, topic: str, **hint: Any) -> int:
        """Add a hint, replacing an older one about the same thing; returns its number.

        `version` and other numbers say how far a thing has come; every other field names the thing.
        """
        key = (topic, *sorted((k, str(v)) for k, v in hint.items() if not isinstance(v, int | float)))
        with self._lock:
            self._seq += 1
            self._hints.pop(key, None)
            self._hints[key] = (self._seq, self._release_time(topic), {"topic": topic, **hint})
            while len(self._hints) > self._capacity:
                _, (dropped, _, _) = self._hints.popitem(last=False)
                self._floor = dropped
            release = self._hints[key][1]
            waiters = [waiter for waiter in self._waiters if release < waiter.due]
            seq = self._seq
        for waiter in waiters:
            waiter.wake()
        return seq

    async def wait(self, since: int | None, timeout: float) -> dict[str, Any]:  # noqa: ASYNC109 (an empty answer, no error)
        """`{"seq", "hints"}` with the hints after `since`, as soon as there are any; empty after `timeout` seconds.

        `since` of another engine, or from before the oldest hint kept, is answered with the one hint "resync".
        Without `since` the answer comes at once and tells the number to begin with.
        """
        if since is None:
            return {"seq": self._seq, "hints": []}
        waiter = _Waiter()
        deadline = self._clock() + timeout
        with self._lock:
            late = random.random() * min(MOST_SPREAD_SECONDS, SPREAD_SECONDS * len(self._waiters))
            self._waiters.add(waiter)
        try:
            while True:
                with self._lock:
                    if not self._floor <= since <= self._seq:
                        return {"seq": self._seq, "hints": [RESYNC]}
                    due = self._due(since) + late
                    now = self._clock()
                    if due <= now:
                        return self._answer(since)
                    if now >= deadline or self._closed:
                        return {"seq": since, "hints": []}
                    waiter.due = due - late
                await waiter.sleep(min(due, deadline) - now)
        finally:
            with self._lock:
                self._waiters.discard(waiter)

    def close(self) -> None:
        """Answer everybody who waits, now and from now on: the engine is stopping."""
        with self._lock:
            self._closed = True
            waiters, also = list(self._waiters), list(self._also)
        for waiter in waiters:
            waiter.wake()
        for callback in also:
            callback()

    def on_close(self, callback: Callable[[], object]) -> None:
        """Call `callback()` with `close`, for others who hold requests back: it must not block."""
        with self._lock:
            self._also.append(callback)

    def _release_time(self, topic: str) -> float:
        """When a hint published now may go out: with the batch of its pace still to come, or with a new one."""
        pace = max(self._interval, SLOW.get(topic, 0.0))
        now, batch_at = self._clock(), self._batches.get(pace, float("-inf"))
        if batch_at < now:
            batch_at = self._batches[pace] = max(now, batch_at + pace)
        return batch_at

    def _due(self, since: int) -> float:
        """When the first hint after `since` may go out; infinity when there is none."""
        due = float("inf")
        for seq, release, _ in reversed(self._hints.values()):
            if seq <= since:
                break
            due = min(due, release)
        return due

    def _answer(self, since: int) -> dict[str, Any]:
        hints: list[Hint] = []
        for seq, _, hint in reversed(self._hints.values()):
            if seq <= since:
                break
            hints.append(hint)
        return {"seq": self._seq, "hints": hints[::-1]}


class _Waiter:
    """One client's wait, woken from any thread. `due`: when the hints it knows of go out; later ones change nothing."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self.due = float("inf")

    def wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # its loop has ended, and so has the client
            self._loop.call_soon_threadsafe(self._event.set)

    async def sleep(self, seconds: float) -> None:
        """Wait until woken, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
        self._event.clear()
