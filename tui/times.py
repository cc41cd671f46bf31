"""Time words of the operator, in the operator's zone: "14:00", "yesterday 14:00", "2h ago", "tuesday 9:30", RFC 3339.

All functions take `now` (aware, in the operator's zone) and give aware instants; nothing reads a clock here.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_AGO = re.compile(r"^(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w|seconds?|minutes?|hours?|days?|weeks?)(?:\s+ago)?$")
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2}))?$")


class TimeError(ValueError):
    """The words name no time; the message says what would."""


def parse(words: str, now: datetime) -> datetime:
    """The instant that the words name, aware, in the zone of `now`.

    A clock time alone is its last occurrence, a weekday is the last such day before today. Raises TimeError.
    """
    text = " ".join(words.lower().split())
    if text == "now":
        return now
    try:
        ago = _AGO.match(text)
        if ago:
            return now - timedelta(seconds=float(ago[1]) * UNITS[_unit(ago[2])])
        if text[:4].isdigit() and "-" in text:
            return _absolute(words.strip(), now)
        return _by_day(text, now)
    except (OverflowError, ValueError) as error:
        if isinstance(error, TimeError):
            raise
        raise _unknown(words) from None


def _unknown(words: str) -> TimeError:
    return TimeError(
        f'"{words}" names no time; write for example 14:00, yesterday 14:00, tuesday 9:30, 2h ago or 2026-11-24T14:00'
    )


def _unit(word: str) -> str:
    return word if word in UNITS else word[0]


def _absolute(text: str, now: datetime) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def _by_day(text: str, now: datetime) -> datetime:
    day_word, _, clock_word = text.partition(" ")
    if _CLOCK.match(day_word) and not clock_word:
        moment = datetime.combine(now.date(), _clock(day_word), now.tzinfo)
        return moment if moment <= now else moment - timedelta(days=1)
    day = _day(day_word, now.date())
    return datetime.combine(day, _clock(clock_word or "0:00"), now.tzinfo)


def _day(word: str, today: date) -> date:
    if word in ("today", "yesterday"):
        return today - timedelta(days=word == "yesterday")
    matches = [number for number, name in enumerate(DAYS) if len(word) >= 3 and name.startswith(word)]
    if not matches:
        raise _unknown(word)
    return today - timedelta(days=(today.weekday() - matches[0]) % 7 or 7)


def _clock(word: str) -> time:
    parts = _CLOCK.match(word)
    if not parts:
        raise _unknown(word)
    return time(int(parts[1]), int(parts[2]), int(parts[3] or 0))


def age(seconds: float) -> str:
    """A length of time in at most four characters: 42s, 3m, 2h, 5d, 17w, 3y; negative lengths are "0s"."""
    seconds = max(0, int(seconds))
    for limit, unit, size in (
        (60, "s", 1),
        (3600, "m", 60),
        (86400, "h", 3600),
        (86400 * 100, "d", 86400),
        (86400 * 730, "w", 604800),
    ):
        if seconds < limit:
            return f"{seconds // size}{unit}"
    return f"{seconds // (86400 * 365)}y"
