"""Words of time: what they are, with typos forgiven, and lengths of time ("two and a half hours", "a fortnight")."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from copilot.language.civil import Lasting
from copilot.language.numbers import amount
from copilot.language.phrases import word
from copilot.language.pieces import MONTHS, WEEKDAYS
from copilot.language.spelling import correct
from copilot.reading import Token

UNITS: dict[str, str] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "second"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minute"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hour"),
    **dict.fromkeys(("d", "day", "days", "night", "nights"), "day"),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "week"),
    **dict.fromkeys(("fortnight", "fortnights"), "fortnight"),
    **dict.fromkeys(("mo", "mos", "mth", "mths", "month", "months"), "month"),
    **dict.fromkeys(("quarter", "quarters"), "quarter"),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "year"),
}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}

_LONG_WORDS = """yesterday today tomorrow tonight morning mornings afternoon evening night midnight weekend weekends
week weeks month months year years hour hours minute minutes days since between before during until quarter previous
overnight beginning"""
_FORGIVEN = frozenset(
    _LONG_WORDS.split() + [day for day in WEEKDAYS if "day" in day] + [m for m in MONTHS if len(m) > 5]
)
_FORGIVEN_UNITS = frozenset(unit for unit in UNITS if len(unit) > 3)
# Spoken short, and typos that are too far or too near to other words.
_SHORT = {
    **dict.fromkeys(("yday", "yest", "ystrday", "yestaday", "yesturday"), "yesterday"),
    **dict.fromkeys(("tmrw", "tomorow", "tommorrow", "tommorow"), "tomorrow"),
    **dict.fromkeys(("wensday", "wednsday", "wendsday"), "wednesday"),
    **dict.fromkeys(("till", "til", "untill"), "until"),
    **dict.fromkeys(("btw", "btwn", "betwen", "beetween"), "between"),
    **dict.fromkeys(("bfore", "befor"), "before"),
    **dict.fromkeys(("snice", "sicne", "sinse", "sinc"), "since"),
    "prev": "previous",
    "lst": "last",
    "laast": "last",
    "lsat": "last",
    "alst": "last",
    "pasr": "past",
    "agao": "ago",
    "midday": "noon",
    "noontime": "noon",
    "thru": "through",
    "prior": "before",
}
# One letter away from words of time, and none of them.
_OTHERS = frozenset({"order", "older", "newer", "daily", "weekly", "monthly", "hourly", "yearly", "sunny", "monitor"})


def said(tokens: Sequence[Token], i: int) -> str:
    """The plain word at i, a word of time with its typo mended."""
    return _mended(word(tokens, i))


@lru_cache(maxsize=4096)
def _mended(one: str) -> str:
    if one in _SHORT:
        return _SHORT[one]
    if len(one) < 5 or not one.isalpha() or one in _OTHERS:
        return one
    return correct(one, _FORGIVEN) or one


def unit(tokens: Sequence[Token], i: int) -> str | None:
    """The unit of time at i ("hour"), with its typo mended: only where one is expected, behind a number."""
    one = word(tokens, i)
    return UNITS.get(one) or (UNITS.get(_unit_mended(one)) if len(one) > 3 else None)


@lru_cache(maxsize=1024)
def _unit_mended(one: str) -> str:
    return correct(one, _FORGIVEN_UNITS) or ""


def lasting(tokens: Sequence[Token], i: int) -> tuple[Lasting, int] | None:
    """A length of time at i and where it ends: "24 hours", "2h30m", "a week", "half an hour", "a few days"."""
    found = counted(tokens, i)
    if found is None:
        return None
    pieces, k = [found[:2]], found[2]
    if word(tokens, k) == "or" and word(tokens, k + 1) in ("two", "2") and pieces[0][0] == 1:
        return of(2, pieces[0][1]), k + 2  # "a day or two"
    if [word(tokens, k + place) for place in range(3)] == ["and", "a", "half"]:
        pieces, k = [(pieces[0][0] + 0.5, pieces[0][1])], k + 3
    else:
        while len(pieces) < 4:
            following = counted(tokens, k + (word(tokens, k) in ("and", ",")), plain=True)
            if following is None or _rank(following[1]) >= _rank(pieces[-1][1]):
                break
            pieces.append(following[:2])
            k = following[2]
    return _sum(pieces), k


def of(count: float, unit: str) -> Lasting:
    """So many of a unit."""
    return _sum([(count, unit)])


def counted(tokens: Sequence[Token], i: int, *, plain: bool = False) -> tuple[float, str, int] | None:
    """A number and a unit at i ("24", "hour") and where they end; `plain`: in digits only."""
    first, k = word(tokens, i), i
    count: float | None = None
    if plain:
        count, k = (float(first), i + 1) if first.isdecimal() and len(first) < 7 else (None, i)
    elif first in ("a", "an", "one") and unit(tokens, i + 1):
        count, k = 1.0, i + 1
    elif first == "half" or (first in ("a", "one") and word(tokens, i + 1) == "half"):
        k = i + 1 + (first != "half")
        k += word(tokens, k) == "of"
        count, k = 0.5, k + (word(tokens, k) in ("a", "an"))
    elif first == "few" or (first == "a" and word(tokens, i + 1) == "few"):
        count, k = 3.0, i + 1 + (first == "a")
    elif first == "couple" and word(tokens, i + 1) != "of":
        count, k = 2.0, i + 1
    elif (found := amount(tokens, i)) is not None:
        count, k = found[0], i + found[1]
    if count is None or count > 1e6:
        return None
    what = unit(tokens, k)
    return None if what is None else (count, what, k + 1)


def _rank(what: str) -> int:
    return ("second", "minute", "hour", "day", "week", "fortnight", "month", "quarter", "year").index(what)


def _sum(pieces: list[tuple[float, str]]) -> Lasting:
    months, days, seconds = 0.0, 0.0, 0.0
    for count, what in pieces:
        months += count * _MONTHS.get(what, 0)
        days += count * _DAYS.get(what, 0)
        seconds += count * _SECONDS.get(what, 0)
    days += 30 * (months % 1)
    seconds += 86400 * (days % 1)
    text = " ".join(f"{count:g} {what}" + ("" if count == 1 else "s") for count, what in pieces)
    return Lasting(int(months), int(days), round(seconds, 6), text)
