"""What a query's answer looks like, wherever its rows come from: which columns, in which order, how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from copilot.answers import MOST_ROWS, Field
from copilot.execution.result import MEASURE, QueryError
from copilot.model.declaration import Attribute, Entity
from copilot.query import Query
from store.types.declaration import Role

Order = Sequence[tuple[str, bool]]
Row = TypeVar("Row")
MOST_TIES = 9  # more rows that are as large as the largest


def most(query: Query) -> int:
    """How many rows are read."""
    return MOST_ROWS if query.limit is None else max(0, min(query.limit, MOST_ROWS))


def read(query: Query) -> int:
    """How many rows are looked at: of the one largest, those that are as large too."""
    return most(query) + MOST_TIES if query.limit == 1 and ranked(query) else most(query)


def ranked(query: Query) -> str:
    """The one column that rows are ordered by, of groups MEASURE; "" where nothing, or more than one, was asked."""
    if query.group:
        return MEASURE if query.order in ((), ((MEASURE, True),), ((MEASURE, False),)) else ""
    return query.order[0][0] if len(query.order) == 1 else ""


def tied(query: Query, rows: Sequence[Row], rank: Callable[[Row], Any]) -> Sequence[Row]:
    """Of what was read to find the one largest, the others that are as large. `rank`: what it is ordered by first."""
    if query.limit != 1 or not ranked(query) or not rows:
        return ()
    best = rank(rows[0])
    # That two began in the same second is no tie that anybody means.
    return [row for row in rows[1:] if rank(row) == best] if isinstance(best, int | float) else ()


def columns(query: Query, entity: Entity) -> list[str]:
    """Columns shown: the name first, those asked for or the usual ones, what is counted, what orders them."""
    names = [entity.name_column, *(query.columns or entity.columns)]
    names += [one.name for one in query.counted]
    names += [name for name, _ in query.order]
    names += ["valid_to"] if query.gone is not None else []
    return list(dict.fromkeys(names))


def order(query: Query, entity: Entity) -> list[tuple[str, bool]]:
    """(column, descending) of rows; each column once."""
    usual = (("valid_to", True),) if query.gone is not None else entity.default_order
    found: dict[str, bool] = {}
    for name, descending in query.order or usual:
        found.setdefault(name, descending)
    return list(found.items())


def group_order(query: Query) -> list[tuple[int, bool]]:
    """(place in the row, descending) of groups: as asked, else the largest first; then by the groups' values."""
    places = {name: place for place, name in enumerate(query.group)} | {MEASURE: len(query.group)}
    found: dict[int, bool] = {}
    for name, descending in query.order or ((MEASURE, True),):
        if name not in places:
            raise QueryError(f"groups cannot be ordered by {name[:60]!r}: by what they are made of, or by their number")
        found.setdefault(places[name], descending)
    for place in range(len(query.group)):
        found.setdefault(place, False)
    return list(found.items())


def field(attribute: Attribute) -> Field:
    """The column's head."""
    return Field(attribute.column, attribute.title or attribute.column.upper(), attribute.role)


_MEASURED: dict[str, tuple[str, Role]] = {"share": ("%", "number"), "average": ("AVERAGE", "number")}


def measured(query: Query, entity: Entity, attribute: Attribute | None) -> Field:
    """The head of the measure's column."""
    kind = query.measure.kind
    if attribute is None:
        title, role = _MEASURED.get(kind, (entity.plural.upper(), "number"))
        return Field(MEASURE, title, role)
    return Field(MEASURE, f"{kind.upper()} {attribute.title or attribute.column}", attribute.role)


def unit(query: Query, attribute: Attribute | None) -> str:
    """The measure's unit."""
    if query.measure.kind == "share":
        return "%"
    return attribute.unit if attribute is not None else ""
