"""Lists of the console and counts of the estate, as topics ask for them."""

from __future__ import annotations

from copilot.answers import Shown, Table
from copilot.execution.result import Result
from copilot.execution.run import run
from copilot.query import EVERYTHING, Condition, Measure, Query, Test
from copilot.reading import Period
from copilot.topics.topic import Asked


def fetch(
    asked: Asked,
    entity: str,
    where: Condition = EVERYTHING,
    *,
    order: tuple[tuple[str, bool], ...] = (),
    limit: int | None = None,
    columns: tuple[str, ...] = (),
) -> Result:
    """Rows of an entity. Raises NotAllowed, NotAvailable."""
    query = Query(entity, where, order=order, limit=limit, columns=columns)
    return run(query, asked.sources, asked.context.now)


def count(asked: Asked, entity: str, where: Condition = EVERYTHING) -> int:
    """How many rows there are."""
    found = run(Query(entity, where, Measure("count")), asked.sources, asked.context.now)
    return int(found.value or 0)


def table(result: Result) -> Table:
    """The result's rows as an answer has them."""
    return Table(result.columns, result.rows, result.total, result.keys)


def shown(result: Result) -> tuple[Shown, ...]:
    """How they were found."""
    return (Shown(result.sql),) if result.sql else (Shown(result.entity.name, "list"),)


def within(column: str, period: Period | None) -> list[Condition]:
    """What a time column must fulfil to lie in the period."""
    if period is None:
        return []
    if period.at is not None:
        return [Test(column, "<=", (period.at,))]
    bounds: list[Condition] = []
    if period.since is not None:
        bounds.append(Test(column, ">=", (period.since,)))
    if period.until is not None:
        bounds.append(Test(column, "<", (period.until,)))
    return bounds


def called(asked: Asked, column: str, *types: str) -> list[Condition]:
    """That a name column is one of the names of these types in the question; nothing where none was named."""
    names = tuple(dict.fromkeys(one.name for one in asked.of_type(*types)))
    return [Test(column, "=", names)] if names else []


def plural(number: int, one: str, several: str = "") -> str:
    """ "1 job", "1,234 jobs"."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
