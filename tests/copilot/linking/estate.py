"""Sources over version tables in memory, filled by the tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from copilot.linking.names import Names
from copilot.linking.shelves import Shelves
from store.estate.reading.models import Scope
from tests.store.estate.reading.tables import database, put

T = TypeVar("T")


class Given:
    """An estate of rows, as one asker sees it after another."""

    def __init__(self) -> None:
        self.connection = database()
        self.scope = Scope()
        self.refused: set[str] = set()
        self.reads = 0
        self._version = 1
        self._ids = (f"{number:08x}-1111-4222-8333-444455556666" for number in itertools.count(0xA0000000))

    def put(self, type: str, name: str, id: str = "", **values: Any) -> str:
        """A resource; answers its id."""
        id = id or next(self._ids)
        column = "address" if type == "floating_ip" else "name"
        put(self.connection, type, id, **{column: name, **values})
        self._version += 1
        return id

    def clear(self) -> None:
        """No resources of the types that names are mostly tried with."""
        for type in ("server", "project", "hypervisor"):
            self.connection.execute(f"DELETE FROM {type}_versions")
        self._version += 1

    def may(self, entity: str) -> bool:
        return entity not in self.refused

    def read(self, work: Callable[[Any], T]) -> T:
        self.reads += 1
        return work(self.connection)

    def version(self) -> int:
        return self._version

    def data_at(self, types: Any) -> datetime | None:
        return None

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"names need no {name}")

    def names(self, shelves: Shelves | None = None) -> Names:
        return Names.of(self, shelves or Shelves())
