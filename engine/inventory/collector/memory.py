"""The interpreter while documents stream through it.

Documents are trees, freed by their reference counts alone: on 100,000 rows looking for cycles among them took 3 of 10 s
of CPU and found none. And a thread that reads a socket, or answers a person, wants the interpreter back after every
system call: 5 ms behind a thread that builds rows are long, 1 ms is not.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_RARELY = (200_000, 50, 100)
_lock = threading.Lock()
_users = 0
_before: tuple[tuple[int, int, int], float] = ((700, 10, 10), 0.005)
_TURN = 0.001  # seconds


@contextmanager
def streaming() -> Iterator[None]:
    """Set for a stream of documents inside the block; what was before comes back when the last user leaves."""
    global _users, _before
    with _lock:
        if _users == 0:
            _before = gc.get_threshold(), sys.getswitchinterval()
            gc.set_threshold(*_RARELY)
            sys.setswitchinterval(_TURN)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                gc.set_threshold(*_before[0])
                sys.setswitchinterval(_before[1])
