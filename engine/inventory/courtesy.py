"""People go first: a collection steps aside while a page is being read for somebody.

Both need the interpreter, and a thread that builds rows gives it back only every few milliseconds; a page that is read
meanwhile asks for it a dozen times. So the collector looks here before each piece of its work, makes the pieces short
while somebody is here, and the interpreter changes threads more often then. It costs the collector a tenth of its CPU,
which nobody should pay at night. The thread that writes what was collected looks here too, before each statement.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# The longest that one piece of a collection waits. A piece takes 5 ms, so beside a crowd that never stops reading a
# collection takes up to five times as long; it always goes on.
STEP_ASIDE_SECONDS = 0.02
HERE_SECONDS = 5.0  # after the last answer: somebody who scrolls asks again soon
SHORT_TURN = 0.001  # seconds after which a thread that waits gets the interpreter, while somebody is here
SHORT_PIECE, LONG_PIECE = 100, 500  # rows that are worked on in one go

_lock = threading.Lock()
_nobody_waits = threading.Event()
_nobody_waits.set()
_answering = 0
_last_answer = -HERE_SECONDS  # monotonic time
_ordinary_turn = sys.getswitchinterval()


@contextmanager
def answering() -> Iterator[None]:
    """Somebody waits for an answer inside the block. From any thread."""
    global _answering, _last_answer
    with _lock:
        _answering += 1
        _nobody_waits.clear()
        sys.setswitchinterval(SHORT_TURN)
    try:
        yield
    finally:
        with _lock:
            _answering -= 1
            _last_answer = time.monotonic()
            if not _answering:
                _nobody_waits.set()


def step_aside(seconds: float = STEP_ASIDE_SECONDS) -> None:
    """Wait until nobody waits for an answer, at most so long."""
    _nobody_waits.wait(seconds)
    with _lock:
        if not _somebody_is_here():
            sys.setswitchinterval(_ordinary_turn)


def piece() -> int:
    """Rows that the collector may work on before it looks here again."""
    with _lock:
        return SHORT_PIECE if _somebody_is_here() else LONG_PIECE


def _somebody_is_here() -> bool:
    return bool(_answering) or time.monotonic() - _last_answer < HERE_SECONDS
