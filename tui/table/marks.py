"""Marked rows: some keys, or all rows that pass a filter except some keys; and a range while it is being drawn.

Pure logic. A list may have a million rows of which sixty are here, so "all" is never spelt out: the engine resolves it
when a plan is made, at the data it then has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tui.table.buffer import Buffer
from tui.table.spec import Key, Spec


@dataclass(slots=True)
class Marks:
    """Which rows are marked.

    keys   the marked rows; with `of`, the rows that are *not*
    of     the list all of whose rows are marked, None = only `keys` are
    total  rows of that list when they were marked, None = not counted yet
    start  row where a range was begun, None = no range is being drawn
    below  whether the cursor stood below the start when both were last seen
    """

    keys: set[Key] = field(default_factory=set)
    of: Spec | None = None
    total: int | None = None
    start: Key | None = None
    below: bool = True

    def __bool__(self) -> bool:
        return bool(self.keys) or self.of is not None or self.start is not None

    def holds(self, key: Key) -> bool:
        """Whether a row of the list on screen is marked."""
        return (key in self.keys) != (self.of is not None)

    @property
    def count(self) -> int | None:
        """How many rows are marked; None when "all" was not counted yet."""
        if self.of is None:
            return len(self.keys)
        return None if self.total is None else max(0, self.total - len(self.keys))

    def toggle(self, key: Key) -> None:
        """Mark a row, or take its mark away."""
        self.keys ^= {key}

    def add(self, keys: Iterable[Key]) -> None:
        """Mark rows."""
        if self.of is None:
            self.keys.update(keys)
        else:
            self.keys.difference_update(keys)

    def mark_all(self, spec: Spec, total: int | None) -> None:
        """Mark all rows of a list, also those that are not here."""
        self.keys, self.of, self.total, self.start = set(), spec, total, None

    def clear(self) -> None:
        """No row is marked."""
        self.keys, self.of, self.total, self.start = set(), None, None, None

    def leave(self, spec: Spec) -> None:
        """The list is asked for in another way: "all" means the rows of another list no longer; single marks stay."""
        self.start = None
        if self.of is not None and _rows_of(self.of) != _rows_of(spec):
            self.clear()

    def begin(self, key: Key) -> None:
        """Begin a range at a row."""
        self.start, self.below = key, True

    def stretch(self, buffer: Buffer) -> range:
        """Indexes in the buffer that the range covers now; empty without one."""
        if self.start is None or not buffer.rows:
            return range(0)
        at = next((index for index, row in enumerate(buffer.rows) if row.key == self.start), None)
        if at is None:  # scrolled out of what is kept
            at = 0 if self.below else len(buffer.rows) - 1
        else:
            self.below = at <= buffer.cursor
        return range(min(at, buffer.cursor), max(at, buffer.cursor) + 1)

    def targets(self) -> dict[str, Any]:
        """The marked rows as a plan is asked for them: their keys, or the filter and the rows it must leave out."""
        if self.of is None:
            return {"keys": [list(key) for key in sorted(self.keys)]}
        body = self.of.body()
        chosen = {name: body[name] for name in ("filter", "clouds", "projects") if name in body}
        return chosen | {"minus": [list(key) for key in sorted(self.keys)]}


def _rows_of(spec: Spec) -> tuple[Any, ...]:
    return spec.type, spec.filter, spec.clouds, spec.projects, spec.at
