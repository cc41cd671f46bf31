"""Rows by id, and in order, so that a page costs what it shows, not what the table holds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")
Key = Callable[[Any], Any]


def newest_first(row: Any) -> tuple[int, str]:
    """Nova, Cinder and Glance list by creation time and id, both descending; kept ascending here, read backwards."""
    return (row.created, row.id)


class Table(Generic[Row]):
    """A dictionary of rows that keeps the orders it was once asked for."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows: dict[str, Row] = {row.id: row for row in rows}  # type: ignore[attr-defined]
        self._orders: dict[str, tuple[Key, list[Any], list[Row]]] = {}
        self._groups: dict[str, dict[Any, dict[str, Row]]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def __contains__(self, id: str) -> bool:
        return id in self.rows

    def get(self, id: str) -> Row | None:
        return self.rows.get(id)

    def add(self, row: Row) -> Row:
        """Puts the row in, if it isn't there yet."""
        if row.id in self.rows:  # type: ignore[attr-defined]
            return row
        self.rows[row.id] = row  # type: ignore[attr-defined]
        for key, keys, rows in self._orders.values():
            value = key(row)
            place = bisect_right(keys, value)
            keys.insert(place, value)
            rows.insert(place, row)
        for name, groups in self._groups.items():
            groups.setdefault(getattr(row, name), {})[row.id] = row  # type: ignore[attr-defined]
        return row

    def remove(self, id: str) -> Row | None:
        row = self.rows.pop(id, None)
        if row is not None:
            for key, keys, rows in self._orders.values():
                place = bisect_left(keys, key(row))
                del keys[place], rows[place]
            for name, groups in self._groups.items():
                groups[getattr(row, name)].pop(id)
        return row

    def having(self, name: str, value: Any) -> Collection[Row]:
        """The rows whose field `name` has the value; that field never changes while a row is in the table."""
        groups = self._groups.get(name)
        if groups is None:
            groups = self._groups[name] = {}
            for row in self.rows.values():
                groups.setdefault(getattr(row, name), {})[row.id] = row  # type: ignore[attr-defined]
        return groups.get(value, {}).values()

    def order(self, name: str, key: Key) -> tuple[list[Any], list[Row]]:
        """Keys and rows, ascending by `key`; `name` is what the order is remembered by.

        No two rows may have the same key, and a row's key never changes while it is in the table.
        """
        found = self._orders.get(name)
        if found is None:
            rows = sorted(self.rows.values(), key=key)
            found = self._orders[name] = (key, [key(row) for row in rows], rows)
        return found[1], found[2]

    def after(self, name: str, key: Key, marker: Any | None, *, descending: bool) -> Iterator[Row]:
        """Rows behind the marker's key in the order; the marker itself may be gone already."""
        keys, rows = self.order(name, key)
        if not descending:
            start = 0 if marker is None else bisect_right(keys, marker)
            return (rows[index] for index in range(start, len(rows)))
        end = len(rows) if marker is None else bisect_left(keys, marker)
        return (rows[index] for index in range(end - 1, -1, -1))
