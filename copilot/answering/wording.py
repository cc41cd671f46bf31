"""How values are said: sizes in sensible units, ages in words, names without what would act on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from copilot.answers import Field
from store import times
from store.formulas import inert

MOST_NAME = 60  # characters of a name in a sentence
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")
_ROLES = {"size_bytes": 0, "size_mb": 2, "size_gb": 3}
_MEASURES = {"bytes": 0, "MB": 2, "GB": 3}
_SPANS = ((31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3600, "hour"), (60, "minute"))


def clean(text: str, most: int = MOST_NAME) -> str:
    """A name as part of a sentence: one line, nothing that acts or turns text around, cut at `most` characters."""
    shown = inert(" ".join(str(text).split()))
    return shown if len(shown) <= most else shown[: most - 1].rstrip() + "…"


def number(value: float) -> str:
    """1,234 or 3.75."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{int(value):,}"


def size(value: float, unit: str) -> str:
    """A size in "bytes", "MB" or "GB" in the largest unit of which it is one and more: 1.2 TB, 64 GB."""
    place, amount = _MEASURES[unit], float(value)
    while abs(amount) >= 1024 and place < len(_UNITS) - 1:
        amount, place = amount / 1024, place + 1
    return f"{round(amount, 1):,g} {_UNITS[place]}" if abs(amount) < 1_000_000 else f"{amount:,.0f} {_UNITS[place]}"


def measured(value: Any, unit: str) -> str:
    """A number with its unit."""
    if value is None:
        return "unknown"
    if unit in _MEASURES:
        return size(value, unit)
    return f"{number(value)}%" if unit == "%" else number(value)


def span(seconds: float) -> str:
    """A length of time in its largest whole unit: "3 days", "1 hour", "less than a minute"."""
    for length, word in _SPANS:
        count = int(seconds // length)
        if count:
            return f"{count} {word}{'s' if count != 1 else ''}"
    return "less than a minute"


def moment(text: str, now: datetime) -> str:
    """An instant seen from now: "3 days ago", "in 2 hours"."""
    seconds = (now - times.parse(text)).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def value(held: Any, field: Field, now: datetime) -> str:
    """A value as its column's role wants it said; "none" for nothing."""
    if held is None or held == "" or held == []:
        return "none"
    if isinstance(held, bool):
        return "yes" if held else "no"
    if isinstance(held, list):
        return listed([clean(str(item)) for item in held], len(held), most=5)
    if field.role in _ROLES and isinstance(held, int | float):
        return size(held, _UNITS[_ROLES[field.role]])
    if isinstance(held, int | float):
        return number(held) if field.role != "id" else str(held)
    if field.role == "time":
        return moment(held, now)
    return clean(str(held), 120)


def listed(names: Sequence[str], total: int, most: int = 5) -> str:
    """The first few: "a", "a and b", "a, b and 3 more"."""
    shown = list(names[:most])
    left = total - len(shown)
    if left > 0:
        return f"{', '.join(shown)} and {left:,} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
