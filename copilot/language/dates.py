"""Dates as people write them, and months, quarters and years.

"20/11/2026" and "20.11.2026" have the day first. With slashes, one of the first two numbers must be above 12 (or both
the same): "03/04/2026" is March to some and April to others, and is not taken for a date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from copilot.language.civil import Civil, Span
from copilot.language.phrases import number, word
from copilot.language.pieces import MONTHS
from copilot.language.timewords import said
from copilot.reading import Token

_ISO = re.compile(r"(\d{4})[-/.](\d\d?)[-/.](\d\d?)")
_DAY_FIRST = re.compile(r"(\d\d?)([-/.])(\d\d?)(?:\2(\d{4}|\d\d))?")
_ISO_MONTH = re.compile(r"(\d{4})-(\d\d)")
_QUARTER = re.compile(r"q([1-4])")
_ORDINAL = re.compile(r"(\d\d?)(?:st|nd|rd|th)")
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
_FIRST_BARE, _LAST_BARE = 2005, 2040  # without a month: 2048 is a size


@dataclass(frozen=True, slots=True)
class Day:
    """A day.

    dates   the dates that it may be, likeliest first
    floats  it is the first of them that has begun (or will end, when the question looks ahead)
    hours   only a part of it: from and to, in hours from its midnight
    """

    dates: Iterator[date]
    floats: bool = True
    hours: tuple[int, int] | None = None


def written(tokens: Sequence[Token], i: int, civil: Civil, led: bool) -> tuple[Day, int] | None:
    """ "2026-11-20", "20.11.2026", "20/11", "20 Nov", "Nov 20th, 2026", "the 20th of November"."""
    k = i + (word(tokens, i) == "the")
    if k < len(tokens) and tokens[k].kind == "name":
        return _in_digits(tokens[k].word, k, civil)
    day = _day_number(tokens, k)
    if day is not None:
        month = k + 1 + (word(tokens, k + 1) == "of")
        if (found := MONTHS.get(said(tokens, month))) is not None:
            return _with_year(tokens, month + 1, civil, found, day)
        return None
    found = MONTHS.get(said(tokens, k))
    if found is None:
        return None
    after = k + 1 + (word(tokens, k + 1) == "the")
    day = _day_number(tokens, after)
    if day is None or word(tokens, after + 1) in ("am", "pm"):
        return None
    return _with_year(tokens, after + 1, civil, found, day)


def day_of_month(tokens: Sequence[Token], i: int, civil: Civil, led: bool) -> tuple[Day, int] | None:
    """ "the 1st", "since the 20th", "the first of the month"; only where no noun follows ("the 2nd host")."""
    the = word(tokens, i) == "the"
    k = i + the
    ordinal = _ORDINAL.fullmatch(word(tokens, k))
    first = word(tokens, k) == "first" and word(tokens, k + 1) == "of"
    if not first and (ordinal is None or not (led or word(tokens, k + 1) == "of")):
        return None
    day = 1 if ordinal is None else int(ordinal[1])
    end = k + 1
    if word(tokens, end) == "of":
        end += 1
        if word(tokens, end) in ("the", "this") and said(tokens, end + 1) == "month":
            return Day(iter((civil.today.replace(day=day),)), floats=False), end + 2
        if word(tokens, end) == "last" and said(tokens, end + 1) == "month":
            year, month = _months_back(civil.today.year, civil.today.month, 1)
            return Day(iter((date(year, month, day),)), floats=False), end + 2
        found = MONTHS.get(said(tokens, end))
        return None if found is None else _with_year(tokens, end + 1, civil, found, day)
    if end < len(tokens) and tokens[end].kind == "word" and word(tokens, end) not in _BEHIND_A_DAY:
        return None
    return Day(_floating(civil, day)), end


_BEHIND = """at on in and to until till through of for by per with that which who is are was were around about morning
afternoon evening night noon before after since from but or not across where when did do does has have had how what"""
_BEHIND_A_DAY = frozenset(_BEHIND.split())


def month_of(tokens: Sequence[Token], k: int, civil: Civil, which: str, led: bool) -> tuple[Span, bool, int] | None:
    """A month, quarter or year at k, whether it floats, and where it ends; `which` is the "last", "next" before it."""
    name = said(tokens, k)
    typed = tokens[k].word if k < len(tokens) and tokens[k].kind == "name" else ""
    if (iso := _ISO_MONTH.fullmatch(typed)) is not None and 1 <= int(iso[2]) <= 12 and not which:
        return civil.months(int(iso[1]), int(iso[2])), False, k + 1
    first, count = 0, 1
    if name in MONTHS:
        first = MONTHS[name]
    elif (quarter := _QUARTER.fullmatch(typed)) is not None:
        first, count = 3 * int(quarter[1]) - 2, 3
    if not first:
        year = _year(tokens, k)
        if year is None or not led or which or not _FIRST_BARE <= year <= _LAST_BARE:
            return None
        return civil.months(year, 1, 12), False, k + 1
    after = k + 1 + (word(tokens, k + 1) in ("of", ","))
    year = _year(tokens, after)
    if year is not None and not which:
        return civil.months(year, first, count), False, after + 1
    return (*_floating_months(civil, first, count, which), k + 1)


def _floating_months(civil: Civil, first: int, count: int, which: str) -> tuple[Span, bool]:
    year = civil.today.year
    spans = [civil.months(year + shift, first, count) for shift in (1, 0, -1, -2)]
    if which == "this":
        return spans[1], False
    if which == "next":
        return min((span for span in spans if span.start > civil.now), key=lambda span: span.start), False
    if which:
        return max((span for span in spans if span.end <= civil.now), key=lambda span: span.start), False
    if civil.ahead:
        return min((span for span in spans if span.end > civil.now), key=lambda span: span.start), True
    return max((span for span in spans if span.start <= civil.limit), key=lambda span: span.start), True


def _in_digits(typed: str, k: int, civil: Civil) -> tuple[Day, int] | None:
    if (iso := _ISO.fullmatch(typed)) is not None:
        return Day(iter((date(int(iso[1]), int(iso[2]), int(iso[3])),)), floats=False), k + 1
    found = _DAY_FIRST.fullmatch(typed.removesuffix("."))
    if found is None or typed in ("24/7", "24.7"):
        return None
    day, month, mark = int(found[1]), int(found[3]), found[2]
    if mark != "." and month > 12 >= day:
        day, month = month, day
    elif mark != "." and day <= 12 and day != month:
        return None
    if found[4] is None:
        whole = mark == "/" or typed.endswith(".")
        return (Day(_every_year(civil, month, day)), k + 1) if whole else None
    year = int(found[4]) + (2000 if len(found[4]) == 2 else 0)
    return Day(iter((date(year, month, day),)), floats=False), k + 1


def _day_number(tokens: Sequence[Token], k: int) -> int | None:
    """1 to 31, with or without its ending."""
    ordinal = _ORDINAL.fullmatch(word(tokens, k))
    value = int(ordinal[1]) if ordinal is not None else number(tokens, k)
    if value is None and word(tokens, k) == "first":
        value = 1
    return int(value) if value is not None and value == int(value) and 1 <= value <= 31 else None


def _year(tokens: Sequence[Token], k: int) -> int | None:
    value = number(tokens, k)
    if value is None or len(word(tokens, k)) != 4 or value != int(value) or not _FIRST_YEAR <= value <= _LAST_YEAR:
        return None
    return None if said(tokens, k + 1) in ("h", "hrs", "hours", "mb", "gb", "days", "minutes") else int(value)


def _with_year(tokens: Sequence[Token], k: int, civil: Civil, month: int, day: int) -> tuple[Day, int]:
    after = k + (word(tokens, k) in (",", "of"))
    year = _year(tokens, after)
    if year is not None:
        return Day(iter((date(year, month, day),)), floats=False), after + 1
    return Day(_every_year(civil, month, day)), k


def _every_year(civil: Civil, month: int, day: int) -> Iterator[date]:
    """The date in years around now, in the order in which they are tried."""
    date(2000, month, day)  # one that never comes is an error
    years = range(civil.today.year - 1, civil.today.year + 9)
    if not civil.ahead:
        years = range(civil.today.year + 1, civil.today.year - 9, -1)
    for year in years:
        if (month, day) != (2, 29) or (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
            yield date(year, month, day)


def _floating(civil: Civil, day: int) -> Iterator[date]:
    """That day of the months around now, in the order in which they are tried."""
    if not 1 <= day <= 31:
        raise ValueError("no such day")
    for back in range(1, -14, -1) if civil.ahead else range(-1, 14):
        year, month = _months_back(civil.today.year, civil.today.month, back)
        try:
            yield date(year, month, day)
        except ValueError:
            continue


def _months_back(year: int, month: int, back: int) -> tuple[int, int]:
    months = 12 * year + month - 1 - back
    return months // 12, months % 12 + 1
