"""The two ways in which one statement is written: for the engine, over version tables with bound parameters, and for a
person, over the public views with the values written in.
"""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from typing import Any, Protocol

from copilot.query import Scalar
from store import times
from store.estate.reading import limits
from store.estate.reading.models import Scope
from store.estate.reading.relation import Moment, Relation, literal, quoted
from store.types import registry
from store.types.declaration import ResourceType

_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
# Words that cannot be the name of a column or view as they stand.
_RESERVED = frozenset(
    ["binary", "group", "order", "user", "default", "end", "all", "any", "limit", "table", "to", "from"]
)
_MARK = "\x00"  # in no statement: a text that has one is written with chr(0)


class Speech(Protocol):
    """How values and rows are named in a statement."""

    readable: bool
    scope: Scope

    def value(self, value: Scalar) -> str:
        """SQL of a value."""

    def rows(self, type: ResourceType, at: datetime | None, ended: bool = False) -> Relation:
        """The type's rows at that time (`ended`: also those of versions that ended)."""

    def alias(self, plural: str) -> str:
        """A name for a derived table that no other has."""


class Bound:
    """Statements for the engine; `values` are those of $1, $2, ..."""

    readable = False

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.values: list[Any] = []
        self._numbers: dict[tuple[type, Any], int] = {}
        self._aliases = 0

    def value(self, value: Scalar) -> str:
        """A parameter; equal ones are bound once, for each costs 50 to 150 µs."""
        key = (type(value), value)
        if key not in self._numbers:
            self.values.append(times.naive(value) if isinstance(value, datetime) else value)
            self._numbers[key] = len(self.values)
        return f"${self._numbers[key]}"

    def rows(self, type: ResourceType, at: datetime | None, ended: bool = False) -> Relation:
        """The version table, with the joins that columns need."""
        return Relation(type, Moment(at))

    def alias(self, plural: str) -> str:
        """r1, r2, ..."""
        self._aliases += 1
        return f"r{self._aliases}"


class Written:
    """Statements for a person."""

    readable = True

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._aliases: dict[str, int] = {}

    def value(self, value: Scalar) -> str:
        """A literal that can be nothing else."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime):
            return literal(value)
        if isinstance(value, int | float):
            return repr(value)
        return text_literal(value)

    def rows(self, type: ResourceType, at: datetime | None, ended: bool = False) -> Relation:
        """The public view; of rows that vanished the version table, which alone knows of them."""
        return Relation(type, Moment(at)) if ended else View(type, at)

    def alias(self, plural: str) -> str:
        """`volumes_1`, `volumes_2`, ..."""
        self._aliases[plural] = self._aliases.get(plural, 0) + 1
        return f"{plural}_{self._aliases[plural]}"


class View(Relation):
    """A public view: every column is there already.

    Its columns are led by a mark until `finished` knows whether they must be told apart from others.
    """

    def __init__(self, type: ResourceType, at: datetime | None) -> None:
        self.instant = at
        super().__init__(type, Moment(at), self._view(type), type.plural)
        self.is_page = False

    def _view(self, type: ResourceType) -> str:
        return identifier(type.plural) if self.instant is None else f"{type.plural}_at({literal(self.instant)})"

    def _expression(self, name: str) -> str:
        if name not in ("cloud", "region", "id", "valid_from"):
            self.type.column(name)  # KeyError for one that it does not have
        return f"{_MARK}{identifier(name)}"

    def finished(self, sql: str, alone: bool) -> str:
        """The statement with the view's name before its columns, or nothing where it is the only one read."""
        return sql.replace(_MARK, "" if alone else f"{self.alias}.")

    def of(self, type_name: str, alias: str) -> str:
        """`<view> alias`."""
        return f"{self._view(registry.ALL[type_name])} {alias}"

    def at(self, alias: str) -> str:
        """The view has the rows of one time alone."""
        return "true"

    @property
    def from_clause(self) -> str:
        """`FROM servers`."""
        return f"FROM {self.source}" + (f" AS {self.alias}" if self.source != self.alias else "")


def identifier(name: str) -> str:
    """A SQL identifier, in quotes only where it needs them."""
    return name if _PLAIN_NAME.fullmatch(name) and name not in _RESERVED else quoted(name)


def text_literal(text: str) -> str:
    """A text in single quotes; characters that a person would not see are written as chr(...)."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    runs = ["".join(run) for _, run in itertools.groupby(text, key=str.isprintable)]
    parts = [
        text_literal(run) if run.isprintable() else " || ".join(f"chr({ord(character)})" for character in run)
        for run in runs
    ]
    return "(" + " || ".join(parts) + ")"


def within(speech: Speech, relation: Relation) -> str:
    """The condition of lying within the asker's scope; "true" without one."""
    sql, values = limits.condition(relation, speech.scope)
    parts = sql.split("?")
    assert len(parts) == len(values) + 1, "a ? in a condition is always a parameter"
    written = [parts[0]]
    for value, part in zip(values, parts[1:], strict=True):
        written += (speech.value(value), part)
    return "".join(written)
