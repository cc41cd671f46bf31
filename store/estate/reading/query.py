"""What all statements of one window share: relation, condition and order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from store import filter_sql, filters
from store.estate.reading import limits
from store.estate.reading.models import UnknownColumn, Window
from store.estate.reading.order import Sql, Term, order_by
from store.estate.reading.relation import LEADING, Moment, Relation
from store.types import registry
from store.types.declaration import Computed, ResourceType

Place = Sequence[Any]  # values of the order's terms


class Query:
    """What all statements of one window share: relation, condition, order. Raises FilterError and UnknownColumn."""

    def __init__(self, window: Window, now: datetime) -> None:
        self.type = registry.ALL[window.type]
        self.moment = Moment(window.at)
        self.relation = Relation(self.type, self.moment)
        tree = filters.parse(window.filter) if isinstance(window.filter, str) else window.filter
        parts = [
            (self.relation.at("t"), []),
            limits.condition(self.relation, window.scope),
            filter_sql.to_sql(tree, self.type, window.at or now, self.relation.column),
        ]
        self.filtered = tree != filters.EVERYTHING
        kept = [part for part in parts if part[0] != "true"]
        self.where: Sql = (
            " AND ".join(sql for sql, _ in kept),
            [value for _, values in kept for value in values],
        )
        self.sort = sort_of(self.type, window.sort)
        self.terms = self.terms_of(self.relation)
        # Whether the order's values are added up from other types, which costs the same for few rows as for all.
        self.computed = any(
            name not in LEADING and isinstance(self.type.column(name), Computed) for name, _ in self.sort
        )

    def terms_of(self, relation: Relation) -> list[Term]:
        """The order's terms as columns of a relation."""
        terms = [Term(relation.column(name), descending, name not in LEADING) for name, descending in self.sort]
        named = {name for name, _ in self.sort}
        return terms + [Term(relation.column(name), False, False) for name in LEADING if name not in named]

    @property
    def names(self) -> list[str]:
        """Names of the order's columns."""
        named = [name for name, _ in self.sort]
        return named + [name for name in LEADING if name not in named]

    def values(self) -> str:
        """Row id, keys and the order's values as s0, s1, ... of the relation."""
        t = self.relation
        picked = [f"{t.alias}.rowid AS rid", *(f"{t.column(name)} AS {name}" for name in LEADING)]
        return ", ".join(picked + [f"{term.sql} AS s{i}" for i, term in enumerate(self.terms)])

    @property
    def places(self) -> list[Term]:
        """The order's terms over the names that `values` gives them."""
        return [Term(f"s{i}", term.descending, term.nullable) for i, term in enumerate(self.terms)]

    def rows(self, more: Sql) -> Sql:
        """SELECT of `values` of all rows that also pass `more`, in no order."""
        extra = f" AND {more[0]}" if more[0] != "true" else ""
        sql = f"SELECT {self.values()} {self.relation.from_clause} WHERE {self.where[0]}{extra}"
        return sql, [*self.where[1], *more[1]]

    def first(self, more: Sql, *, backward: bool, limit: int, source: str = "") -> Sql:
        """SELECT of `values` and `side` (0 when `backward`, else 1) of the first rows that also pass `more`.

        `source` names rows that were chosen before; their conditions then speak of s0, s1, ...
        """
        if source:
            terms, values = self.places, more[1]
            sql = f"SELECT * FROM {source} WHERE {more[0]}"
        else:
            terms = self.terms
            sql, values = self.rows(more)
        order = order_by(terms, backward=backward)
        return f"SELECT *, {0 if backward else 1} AS side FROM ({sql} ORDER BY {order} LIMIT {int(limit)})", values


def sort_of(type: ResourceType, sort: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """(column, descending) with the columns' own names; the type's default order when none is asked for.

    `age` grows as `created_at` falls, so it turns the direction. Raises UnknownColumn.
    """
    asked = sort or [(name, False) for name in type.default_sort]
    found: dict[str, bool] = {}
    for name, descending in asked:
        try:
            column = filter_sql.resolve(type, name).name
        except KeyError as error:
            raise UnknownColumn(error.args[0]) from None
        if column not in found:
            found[column] = descending != (name.strip().lower() == "age" and column == "created_at")
    return list(found.items())


def columns_of(type: ResourceType, columns: Sequence[str] | None) -> list[str]:
    """The columns' own names; the type's default ones for None. cloud, region and id always come first and are left
    out.
    """
    if columns is None:
        return list(type.default_columns)
    try:
        names = [filter_sql.resolve(type, name).name for name in columns]
    except KeyError as error:
        raise UnknownColumn(error.args[0]) from None
    return [name for name in dict.fromkeys(names) if name not in LEADING]
