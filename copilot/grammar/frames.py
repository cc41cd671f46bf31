"""A question understood, before it is a query: what a following question changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from copilot.answers import Named
from copilot.model.registry import entity
from copilot.query import EVERYTHING, Condition, Counted, Measure, Not, Query, both
from copilot.reading import Quantity

Form = Literal["list", "count", "value", "yes_no", "every", "share", "lookup", "compare"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that is required.

    dimension  what it is about: "column:status", "scope:project", "name", "born",
        "related:volume". A following question that
               says something else about the same replaces it
    words      how an answer says it: "stopped", "in project acme-prod"
    named      resources that it speaks of
    """

    dimension: str
    condition: Condition
    words: str
    named: tuple[Named, ...] = ()

    def negated(self) -> Piece:
        """The opposite."""
        return replace(self, condition=Not(self.condition), words=f"not {self.words}")


@dataclass(frozen=True, slots=True)
class Frame:
    """What is asked.

    pieces     what limits the rows
    predicate  of "yes_no", "every" and "share": what is asked about the rows that `pieces` leave
    expected   of a count that is compared: "more than 50?"
    subject    of "lookup": resources whose columns are asked for
    yes        of "compare": asked as "does A have more than B"
    length     of "lookup": how many values the column has
    also       further entities that are counted with the same pieces: "how many vms and volumes"
    """

    entity: str
    form: Form = "list"
    pieces: tuple[Piece, ...] = ()
    predicate: tuple[Piece, ...] = ()
    measure: Measure = field(default_factory=Measure)
    group: tuple[str, ...] = ()
    counted: tuple[Counted, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    at: datetime | None = None
    gone: tuple[datetime | None, datetime | None] | None = None
    columns: tuple[str, ...] = ()
    expected: Quantity | None = None
    subject: tuple[Named, ...] = ()
    also: tuple[str, ...] = ()
    scope_words: tuple[str, ...] = ()
    yes: bool = False
    length: bool = False

    def query(self) -> Query:
        """The query that answers it. Of "every": the rows that are not so; of "yes_no": those that are."""
        where = [piece.condition for piece in self.pieces]
        asked = both(*(piece.condition for piece in self.predicate)) if self.predicate else EVERYTHING
        measure = self.measure
        if self.form == "yes_no":
            where.append(asked)
        elif self.form == "every":
            where.append(Not(asked))
        elif self.form == "share":
            measure = Measure("share", of=asked)
        return Query(
            self.entity,
            both(*where),
            measure,
            self.group,
            self.counted,
            self.order or (() if self.group or measure.kind != "rows" else entity(self.entity).default_order),
            self.limit,
            self.at,
            self.gone,
            self.columns,
        )


def replaced(pieces: tuple[Piece, ...], new: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The pieces with the new ones in place of those about the same."""
    said = {piece.dimension for piece in new}
    return (*(piece for piece in pieces if piece.dimension not in said), *new)
