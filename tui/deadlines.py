"""Times to come, in the operator's words and zone: "2h", "18:00", "tomorrow 9:00", "friday", RFC 3339."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from tui.times import DAYS, UNITS, TimeError

_LENGTH = re.compile(r"^(?:in )?(\d{1,6}(?:\.\d+)?)\s*(s|m|min|h|d|w)$")
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})$")


def parse(words: str, now: datetime) -> datetime:
    """The instant after `now` (aware) that the words name, in its zone: a clock time is its next occurrence, a weekday
    the next such day (9:00 unless a time follows). Raises TimeError, also for what is past.
    """
    text = " ".join(words.lower().split())
    try:
        moment = _read(text, words.strip(), now)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise TimeError(
            f'"{words:.60}" names no time to come; write for example 2h, 18:00, tomorrow 9:00, friday, 2026-11-24T14:00'
        )
    if moment <= now:
        raise TimeError(f'"{words:.60}" is past; write a time to come, for example 2h or tomorrow 9:00')
    return moment


def _read(text: str, written: str, now: datetime) -> datetime | None:
    length = _LENGTH.match(text)
    if length:
        return now + timedelta(seconds=float(length[1]) * UNITS[length[2]])
    if text[:4].isdigit() and "-" in text:
        moment = datetime.fromisoformat(written)
        return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    day, _, clock = text.partition(" ")
    if _CLOCK.match(day) and not clock:
        moment = datetime.combine(now.date(), _clock(day), now.tzinfo)
        return moment if moment > now else moment + timedelta(days=1)
    ahead = _days(day, now)
    if ahead is None:
        return None
    return datetime.combine(now.date() + timedelta(days=ahead), _clock(clock or "9:00"), now.tzinfo)


def _days(word: str, now: datetime) -> int | None:
    if word in ("today", "tomorrow"):
        return int(word == "tomorrow")
    matches = [number for number, name in enumerate(DAYS) if len(word) >= 3 and name.startswith(word)]
    return ((matches[0] - now.date().weekday()) % 7 or 7) if matches else None


def _clock(word: str) -> time:
    parts = _CLOCK.match(word)
    if not parts:
        raise ValueError(word)
    return time(int(parts[1]), int(parts[2]))
