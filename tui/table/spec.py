"""What a table shows and how it asks for it: the words of the engine's window API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

Key = tuple[str, ...]  # (cloud, region, id) of a resource; local lists have keys of their own
Anchor = Key | int | Literal["start", "end"]  # a row's key, a rank counted from 0, or an end of the list


@dataclass(frozen=True, slots=True)
class Spec:
    """Which rows in which order: everything about a list except where one stands in it.

    sort     (column, descending) pairs; () = the type's own order
    at       RFC 3339 instant of the past, "" = now
    columns  names of the columns to read, () = the type's default ones
    """

    type: str
    filter: str = ""
    sort: tuple[tuple[str, bool], ...] = ()
    clouds: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    at: str = ""
    columns: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """The JSON body that asks the engine for this list."""
        body: dict[str, Any] = {"type": self.type, "filter": self.filter, "sort": [list(pair) for pair in self.sort]}
        if self.clouds:
            body["clouds"] = list(self.clouds)
        if self.projects:
            body["projects"] = list(self.projects)
        if self.at:
            body["at"] = self.at
        if self.columns:
            body["columns"] = list(self.columns)
        return body


@dataclass(slots=True)
class Row:
    """One row: its key, its values in the order of the columns, and whether the newest data still has it."""

    key: Key
    values: list[Any]
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """An answer: some rows in order, and where among them the anchor lies (None: the anchor's row is gone)."""

    columns: tuple[str, ...]
    rows: list[Row]
    anchor_index: int | None
    has_before: bool
    has_after: bool
    data_version: int = 0
    age_seconds: float | None = None
    states: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: rank from 0 (None when it is gone) among `total` rows."""

    total: int
    rank: int | None


class RowSource(Protocol):
    """Where a table's rows come from. Every call may take long or fail; the table waits for neither."""

    async def window(self, spec: Spec, anchor: Anchor, before: int, after: int) -> Window:
        """Up to `before` rows before the anchor, its own row, and up to `after` behind it."""
        ...

    async def position(self, spec: Spec, anchor: Anchor) -> Place:
        """The anchor's rank and the number of rows."""
        ...


def anchor_json(anchor: Anchor) -> Any:
    """The anchor as the window API writes it."""
    if isinstance(anchor, tuple):
        return {"key": list(anchor)}
    return {"rank": anchor} if isinstance(anchor, int) else anchor
