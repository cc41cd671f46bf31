"""What went wrong, as one sentence for the screen and, when nobody expected it, as a record in the log."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

LARGEST_LOG = 1_000_000  # bytes; then one older file is kept beside it


def sentence(error: BaseException) -> str:
    """One clear sentence about an error of the engine's client."""
    from tui.api.client import ApiError

    if isinstance(error, ApiError):
        return detail(error.detail) or f"the engine answered {error.status}"
    return str(error) or type(error).__name__


def detail(value: Any) -> str:
    """The sentence in an API error's `detail`: a text, or the validator's list of faults."""
    if isinstance(value, list):
        return "; ".join(str(item.get("msg", item)) if isinstance(item, dict) else str(item) for item in value)
    return str(value)


def is_expected(error: BaseException) -> bool:
    """Whether the error is one that clients are told about: engine away, request refused, other version."""
    from tui.api.client import ApiError, EngineUnavailable, ProtocolMismatch
    from tui.table.source import BadAnswer

    return isinstance(error, ApiError | EngineUnavailable | ProtocolMismatch | BadAnswer)


def is_offline(error: BaseException) -> bool:
    """Whether the engine doesn't answer at all."""
    from tui.api.client import EngineUnavailable

    return isinstance(error, EngineUnavailable)


def record(error: BaseException, logs: Path | None) -> str:
    """Write an unexpected error with its traceback to `console.log` in `logs`; returns the sentence for the screen."""
    import traceback

    text = f"{type(error).__name__}: {error}".split("\n")[0][:120]
    if logs is None:
        return f"the console met an error it didn't expect: {text}"
    path = logs / "console.log"
    try:
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        entry = "".join(traceback.format_exception(error))
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{stamp} pid {os.getpid()}\n{entry}\n")
    except OSError as problem:
        return f"the console met an error it didn't expect: {text} (not logged: {problem.strerror})"
    return f"the console met an error it didn't expect: {text} (details in {path})"
