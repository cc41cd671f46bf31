"""A query's rows as a filter of the app's lists, where its grammar can say the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from copilot.execution.comparing import checked
from copilot.execution.level import attribute_of
from copilot.execution.result import QueryError
from copilot.model import registry
from copilot.model.declaration import Attribute, Entity
from copilot.query import EVERYTHING, All, AnyOf, Condition, Not, Query, Scalar, Test
from store import filters, times
from store.estate.reading.relation import LEADING
from store.filter_sql import check

_SPECIAL = re.compile(r"(?!-(?!-)(?<!--))[^\w\s]", re.ASCII)  # a dash is special beside another alone
_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)  # no filter made here counts ages from now


class _CannotSay(Exception):
    """The filter's grammar has no words for it."""


def as_filter(query: Query) -> str | None:
    """The filter's text that lists the same rows (all of them: order, limit and time are the list's own); "" where
    everything is meant; None where the grammar cannot say it: related rows, what vanished, lists of rooms.
    """
    try:
        entity = registry.entity(query.entity)
        if entity.type is None or query.gone is not None:
            return None
        tree = filters.EVERYTHING if query.where == EVERYTHING else _tree(query.where, entity)
        text = filters.format(tree)
        check(filters.parse(text), entity.type, _ANY_TIME)
    except (KeyError, _CannotSay, QueryError, filters.FilterError):
        return None
    return text


def _tree(condition: Condition, entity: Entity) -> filters.Filter:
    if isinstance(condition, Test):
        return _match(condition, entity)
    if isinstance(condition, Not):
        return filters.Not(_tree(condition.item, entity))
    if isinstance(condition, All) and condition.items:
        return filters.all_of(*(_tree(item, entity) for item in condition.items))
    if isinstance(condition, AnyOf) and condition.items:
        items = tuple(_tree(item, entity) for item in condition.items)
        return items[0] if len(items) == 1 else filters.Or(items)
    raise _CannotSay


def _match(test: Test, entity: Entity) -> filters.Filter:
    attribute = attribute_of(entity, test.column)
    known = entity.type is not None and test.column in {column.name for column in entity.type.view_columns}
    if not known and test.column not in LEADING:
        raise _CannotSay
    if test.operator in ("none", "any"):
        return filters.Match(test.column, (filters.Value(test.operator),))
    values = checked(test, attribute)
    if not values:
        raise _CannotSay
    return filters.Match(test.column, tuple(_value(test.operator, value, attribute) for value in values))


def _value(operator: str, value: Scalar, attribute: Attribute) -> filters.Value:
    if isinstance(value, bool):
        return filters.Value("", "true" if value else "false")
    if isinstance(value, datetime):
        return filters.Value(operator, times.text(value))
    if isinstance(value, int | float):
        shown = repr(int(value)) if float(value).is_integer() else repr(value)
        return filters.Value(operator, shown)
    return _text(operator, value, attribute)


def _text(operator: str, text: str, attribute: Attribute) -> filters.Value:
    """A bare value is contained, of a state equal; the rest is said by a regular expression, which knows no case."""
    if not text.isprintable():
        raise _CannotSay
    bare = "=" if attribute.role == "status" and not attribute.is_list else "contains"
    if operator == bare and text:
        return filters.Value("", text)
    if operator == "=" and text and not any(character.isalpha() for character in text):
        return filters.Value("=", text)
    pattern = _SPECIAL.sub(lambda found: f"\\{found[0]}" if found[0].isascii() else found[0], text)
    start = "^" if operator in ("=", "starts") else ""
    end = "$" if operator in ("=", "ends") else ""
    return filters.Value("~", f"{start}{pattern}{end}")
