"""Sources over version tables in memory, filled by the tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from copilot.linking.names import Names
from copilot.linking.shelves import Shelves
from store.estate.reading.models import Scope
from tests.store.estate.reading.tables import T0, database, put

T = TypeVar("T")


class Given:
    """An estate of rows, as one asker sees it after another."""

    def __init__(self) -> None:
        self.connection = database()
        self.scope = Scope()
        self.refused: set[str] = set()
        self.reads = 0
        self.versions: dict[str, int] = {}  # of types, where they are not those of everything
        self._version = 1
        self._ids = (f"{number:08x}-1111-4222-8333-444455556666" for number in itertools.count(0xA0000000))

    def put(self, type: str, name: str, id: str = "", **values: Any) -> str:
        """A resource; answers its id."""
        id = id or next(self._ids)
        column = "address" if type == "floating_ip" else "name"
        put(self.connection, type, id, **{column: name, **values})
        self._version += 1
        return id

    def put_servers(self, names: Iterable[str], project: str = "") -> None:
        """Servers of these names, at once."""
        rows = [(next(self._ids), name) for name in names]
        if rows:
            self.connection.execute(
                "INSERT INTO server_versions"
                " (cloud, region, scope, id, name, project_id, valid_from, denied, search, doc)"
                " SELECT 'c', 'r', $project, id, name, $project, $since, [], '', '{}'"
                " FROM (SELECT unnest($ids) AS id, unnest($names) AS name)",
                {"project": project, "since": T0, "ids": [id for id, _ in rows], "names": [name for _, name in rows]},
            )
        self._version += 1

    def clear(self) -> None:
        """No servers any more."""
        self.connection.execute("DELETE FROM server_versions")
        self._version += 1

    def may(self, entity: str) -> bool:
        return entity not in self.refused

    def read(self, work: Callable[[Any], T]) -> T:
        self.reads += 1
        return work(self.connection)

    def version(self, type: str | None = None) -> int:
        return self.versions.get(type or "", self._version)

    def data_at(self, types: Any) -> datetime | None:
        return None

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"names need no {name}")

    def names(self, shelves: Shelves | None = None) -> Names:
        return Names.of(self, Shelves() if shelves is None else shelves)
