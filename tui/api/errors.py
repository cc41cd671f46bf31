"""What can go wrong between client and engine; `str()` of each is one clear sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class EngineUnavailable(Exception):
    """No engine answers. `code` is the engine's exit code when it could not start (engine.process.models.Exit)."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class ApiError(Exception):
    """The engine refused a request: HTTP `status`, and `detail` as it answered (a sentence, or a list of faults).

    fields  what else stood in the answer, for example the write gate's `code`
    """

    def __init__(self, status: int, detail: Any, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail if isinstance(detail, str) else f"the engine answered {status}")
        self.status = status
        self.detail = detail
        self.fields = dict(fields or {})


class ProtocolMismatch(Exception):
    """Client and engine are of releases that don't understand each other; the sentence says what to do."""


class ConnectionLost(Exception):
    """The connection broke. `gone`: nobody listens any more; `sent`: the request may have reached the engine."""

    def __init__(self, message: str, *, gone: bool = False, sent: bool = False) -> None:
        super().__init__(message)
        self.gone = gone
        self.sent = sent
