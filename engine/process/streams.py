"""The standard streams of a process in the background."""

from __future__ import annotations

import os
from pathlib import Path

CRASH_LOG = "crash.log"


def let_go(logs: Path) -> None:
    """Read nothing, write nothing, and keep last words (a crash of the interpreter) in `crash.log`.

    Whoever started the engine waits for the end of the pipes that these streams were.
    """
    null = os.open(os.devnull, os.O_RDWR)
    try:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        last_words = os.open(logs / CRASH_LOG, flags, 0o600)
    except OSError:
        last_words = os.dup(null)
    for source, target in ((null, 0), (null, 1), (last_words, 2)):
        os.dup2(source, target)
    os.close(null)
    os.close(last_words)
