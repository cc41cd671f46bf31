"""Checks a model's text against what the tools returned: a number that no tool gave is not shown.

The rule, for every number in the text (copilot.backends.numbers):
- It is a count of rows, the sum of a column of whole numbers, a value of a row that names nothing or is alone, or
  a value of a row that the sentence names; as it stands, rounded to the places it is written with, or in another unit
  (16 GB of 16384 in a column of MB; 25 % of 0.25). A sentence that begins with "it" and the like, and names nothing,
  goes on about the rows named last; the first is about those that the question names.
- A date or time of day is one of a result, or the present one; an age ("3 days") is that of a time in a result.
- "No servers" and "none" need an empty result or a 0. "Half", "twice" and the like are never shown.
- A number of the question may be said again in the role it has there only: "more than 8", "top 5", "host 3". That the
  question asks whether there are 50 does not make it so.
- Names with digits must stand in a result or in the question as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from copilot.answers import Table
from copilot.backends.numbers import SIZES, SPANS, Stated, numbers_within, sentences, stated
from copilot.backends.untrusted import clean
from store import times

Number = tuple[Decimal, str]  # with its unit, "" = none

MOST_RECORDS = 2_000
_WORD = re.compile(r"\w+")
_GOES_ON = re.compile(r"\W*(?:it|its|this|that|they|their|these|those|both|he|she)\b")
_UNITS = {"size_mb": "mb", "size_gb": "gb", "size_bytes": "b"}
_ENDINGS = (("_mb", "mb"), ("_gb", "gb"), ("_tb", "tb"), ("_bytes", "b"))
_ROLES = {
    "more": {"than", "over", "above", "least", "exceeding", "exceed", "exceeds", "minimum", "from", ">", ">=", "≥"},
    "less": {"under", "below", "most", "maximum", "within", "<", "<=", "≤"},
    "past": {"last", "past", "previous", "next"},
    "rank": {"top", "first", "biggest", "largest", "smallest", "oldest", "newest", "bottom"},
}
_LABELS = {
    "host", "node", "hypervisor", "vlan", "port", "project", "tenant", "domain", "id", "number", "rack", "zone", "cell",
    "subnet", "network",
}  # fmt: skip


@dataclass(slots=True)
class _Record:
    """One row: its numbers with their units, and its texts."""

    numbers: list[Number] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: `unverified` parts of the text, as they stand, each once."""

    unverified: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether everything was found."""
        return not self.unverified


class Facts:
    """Everything that the tools returned for one question."""

    def __init__(self, question: str, now: datetime, zone: tzinfo = UTC) -> None:
        self._question = question
        self._now, self._zone = now, zone
        self._asked = stated(question)
        self._said = question.lower()
        self._records: list[_Record] = []
        self._loose: list[Number] = []  # counts, sums, values of rows without a name
        self._times: list[datetime] = []
        self._names: dict[str, list[int]] = {}  # text -> records it is in
        self._by_word: dict[str, set[str]] = {}  # word -> texts it is in
        self._by_first: dict[str, set[str]] = {}  # word -> texts that begin with it

    def add_table(self, table: Table) -> None:
        """The rows of a result."""
        units = {one.name: _unit(one.name, one.role) for one in table.columns}
        self._count(table.total)
        self._count(len(table.rows))
        for row in table.rows:
            self._add(_record(row, units, self._times), alone=table.total == 1)
        if len(table.rows) == table.total and len(table.rows) > 1:
            self._sums(table, units)

    def add_items(self, items: Iterable[Mapping[str, Any]], total: int) -> None:
        """Resources that were found."""
        items = list(items)
        self._count(total)
        self._count(len(items))
        for item in items:
            self._add(_record(item, {}, self._times), alone=total == 1)

    def check(self, text: str) -> Verdict:
        """What in the text no result gives."""
        sayable = self._sayable(sentences(text))
        bad = [one.text for one in stated(text) if not self._known(one, sayable[one.sentence])]
        return Verdict(tuple(dict.fromkeys(bad)))

    def _sayable(self, text: list[str]) -> list[list[Number]]:
        """For each sentence the numbers that it may state."""
        about = self._named(self._said)
        sayable: list[list[Number]] = []
        for sentence in text:
            named = self._named(sentence)
            about = named or (about if not sayable or _GOES_ON.match(sentence) else set())
            rows = [self._records[place] for place in sorted(about)]
            sayable.append([*self._loose, *(number for record in rows for number in record.numbers)])
        return sayable

    def _named(self, sentence: str) -> set[int]:
        """The rows that a sentence names: by what only they have, if anything in it is like that."""
        near = set().union(*(self._by_first.get(word, ()) for word in set(_WORD.findall(sentence))))
        named = [self._names[text] for text in near if len(text) > 1 and _within(text, sentence)]
        single = [places for places in named if len(places) == 1]
        return {place for places in (single or named) for place in places}

    def _count(self, number: int) -> None:
        self._loose.append((Decimal(number), ""))

    def _add(self, record: _Record, *, alone: bool) -> None:
        place = len(self._records)
        if place >= MOST_RECORDS:  # what is not known is not verified
            return
        self._records.append(record)
        for text in record.texts:
            if text not in self._names:
                words = _WORD.findall(text)
                for word in words:
                    self._by_word.setdefault(word, set()).add(text)
                if words:
                    self._by_first.setdefault(words[0], set()).add(text)
            self._names.setdefault(text, []).append(place)
        if alone or not record.texts:
            self._loose += record.numbers

    def _sums(self, table: Table, units: Mapping[str, str]) -> None:
        for column in table.columns:
            values = [row.get(column.name) for row in table.rows]
            if all(isinstance(one, int) and not isinstance(one, bool) for one in values):
                self._loose.append((Decimal(sum(values)), units[column.name]))  # type: ignore[arg-type]

    def _known(self, one: Stated, sayable: list[Number]) -> bool:
        match one.kind:
            case "date":
                return any(_same_day(one, day) for day in self._days())
            case "clock":
                return any(_same_clock(one, moment) for moment in self._moments())
            case "none":
                return any(value == 0 for value, _ in self._all())
            case "vague":
                return False
            case "name":
                return self._is_name(one, sayable)
            case "span" if self._is_age(one):
                return True
        return self._is_number(one, sayable) or self._is_asked(one)

    def _is_number(self, one: Stated, sayable: list[Number]) -> bool:
        return any(_same(one, value, unit) for value, unit in sayable)

    def _is_name(self, one: Stated, sayable: list[Number]) -> bool:
        name = one.text.lower()
        words = _WORD.findall(name)
        near = min((self._by_word.get(word, set()) for word in words), key=len, default=set())
        if _within(name, self._said) or any(_within(name, text) for text in near):
            return True
        inside = numbers_within(one.text)
        return bool(inside) and all(self._is_number(number, sayable) for number in inside)

    def _is_age(self, one: Stated) -> bool:
        length = SPANS.get(one.unit)
        if not length:
            return False
        ages = [abs((self._now - moment).total_seconds()) / length for moment in self._times]
        return any(int(age) == one.value or round(age) == one.value for age in ages)

    def _is_asked(self, one: Stated) -> bool:
        """Whether the question has the number in the same role."""
        roles = _roles(one.before)
        return any(
            (one.value, one.unit, one.kind) == (asked.value, asked.unit, asked.kind) and roles & _roles(asked.before)
            for asked in self._asked
        )

    def _all(self) -> list[Number]:
        return [*self._loose, *(number for record in self._records for number in record.numbers)]

    def _moments(self) -> list[datetime]:
        both = (self._now, *self._times)
        return [moment.astimezone(zone) for moment in both for zone in (UTC, self._zone)]

    def _days(self) -> list[tuple[int, int, int]]:
        asked = [one.date for one in self._asked if one.date is not None]
        days = [(moment.year, moment.month, moment.day) for moment in self._moments()]
        return [*days, *((year or self._now.year, month, day) for year, month, day in asked)]


def _record(row: Mapping[str, Any], units: Mapping[str, str], moments: list[datetime]) -> _Record:
    record = _Record()
    for name, value in row.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, Mapping):
                inner = _record(one, {}, moments)
                record.numbers += inner.numbers
                record.texts |= inner.texts
            elif isinstance(one, bool) or one is None:
                continue
            elif isinstance(one, int | float):
                record.numbers.append((Decimal(str(one)), units.get(name, _unit(name, ""))))
            else:
                _take_text(str(one), record, moments)
    return record


def _take_text(text: str, record: _Record, moments: list[datetime]) -> None:
    if re.match(r"\d{4}-\d\d-\d\d", text):
        try:
            moments.append(times.parse(text))
            return
        except ValueError:
            pass
    if text := clean(text):  # as the model was shown it
        record.texts.add(text.lower())


def _unit(name: str, role: str) -> str:
    return _UNITS.get(role) or next((unit for ending, unit in _ENDINGS if name.lower().endswith(ending)), "")


def _same(one: Stated, value: Decimal, unit: str) -> bool:
    """Whether the stated number is the value, rounded to the places it is written with, in its unit."""
    if not value.is_finite():
        return False
    if one.kind == "share":
        shares: Sequence[Decimal] = (value, value * 100) if abs(value) <= 1 else (value,)
        return any(_rounds(share, one) for share in shares)
    if one.kind == "size" and unit:
        return _rounds(value * 1024 ** SIZES[unit] / Decimal(1024 ** SIZES[one.unit]), one)
    if one.kind == "size":  # a number of a column whose unit nobody knows: bytes or MB, or as it stands
        return any(_rounds(value / Decimal(1024**power), one) for power in range(4))
    return _rounds(value, one)


def _rounds(value: Decimal, one: Stated) -> bool:
    if value == one.value:
        return True
    step = Decimal(1).scaleb(-one.places)
    exact = value == value.quantize(step)
    return not exact and abs(value - one.value) <= step / 2


def _same_day(one: Stated, day: tuple[int, int, int]) -> bool:
    assert one.date is not None
    year, month, number = one.date
    return (month, number) == day[1:] and year in (None, day[0])


def _same_clock(one: Stated, moment: datetime) -> bool:
    assert one.clock is not None
    hour, minute, second = one.clock
    return (hour, minute) == (moment.hour, moment.minute) and second in (None, moment.second)


def _within(part: str, text: str) -> bool:
    """Whether `part` stands in `text` as a word of its own."""
    start = text.find(part)
    while start >= 0:
        end = start + len(part)
        if not _joins(text[start - 1 : start]) and not _joins(text[end : end + 1], text[end + 1 : end + 2]):
            return True
        start = text.find(part, start + 1)
    return False


def _joins(sign: str, following: str = "x") -> bool:
    """Whether a sign beside a word belongs to it; a point or dash only where more of the word follows."""
    return sign.isalnum() or sign == "_" or (sign in ("-", ".", ":", "/", "@") and following.isalnum())


def _roles(before: tuple[str, ...]) -> set[str]:
    """What the words before a number make of it."""
    if before[-1:] == ("than",):
        return {"less" if before[0] in ("less", "fewer", "smaller", "younger", "newer") else "more"}
    found = {role for role, words in _ROLES.items() if before[-1:] and before[-1] in words}
    return found | ({before[-1]} if before[-1:] and before[-1] in _LABELS else set())
