"""What the asker may read of what a statement wants: the rows within the scope, made by the store and by nobody else.

A model's statement never runs on the estate. Here the rows that it may use are read with SQL of our own, with the
conditions that every list of the app has; they alone are handed to where it runs. So there is nothing beyond the scope
that a sub-query, an error or a count could tell of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from copilot.guard.parsing import Checked
from copilot.guard.refusing import Refused
from copilot.sources import Sources
from store.estate.reading.limits import condition
from store.estate.reading.models import Scope
from store.estate.reading.relation import LEADING, Moment, Relation, quoted
from store.types.declaration import ResourceType


@dataclass(frozen=True, slots=True)
class Load:
    """The rows of one table of the statement: SQL on the estate, with its parameters."""

    table: str
    sql: str
    parameters: tuple[Any, ...]


def loads(checked: Checked, sources: Sources) -> list[Load]:
    """What has to be read for a statement. Raises Refused where the asker may not read a type at all."""
    found = []
    for wanted, moment in zip(checked.wanted, checked.moments, strict=True):
        if not sources.may(wanted.type.name):
            raise Refused(f"The view {wanted.type.plural} may not be read here: answer without it.")
        found.append(_load(wanted.table, wanted.type, moment, checked.columns, sources.scope))
    return found


def columns_of(type: ResourceType) -> tuple[str, ...]:
    """Names of the columns of a type's view, in order."""
    return (*LEADING, *(column.name for column in type.view_columns), "valid_from")


def _load(
    table: str, type: ResourceType, moment: datetime | None, columns: frozenset[str] | None, scope: Scope
) -> Load:
    relation = Relation(type, Moment(moment.replace(tzinfo=UTC) if moment else None))
    # A column costs a join, or counting other types' rows; most statements mention few.
    names = [name for name in columns_of(type) if columns is None or name in columns or name == "id"]
    picked = ", ".join(f"{relation.column(name)} AS {quoted(name)}" for name in names)
    within, parameters = condition(relation, scope)
    sql = f"SELECT {picked} {relation.from_clause} WHERE {relation.at('t')} AND {within}"
    return Load(table, sql, tuple(parameters))
