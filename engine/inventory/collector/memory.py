"""The interpreter while documents stream through it.

Documents are trees, freed by their reference counts alone: on 100,000 rows looking for cycles among them took 3 of 10 s
of CPU and found none.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_RARELY = (200_000, 50, 100)
_lock = threading.Lock()
_users = 0
_before = (700, 10, 10)


@contextmanager
def streaming() -> Iterator[None]:
    """Set for a stream of documents inside the block; what was before comes back when the last user leaves."""
    global _users, _before
    with _lock:
        if _users == 0:
            _before = gc.get_threshold()
            gc.set_threshold(*_RARELY)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                gc.set_threshold(*_before)
