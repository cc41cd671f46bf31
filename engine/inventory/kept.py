"""Answers that several screens ask for again and again, kept while nothing that they are made of has moved.

An answer is kept as the JSON that is sent. It is made anew when the version of its facts is another one, and after some
seconds anyhow, because "two days ago" moves by itself. Who asks while it is being made waits for it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from engine.access.models import Caller
from engine.api.answers import dump

MOST = 128
MOST_BYTES = 64 << 20
SECONDS = 15.0


@dataclass(slots=True)
class _Kept:
    """One answer: made of which version, when; the lock is held while it is made."""

    version: Hashable = None
    made: float = float("-inf")
    body: bytes | None = None
    making: threading.Lock = field(default_factory=threading.Lock)


class Kept:
    """See the module. Thread-safe."""

    def __init__(self, version: Callable[[], Hashable], *, clock: Callable[[], float] = time.monotonic) -> None:
        """`version` moves whenever an answer would be another one for a reason other than the time."""
        self._version = version
        self._clock = clock
        self._answers: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def json(self, answer: Callable[..., Any], caller: Caller, *given: Hashable) -> bytes:
        """`answer(caller, *given)` as JSON. Callers of one role and the same limits share it. Raises what it raises."""
        key = (answer.__qualname__, caller.role, caller.clouds, caller.projects, caller.domains, *given)
        with self._lock:
            kept = self._answers.setdefault(key, _Kept())
            self._answers.move_to_end(key)
            self._forget()
        with kept.making:
            version = self._version()
            if kept.body is None or kept.version != version or self._clock() - kept.made >= SECONDS:
                body = dump(answer(caller, *given))
                kept.version, kept.made, kept.body = version, self._clock(), body
            return kept.body

    def _forget(self) -> None:
        """Drop what was not asked for longest. Call with the lock held."""
        held = sum(len(one.body or b"") for one in self._answers.values())
        while len(self._answers) > 1 and (len(self._answers) > MOST or held > MOST_BYTES):
            _, gone = self._answers.popitem(last=False)
            held -= len(gone.body or b"")
