"""The order of a list, and the conditions that pick what lies after or before a place in it.

Always (sort columns NULLS LAST, cloud, region, id): a total order, so every row has exactly one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

Sql = tuple[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the order: its SQL, direction, and whether it can be NULL."""

    sql: str
    descending: bool = False
    nullable: bool = True


def order_by(terms: Sequence[Term], *, backward: bool = False) -> str:
    """The ORDER BY list; `backward` is the exact reverse."""
    parts = []
    for term in terms:
        direction = "DESC" if term.descending != backward else "ASC"
        nulls = "" if not term.nullable else " NULLS FIRST" if backward else " NULLS LAST"
        parts.append(f"{term.sql} {direction}{nulls}")
    return ", ".join(parts)


def beyond(terms: Sequence[Term], place: Sequence[Any], *, backward: bool = False, inclusive: bool = False) -> Sql:
    """The condition of lying after the place (before it when `backward`), or on it when `inclusive`."""
    if not terms:
        return ("true" if inclusive else "false"), []
    term, value = terms[0], place[0]
    rest, rest_parameters = beyond(terms[1:], place[1:], backward=backward, inclusive=inclusive)
    if value is None:
        # Nothing lies after NULL but other NULLs; everything that is not NULL lies before it.
        strictly: Sql = (f"{term.sql} IS NOT NULL", []) if backward else ("false", [])
        same: Sql = (f"{term.sql} IS NULL", [])
    else:
        sign = ">" if term.descending == backward else "<"
        sql = f"{term.sql} {sign} ?"
        if term.nullable and not backward:
            sql = f"({sql} OR {term.sql} IS NULL)"
        strictly, same = (sql, [value]), (f"{term.sql} = ?", [value])
    if rest == "false":
        return strictly
    if strictly[0] == "false":
        return f"({same[0]} AND {rest})", [*same[1], *rest_parameters]
    return f"({strictly[0]} OR ({same[0]} AND {rest}))", [*strictly[1], *same[1], *rest_parameters]


def run(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
    """Execute with `?` parameters; equal ones are passed once.

    Binding one costs 50 to 150 µs, and a window's conditions repeat the same few values dozens of times.
    """
    if len(parameters) < 2:
        return connection.execute(sql, parameters)
    parts = sql.split("?")
    assert len(parts) == len(parameters) + 1, "a ? in a SQL text is always a parameter"
    numbers: dict[tuple[type, Any], int] = {}
    values: list[Any] = []
    text = [parts[0]]
    for parameter, part in zip(parameters, parts[1:], strict=True):
        key = (type(parameter), repr(parameter) if isinstance(parameter, list | float) else parameter)
        if key not in numbers:
            values.append(parameter)
            numbers[key] = len(values)
        text += (f"${numbers[key]}", part)
    return connection.execute("".join(text), values)
