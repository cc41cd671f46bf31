"""A small estate and what the engine hands in, for the copilot's tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import duckdb

from copilot.answers import Key
from store.estate.reading.models import Scope

T = TypeVar("T")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@dataclass
class Handed:
    """Sources over one connection. `hidden` are entities that the asker may not read."""

    connection: duckdb.DuckDBPyConnection
    scope: Scope = field(default_factory=Scope)
    lists: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()

    def may(self, entity: str) -> bool:
        return entity not in self.hidden

    def read(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        self.connection.execute("BEGIN TRANSACTION READ ONLY")
        try:
            return work(self.connection)
        finally:
            self.connection.execute("ROLLBACK")

    def version(self, type: str | None = None) -> int:
        return 1

    def data_at(self, types: Sequence[str]) -> datetime | None:
        return NOW

    def rows(self, entity: str) -> Sequence[Mapping[str, Any]]:
        return self.lists[entity]

    def quota(self, project: Key) -> Mapping[str, Any]:
        return {"items": []}

    def find(self, text: str, at: datetime | None = None) -> Mapping[str, Any]:
        return {"understood": "", "items": [], "more": False}

    def changes(
        self, since: datetime, until: datetime | None, key: tuple[str, Key] | None
    ) -> Sequence[Mapping[str, Any]]:
        return []

    def capacity(self) -> Sequence[Mapping[str, Any]]:
        return []
