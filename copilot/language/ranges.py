"""Two moments that make a period: "between 9 and 10 this morning", "Monday to Wednesday", "20-25 Nov"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from copilot.language import timewords
from copilot.language.civil import Civil, Span
from copilot.language.clocks import Clock, clock
from copilot.language.moments import PARTS, Moment, moment
from copilot.language.numbers import amount
from copilot.language.phrases import number, word
from copilot.language.pieces import MONTHS, WEEKDAYS
from copilot.language.timewords import said
from copilot.reading import Token

_TO = frozenset({"to", "until", "through", "-"})
_HALVES = frozenset({"am", "pm", "tonight", "noon", "midnight"})
_DAY = timedelta(days=1)


def ages(tokens: Sequence[Token], i: int, civil: Civil) -> tuple[Span, bool, int] | None:
    """ "between 1 and 2 weeks ago", "3-5 days old": the period, whether it is an age, and where it ends."""
    k = i + (said(tokens, i) in ("between", "from"))
    low = amount(tokens, k)
    if low is None:
        return None
    k += low[1]
    unit = timewords.unit(tokens, k)
    k += unit is not None
    if word(tokens, k) not in ("and", "to", "-", "or"):
        return None
    high = timewords.counted(tokens, k + 1)
    if high is None:
        return None
    last = word(tokens, high[2])
    if last not in ("ago", "back", "old"):
        return None
    start, end = civil.shifted(timewords.of(high[0], high[1])), civil.shifted(timewords.of(low[0], unit or high[1]))
    return Span(min(start, end), max(start, end)), last == "old", high[2] + 1


def between(tokens: Sequence[Token], i: int, civil: Civil) -> tuple[Span, int] | None:
    """From the start of the first to the end of the second; what floats in the first comes before the second.

    Of two hours alone ("9 to 10") at least one must be said to be a time of day, or a day must follow.
    """
    prefix = said(tokens, i) if said(tokens, i) in ("between", "from") else ""
    k = i + bool(prefix)
    k += word(tokens, k) in ("on", "at")
    weekdays = all(said(tokens, n) in WEEKDAYS for n in (k, k + 2)) and said(tokens, k + 1) in _TO
    led = bool(prefix) or weekdays
    first = moment(tokens, k, civil, led=led)
    if first is not None and first[0].span.rolling:
        return None
    middle = first[1] if first is not None else k
    if first is None or not _joined(tokens, middle, prefix):
        return _from_bare(tokens, k, civil, prefix)
    second = middle + 1
    second += word(tokens, second) in ("on", "at", "the") and said(tokens, second + 1) not in (
        "last",
        "weekend",
        "week",
    )
    if said(tokens, second) in ("now", "today") and word(tokens, second + 1) not in ("at", "around"):
        return Span(first[0].span.start, civil.now, rolling=said(tokens, second) == "now"), second + 1
    last = _second(tokens, second, middle + 1, civil)
    if last is None:
        return _until_bare(tokens, second, first[0], civil)
    return _joint(tokens, k, first[0], last, civil, led=led)


def _joined(tokens: Sequence[Token], k: int, prefix: str) -> bool:
    return said(tokens, k) in _TO or (prefix == "between" and word(tokens, k) == "and")


def _second(tokens: Sequence[Token], k: int, start: int, civil: Civil) -> tuple[Moment, int] | None:
    """The second moment; "the" may belong to it ("the 25th") or be skipped."""
    return moment(tokens, start, civil, led=True) or moment(tokens, k, civil, led=True, hours=False)


def _joint(
    tokens: Sequence[Token], k: int, first: Moment, found: tuple[Moment, int], civil: Civil, *, led: bool
) -> tuple[Span, int] | None:
    last, end = found
    if last.span.rolling:
        return None
    if last.clock is not None and first.clock is None:
        if not first.span.point:
            return None
        return Span(first.span.start, last.clock.following(first.span.start, civil)), end
    if first.clock is not None:
        return Span(_before(first.clock, last.span.start, civil, halves=False), last.span.end), end
    if first.floats:
        limit = last.span.start - timedelta(microseconds=1)
        again = moment(tokens, k, replace(civil, limit=limit, ahead=False), led=led)
        first = again[0] if again is not None else first
    start = min(first.span.start, last.span.start)
    return Span(start, max(first.span.end, last.span.end)), end


def _before(one: Clock, limit: datetime, civil: Civil, *, halves: bool) -> datetime:
    """When it was that time last before the limit; `halves`: an hour alone may be in either half of the day."""
    day = civil.local(limit).date()
    hours = (one.hour, one.hour + 12) if halves and one.hour < 12 else (one.hour,)
    moments = [civil.at(day - n * _DAY, hour, one.minute, one.second, one.zone) for n in range(3) for hour in hours]
    return max(moment for moment in moments if moment < limit)


def _from_bare(tokens: Sequence[Token], k: int, civil: Civil, prefix: str) -> tuple[Span, int] | None:
    """ "9 to 10 am", "between 9 and 10 this morning", "between 20 and 25 Nov"."""
    found = clock(tokens, k, bare=True)
    value = number(tokens, k)
    if found is None and (value is None or value > 31):
        return None
    middle = found[1] if found is not None else k + 1
    if not _joined(tokens, middle, prefix):
        return None
    last = moment(tokens, middle + 1, civil, led=False, hours=True)
    if last is None or last[0].span.rolling:
        return None
    if last[0].span.point:
        plain = last[0].clock is not None and clock(tokens, middle + 1) is None
        if found is None or plain:  # "from 4 to 8"
            return None
        start = _before(found[0], last[0].span.start, civil, halves=found[0].either)
        until = last[0].span.end
        parted = any(said(tokens, n) in PARTS or word(tokens, n) in _HALVES for n in range(middle + 1, last[1]))
        if not parted and civil.local(start).date() != civil.local(until).date() and found[0].either:
            later = until + timedelta(hours=12)  # "9 to 5" ends in the afternoon
            until, start = later, _before(replace(found[0], either=False), later, civil, halves=False)
        return Span(start, until), last[1]
    if value is None or value != int(value) or not last[0].daylong:
        return None
    if not any(said(tokens, middle + 1 + n) in MONTHS for n in range(last[1] - middle - 1)):
        return None
    day = civil.local(last[0].span.start).date().replace(day=int(value))
    return (Span(civil.at(day), last[0].span.end), last[1]) if civil.at(day) <= last[0].span.end else None


def _until_bare(tokens: Sequence[Token], k: int, first: Moment, civil: Civil) -> tuple[Span, int] | None:
    """ "9am to 5", "Nov 20 to 25", "yesterday 22:00 to 6"."""
    if first.span.point:
        found = clock(tokens, k, bare=True)
        if found is None:
            return None
        return Span(first.span.start, found[0].following(first.span.start, civil)), found[1]
    value = number(tokens, k)
    if value is None or not first.daylong or not 1 <= value <= 31 or value != int(value):
        return None
    day = civil.local(first.span.start).date().replace(day=int(value))
    return (Span(first.span.start, civil.days(day).end), k + 1) if civil.at(day) >= first.span.start else None


def part(tokens: Sequence[Token], k: int, day: Span, civil: Civil) -> tuple[Span, int] | None:
    """A part of a day that was read: "... between 9 and 10", "... after 14:00", "... 9-10am"."""
    how = said(tokens, k)
    if how in ("after", "since", "before", "until"):
        found = clock(tokens, k + 1, bare=True)
        if found is None:
            return None
        at = found[0].within(day, civil)
        if not day.start <= at <= day.end:
            return None
        return (Span(at, day.end) if how in ("after", "since") else Span(day.start, at)), found[1]
    k += how in ("between", "from")
    first = clock(tokens, k, bare=True)
    if first is None or not (_joined(tokens, first[1], "between" if how == "between" else "from")):
        return None
    last = clock(tokens, first[1] + 1, bare=True)
    if last is None or (how not in ("between", "from") and clock(tokens, first[1] + 1) is None):
        return None
    strict = clock(tokens, k) is not None
    if strict or last[0].either:
        start = first[0].within(day, civil)
        return Span(start, last[0].following(start, civil)), last[1]
    until = last[0].within(day, civil)
    return Span(_before(first[0], until, civil, halves=first[0].either), until), last[1]
