"""Sources of rows: the engine's windows, and lists that are already in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from tui.table.spec import Anchor, Key, Place, Row, Spec, Window, anchor_json

KEY_COLUMNS = ("cloud", "region", "id")


class Poster(Protocol):
    """The part of the engine's client that a source needs."""

    async def post(self, path: str, json: Any = None) -> Any: ...


class BadAnswer(Exception):
    """The engine's answer isn't shaped as the window API says."""


class EngineSource:
    """Rows of one resource type, read by windows from the engine."""

    def __init__(self, client: Poster) -> None:
        self._client = client

    async def window(self, spec: Spec, anchor: Anchor, before: int, after: int) -> Window:
        """See RowSource; raises what the client raises, and BadAnswer."""
        body = spec.body() | {"anchor": anchor_json(anchor), "before": before, "after": after}
        return window_of(await self._client.post("/q/windows", json=body))

    async def position(self, spec: Spec, anchor: Anchor) -> Place:
        """See RowSource; raises what the client raises, and BadAnswer."""
        body = spec.body() | {"anchor": anchor_json(anchor), "before": 0, "after": 0}
        answer = await self._client.post("/q/windows/position", json=body)
        try:
            rank = answer["rank"]
            return Place(int(answer["total"]), None if rank is None else int(rank))
        except (KeyError, TypeError, ValueError) as error:
            raise BadAnswer(f"the engine's answer about the list's length can't be read ({error!r})") from None


def window_of(answer: Any) -> Window:
    """The window in an answer of `POST /q/windows`; raises BadAnswer."""
    try:
        columns = tuple(answer["columns"])
        at = [columns.index(name) for name in KEY_COLUMNS]
        rows = [Row((v[at[0]] or "", v[at[1]] or "", str(v[at[2]])), v) for v in answer["rows"]]
        index = answer.get("anchor_index")
        return Window(
            columns=columns,
            rows=rows,
            anchor_index=index if isinstance(index, int) and 0 <= index < len(rows) else None,
            has_before=bool(answer["has_before"]),
            has_after=bool(answer["has_after"]),
            data_version=int(answer.get("data_version") or 0),
            age_seconds=answer.get("data_age_seconds"),
            states=tuple(answer.get("states") or ()),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BadAnswer(f"the engine's answer about the list can't be read ({error!r})") from None


class LocalSource:
    """Rows in memory, for short lists such as the types or the clouds.

    The filter is a text that must occur in a row (any case); sorting is by one column, nothing last.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[tuple[Key, list[Any]]] = ()) -> None:
        self.columns = tuple(columns)
        self.rows = [Row(key, values) for key, values in rows]

    def replace(self, rows: Sequence[tuple[Key, list[Any]]]) -> None:
        """Take new rows; the next window shows them."""
        self.rows = [Row(key, values) for key, values in rows]

    def selected(self, spec: Spec) -> list[Row]:
        """The rows that pass the filter, in order."""
        words = spec.filter.lower().split()
        rows = [Row(r.key, r.values) for r in self.rows if all(w in _text(r).lower() for w in words)]
        for name, descending in reversed(spec.sort):
            if name in self.columns:
                _sort(rows, self.columns.index(name), descending)
        return rows

    async def window(self, spec: Spec, anchor: Anchor, before: int, after: int) -> Window:
        """See RowSource."""
        rows = self.selected(spec)
        index = _index(rows, anchor)
        middle = 0 if index is None else index
        start, stop = max(0, middle - before), min(len(rows), middle + after + 1)
        return Window(
            self.columns, rows[start:stop], None if index is None else index - start, start > 0, stop < len(rows)
        )

    async def position(self, spec: Spec, anchor: Anchor) -> Place:
        """See RowSource."""
        rows = self.selected(spec)
        return Place(len(rows), _index(rows, anchor))


def _text(row: Row) -> str:
    return " ".join(str(value) for value in row.values if value is not None)


def _sort(rows: list[Row], column: int, descending: bool) -> None:
    def known(row: Row) -> bool:
        return row.values[column] not in (None, "")

    def order(row: Row) -> tuple[bool, Any]:
        value = row.values[column]
        return (False, value) if isinstance(value, int | float) else (True, str(value).lower())

    ordered = sorted(filter(known, rows), key=order, reverse=descending)
    rows[:] = ordered + [row for row in rows if not known(row)]


def _index(rows: list[Row], anchor: Anchor) -> int | None:
    if anchor == "start":
        return 0 if rows else None
    if anchor == "end":
        return len(rows) - 1 if rows else None
    if isinstance(anchor, int):
        return min(max(anchor, 0), len(rows) - 1) if rows else None
    return next((i for i, row in enumerate(rows) if row.key == anchor), None)
