"""What is asked of the data, as a value: the one thing that the grammar makes, that is executed, shown and kept for the
next question.

A query speaks of the entities, columns and relations of the semantic model (`copilot.model`), never of tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

Scalar = str | int | float | bool | datetime
Operator = Literal["=", "<", "<=", ">", ">=", "contains", "starts", "ends", "none", "any"]
Comparison = Literal["=", "!=", "<", "<=", ">", ">="]
Kind = Literal["rows", "count", "sum", "average", "maximum", "minimum", "share", "exists"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a row must fulfil."""


@dataclass(frozen=True, slots=True)
class Test(Condition):
    """A column against values, of which any will do.

    "="         equal; texts without regard to case; of a list column: one of its elements is equal
    "contains", "starts", "ends"   texts (of a list: one of its elements), without regard to case
    "<" ...     numbers in the column's unit, or aware times
    "none"      null, an empty text or an empty list; "any" the opposite. Both without values
    """

    __test__: ClassVar[bool] = False  # the name is no invitation to pytest

    column: str
    operator: Operator
    values: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class All(Condition):
    """Every one of them; without items, everything."""

    items: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Related(Condition):
    """How many rows that `relation` leads to fulfil `where`; by itself: at least one."""

    relation: str
    where: Condition = All()
    comparison: Comparison = ">="
    count: int = 1


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """What the item does not say. A row of which the item is unknown (null) fulfils it."""

    item: Condition


@dataclass(frozen=True, slots=True)
class AnyOf(Condition):
    """One of them at least."""

    items: tuple[Condition, ...]


EVERYTHING = All(())


def both(*conditions: Condition) -> Condition:
    """All of them as one condition, flat, each once, in their order."""
    items: dict[Condition, None] = {}
    for one in conditions:
        items.update(dict.fromkeys(one.items if isinstance(one, All) else (one,)))
    kept = tuple(items)
    return kept[0] if len(kept) == 1 else All(kept)


def parts(condition: Condition) -> Iterator[Condition]:
    """What is required side by side at the top of a condition."""
    yield from condition.items if isinstance(condition, All) else (condition,)


@dataclass(frozen=True, slots=True)
class Counted:
    """A number made of the related rows of each row, shown as a column called `name`: how many, or the sum, average,
    largest or smallest of `column` among them. No rows count 0 and have no other number.
    """

    name: str
    relation: str
    where: Condition = EVERYTHING
    kind: Literal["count", "sum", "average", "maximum", "minimum"] = "count"
    column: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is made of the rows.

    "rows" themselves; "count" how many; "sum", "average", "maximum", "minimum" of `column` in its unit; "share":
    percent of the rows that fulfil `of` among those that fulfil the query's `where`; "exists": whether there is any
    """

    kind: Kind = "rows"
    column: str = ""
    of: Condition = EVERYTHING


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the data.

    entity   name of an entity of the model: a resource type ("server") or a list of a room ("drift_event")
    group    columns that the measure is made for each value of; () = one number
    counted  numbers made of related rows, for order and display
    order    (column or name of a counted number, descending); with `group` also "#", the measure. Nulls come last
    limit    at most so many rows or groups; None = all
    at       the time of the data; None = now
    gone     (since, until), aware, either open: not the rows that are there but those that vanished in this period
    columns  to show; () = the entity's usual ones
    """

    entity: str
    where: Condition = EVERYTHING
    measure: Measure = field(default_factory=Measure)
    group: tuple[str, ...] = ()
    counted: tuple[Counted, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    at: datetime | None = None
    gone: tuple[datetime | None, datetime | None] | None = None
    columns: tuple[str, ...] = ()
