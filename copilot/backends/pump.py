"""Runs a maker's asynchronous client beside the thread that asks, so that it can be ended at any moment.

A blocked read of a socket cannot be interrupted from outside; a task can. So every request has a short-lived thread
with a loop of its own; closing, cancelling and time-outs all cancel the task, which closes the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

from copilot.backends.base import Cancel, Config, Event, Limits, Request
from copilot.backends.errors import BackendError, BrokenStream, Cancelled, TimedOut, found_in
from copilot.backends.wire import WHO

T = TypeVar("T")
Items = Callable[[], AsyncIterator[T | None]]
Translate = Callable[[BaseException], BackendError]


class _End:
    """The last thing in the inbox: how it ended."""

    def __init__(self, error: BackendError | None = None) -> None:
        self.error = error


def pump(items: Items[T], translate: Translate, cancel: Cancel, limits: Limits, who: str) -> Iterator[T]:
    """What `items` yields, in this thread. None stands for a sign of life: nothing to hand on, but no pause either.

    Raises Cancelled as soon as it is cancelled, TimedOut, and whatever `translate` makes of other exceptions.
    """
    if cancel.cancelled:
        raise Cancelled
    inbox: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
    worker = _Worker(items, translate, limits, who, inbox)

    def end() -> None:
        worker.stop()
        inbox.put(_End(Cancelled()))

    take_back = cancel.when(end)
    worker.start()
    try:
        while True:
            item = inbox.get()
            if cancel.cancelled:
                raise Cancelled
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        take_back()
        worker.stop()


class _Worker:
    """The thread of one request."""

    def __init__(
        self,
        items: Items[T],
        translate: Translate,
        limits: Limits,
        who: str,
        inbox: queue.SimpleQueue[T | _End],
    ) -> None:
        self._items, self._translate, self._limits, self._who = items, translate, limits, who
        self._inbox: queue.SimpleQueue[T | _End] = inbox
        self._lock = threading.Lock()
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="copilot-model", daemon=True).start()

    def stop(self) -> None:
        """Cancel the request, if it still runs."""
        with self._lock:
            self._stopped = True
            if self._loop is not None and self._task is not None and not self._loop.is_closed():
                with contextlib.suppress(RuntimeError):  # closed in between: nothing is left to stop
                    self._loop.call_soon_threadsafe(self._task.cancel)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
            self._inbox.put(_End())
        except asyncio.CancelledError:
            self._inbox.put(_End(Cancelled()))
        except BackendError as error:
            self._inbox.put(_End(error))
        except BaseException as error:
            self._inbox.put(_End(found_in(error) or self._translated(error)))

    def _translated(self, error: BaseException) -> BackendError:
        try:
            made = self._translate(error)
        except Exception:
            made = BrokenStream(f"{self._who} answers with something that cannot be understood.")
        made.__cause__ = None  # a client's exception holds the whole request, key included
        return made

    async def _main(self) -> None:
        with self._lock:
            if self._stopped:
                raise asyncio.CancelledError
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        begun = self._loop.time()
        end = begun + self._limits.total
        iterator = self._items()
        due, what = begun + self._limits.first, "did not begin to answer"
        try:
            while True:
                try:
                    async with asyncio.timeout_at(min(due, end)):
                        item = await anext(iterator, _END)
                except TimeoutError:
                    raise self._late(what, due < end) from None
                if item is _END:
                    return
                due, what = self._loop.time() + self._limits.between, "stopped in the middle of its answer"
                if item is not None:
                    self._inbox.put(item)  # type: ignore[arg-type]
        finally:
            with contextlib.suppress(Exception):
                await iterator.aclose()  # type: ignore[attr-defined]

    def _late(self, what: str, one_step: bool) -> TimedOut:
        if not one_step:
            return TimedOut(f"{self._who} did not finish within {self._limits.total:g} seconds.")
        limit = self._limits.first if what.startswith("did not") else self._limits.between
        return TimedOut(f"{self._who} {what} for {limit:g} seconds.")


_END = object()


class PumpedBackend(ABC):
    """A back end whose maker's client is asynchronous: it says what to ask and what an exception means."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @property
    def config(self) -> Config:
        return self._config

    def stream(self, request: Request, cancel: Cancel, limits: Limits) -> Iterator[Event]:
        return pump(lambda: self._events(request, limits), self._error, cancel, limits, WHO[self._config.backend])

    def models(self, cancel: Cancel, limits: Limits) -> tuple[str, ...]:
        return tuple(pump(lambda: self._names(limits), self._error, cancel, limits, WHO[self._config.backend]))

    @abstractmethod
    def _events(self, request: Request, limits: Limits) -> AsyncIterator[Event | None]:
        """One request's answer as it comes; None is a sign of life."""

    @abstractmethod
    def _names(self, limits: Limits) -> AsyncIterator[str | None]:
        """The models that the server has."""

    @abstractmethod
    def _error(self, error: BaseException) -> BackendError:
        """What an exception of the client means."""
