"""What a right answer is: values computed by the oracle, of the kinds that `judge` compares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.copilot.evaluation.world import Row, key

Key = tuple[str, str, str]


class Expected:
    """A right answer."""


@dataclass(frozen=True, slots=True)
class Number(Expected):
    """A number, within `unit` ("", "MB", "GB", "%") and half a percent or so of rounding."""

    value: float
    unit: str = ""
    loose: float = 0.006


@dataclass(frozen=True, slots=True)
class Rows(Expected):
    """Exactly these resources, in any order."""

    type: str
    keys: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Listed(Expected):
    """Exactly these rows of a room's list, by a column."""

    column: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Top(Expected):
    """The first rows of an order: their values in this order (rows of equal value may change places)."""

    values: tuple[float, ...]
    of: Mapping[Key, float]


@dataclass(frozen=True, slots=True)
class Groups(Expected):
    """A number for each of these; groups with 0 may be missing."""

    numbers: Mapping[str, float]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Yes(Expected):
    """Yes, or no."""

    yes: bool


@dataclass(frozen=True, slots=True)
class Text(Expected):
    """All of these texts are the value, or stand in the sentence."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moment(Expected):
    """A time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Winner(Expected):
    """One of these names is the first thing that is answered."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Shows(Expected):
    """The answer speaks of one of these resources."""

    keys: frozenset[Key]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Nothing(Expected):
    """There is none: no rows, 0, or no; said with confidence or not."""


@dataclass(frozen=True, slots=True)
class AskBack(Expected):
    """What was meant is asked; each of the texts stands in one of the choices."""

    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Propose(Expected):
    """The plan of an action on just these resources; `verbs` are words of which one is in the proposal."""

    verbs: tuple[str, ...]
    keys: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Unanswerable(Expected):
    """Must not be answered with confidence."""


@dataclass(frozen=True, slots=True)
class Either(Expected):
    """Several readings are right."""

    options: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class Saying(Expected):
    """Right as `of`, and one of the words stands in the sentence: so that it is seen how the question was read."""

    of: Expected
    words: tuple[str, ...]


def rows(type: str, found: Iterable[Row]) -> Rows:
    """Exactly these rows."""
    return Rows(type, frozenset(key(row) for row in found))


def count(found: Iterable[Row]) -> Number:
    """How many there are."""
    return Number(len(list(found)))


def listed(found: Iterable[Row], column: str = "at") -> Listed:
    """Exactly these rows of a room's list, which are told apart by their times unless there is another column."""
    return Listed(column, frozenset(cell(row[column]) for row in found))


def cell(value: object) -> str:
    """A value as it is compared: times to the minute."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return str(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
    return str(value)


def top(found: Sequence[Row], by: str, n: int, *, least: bool = False) -> Top:
    """The n largest (or smallest) rows by a column."""
    known = {key(row): float(row[by]) for row in found if row[by] is not None}
    return Top(tuple(sorted(known.values(), reverse=not least)[:n]), known)


def groups(found: Iterable[Row], by: str, add: str = "", unit: str = "") -> Groups:
    """How many rows there are of each value of a column, or the sum of another."""
    numbers: dict[str, float] = {}
    for row in found:
        numbers[str(row[by])] = numbers.get(str(row[by]), 0) + (row[add] if add else 1)
    return Groups(numbers, unit)


def winner(numbers: Mapping[str, float], *, least: bool = False) -> Winner:
    """The names with the largest number, or the smallest."""
    best = (min if least else max)(numbers.values())
    return Winner(frozenset(name for name, value in numbers.items() if value == best))


def shows(*found: Row) -> Shows:
    """The answer speaks of one of these."""
    return Shows(frozenset(key(row) for row in found), tuple(str(row.get("name") or "") for row in found))


def propose(verbs: str, *found: Row) -> Propose:
    """The plan of one of these verbs for just these rows."""
    return Propose(tuple(verbs.split()), frozenset(key(row) for row in found))


def saying(of: Expected, *words: str) -> Saying:
    """Right as this, and said in one of these words."""
    return Saying(of, words)


def either(*options: Expected) -> Either:
    """Any of these."""
    return Either(options)


@dataclass(frozen=True, slots=True)
class Says(Expected):
    """All of these numbers stand in the sentence or the table; sizes (`unit`) may be said in any unit."""

    numbers: tuple[float, ...]
    unit: str = ""


def says(*numbers: float, unit: str = "") -> Says:
    """All of these numbers."""
    return Says(tuple(float(number) for number in numbers), unit)


@dataclass(frozen=True, slots=True)
class Changes(Expected):
    """Each of these resources is in the answer, none else, in any order and as often as it changed."""

    keys: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Declines(Expected):
    """An action that there is none for: it is said so, or the thing itself is offered; no plan of another action."""
