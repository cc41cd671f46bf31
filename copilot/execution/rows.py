"""Conditions on rows in memory: what `copilot.execution.level` writes as SQL, in Python."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from copilot.execution.comparing import checked
from copilot.execution.folding import fold
from copilot.execution.level import attribute_of, relation_of, summable
from copilot.execution.result import QueryError
from copilot.model.declaration import Attribute, Entity, Relation
from copilot.query import EVERYTHING, All, AnyOf, Condition, Counted, Not, Related, Test

T = TypeVar("T")
Row = Mapping[str, Any]
Passes = Callable[[Row], bool]
# Rows of another entity that fulfil a condition, with the columns named.
# Also tells which entities were read for it.
Fetch = Callable[[str, Condition, tuple[str, ...]], tuple[Sequence[Row], set[str]]]

_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "contains": lambda held, wanted: wanted in held,
    "starts": lambda held, wanted: held.startswith(wanted),
    "ends": lambda held, wanted: held.endswith(wanted),
}  # fmt: skip


class Reader:
    """Conditions and counted numbers of one entity's rows. Rows of others are fetched once for each of them."""

    def __init__(
        self, entity: Entity, model: Callable[[str], Entity], fetch: Fetch, counted: tuple[Counted, ...] = ()
    ) -> None:
        self.entity, self.model, self.fetch = entity, model, fetch
        self._counted = {one.name: one for one in counted}
        self._numbers: dict[tuple[str, Condition, str, str], Callable[[Row], Any]] = {}
        self.read = {entity.name}

    def attribute(self, name: str) -> Attribute:
        """The column, or the counted number as one. Raises QueryError."""
        if name not in self._counted:
            return attribute_of(self.entity, name)
        one = self._counted[name]
        if not one.column:
            return Attribute(name, "number", name.upper(), "BIGINT")
        made = attribute_of(self.model(relation_of(self.entity, one.relation).to), one.column)
        return Attribute(name, made.role, name.upper(), "DOUBLE" if one.kind == "average" else made.sql)

    def value(self, name: str) -> Callable[[Row], Any]:
        """What gives the column's value, or the counted number, of a row."""
        self.attribute(name)
        if name not in self._counted:
            return lambda row: row.get(name)
        one = self._counted[name]
        return self.number(one.relation, one.where, one.kind, one.column)

    def passes(self, condition: Condition) -> Passes:
        """What says whether a row fulfils the condition. Raises QueryError."""
        if isinstance(condition, Test):
            return test(condition, self.attribute(condition.column), self.value(condition.column))
        if isinstance(condition, Not):
            inner = self.passes(condition.item)
            return lambda row: not inner(row)
        if isinstance(condition, All):
            every = [self.passes(item) for item in condition.items]
            return lambda row: all(one(row) for one in every)
        if isinstance(condition, AnyOf):
            some = [self.passes(item) for item in condition.items]
            return lambda row: any(one(row) for one in some)
        assert isinstance(condition, Related)
        number, wanted = self.number(condition.relation, condition.where), condition.count
        compare = _COMPARED[condition.comparison]
        return lambda row: compare(number(row), wanted)

    def number(
        self, relation: str, where: Condition = EVERYTHING, kind: str = "count", column: str = ""
    ) -> Callable[[Row], Any]:
        """What gives a number made of a row's related rows."""
        key = (relation, where, kind, column)
        if key not in self._numbers:
            self._numbers[key] = self._number(relation_of(self.entity, relation), where, kind, column)
        return self._numbers[key]

    def _number(self, leads: Relation, where: Condition, kind: str, column: str) -> Callable[[Row], Any]:
        other = self.model(leads.to)
        attribute_of(self.entity, leads.own)
        if kind != "count":
            summable(attribute_of(other, column), kind)
        places = tuple(name for name in ("cloud", "region") if _has(self.entity, name) and _has(other, name))
        wanted = (*places, leads.column, *([column] if column else []))
        held: dict[tuple[Any, ...], list[tuple[int, Any]]] = {}
        rows, read = self.fetch(leads.to, where, wanted)
        for number, row in enumerate(rows):
            for value in _several(row.get(leads.column)):
                held.setdefault((*_place(row, places), value), []).append((number, row.get(column)))
        self.read |= read

        def made(row: Row) -> Any:
            found: dict[int, Any] = {}
            for value in _several(row.get(leads.own)):
                found.update(held.get((*_place(row, places), value), ()))
            return len(found) if kind == "count" else aggregate(kind, found.values())

        return made


def _has(entity: Entity, place: str) -> bool:
    """Whether its rows lie in a cloud or region; identity resources lie in no region."""
    if entity.type is not None:
        return place == "cloud" or not entity.type.listing.global_
    return place in entity.attributes


def _place(row: Row, places: Iterable[str]) -> tuple[Any, ...]:
    return tuple(row.get(place) or "" for place in places)


def _several(value: Any) -> set[Any]:
    """The values by which a row is related: neither null nor an empty text is one."""
    return {item for item in (value if isinstance(value, list | tuple) else (value,)) if item not in (None, "")}


def test(wanted: Test, attribute: Attribute, value: Callable[[Row], Any]) -> Passes:
    """What says whether a row passes the test. Raises QueryError."""
    values = checked(wanted, attribute)
    if wanted.operator in ("none", "any"):
        return lambda row: (value(row) in (None, "", [], ())) == (wanted.operator == "none")
    compare = _COMPARED.get(wanted.operator)
    if compare is None:
        raise QueryError(f"nothing is known of the comparison {str(wanted.operator)[:20]!r}")

    def passes(row: Row) -> bool:
        held = value(row)
        items = held if isinstance(held, list | tuple) else (held,)
        folded = [fold(item) if isinstance(item, str) else item for item in items if item is not None]
        return any(compare(item, one) for item in folded for one in values)

    return passes


def aggregate(kind: str, values: Iterable[Any]) -> Any:
    """Sum, average, largest or smallest of what is not null; None of nothing."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if kind == "sum":
        return sum(known)
    if kind == "average":
        return sum(known) / len(known)
    return max(known) if kind == "maximum" else min(known)


def ordered(rows: Sequence[T], terms: Sequence[tuple[Callable[[T], Any], bool]]) -> list[T]:
    """The rows in order; nulls last, rows that are equal stay as they were."""
    found = list(rows)
    for value, descending in reversed(terms):
        known = [row for row in found if value(row) is not None]
        known.sort(key=lambda row: _comparable(value(row)), reverse=descending)
        found = known + [row for row in found if value(row) is None]
    return found


def _comparable(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else value
