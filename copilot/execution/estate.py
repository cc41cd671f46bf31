"""Running a query on the estate: one statement within the asker's scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from copilot.answers import Key
from copilot.execution import shape
from copilot.execution.level import Level, Model, filtered
from copilot.execution.result import MEASURE, Result, percent, plain, rounded
from copilot.execution.speech import Bound, Written
from copilot.execution.statement import Statement
from copilot.model.declaration import Entity
from copilot.query import Condition, Query
from copilot.sources import NotAllowed, Sources

if TYPE_CHECKING:
    import duckdb

Row = tuple[Any, ...]


def run(query: Query, entity: Entity, sources: Sources, model: Model, at: datetime | None) -> Result:
    """Raises QueryError, NotAllowed and NotAvailable."""
    bound = Bound(sources.scope)
    statement = Statement(query, entity, bound, model, at)
    sql = statement.sql
    types = allowed(statement.level, sources)

    def work(connection: duckdb.DuckDBPyConnection) -> list[Row]:
        return connection.execute(sql, bound.values).fetchall()

    rows = sources.read(work)
    shown = Statement(query, entity, Written(sources.scope), model, at).sql
    if query.group:
        return _groups(statement, rows, shown, types)
    if query.measure.kind in ("rows", "exists"):
        return _rows(statement, rows, shown, types)
    return _number(statement, rows[0], shown, types)


def related(
    entity: Entity, where: Condition, columns: Sequence[str], sources: Sources, model: Model
) -> tuple[list[dict[str, Any]], set[str]]:
    """The columns of all rows that fulfil `where`, for a list of a room that leads to them, and the entities that were
    read; times are aware.
    """
    bound = Bound(sources.scope)
    level = Level(bound, model, entity, None)
    picked, kept = ", ".join(map(level.column, columns)), level.where(where)
    sql = f"SELECT {picked} {level.from_clause}{filtered(kept)}"
    allowed(level, sources)
    rows = sources.read(lambda connection: connection.execute(sql, bound.values).fetchall())
    return [dict(zip(columns, map(_aware, row), strict=True)) for row in rows], level.read


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def allowed(level: Level, sources: Sources) -> tuple[str, ...]:
    """Names of the entities that the statement reads, its own first. Raises NotAllowed."""
    types = tuple(dict.fromkeys((level.entity.name, *sorted(level.read))))
    for name in types:
        if not sources.may(name):
            raise NotAllowed(f"your role does not include {level.model(name).plural}")
    return types


def _number(statement: Statement, row: Row, shown: str, types: tuple[str, ...]) -> Result:
    query, entity, attribute = statement.query, statement.entity, statement.measured
    total, made = row
    value = percent(made, total) if query.measure.kind == "share" else rounded(plain(made))
    unit = shape.unit(query, attribute)
    part = made if query.measure.kind == "share" else 0
    return Result(entity, total=total, value=value, part=part, unit=unit, sql=shown, types=types)


def _groups(statement: Statement, rows: list[Row], shown: str, types: tuple[str, ...]) -> Result:
    query, entity, attribute = statement.query, statement.entity, statement.measured
    fields = [shape.field(statement.level.attribute(name)) for name in query.group]
    names = [*query.group, MEASURE]

    def told(some: Sequence[Row]) -> tuple[dict[str, Any], ...]:
        return tuple(dict(zip(names, map(_shown, row), strict=False)) for row in some)

    return Result(
        entity,
        columns=(*fields, shape.measured(query, entity, attribute)),
        rows=told(rows[: shape.most(query)]),
        tied=told(shape.tied(query, rows, lambda row: row[-2])),
        total=rows[0][-1] if rows else 0,
        unit=shape.unit(query, attribute),
        sql=shown,
        types=types,
    )


def _rows(statement: Statement, rows: list[Row], shown: str, types: tuple[str, ...]) -> Result:
    entity, names = statement.entity, statement.shown
    total = rows[0][0]
    found = [row[2:] for row in rows if row[1] is not None]
    place = 3 + names.index(shape.ranked(statement.query) or names[0])
    tied = shape.tied(statement.query, found, lambda row: row[place])
    found = found[: shape.most(statement.query)]
    keys: list[tuple[str, Key]] = [(statement.level.type.name, (row[0], row[1], row[2])) for row in found]

    def told(some: Sequence[Row]) -> tuple[dict[str, Any], ...]:
        return tuple(dict(zip(names, map(_shown, row[3:]), strict=True)) for row in some)

    return Result(
        entity,
        columns=tuple(shape.field(statement.level.attribute(name)) for name in names),
        rows=told(found),
        tied=told(tied),
        total=total,
        value=total > 0 if statement.query.measure.kind == "exists" else None,
        keys=tuple(keys),
        sql=shown,
        types=types,
    )


def _shown(value: Any) -> Any:
    return rounded(plain(value))
