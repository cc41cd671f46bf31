"""People go first: a collection steps aside while a page is being read for somebody.

Both need the interpreter, and a thread that builds rows gives it back only every few milliseconds; a page that is read
meanwhile asks for it a dozen times. So the collector looks here before each of its short pieces of work.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# The longest that one piece of a collection waits: as long as some pieces take, so that it always goes on.
STEP_ASIDE_SECONDS = 0.005

_lock = threading.Lock()
_nobody_waits = threading.Event()
_nobody_waits.set()
_answering = 0


@contextmanager
def answering() -> Iterator[None]:
    """Somebody waits for an answer inside the block. From any thread."""
    global _answering
    with _lock:
        _answering += 1
        _nobody_waits.clear()
    try:
        yield
    finally:
        with _lock:
            _answering -= 1
            if not _answering:
                _nobody_waits.set()


def step_aside(seconds: float = STEP_ASIDE_SECONDS) -> None:
    """Wait until nobody waits for an answer, at most so long."""
    _nobody_waits.wait(seconds)
