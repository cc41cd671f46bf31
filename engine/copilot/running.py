"""Questions that were asked a moment ago, and those that a language model is still at: read as the answer arrives."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.access.models import Caller
from engine.api.errors import NotFound
from store.ids import uuid7

Item = dict[str, Any]
MOST_AT_ONCE = 4  # that a model is asked
KEPT_SECONDS = 300.0  # that an answer can be read again
MOST_KEPT = 200
MOST_CHARACTERS = 100_000  # of one answer
CLOSE_SECONDS = 3.0


class Cancelling(Protocol):
    """How a model is told to stop."""

    def cancel(self) -> None:
        """End it at once; from any thread."""


@dataclass(slots=True)
class Running:
    """One question. Read and written with its lock held; `tell` wakes those who wait."""

    id: str
    owner: str
    answer: Item | None
    done: bool
    at: float
    text: str = ""
    tool: str = ""
    cancel: Cancelling | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiters: set[Callable[[], None]] = field(default_factory=set)

    def say(self, piece: str) -> None:
        """More of the model's answer."""
        with self.lock:
            self.text = (self.text + piece)[:MOST_CHARACTERS]
        self._wake()

    def doing(self, words: str) -> None:
        """What the model does now."""
        with self.lock:
            self.tool = words
        self._wake()

    def finish(self, answer: Item) -> None:
        """It is over, with this answer; only the first end counts."""
        with self.lock:
            if not self.done:
                self.answer, self.done, self.tool, self.at = answer, True, "", time.monotonic()
        self._wake()

    def told(self, offset: int) -> Item:
        """A Questioned, with the text from `offset` on."""
        with self.lock:
            return {
                "id": self.id,
                "state": "done" if self.done else "running",
                "offset": len(self.text),
                "text": self.text[offset:],
                "tool": self.tool,
                "answer": self.answer,
            }

    async def wait(self, offset: int, seconds: float) -> None:
        """Until there is text beyond `offset`, the model begins to do something else, it is over, or so long."""
        tool = self.tool
        await self._until(lambda: self.done or len(self.text) > offset or self.tool != tool, seconds)

    async def ended(self) -> None:
        """Until it is over: the model has a time limit of its own."""
        while not self.done:
            await self._until(lambda: self.done, 60.0)

    async def _until(self, reached: Callable[[], bool], seconds: float) -> None:
        loop, event = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # its loop has ended, and so has the client
                loop.call_soon_threadsafe(event.set)

        deadline = time.monotonic() + seconds
        with self.lock:
            self.waiters.add(wake)
        try:
            while not reached() and (left := deadline - time.monotonic()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), left)
                event.clear()
        finally:
            with self.lock:
                self.waiters.discard(wake)

    def _wake(self) -> None:
        with self.lock:
            waiters = list(self.waiters)
        for wake in waiters:
            wake()


class Questions:
    """See the module. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Running] = OrderedDict()
        self._threads: dict[str, threading.Thread] = {}
        self._closed = False

    def done(self, caller: Caller, answer: Item) -> Running:
        """Keep a question that is answered."""
        return self._keep(Running(uuid7(), caller.owner, answer, True, time.monotonic()))

    def begin(
        self, caller: Caller, answer: Item, cancel: Cancelling, work: Callable[[Running], Item]
    ) -> Running | None:
        """Do `work` on a thread of its own, whose result is the final answer; `answer` is what is told until then.

        None when as many as may are running. `work` raises nothing.
        """
        running = Running(uuid7(), caller.owner, answer, False, time.monotonic(), cancel=cancel)

        def run() -> None:
            try:
                running.finish(work(running))
            finally:
                running.finish(answer)
                with self._lock:
                    self._threads.pop(running.id, None)

        thread = threading.Thread(target=run, name="copilot-model", daemon=True)
        with self._lock:
            if self._closed or len(self._threads) >= MOST_AT_ONCE:
                return None
            self._threads[running.id] = thread
        self._keep(running)
        thread.start()
        return running

    def one(self, caller: Caller, id: str) -> Running:
        """A question of the caller's. Raises NotFound, also for somebody else's."""
        with self._lock:
            running = self._kept.get(id)
        if running is None or running.owner != caller.owner:
            raise NotFound("there is no such question, or it was asked too long ago: ask it again")
        return running

    def cancel(self, caller: Caller, id: str) -> Running:
        """Ask the model no further: the answer that there is stands. Raises NotFound."""
        running = self.one(caller, id)
        self._end(running)
        return running

    def release(self) -> None:
        """Cancel all and answer who waits; no model is asked any more."""
        with self._lock:
            self._closed = True
            kept = list(self._kept.values())
        for running in kept:
            self._end(running)

    def close(self) -> None:
        """The same, and give their threads a moment."""
        self.release()
        with self._lock:
            threads = list(self._threads.values())
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _end(self, running: Running) -> None:
        if not running.done:
            if running.cancel is not None:
                running.cancel.cancel()
            if running.answer is not None:
                running.finish(running.answer | {"fallback_reason": "it was cancelled"})

    def _keep(self, running: Running) -> Running:
        now = time.monotonic()
        with self._lock:
            self._kept[running.id] = running
            for id, one in list(self._kept.items()):
                late = len(self._kept) > MOST_KEPT or now - one.at > KEPT_SECONDS
                if late and one.done:
                    del self._kept[id]
        return running
