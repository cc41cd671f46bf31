"""The console's ears: connects to the engine, waits for its hints, and says when it stops and starts answering.

Everything is told by messages; nothing here touches a widget. An engine that doesn't answer is asked again for ever.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from textual.message import Message

from tui.faults import is_expected, is_offline, sentence
from tui.world import Client, World

WAIT = 25.0  # seconds of one long poll
FIRST_PAUSE, LONGEST_PAUSE = 0.15, 3.0  # seconds between attempts to reach the engine
REFRESH_GAP = 0.3  # seconds between two rounds of hints: at most about four a second


class Online(Message):
    """The engine answers: for the first time, or again."""

    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again = again


class Offline(Message):
    """The engine doesn't answer; `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class Hints(Message):
    """Something changed: topics, each with what else was said about it."""

    def __init__(self, hints: list[dict[str, Any]]) -> None:
        super().__init__()
        self.hints = hints


class Unexpected(Message):
    """An error that nobody expected."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class Watcher:
    """One task that connects and then follows `GET /q/changes`."""

    def __init__(
        self, world: World, connect: Callable[[], Awaitable[Client]], post: Callable[[Message], object]
    ) -> None:
        self._world, self._connect, self._post = world, connect, post
        self._seq: int | None = None

    async def run(self) -> None:
        """Watch until cancelled."""
        pause = FIRST_PAUSE
        was_online = True
        while True:
            try:
                if self._world.client is None:
                    self._world.connected(await self._connect())
                    self._post(Online(again=not was_online))
                    was_online = True
                answer = await self._next(was_online)
                if not was_online:
                    was_online = True
                    self._post(Online(again=True))
                pause = FIRST_PAUSE
                await self._tell(answer)
            except Exception as error:
                if not is_expected(error):
                    self._post(Unexpected(error))
                if is_offline(error) or self._world.client is None:
                    was_online = False
                    self._seq = None
                    self._post(Offline(sentence(error)))
                # Others wait as long as we do, so the pause is not the same for all.
                await asyncio.sleep(pause * random.uniform(0.7, 1.3))
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _next(self, was_online: bool) -> Any:
        assert self._world.client is not None
        if self._seq is None or not was_online:  # where are we? answered at once
            return await self._world.client.get("/q/changes", params={"wait": 0})
        return await self._world.client.get("/q/changes", params={"since": self._seq, "wait": WAIT})

    async def _tell(self, answer: Any) -> None:
        first = self._seq is None
        self._seq = int(answer["seq"])
        hints = [hint for hint in answer.get("hints") or [] if isinstance(hint, dict)]
        if hints and not first:
            self._post(Hints(hints))
            await asyncio.sleep(REFRESH_GAP)
