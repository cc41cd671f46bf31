"""Finds every number that a text states: digits, sizes, shares, dates, times of day, words ("twelve", "no servers").

What holds a digit and is none of these (`web-03`, `10.0.0.7`, a UUID), or is a link, is a name, and must have been seen
as it stands: a link is also a way to carry something out.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["number", "size", "share", "span", "date", "clock", "name", "none", "vague"]
SIZES = {"b": 0, "kb": 1, "mb": 2, "gb": 3, "tb": 4, "pb": 5}  # powers of 1024
SPANS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_629_746,
    "year": 31_556_952,
}


@dataclass(frozen=True, slots=True)
class Stated:
    """A number in a text.

    text     as it stands; of a name the whole of it
    value    of a number, size (in `unit`), share (percent) or span (in `unit`)
    unit     key of SIZES or SPANS, or ""
    places   digits behind the point: the value may be rounded to so many
    date     (year or None, month, day); `clock` (hour, minute, second or None)
    before   the two words before it, lower case
    sentence number of the sentence that it is in
    """

    text: str
    kind: Kind
    value: Decimal = Decimal(0)
    unit: str = ""
    places: int = 0
    date: tuple[int | None, int, int] | None = None
    clock: tuple[int, int, int | None] | None = None
    before: tuple[str, ...] = ()
    sentence: int = 0


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_MONTHS = {name: n for n, name in enumerate(_words("jan feb mar apr may jun jul aug sep oct nov dec"), 1)}
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)(?:uary|ruary|ch|il|ust|tember|ober|ember)?"
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_ONES = {word: n for n, word in enumerate(_words(f"zero one two three four five six seven eight nine {_TEENS}"))}
_TENS = {w: 10 * n for n, w in enumerate(_words("twenty thirty forty fifty sixty seventy eighty ninety"), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000, "dozen": 12}
_WORD = "|".join([*_ONES, *_TENS, *_SCALES])
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_UNIT = r"(?:[kmgtp]i?b|bytes?|b)\b"
_SPAN = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?)\b"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"

_PARTS = re.compile(
    rf"""
    (?P<link>\b(?:[a-z][a-z0-9+.-]*+://|www\.|(?:mailto|data|javascript|tel):)[^\s)\]>"'`]*+
      |(?<![\w.-])(?:[a-z0-9_-]+\.)+[a-z]{{2,}}/[^\s)\]>"'`]*+
      |(?<![\w.-])(?:[a-z0-9_-]+\.){{2,}}[a-z]{{2,}}\b(?![\w-]|\.\w))
    |(?P<date>\b\d{{4}}-\d{{2}}-\d{{2}}(?:[Tt\ ]{_TIME}(?:\s?[Zz]|[+-]\d{{2}}:?\d{{2}})?)?(?![\w-])
      |\b\d{{1,2}}\.\d{{1,2}}\.\d{{4}}(?!\w|\.\w)
      |\b\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}\b\.?(?:,?\s\d{{4}}\b)?
      |\b{_MONTH}\.?\s\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s\d{{4}}\b)?(?![:\w]))
    |(?P<clock>(?<![\w:.-]){_TIME}(?:\s?[ap]\.?m\b)?(?![\w:]))
    |(?P<share>(?<![\w.,:/@-])-?{_NUMBER}\s?(?:%|percent\b|per\scent\b))
    |(?P<size>(?<![\w.,:/@-])-?{_NUMBER}[\s-]?{_UNIT})
    |(?P<span>(?<![\w.,:/@-])-?{_NUMBER}[\s-]{_SPAN})
    |(?P<number>(?<![\w.:/@-])-?{_NUMBER}(?![\w@]|[.:/,-]\w|[\u2013\u2212]\d))
    |(?P<none>\b(?:no|none|nothing|neither|nobody)\b)
    |(?P<vague>\b(?:half|twice|thrice|double|triple|dozens|hundreds|thousands|millions|(?:a|one|two)[\s-](?:third|quarter)s?)\b)
    |(?P<words>\b(?:{_WORD})(?:(?:[\s-]|\sand\s)(?:{_WORD}))*\b)
    |(?P<name>[^\s,;()\[\]{{}}"'`<>|=\d]*+\d[^\s,;()\[\]{{}}"'`<>|=]*+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNREADABLE = "half"  # stands for numerals that are no digits: never verified
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_MARKER = re.compile(r"(?m)^[ \t]*(?:[-*•][ \t]+)?(\d{1,3})[.)][ \t]")
_RANGE = re.compile(r"(\d+(?:\.\d+)?)(?:[-/\u2013\u2212~x\u00d7]|\.\.)(\d+(?:\.\d+)?)\Z")
_COMPOUND = re.compile(r"(\d+)[-x\u00d7]?([A-Za-z]{2,})?\Z|(\d+)-[A-Za-z]+\Z")
_NOT_NONE = frozenset(_words("longer doubt matter more less fewer later such way idea information tool problem"))
_PRONOUN_BEFORE = frozenset(_words("this that which each every any another either no the"))
_PRONOUN_AFTER = frozenset(_words("of or by another"))


def stated(text: str) -> list[Stated]:
    """All numbers of the text, in order."""
    plain = _plain(text)
    markers = _markers(plain)
    found: list[Stated] = []
    for number, (start, end) in enumerate(_sentences(plain)):
        for part in _PARTS.finditer(plain, start, end):
            if part.start() not in markers:
                found += _read(part, plain, number)
    return found


def sentences(text: str) -> list[str]:
    """The sentences that `Stated.sentence` counts, lower case."""
    plain = _plain(text)
    return [plain[start:end].lower() for start, end in _sentences(plain)]


def _plain(text: str) -> str:
    """One way to write each sign, no marks of emphasis; digits of any script are digits."""
    grouped = re.sub(r"(?<=\d)[\u00a0\u202f\u2009](?=\d{3}\b)", ",", text)
    normal = grouped if grouped.isascii() else "".join(map(_sign, unicodedata.normalize("NFKC", grouped)))
    return re.sub(r"\*+|__+|`+|~~+", "", normal)


def _sign(character: str) -> str:
    if character.isascii() or unicodedata.numeric(character, None) is None:
        return f" {_UNREADABLE} " if character == "\u2044" else character  # of a fraction
    return str(unicodedata.digit(character)) if character.isdigit() else f" {_UNREADABLE} "


def _sentences(plain: str) -> list[tuple[int, int]]:
    bounds, start = [], 0
    for gap in _SENTENCE.finditer(plain):
        bounds.append((start, gap.start()))
        start = gap.end()
    return [*bounds, (start, len(plain))]


def _markers(plain: str) -> set[int]:
    """Where the numbers of a numbered list stand: 1., 2., 3. at the beginnings of lines."""
    places, due = set(), 1
    for line in _MARKER.finditer(plain):
        if int(line[1]) == due or int(line[1]) == 1:
            places.add(line.start(1))
            due = int(line[1]) + 1
    return places


def _read(part: re.Match[str], plain: str, sentence: int) -> list[Stated]:
    text, kind = part.group(), part.lastgroup
    before = tuple(re.findall(r"[\w><=≥≤]+", plain[max(0, part.start() - 60) : part.start()].lower())[-2:])
    after = "".join(re.findall(r"\s*(\w*)", plain[part.end() : part.end() + 30])[:1]).lower()
    if kind == "date":
        return _date(text, before, sentence)
    if kind == "clock":
        return [Stated(text, "clock", clock=_clock(text), before=before, sentence=sentence)]
    if kind == "none":
        follows = plain[part.end() : part.end() + 1]
        idle = after in _NOT_NONE or (text.lower() == "no" and follows in ",.!:;")
        return [] if idle else [Stated(text, "none", before=before, sentence=sentence)]
    if kind == "vague":
        return [Stated(text, "vague", before=before, sentence=sentence)]
    if kind == "words":
        pronoun = text.lower() == "one" and (after in _PRONOUN_AFTER or not _PRONOUN_BEFORE.isdisjoint(before[-1:]))
        value = Decimal(_spelled(text))
        return [] if pronoun else [_counted(text, value, after, before, sentence)]
    if kind in ("name", "link"):
        return _name(text.rstrip(".:!?%"), before, sentence)
    return [_measured(text, kind or "number", before, sentence)]


def _measured(text: str, kind: str, before: tuple[str, ...], sentence: int) -> Stated:
    digits = re.match(rf"-?{_NUMBER}", text)
    bare = digits.group().replace(",", "") if digits else "0"
    places = len(bare.partition(".")[2])
    rest = text[digits.end() :].strip(" \t\u00a0-").lower() if digits else ""
    unit = ""
    if kind == "size":
        unit = "b" if rest.startswith("byte") else rest.replace("i", "")
    elif kind == "span":
        unit = _span(rest)
    found: Kind = "number"
    if kind in ("size", "share", "span"):
        found = kind  # type: ignore[assignment]
    return Stated(text, found, Decimal(bare), unit, places, before=before, sentence=sentence)


def _counted(text: str, value: Decimal, after: str, before: tuple[str, ...], sentence: int) -> Stated:
    """A number in words; "two days" is a span of time."""
    unit = _span(after) if re.fullmatch(_SPAN, after) else ""
    return Stated(text, "span" if unit else "number", value, unit, before=before, sentence=sentence)


def _span(word: str) -> str:
    return next((name for name in SPANS if name.startswith(word.rstrip("s")[:3])), "") if word else ""


def _date(text: str, before: tuple[str, ...], sentence: int) -> list[Stated]:
    day, clock = text, None
    if re.match(r"\d{4}-", text):
        year, month, number = map(int, text[:10].split("-"))
        date: tuple[int | None, int, int] = (year, month, number)
        day, clock = text[:10], text[11:] or None
    elif "." in text and re.match(r"\d{1,2}\.\d{1,2}\.\d{4}", text):
        number, month, year = map(int, text.split("."))
        date = (year, month, number)
    else:
        name = re.search(r"[A-Za-z]{3,}", re.sub(r"(?i)(?<=\d)(st|nd|rd|th)|\bof\b", "", text))
        numbers = [int(one) for one in re.findall(r"\d+", text)]
        month = _MONTHS.get(name.group().lower()[:3], 0) if name else 0
        date = (numbers[1] if len(numbers) > 1 else None, month, numbers[0])
    found = [Stated(day, "date", date=date, before=before, sentence=sentence)]
    if clock:
        found.append(Stated(clock, "clock", clock=_clock(clock), sentence=sentence))
    return found


def _clock(text: str) -> tuple[int, int, int | None]:
    parts = [int(one) for one in re.findall(r"\d+", text)[:3]]
    hour = parts[0] % 12 + 12 if re.search(r"p\.?m", text, re.I) else parts[0]
    return hour, parts[1], parts[2] if re.match(r"\d+:\d+:\d+", text) else None


def _name(text: str, before: tuple[str, ...], sentence: int) -> list[Stated]:
    """A name; where it is built of plain numbers ("4-8", "3/5", "8-core") a verifier may look at them instead."""
    if text.isdecimal():  # of a list without blanks: "1,2,3"
        return [_measured(text, "number", before, sentence)]
    return [Stated(text, "name", before=before, sentence=sentence)]


def numbers_within(name: str) -> list[Stated]:
    """The plain numbers that a name is built of, if it is nothing else: "4-8", "3/5", "8-core", "3x"; else []."""
    if (both := _RANGE.match(name)) is not None:
        return [_measured(one, "number", (), 0) for one in both.groups()]
    if (one := _COMPOUND.match(name)) is not None:
        return [_measured(one[1] or one[3], "number", (), 0)]
    return []


def _spelled(text: str) -> int:
    """The value of a number in words: "one hundred and five"."""
    total = group = 0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in _SCALES and word != "hundred" and word != "dozen":
            total, group = total + max(group, 1) * _SCALES[word], 0
        elif word in _SCALES:
            group = max(group, 1) * _SCALES[word]
        elif word != "and":
            group += _ONES.get(word, 0) + _TENS.get(word, 0)
    return total + group
