"""Running a query on a list that a room of the engine hands over, with the same meaning as on the estate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any

from copilot.answers import Key
from copilot.execution import estate, shape
from copilot.execution.level import AGGREGATES, Model, summable
from copilot.execution.result import MEASURE, QueryError, Result, percent, plain, rounded
from copilot.execution.rows import Reader, Row, aggregate, ordered
from copilot.model.declaration import Attribute, Entity
from copilot.model.rooms import subject
from copilot.query import Condition, Measure, Query
from copilot.sources import NotAllowed, Sources

NO_KEY: tuple[str, Key] = ("", ("", "", ""))  # of a row that is about no resource, where others are


def run(query: Query, entity: Entity, sources: Sources, model: Model, at: datetime | None) -> Result:
    """Raises QueryError, NotAllowed and NotAvailable."""
    if at is not None or query.gone is not None:
        raise QueryError(f"of {entity.plural} only what is there now is known")
    result = _run(query, entity, sources, model)
    lists = [one for one in map(model, result.types) if one.type is None]
    older = [(one.plural, getattr(sources.rows(one.name), "left_out", 0)) for one in lists]
    return replace(result, left_out=tuple((plural, count) for plural, count in older if count))


def _run(query: Query, entity: Entity, sources: Sources, model: Model) -> Result:
    reader = _reader(query, entity, sources, model)
    passes = reader.passes(query.where)
    measured = _measured(query, reader)
    rows = [row for row in _rows_of(entity, sources) if passes(row)]
    if query.group:
        return _groups(query, reader, measured, rows)
    if query.measure.kind in ("rows", "exists"):
        return _rows(query, reader, rows)
    value, part = _measure(query.measure, reader)(rows)
    types = _types(reader)
    return Result(entity, total=len(rows), value=value, part=part, unit=shape.unit(query, measured), types=types)


def _reader(query: Query, entity: Entity, sources: Sources, model: Model) -> Reader:
    def fetch(name: str, where: Condition, columns: tuple[str, ...]) -> tuple[Sequence[Row], set[str]]:
        other = model(name)
        if other.type is not None:
            return estate.related(other, where, columns, sources, model)
        reader = Reader(other, model, fetch)
        passes = reader.passes(where)
        return [row for row in _rows_of(other, sources) if passes(row)], reader.read

    return Reader(entity, model, fetch, query.counted)


def _rows_of(entity: Entity, sources: Sources) -> Sequence[Mapping[str, Any]]:
    if not sources.may(entity.name):
        raise NotAllowed(f"your role does not include {entity.plural}")
    return sources.rows(entity.name)


def _types(reader: Reader) -> tuple[str, ...]:
    return tuple(dict.fromkeys((reader.entity.name, *sorted(reader.read))))


def _measured(query: Query, reader: Reader) -> Attribute | None:
    measure = query.measure
    if measure.kind not in AGGREGATES:
        return None
    attribute = reader.attribute(measure.column)
    summable(attribute, measure.kind)
    return attribute


def _measure(measure: Measure, reader: Reader) -> Callable[[Sequence[Row]], tuple[Any, int]]:
    """What makes (value, part), as `Result` has them, of rows."""
    if measure.kind in AGGREGATES:
        value = reader.value(measure.column)
        return lambda rows: (rounded(plain(aggregate(measure.kind, map(value, rows)))), 0)
    if measure.kind == "share":
        passes = reader.passes(measure.of)

        def share(rows: Sequence[Row]) -> tuple[Any, int]:
            part = sum(map(passes, rows))
            return percent(part, len(rows)), part

        return share
    return lambda rows: (len(rows), 0)


def _groups(query: Query, reader: Reader, measured: Attribute | None, rows: Sequence[Row]) -> Result:
    attributes = [reader.attribute(name) for name in query.group]
    if sum(attribute.is_list for attribute in attributes) > 1:
        raise QueryError("groups can be made by one column with several values, not by two")
    measure = _measure(query.measure, reader)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    values = [reader.value(name) for name in query.group]
    for row in rows:
        for group in _of(row, values):
            groups.setdefault(group, []).append(row)
    made = [(*group, measure(found)[0]) for group, found in groups.items()]
    places = [(itemgetter(place), descending) for place, descending in shape.group_order(query)]
    found = ordered(made, places)[: shape.read(query)]
    names = [*query.group, MEASURE]

    def told(some: Sequence[tuple[Any, ...]]) -> tuple[dict[str, Any], ...]:
        return tuple({name: plain(value) for name, value in zip(names, one, strict=True)} for one in some)

    return Result(
        reader.entity,
        columns=(*map(shape.field, attributes), shape.measured(query, reader.entity, measured)),
        rows=told(found[: shape.most(query)]),
        tied=told(shape.tied(query, found, itemgetter(-1))),
        total=len(made),
        unit=shape.unit(query, measured),
        types=_types(reader),
    )


def _of(row: Row, values: Sequence[Callable[[Row], Any]]) -> Iterator[tuple[Any, ...]]:
    """The groups that a row belongs to: one for each value of a list, and what is empty is none."""
    held = [value(row) for value in values]
    several = next((place for place, value in enumerate(held) if isinstance(value, list | tuple)), None)
    plainly = [None if value == "" else value for value in held]
    if several is None:
        yield tuple(plainly)
        return
    for item in dict.fromkeys(held[several]) or [None]:
        yield (*plainly[:several], item, *plainly[several + 1 :])


def _rows(query: Query, reader: Reader, rows: Sequence[Row]) -> Result:
    entity, names = reader.entity, shape.columns(query, reader.entity)
    terms = [(reader.value(name), descending) for name, descending in shape.order(query, entity)]
    values = {name: reader.value(name) for name in names}
    attributes = [reader.attribute(name) for name in names]
    found = ordered(rows, terms)[: shape.read(query)]
    chosen = found[: shape.most(query)]
    keys = [subject(entity.name, row) or NO_KEY for row in chosen]

    def told(some: Sequence[Row]) -> tuple[dict[str, Any], ...]:
        return tuple({name: rounded(plain(value(row))) for name, value in values.items()} for row in some)

    return Result(
        entity,
        columns=tuple(map(shape.field, attributes)),
        rows=told(chosen),
        tied=told(shape.tied(query, found, terms[0][0] if terms else values[names[0]])),
        total=len(rows),
        value=bool(rows) if query.measure.kind == "exists" else None,
        keys=tuple(keys) if any(key != NO_KEY for key in keys) else (),
        types=_types(reader),
    )
