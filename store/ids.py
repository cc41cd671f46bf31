"""Our own ids: UUIDv7 text, which sorts in the order in which it was made."""

from __future__ import annotations

import os
import random
import threading
import time

_lock = threading.Lock()
_last = 0
# Ids must differ, not be secret: nobody may do anything because of knowing one. Asking the kernel for each of them
# would let another thread have the interpreter, in the middle of every request.
_chance = random.Random()
os.register_at_fork(after_in_child=_chance.seed)


def uuid7() -> str:
    """A new UUIDv7 (RFC 9562) as lower-case text; ids made by one process sort strictly in the order they were made.

    The 12 bits after the millisecond carry its fraction, and a clock that steps back does not make ids step back.
    """
    global _last
    now = time.time_ns()
    # 48 bits of milliseconds and 12 bits of sub-millisecond, as one number that only grows.
    stamp = (now // 1_000_000 << 12) | (now % 1_000_000 * 4096 // 1_000_000)
    with _lock:
        stamp = _last = max(stamp, _last + 1)
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | _chance.getrandbits(62)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
