"""What running a query gives, and how a query that cannot be run says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from copilot.answers import Field, Key
from copilot.model.declaration import Entity
from store import times

MEASURE = "#"  # name of the measure's column where there are groups


class QueryError(ValueError):
    """The query asks for what the model does not have; the message is one clear sentence."""


@dataclass(frozen=True, slots=True)
class Result:
    """Rows or a number.

    columns, rows   as in `copilot.answers.Table`. With groups a row has the group's values and "#", the measure
    tied            of the one largest or smallest: other rows like it, up to shape.MOST_TIES
    total           rows that fulfil the query's condition, also beyond `rows`; with groups, how many groups there are
    value           of "count", "sum", "average", "maximum", "minimum" and "share" (percent): the number (a time is an
                    RFC 3339 text); of "exists" True or False; None for rows and groups, and where no row has a number
    part            of "share": rows that also fulfil `of`
    unit            of the value and of "#": "MB", "GB", "bytes", "%" or ""
    keys            type and key of each row's resource; () where rows are none
    sql             the same statement on the public views; "" for a list of a room
    types           names of the entities that were read, the query's own first
    left_out        of lists that are too long to be read whole: (what its rows are, how many older ones there are)
    """

    entity: Entity
    columns: tuple[Field, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    tied: tuple[dict[str, Any], ...] = ()
    total: int = 0
    value: Any = None
    part: int = 0
    unit: str = ""
    keys: tuple[tuple[str, Key], ...] = ()
    sql: str = ""
    types: tuple[str, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()


def plain(value: Any) -> Any:
    """The value as JSON can hold it: times as RFC 3339 texts in UTC, sums as numbers, what is no number as None."""
    if isinstance(value, datetime):
        return times.text(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    return value


def rounded(value: Any) -> Any:
    """An average as shown: two places are enough."""
    return round(value, 2) if isinstance(value, float) else value


def percent(part: int, whole: int) -> float | None:
    """`part` of `whole` in percent with one place; None of nothing."""
    return round(100 * part / whole, 1) if whole else None
