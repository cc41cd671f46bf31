"""Times as parameters of requests."""

from __future__ import annotations

from datetime import datetime

from engine.api.errors import BadRequest
from store import times


def instant(name: str, text: str | None) -> datetime | None:
    """The time that the parameter `name` gives, aware, in UTC; None for none. Raises BadRequest."""
    if text is None:
        return None
    try:
        return times.parse(text)
    except ValueError as error:
        raise BadRequest(f"Invalid parameter: {name}: {error}") from error
