"""The public view of one type as SQL: its version table at one time, with whatever has to be joined for the columns
asked for.

Nothing that belongs to another resource is stored in a row; it is joined here, as of the same time, and only when a
column needs it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from store.estate.reading.models import UnknownColumn
from store.types import registry
from store.types.declaration import Column, Computed, Joined, ResourceType

LEADING = ("cloud", "region", "id")
EXTRA = ("search", "valid_from", "valid_to", "denied", "scope", "doc")  # stored, but in no list


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(at: datetime) -> str:
    """A TIMESTAMP literal; made from a datetime, so it can hold nothing else."""
    at = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    return f"TIMESTAMP '{at.isoformat(sep=' ', timespec='microseconds')}'"


class Moment:
    """The condition that picks the versions of one time."""

    def __init__(self, at: datetime | str | None) -> None:
        """`at` is a time, None for the current state, or SQL of a time (of a macro's parameter)."""
        self.at = literal(at) if isinstance(at, datetime) else at

    def of(self, alias: str) -> str:
        if self.at is None:
            return f"{alias}.valid_to IS NULL"
        return f"({alias}.valid_from <= {self.at} AND ({alias}.valid_to IS NULL OR {alias}.valid_to > {self.at}))"


class Relation:
    """One type's rows (alias `t`) and the joins that the columns asked of it needed so far.

    `source` is the SQL name of what `t` stands for: the version table, or a page of rows already chosen from it.
    """

    def __init__(self, type: ResourceType, moment: Moment, source: str = "", alias: str = "t") -> None:
        self.type = type
        self.moment = moment
        self.source = source or quoted(type.table)
        self.is_page = bool(source)
        self.alias = alias
        self.joins: list[str] = []
        self.types = {type.name}  # whose rows the columns asked for are made of
        self._aliases: dict[tuple[str, ...], str] = {}
        self._expressions: dict[str, str] = {}

    def column(self, name: str) -> str:
        """SQL of a column by its name. Raises UnknownColumn."""
        if name not in self._expressions:
            self._expressions[name] = self._expression(name)
        return self._expressions[name]

    def _expression(self, name: str) -> str:
        if name in LEADING or name in EXTRA:
            return f"{self.alias}.{quoted(name)}"
        try:
            column = self.type.column(name)
        except KeyError:
            raise UnknownColumn(f"{self.type.plural} have no column {name[:60]!r}") from None
        if isinstance(column, Column):
            return f"{self.alias}.{quoted(name)}"
        if isinstance(column, Computed):
            from store.estate.reading.computed import COMPUTED

            return COMPUTED[self.type.name, name](self)
        return self._take(self.type, self.alias, column)

    def _take(self, type: ResourceType, alias: str, joined: Joined) -> str:
        """The joined column's SQL; joins of the other type's own joined columns follow on."""
        other = registry.ALL[joined.type]
        joined_alias = self._join(alias, other, joined)
        taken = other.column(joined.take)
        if isinstance(taken, Joined):
            return self._take(other, joined_alias, taken)
        return f"{joined_alias}.{quoted(joined.take)}"

    def _join(self, alias: str, other: ResourceType, joined: Joined) -> str:
        known = (alias, joined.type, joined.on, joined.key)
        if known in self._aliases:
            return self._aliases[known]
        name = f"j{len(self._aliases)}"
        self._aliases[known] = name
        self.types.add(other.name)
        on = [f"{name}.cloud = {alias}.cloud", f"{name}.{quoted(joined.key)} = {alias}.{quoted(joined.on)}"]
        if not other.listing.global_:
            on.append(f"{name}.region = {alias}.region")
        if joined.key == "id":
            source = f"{quoted(other.table)} {name}"
            on.append(self.moment.of(name))
        else:
            # Names are not unique: without this, two hosts of one name would double every row on them.
            columns = ", ".join(["cloud", "region", "id", *(quoted(column.name) for column in other.columns)])
            source = (
                f"(SELECT DISTINCT ON (cloud, region, {quoted(joined.key)}) {columns} FROM {quoted(other.table)} o"
                f" WHERE {self.moment.of('o')} ORDER BY cloud, region, {quoted(joined.key)}, id) {name}"
            )
        self.joins.append(f"LEFT JOIN {source} ON {' AND '.join(on)}")
        return name

    def computed_join(self, name: str, sql: str, on: str) -> None:
        """Join a derived table once; `name` is its alias."""
        if (name,) not in self._aliases:
            self._aliases[name,] = name
            self.joins.append(f"LEFT JOIN ({sql}) {name} ON {on}")

    def of(self, type_name: str, alias: str) -> str:
        """`FROM` item of another type's rows at the same time: `<table> alias` with the condition in `at(alias)`."""
        self.types.add(type_name)
        return f"{quoted(registry.ALL[type_name].table)} {alias}"

    def at(self, alias: str) -> str:
        return self.moment.of(alias)

    @property
    def rows(self) -> str:
        """A derived table with the rows in question, for what is counted per row of this relation."""
        if self.is_page:
            return f"(SELECT * FROM {self.source})"
        return f"(SELECT * EXCLUDE (doc, search) FROM {self.source} r WHERE {self.moment.of('r')})"

    @property
    def from_clause(self) -> str:
        """`FROM ...` with the joins asked for so far."""
        return "\n".join([f"FROM {self.source} {self.alias}", *self.joins])

    def needs(self, names: list[str]) -> list[str]:
        """Stored columns that the named columns are made from: what a page must carry for them."""
        found: dict[str, None] = {}
        for name in names:
            if name in LEADING:
                continue
            column = self.type.column(name)
            if isinstance(column, Column):
                found[name] = None
            elif isinstance(column, Joined):
                found[column.on] = None
            else:
                from store.estate.reading.computed import NEEDS

                found.update(dict.fromkeys(NEEDS[self.type.name, name]))
        return list(found)
