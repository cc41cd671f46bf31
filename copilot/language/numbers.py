"""Quantities in words and digits: how many, how large, how long, and compared how."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from copilot.language.phrases import number, phrase, phrases, word
from copilot.language.pieces import NUMBER_WORDS
from copilot.language.spelling import correct
from copilot.reading import Quantity, Token
from store.types.declaration import Role

Comparison = Literal["", "=", "!=", "<", "<=", ">", ">="]

_GB, _TB = 1024.0, 1024.0 * 1024
_SIZES: dict[str, float] = {  # in MB of 1024 * 1024 bytes, as OpenStack counts whatever it calls them
    **dict.fromkeys(("b", "byte", "bytes"), 1 / (1024 * 1024)),
    **dict.fromkeys(
        ("kb", "kib", "kbs", "kilobyte", "kilobytes", "kbyte", "kbytes", "kibibyte", "kibibytes"), 1 / 1024
    ),
    **dict.fromkeys(("m", "mb", "mib", "mbs", "meg", "megs", "megabyte", "megabytes", "mbyte", "mbytes"), 1.0),
    **dict.fromkeys(("mebibyte", "mebibytes", "mega"), 1.0),
    **dict.fromkeys(("g", "gb", "gib", "gbs", "gig", "gigs", "giga", "gigabyte", "gigabytes", "gbyte", "gbytes"), _GB),
    **dict.fromkeys(("gibibyte", "gibibytes", "gigabite", "gigabites"), _GB),
    **dict.fromkeys(("t", "tb", "tib", "tbs", "tera", "teras", "terabyte", "terabytes", "tbyte", "tbytes"), _TB),
    **dict.fromkeys(("tebibyte", "tebibytes", "terrabyte", "terrabytes"), _TB),
    **dict.fromkeys(("pb", "pib", "petabyte", "petabytes"), _TB * 1024),
}
_SPANS: dict[str, float] = {  # in seconds; a month is 30 days, a year 365
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 7 * 86400.0),
    **dict.fromkeys(("mo", "mos", "month", "months"), 30 * 86400.0),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 365 * 86400.0),
}
_PERCENT = frozenset({"%", "percent", "pct", "percents", "percentage"})
_SCALES: dict[str, float] = {"hundred": 100, "thousand": 1000, "million": 1e6, "dozen": 12, "k": 1000}

_MORE = ("more", "greater", "larger", "bigger", "higher", "longer", "upwards", "up", "above", "over", "beyond")
_LESS = ("less", "fewer", "smaller", "lower", "shorter", "below", "under")
_OPPOSITE: dict[str, Comparison] = {">": "<=", "<": ">=", ">=": "<", "<=": ">", "=": "!="}


def _before() -> dict[str, Comparison]:
    """What is said before a number. "no more than" is the opposite of "more than"."""
    plain: dict[str, Comparison] = {
        **{f"{one} {than}": ">" for one in _MORE[:6] for than in ("than", "then", "as")},
        **{f"{one} {than}": "<" for one in _LESS[:5] for than in ("than", "then", "as")},
        **dict.fromkeys(("over", "above", "beyond", "exceeding", "exceeds", "exceed", "in excess of", "gt", ">"), ">"),
        **dict.fromkeys(("upwards of", "upward of", "morethan", "north of", "bigger", "larger", "greater"), ">"),
        **dict.fromkeys(("under", "below", "lt", "<", "lessthan", "south of", "smaller", "less", "lower"), "<"),
        **dict.fromkeys(("exactly", "precisely", "equal to", "equals", "equal", "equals to", "=", "eq"), "="),
    }
    said: dict[str, Comparison] = {
        **plain,
        **dict.fromkeys(("at least", "atleast", "at the least", "minimum", "minimum of", "a minimum of", "min"), ">="),
        **dict.fromkeys((">=", "> =", "> or =", "gte", "ge"), ">="),
        **dict.fromkeys(("at most", "atmost", "at the most", "maximum", "maximum of", "a maximum of", "max"), "<="),
        **dict.fromkeys(("<=", "< =", "< or =", "lte", "le", "up to", "upto", "not to exceed"), "<="),
        **dict.fromkeys(("!=", "other than", "different from", "different to", "anything but", "not", "ne"), "!="),
    }
    for text, meaning in plain.items():
        if text[0].isalpha():
            for no in ("no", "not"):
                said[f"{no} {text}"] = _OPPOSITE[meaning]
    for one in _MORE[:6]:
        said |= {f"{one} {than}or equal{to}": ">=" for than in ("than ", "then ", "") for to in (" to", "")}
        said |= {f"equal {to}or {one} than": ">=" for to in ("to ", "")}
    for one in _LESS[:5]:
        said |= {f"{one} {than}or equal{to}": "<=" for than in ("than ", "then ", "") for to in (" to", "")}
        said |= {f"equal {to}or {one} than": "<=" for to in ("to ", "")}
    return {text.strip(): meaning for text, meaning in said.items()}


_BEFORE = phrases(_before())
_BEHIND: dict[str, Comparison] = {
    **{f"{link} {one}": ">=" for link in ("or", "and") for one in _MORE},
    **{f"{link} {one}": "<=" for link in ("or", "and") for one in _LESS},
    **dict.fromkeys(("+", "plus", "at least", "minimum", "upwards"), ">="),
    **dict.fromkeys(("at most", "maximum", "max", "tops"), "<="),
    **dict.fromkeys(("exactly", "precisely"), "="),
}
_AFTER = phrases(_BEHIND)
_ABOUT = frozenset({"about", "around", "roughly", "approximately", "approx", "circa", "nearly", "almost", "~"})
_NOT_A_COUNT = frozenset({"this", "that", "which", "the", "each", "every", "any", "other", "another", "last", "no"})


def quantity(tokens: Sequence[Token], i: int) -> tuple[Quantity, int] | None:
    """The quantity that begins at token i, with what is said before and after it, and how many tokens it takes.

    Sizes come in MB, spans of time in seconds, percentages as they are. The noun stays: of "8 vcpus or more" only "8"
    is taken, and `trailing` reads "or more". A time of day ("9 am") is none; "one" alone is one only before a word.
    """
    between = 1 if word(tokens, i) in ("between", "from") else 0
    said = None if between else _compared(tokens, i)
    k = i + between + (said[1] if said else 0)
    if word(tokens, k) in _ABOUT:
        k += 1
    low = _amount(tokens, k, alone=k == i)
    if low is None:
        return None
    value, unit, k = low
    high = _upper(tokens, k, both=word(tokens, i) == "between", unit=unit)
    if high is not None and said is None:
        return _range(value, unit, high), high[2] - i
    if between:
        return None
    comparison: Comparison = said[0] if said else ""
    after = trailing(tokens, k) if comparison in ("", "=") else None
    if after is not None:
        comparison, k = after[0], k + after[1]
    return Quantity(value * _factor(unit), _kind(unit), comparison), k - i


def _compared(tokens: Sequence[Token], i: int) -> tuple[Comparison, int] | None:
    """What is said before a number; "biger than" is forgiven."""
    found = phrase(tokens, i, _BEFORE)
    if found is None and word(tokens, i + 1) in ("than", "then"):
        meant = correct(word(tokens, i), (*_MORE[:6], *_LESS[:5]))
        return None if meant is None else (">" if meant in _MORE else "<", 2)
    return found


def trailing(tokens: Sequence[Token], i: int) -> tuple[Comparison, int] | None:
    """A comparison that comes behind the number or its noun ("or more", "and up", "at most"), and its length."""
    found = phrase(tokens, i, _AFTER)
    if found is None or (found[1] == 1 and number(tokens, i + 1) is not None):
        return None  # "4 + 4", "max 8"
    return found


def amount(tokens: Sequence[Token], i: int) -> tuple[float, int] | None:
    """A bare number in digits or words, without comparison and unit, and its length: "24", "two", "a couple of"."""
    found = _value(tokens, i)
    return None if found is None else (found[0], found[1] - i)


def in_unit(quantity: Quantity, role: Role) -> Quantity:
    """The quantity in the unit of columns of this role: MB (size_mb), GB (size_gb), bytes (size_bytes) or a number.

    Its unit is "" then, and "%" stays with a plain number: the caller knows whether the column holds percent. A size
    without a unit is meant as people say it: "16" of memory or disk is GB; of a size_mb column from 256 on it is MB, of
    a size_bytes column from 1024 on it is bytes. Raises ValueError when it does not fit: a size against a count, a span
    of time or a percentage against a size.
    """
    if role == "number":
        if quantity.unit not in ("", "%"):
            raise ValueError(f"{_named(quantity)} cannot be compared with a plain number; leave the unit out")
        return quantity
    if role not in ("size_mb", "size_gb", "size_bytes"):
        raise ValueError(f"{_named(quantity)} cannot be compared with what is no number")
    if quantity.unit not in ("", "MB"):
        raise ValueError(f"{_named(quantity)} cannot be compared with a size; write it like 8 GB")
    factor = {"size_mb": 1.0, "size_gb": 1 / _GB, "size_bytes": _TB}[role]
    if not quantity.unit:
        largest = max(quantity.value, quantity.upper or 0)
        factor = {"size_mb": _GB if largest < 256 else 1.0, "size_gb": 1.0}.get(
            role, 1024.0**3 if largest < 1024 else 1.0
        )
    upper = None if quantity.upper is None else quantity.upper * factor
    return replace(quantity, value=quantity.value * factor, upper=upper, unit="")


def _named(quantity: Quantity) -> str:
    what = {"MB": "A size", "s": "A span of time", "%": "A percentage"}
    return what.get(quantity.unit, "A number")


def _kind(unit: str) -> str:
    return "MB" if unit in _SIZES else "s" if unit in _SPANS else "%" if unit else ""


def _factor(unit: str) -> float:
    return _SIZES.get(unit) or _SPANS.get(unit) or 1.0


def _range(value: float, unit: str, high: tuple[float, str, int]) -> Quantity:
    """The first number has the unit of the second when it has none: "4-8 GB", "between 1 and 2 tb"."""
    ends = sorted((value * _factor(unit or high[1]), high[0] * _factor(high[1])))
    return Quantity(ends[0], _kind(high[1]), "", ends[1])


def _upper(tokens: Sequence[Token], k: int, *, both: bool, unit: str) -> tuple[float, str, int] | None:
    """The upper end of a range, whose unit must measure what that of the lower does."""
    if word(tokens, k) not in (("-", "to", "and", "through") if both else ("-", "to", "through")):
        return None
    high = _amount(tokens, k + 1, alone=False)
    if high is None:
        return None
    value, other, end = high
    other = other or unit
    return (value, other, end) if not unit or _kind(unit) == _kind(other) else None


def _amount(tokens: Sequence[Token], k: int, *, alone: bool) -> tuple[float, str, int] | None:
    """A number with its unit, and where it ends. `alone`: without a comparison before it."""
    if word(tokens, k) in ("a", "an", "one") and (unit := _unit(tokens, k + 1)) and unit[0] != "%":
        return None if alone and unit[0] in _SPANS and word(tokens, k) != "one" else (1.0, unit[0], unit[1])
    if (part := _part(tokens, k)) is not None:
        return part
    found = _value(tokens, k)
    if found is None:
        return None
    value, end = found
    if word(tokens, end) in ("am", "pm") or (alone and not _counts(tokens, k, end)):
        return None
    measured = _unit(tokens, end)
    if measured is None:
        return value, "", end
    if word(tokens, measured[1]) == "and" and word(tokens, measured[1] + 1) == "a" and word(tokens, end + 3) == "half":
        return value + 0.5, measured[0], measured[1] + 3  # "a terabyte and a half"
    return value, *measured


def _counts(tokens: Sequence[Token], k: int, end: int) -> bool:
    """Whether "one" counts: "one vm" does, "the stopped one" and "which one" do not."""
    if word(tokens, k) != "one" or end - k > 1:
        return True
    following = tokens[end] if end < len(tokens) else None
    return following is not None and following.kind == "word" and word(tokens, k - 1) not in _NOT_A_COUNT


def _unit(tokens: Sequence[Token], k: int) -> tuple[str, int] | None:
    """A unit and where it ends."""
    one = word(tokens, k)
    if one in _SIZES or one in _SPANS:
        return one, k + 1
    if one in _PERCENT:
        return "%", k + 1
    return ("%", k + 2) if one == "per" and word(tokens, k + 1) == "cent" else None


def _part(tokens: Sequence[Token], k: int) -> tuple[float, str, int] | None:
    """ "half a terabyte", "a quarter of a tb", "three quarters of a gig", "half an hour"."""
    start = k
    if word(tokens, k) in ("a", "one", "1"):
        k += 1
    share = {"half": 0.5, "quarter": 0.25}.get(word(tokens, k))
    if share is None and word(tokens, start) in ("three", "3") and word(tokens, start + 1) in ("quarter", "quarters"):
        share, k = 0.75, start + 1
    if share is None:
        return None
    k += 1
    k += word(tokens, k) == "of"
    k += word(tokens, k) in ("a", "an")
    if word(tokens, k) == "dozen":
        return 12 * share, "", k + 1
    found = _unit(tokens, k)
    return None if found is None or found[0] == "%" else (share, *found)


def _value(tokens: Sequence[Token], k: int) -> tuple[float, int] | None:
    """A bare number and where it ends."""
    one, following = word(tokens, k), word(tokens, k + 1)
    value = number(tokens, k)
    if value is None:
        if one in ("a", "an"):
            if following == "couple":
                return 2.0, k + (3 if word(tokens, k + 2) == "of" else 2)
            return (_SCALES[following], k + 2) if following in _SCALES and following != "k" else None
        if one == "couple" and following == "of":
            return 2.0, k + 2
        if one == "dozen":
            return 12.0, k + 1
        if one not in NUMBER_WORDS:
            return None
        value = float(NUMBER_WORDS[one])
        if value >= 20 and 0 < (digit := NUMBER_WORDS.get(following, 0)) < 10:
            value, k = value + digit, k + 1
    k += 1
    if word(tokens, k) in _SCALES:
        value, k = value * _SCALES[word(tokens, k)], k + 1
        if word(tokens, k) in ("thousand", "million"):
            value, k = value * _SCALES[word(tokens, k)], k + 1
    if [word(tokens, k + place) for place in range(3)] == ["and", "a", "half"]:
        value, k = value + 0.5, k + 3
    return (value, k) if math.isfinite(value) else None
