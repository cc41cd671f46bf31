"""Earlier questions of a conversation, in memory: for "only the stopped ones" to know of what. Gone with the engine."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from copilot.answers import Turn

SECONDS = 15 * 60.0  # without a question, after which a conversation is over
TURNS = 8
MOST = 1000  # conversations; the one that was idle longest goes first
Name = tuple[str, str]  # (owner, conversation)


@dataclass(slots=True)
class _Kept:
    used: float
    turns: deque[Turn] = field(default_factory=lambda: deque(maxlen=TURNS))


class Conversations:
    """See the module. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Name, _Kept] = OrderedDict()

    def turns(self, name: Name) -> tuple[Turn, ...]:
        """Its questions, oldest first; () when it is over."""
        with self._lock:
            kept = self._kept.get(name)
            return () if kept is None or self._clock() - kept.used > SECONDS else tuple(kept.turns)

    def add(self, name: Name, turn: Turn) -> None:
        """A question was answered."""
        now = self._clock()
        with self._lock:
            kept = self._kept.pop(name, None)
            if kept is None or now - kept.used > SECONDS:
                kept = _Kept(now)
            kept.used = now
            kept.turns.append(turn)
            self._kept[name] = kept
            while len(self._kept) > MOST or now - next(iter(self._kept.values())).used > SECONDS:
                self._kept.popitem(last=False)

    def forget(self, owner: str) -> None:
        """All of a person's."""
        with self._lock:
            for name in [one for one in self._kept if one[0] == owner]:
                del self._kept[name]
