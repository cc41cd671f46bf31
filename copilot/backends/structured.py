"""The query that a model gives as fields, made into the copilot's own kind of query. Every field is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast, get_args

from copilot.backends.untrusted import clean
from copilot.model.declaration import Attribute, Entity
from copilot.model.registry import entities
from copilot.query import (
    EVERYTHING,
    Comparison,
    Condition,
    Kind,
    Measure,
    Not,
    Operator,
    Query,
    Related,
    Scalar,
    Test,
    both,
)
from store import times

OPERATORS: tuple[str, ...] = get_args(Operator)
COMPARISONS: tuple[str, ...] = get_args(Comparison)
MEASURES: tuple[str, ...] = tuple(one for one in get_args(Kind) if one != "share")
MOST_CONDITIONS = 12
MOST_VALUES = 50
MOST_TEXT = 200

_CONDITION: dict[str, Any] = {
    "column": {"type": "string", "description": "a column of the entity"},
    "operator": {"type": "string", "enum": list(OPERATORS), "description": '"none" = empty, "any" = not empty'},
    "values": {"type": "array", "items": {}, "description": "any of them will do; times as RFC 3339 texts"},
    "not": {"type": "boolean", "description": "rows that do not fulfil it"},
}
_RELATED: dict[str, Any] = {
    "relation": {"type": "string", "description": "instead of a column: a related entity"},
    "comparison": {"type": "string", "enum": list(COMPARISONS), "description": "how many related rows; default >="},
    "count": {"type": "integer", "description": "default 1"},
    "where": {
        "type": "array",
        "description": "what the related rows fulfil",
        "items": {"type": "object", "properties": _CONDITION},
    },
}
FIELDS: dict[str, Any] = {
    "entity": {"type": "string", "description": 'what is asked about, singular: "server", "volume", "drift_event"'},
    "where": {
        "type": "array",
        "description": "conditions; all must hold",
        "items": {"type": "object", "properties": {**_CONDITION, **_RELATED}},
    },
    "measure": {"type": "string", "enum": list(MEASURES), "description": "default rows"},
    "measured": {"type": "string", "description": "column that sum, average, maximum, minimum are made of"},
    "group": {"type": "array", "items": {"type": "string"}, "description": "columns to group by"},
    "order": {"type": "array", "items": {"type": "string"}, "description": 'columns; "-column" = descending'},
    "limit": {"type": "integer", "description": "at most so many rows"},
    "at": {"type": "string", "description": "RFC 3339 time: the data as it was then"},
    "columns": {"type": "array", "items": {"type": "string"}, "description": "columns to show"},
}


def query_of(given: Mapping[str, Any], now: datetime) -> Query:
    """The query. Raises ValueError with one sentence for the model about what is wrong."""
    entity = _entity(given.get("entity"))
    kind = _one_of(given.get("measure", "rows"), MEASURES, "measure")
    measured = given.get("measured", "")
    if kind in ("sum", "average", "maximum", "minimum"):
        measured = _attribute(entity, measured).column
    at = time_of(given["at"]) if given.get("at") else None
    return Query(
        entity.name,
        _conditions(entity, given.get("where"), depth=1),
        Measure(cast(Kind, kind), measured if isinstance(measured, str) and kind != "rows" else ""),
        tuple(_attribute(entity, one).column for one in _list(given.get("group"), "group", 4)),
        (),
        tuple(_order(entity, one) for one in _list(given.get("order"), "order", 4)),
        _limit(given.get("limit")),
        at if at is not None and at < now else None,
        None,
        tuple(_attribute(entity, one).column for one in _list(given.get("columns"), "columns", 30)),
    )


def _entity(name: Any) -> Entity:
    known = entities()
    text = str(name).strip().lower() if isinstance(name, str) else ""
    for one in known.values():
        if text and text in (one.name, one.type.plural if one.type else "", *one.words, *one.plural_words):
            return one
    raise ValueError(f"there is no entity {clean(text, 40)!r}; call describe_views for the names")


def _attribute(entity: Entity, name: Any) -> Attribute:
    found = entity.attributes.get(name) if isinstance(name, str) else None
    if found is None:
        names = ", ".join(entity.attributes)
        raise ValueError(f"{entity.name} has no column {clean(str(name), 40)!r}; it has {names}")
    return found


def _conditions(entity: Entity, given: Any, depth: int) -> Condition:
    made = []
    for one in _list(given, "where", MOST_CONDITIONS):
        if not isinstance(one, Mapping):
            raise ValueError("each condition of where must be an object")
        condition = _related(entity, one) if depth and one.get("relation") else _test(entity, one)
        made.append(Not(condition) if one.get("not") is True else condition)
    return both(*made) if made else EVERYTHING


def _test(entity: Entity, given: Mapping[str, Any]) -> Condition:
    attribute = _attribute(entity, given.get("column"))
    operator = _one_of(given.get("operator", "="), OPERATORS, "operator")
    if operator in ("none", "any"):
        return Test(attribute.column, cast(Operator, operator))
    values = given.get("values", given.get("value"))
    listed = values if isinstance(values, list) else [values]
    if not listed or len(listed) > MOST_VALUES:
        raise ValueError(f"the condition on {attribute.column} needs 1 to {MOST_VALUES} values")
    return Test(attribute.column, cast(Operator, operator), tuple(_value(attribute, operator, one) for one in listed))


def _value(attribute: Attribute, operator: str, value: Any) -> Scalar:
    """The value as the column holds it: a number, an aware time, true or false, a text."""
    column = attribute.column
    if attribute.sql == "TIMESTAMP":
        return time_of(value)
    if attribute.sql == "BOOLEAN":
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if isinstance(value, bool):
            return value
        raise ValueError(f"{column} is true or false")
    if attribute.sql in ("BIGINT", "DOUBLE"):
        try:
            return value if isinstance(value, int | float) and not isinstance(value, bool) else float(str(value))
        except ValueError:
            raise ValueError(f"{column} is a number, {clean(str(value), 40)!r} is none") from None
    if isinstance(value, str | int | float) and not isinstance(value, bool) and len(str(value)) <= MOST_TEXT:
        return str(value)
    raise ValueError(f"a value for {column} must be a text of at most {MOST_TEXT} characters")


def _related(entity: Entity, given: Mapping[str, Any]) -> Condition:
    name = given.get("relation")
    relation = entity.relations.get(name) if isinstance(name, str) else None
    if relation is None:
        names = ", ".join(entity.relations) or "none"
        raise ValueError(f"{entity.name} has no relation {clean(str(name), 40)!r}; it has {names}")
    comparison = _one_of(given.get("comparison", ">="), COMPARISONS, "comparison")
    count = given.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 1_000_000:
        raise ValueError("count must be a whole number")
    where = _conditions(entities()[relation.to], given.get("where"), depth=0)
    return Related(relation.name, where, cast(Comparison, comparison), count)


def _order(entity: Entity, text: Any) -> tuple[str, bool]:
    if not isinstance(text, str):
        raise ValueError("order takes names of columns")
    name = text.removeprefix("-")
    return ("#" if name in ("#", "count") else _attribute(entity, name).column), text.startswith("-")


def _limit(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("limit must be a whole number from 1 on")
    return min(value, 10_000)


def _list(value: Any, name: str, most: int) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"{name} must be a list of at most {most}")
    return value


def _one_of(value: Any, choices: tuple[str, ...], name: str) -> str:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}")
    return str(value)


def time_of(value: Any) -> datetime:
    """An RFC 3339 time. Raises ValueError."""
    try:
        return times.parse(str(value))
    except ValueError:
        raise ValueError(f"{clean(str(value), 40)!r} is not an RFC 3339 time") from None
