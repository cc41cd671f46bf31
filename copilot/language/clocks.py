"""Times of day as people write them: "9:00", "9 am", "9.30pm", "21:15 UTC", "half past nine", "noon", "0900h"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from copilot.language.civil import Civil, Span
from copilot.language.phrases import number, word
from copilot.language.pieces import NUMBER_WORDS
from copilot.language.timewords import said
from copilot.reading import Token

_WRITTEN = re.compile(r"(\d\d?):(\d\d)(?::(\d\d))?(?:([ap])m)?(z|\+\d\d:?(?:\d\d)?)?")
_POINTED = re.compile(r"(\d\d?)\.([0-5]\d)")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")
_UTC = frozenset({"utc", "gmt", "z", "zulu"})
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day. `either`: it may be in the morning or in the afternoon ("at 9"); `zone` when one was said."""

    hour: int
    minute: int = 0
    second: int = 0
    either: bool = False
    zone: tzinfo | None = None

    def within(self, span: Span, civil: Civil) -> datetime:
        """When it is that time in the span: in the afternoon only where the morning does not lie in it.

        A time that does not come in the span at all is meant on the span's first day.
        """
        day = civil.local(span.start).date()
        for hour in (self.hour, self.hour + 12) if self.either and self.hour <= 12 else (self.hour,):
            for later in range(3):
                moment = civil.at(day + later * _DAY, hour, self.minute, self.second, self.zone)
                if span.start <= moment < span.end:
                    return moment
        return civil.at(day, self.hour, self.minute, self.second, self.zone)

    def following(self, start: datetime, civil: Civil) -> datetime:
        """When it is that time next, from the start on; an hour alone in whichever half of the day comes first."""
        day = civil.local(start).date()
        hours = (self.hour, self.hour + 12) if self.either else (self.hour,)
        moments = (civil.at(day + n * _DAY, h, self.minute, self.second, self.zone) for n in range(3) for h in hours)
        return min(moment for moment in moments if moment >= start)

    def last(self, civil: Civil) -> datetime:
        """When it was that time last before the limit; looking ahead, when it will be next."""
        day = civil.local(civil.limit).date()
        moments = [civil.at(day + n * _DAY, self.hour, self.minute, self.second, self.zone) for n in (2, 1, 0, -1, -2)]
        if civil.ahead:
            return min(moment for moment in moments if moment > civil.now)
        return max(moment for moment in moments if moment <= civil.limit)


def clock(tokens: Sequence[Token], i: int, *, bare: bool = False) -> tuple[Clock, int] | None:
    """A time of day at i, with its zone, and where it ends; `bare`: also an hour alone ("at 9")."""
    found = _clock(tokens, i, bare)
    if found is None or not (found[0].hour < 24 or (found[0].hour == 24 and not found[0].minute)):
        return None
    one, k = found
    if one.minute > 59 or one.second > 59:
        return None
    k += word(tokens, k) in ("sharp", "o'clock", "oclock")
    if one.zone is None and word(tokens, k) in _UTC:
        return Clock(one.hour, one.minute, one.second, False, UTC), k + 1
    if word(tokens, k) == "local":
        k += 1 + (word(tokens, k + 1) == "time")
    return one, k


def _clock(tokens: Sequence[Token], i: int, bare: bool) -> tuple[Clock, int] | None:
    first = said(tokens, i)
    if first in ("noon", "midnight"):
        return Clock(12 if first == "noon" else 0), i + 1
    if i < len(tokens) and tokens[i].kind == "name":
        return _written(tokens, i)
    if (found := _past(tokens, i)) is not None:
        return found
    value = number(tokens, i)
    if value is None:
        value = NUMBER_WORDS.get(first)
    if value is None or value < 0:
        return None
    half, after = word(tokens, i + 1), i + 2
    if half in ("am", "pm"):
        minute = 0
        if (pointed := _POINTED.fullmatch(first)) is not None:
            value, minute = float(pointed[1]), int(pointed[2])
        return (_half_day(int(value), minute, 0, half[0]), after) if value == int(value) and 1 <= value <= 12 else None
    if half in ("o'clock", "oclock") and 0 <= value <= 24:
        return Clock(int(value), either=value < 12), after
    if len(first) == 4 and first.isdecimal() and (half in ("h", "hrs", "hours") or (bare and half in _UTC)):
        return Clock(int(first[:2]), int(first[2:])), after - (half in _UTC)
    if not bare:
        return None
    if (pointed := _POINTED.fullmatch(first)) is not None:
        return Clock(int(pointed[1]), int(pointed[2]), either=int(pointed[1]) < 12), i + 1
    if first.isdecimal() and len(first) == 4 and first[0] == "0":
        return Clock(int(first[:2]), int(first[2:])), i + 1
    return (Clock(int(value), either=value < 12), i + 1) if value == int(value) and value <= 24 else None


def _written(tokens: Sequence[Token], i: int) -> tuple[Clock, int] | None:
    found = _WRITTEN.fullmatch(tokens[i].word)
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    half, k = found[4], i + 1
    if half is None and word(tokens, k) in ("am", "pm"):
        half, k = word(tokens, k)[0], k + 1
    if half is not None:
        return (_half_day(hour, minute, second, half), k) if 1 <= hour <= 12 else None
    either = 1 <= hour < 12 and found[1][0] != "0"
    return Clock(hour, minute, second, either and found[5] is None, _zone(found[5])), k


def _zone(text: str | None) -> tzinfo | None:
    if not text or text == "z":
        return UTC if text else None
    found = _OFFSET.fullmatch(text)
    if found is None or int(found[2]) > 23 or int(found[3] or 0) > 59:
        raise ValueError(f"{text} is no offset from UTC")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return timezone(offset if found[1] == "+" else -offset)


def _past(tokens: Sequence[Token], i: int) -> tuple[Clock, int] | None:
    """ "half past nine", "quarter past 9", "quarter to ten"."""
    part = {"half": 30, "quarter": 15}.get(word(tokens, i))
    if part is None or word(tokens, i + 1) not in ("past", "to"):
        return None
    hour = number(tokens, i + 2)
    if hour is None:
        hour = NUMBER_WORDS.get(word(tokens, i + 2))
    if hour is None or not 1 <= hour <= 23 or hour != int(hour):
        return None
    late = word(tokens, i + 1) == "to"
    k, half = i + 3, word(tokens, i + 3)
    if half in ("am", "pm") and hour <= 12:
        base = _half_day(int(hour), 0, 0, half[0]).hour
        return Clock(base - late, 60 - part if late else part), k + 1
    return Clock(int(hour) - late, 60 - part if late else part, either=hour < 12), k


def _half_day(hour: int, minute: int, second: int, half: str) -> Clock:
    return Clock(hour % 12 + (12 if half == "p" else 0), minute, second)
