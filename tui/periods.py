"""Begin and end of something in the operator's words, as the engine takes them: RFC 3339 in UTC. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tui import deadlines, times
from tui.times import TimeError


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def beginning(words: str, now: datetime) -> datetime:
    """When something begins: what names a time to come is one; else a time that was ("1h ago"). Raises TimeError."""
    try:
        return deadlines.parse(words, now)
    except TimeError as error:
        try:
            return times.parse(words, now)
        except TimeError:
            raise error from None


def body_of(values: Mapping[str, Any], now: datetime) -> dict[str, Any] | str:
    """The values with `since` and `until` as the engine takes them, left out where they are empty or "now"; a sentence
    when they can't be read. `now` is in the operator's zone.
    """
    body = {name: value for name, value in values.items() if name not in ("since", "until")}
    try:
        if values.get("until"):
            body["until"] = stamp(deadlines.parse(str(values["until"]), now))
        if values.get("since") and str(values["since"]).strip().lower() != "now":
            body["since"] = stamp(beginning(str(values["since"]), now))
    except TimeError as error:
        return str(error)
    return body
