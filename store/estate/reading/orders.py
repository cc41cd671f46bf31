"""Orders of lists that people are scrolling, kept in memory while the data stays as it is.

Finding a page's rows costs far more than fetching them, and consoles ask for the next page of the same list again and
again. A list that is scrolled (asked for again, or from its middle) has the row numbers and keys of all its rows kept
in its order; from then on a page is a slice of them. An order lives until its type's data version moves. Row numbers
may move without that (the file is rewritten after rows were dropped), so what is fetched is checked against the keys,
and when they do not agree the page is read in the ordinary way.

Rows are fetched in chunks of several pages, which cost little more than one, and chunks are kept while nothing changed
that they show: whoever scrolls on finds the next pages ready.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate.reading.fetching import fetch
from store.estate.reading.models import Key, Window
from store.estate.reading.order import Term, order_by, run
from store.estate.reading.query import Query, columns_of
from store.estate.reading.relation import LEADING

if TYPE_CHECKING:
    import duckdb
    import pyarrow

MOST_ROWS = 300_000  # of one list: 85 bytes a row
MOST_ORDERS = 8
MOST_ASKED = 64  # lists remembered as asked for
MOST_SECONDS = 0.3  # that anybody waits for an order that somebody else is making
CHUNK = 256  # rows fetched at once: 11 ms, where one page of 60 takes 8
MOST_CHUNKS = 128  # 0.15 MB each with the columns of a list of servers
MOST_PLACES = 20_000  # of rows that were shown, in one order: whoever scrolls on anchors at one of them


@dataclass(frozen=True, slots=True)
class Order:
    """All rows of a list in its order, as columns rid, cloud, region, id; `version` is the data version they are of."""

    name: Hashable
    version: int
    rows: pyarrow.Table
    shown: dict[Key, int] = field(default_factory=dict, compare=False)

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def rank(self, key: Key) -> int | None:
        """The key's place from 0; None when its row is not in the list."""
        if (known := self.shown.get(key)) is not None:
            return known
        from pyarrow import compute

        same_id = compute.indices_nonzero(compute.equal(self.rows.column("id"), key[2])).to_pylist()
        return next((rank for rank in same_id if self.keys(rank, rank + 1) == [key]), None)

    def note(self, start: int, rows: Sequence[Sequence[Any]]) -> None:
        """Rows are shown from the place `start` on."""
        if len(self.shown) > MOST_PLACES:
            self.shown.clear()
        self.shown.update((_key(row[: len(LEADING)]), rank) for rank, row in enumerate(rows, start))

    def keys(self, start: int, end: int) -> list[Key]:
        """Keys of the rows from `start` to before `end`."""
        piece = self.rows.slice(start, end - start)
        return list(zip(*(piece.column(name).to_pylist() for name in LEADING), strict=True))


@dataclass(frozen=True, slots=True)
class Versions:
    """Data versions, read before the connection's transaction began: of the list's type, and of all types that its
    columns are made of (`types_shown`).
    """

    type: int
    shown: tuple[int, ...]


class Orders:
    """The kept orders of one estate. Thread-safe."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._orders: OrderedDict[Hashable, Order] = OrderedDict()
        self._chunks: OrderedDict[Hashable, list[list[Any]]] = OrderedDict()
        self._asked: OrderedDict[Hashable, int] = OrderedDict()
        self._too_long: OrderedDict[Hashable, int] = OrderedDict()  # list -> data version at which it was found so
        self._making: dict[Hashable, threading.Event] = {}  # set when it is made
        self._lock = threading.Lock()

    def window(
        self, connection: duckdb.DuckDBPyConnection | None, window: Window, now: datetime, versions: Versions
    ) -> dict[str, Any] | None:
        """The answer of `read_window`, out of a kept order; None when there is none, or it is no longer right.

        Without a connection it is None too unless all the rows wanted are kept; then it takes a millisecond. The
        answer's rows are shared: nobody changes them. Raises FilterError, UnknownColumn.
        """
        query = Query(window, now)
        order = self._order(connection, query, window, versions.type)
        if order is None:
            return None
        chosen = _slice(order, window)
        if chosen is None:
            return None
        start, end, at = chosen
        columns = columns_of(query.type, window.columns)
        rows = self._rows(connection, query, columns, order, (start, end), versions.shown)
        if rows is None:
            return None
        order.note(start, rows)
        return {
            "type": query.type.name,
            "columns": [*LEADING, *columns],
            "rows": rows,
            "anchor_index": None if at is None else at - start,
            "place_index": len(rows) if window.anchor == "end" else (at or 0) - start,
            "has_before": start > 0,
            "has_after": end < len(order),
        }

    def position(
        self, connection: duckdb.DuckDBPyConnection | None, window: Window, now: datetime, versions: Versions
    ) -> dict[str, int] | None:
        """The answer of `position`, out of a kept order; None as for `window`."""
        query = Query(window, now)
        order = self._order(connection, query, window, versions.type)
        if order is None:
            return None
        total, anchor = len(order), window.anchor
        rank: int | None
        if isinstance(anchor, int):
            rank = min(max(0, anchor), total)
        elif isinstance(anchor, str):
            rank = max(0, total - 1) if anchor == "end" else 0
        else:
            rank = order.rank(_key(anchor))
        return None if rank is None else {"total": total, "rank": rank}

    def _order(
        self, connection: duckdb.DuckDBPyConnection | None, query: Query, window: Window, version: int
    ) -> Order | None:
        if not _keepable(query, window):
            return None
        name = _name(window, query)
        with self._lock:
            known = self._orders.get(name)
            if known is not None and known.version == version:
                self._orders.move_to_end(name)
                return known
            if connection is None:
                return None
            seen = self._asked.get(name) == version
            _put(self._asked, name, version, MOST_ASKED)
            scrolled = seen or known is not None or not isinstance(window.anchor, str)
            if not scrolled or self._too_long.get(name) == version:
                return None
            made = self._making.get(name)
            if made is None:
                self._making[name] = threading.Event()
        if made is not None:
            # Waiting costs less than doing the same, or reading the list without it, beside the one who makes it.
            made.wait(MOST_SECONDS)
            known = self._orders.get(name)
            return known if known is not None and known.version == version else None
        return self._make(connection, query, name, version)

    def _make(self, connection: duckdb.DuckDBPyConnection, query: Query, name: Hashable, version: int) -> Order | None:
        try:
            order = _read(connection, query, name, version, self._most_rows)
            with self._lock:
                if order is None:
                    _put(self._too_long, name, version, MOST_ASKED)
                else:
                    _put(self._orders, name, order, MOST_ORDERS)
            return order
        finally:
            self._making.pop(name).set()

    def _rows(
        self,
        connection: duckdb.DuckDBPyConnection | None,
        query: Query,
        columns: list[str],
        order: Order,
        wanted: tuple[int, int],
        shown: tuple[int, ...],
    ) -> list[list[Any]] | None:
        """The wanted rows of the order, (first, end), with all columns; chunks that are missing are fetched and kept.

        None when they are missing and there is no connection, or when the order's row numbers are no longer right.
        """
        start, end = wanted
        numbers = range(start // CHUNK, -(-end // CHUNK))
        names = {number: (order.name, order.version, shown, tuple(columns), number) for number in numbers}
        with self._lock:
            chunks = {number: self._chunks[name] for number, name in names.items() if name in self._chunks}
            for number in chunks:
                self._chunks.move_to_end(names[number])
        missing = [number for number in numbers if number not in chunks]
        if missing:
            first = missing[0] * CHUNK
            if connection is None:
                return None
            end_of_chunks = min(len(order), (missing[-1] + 1) * CHUNK)
            fetched = _fetch(connection, query, columns, order, first, end_of_chunks)
            if fetched is None:
                self._forget(order.name)
                return None
            with self._lock:
                for number in range(missing[0], missing[-1] + 1):
                    chunks[number] = fetched[number * CHUNK - first :][:CHUNK]
                    _put(self._chunks, names[number], chunks[number], MOST_CHUNKS)
        rows = [row for number in numbers for row in chunks[number]]
        skipped = numbers.start * CHUNK
        return rows[start - skipped : end - skipped]

    def _forget(self, name: Hashable) -> None:
        with self._lock:
            self._orders.pop(name, None)
            self._asked.pop(name, None)


def _put(kept: OrderedDict[Hashable, Any], name: Hashable, value: Any, most: int) -> None:
    """Keep a value as the newest of at most so many."""
    kept[name] = value
    kept.move_to_end(name)
    while len(kept) > most:
        kept.popitem(last=False)


def _key(anchor: Sequence[str]) -> Key:
    cloud, region, id = anchor
    return cloud, region, id


def _name(window: Window, query: Query) -> Hashable:
    return (query.type.name, repr(window.filter), tuple(query.sort), window.scope)


def _keepable(query: Query, window: Window) -> bool:
    """Whether the list depends on nothing but the type's own current rows."""
    if window.at is not None or window.scope.limited or query.computed or query.relation.joins:
        return False
    # "age:<2d" moves with the clock.
    return not any(isinstance(value, datetime) for value in query.where[1])


def _read(connection: duckdb.DuckDBPyConnection, query: Query, name: Hashable, version: int, most: int) -> Order | None:
    """The whole order; None when the list is too long to keep, which is found out without sorting it."""
    import pyarrow.compute  # noqa: F401 (for `rank`: here and not on an event loop, where 40 ms are long)

    found = f"SELECT 1 {query.relation.from_clause} WHERE {query.where[0]} LIMIT {most + 1}"
    counted = run(connection, f"SELECT count(*) FROM ({found})", query.where[1]).fetchone()
    if counted is None or counted[0] > most:
        return None
    sql, values = query.rows(("true", []))
    picked = ", ".join(("rid", *LEADING))
    rows = run(connection, f"SELECT {picked} FROM ({sql}) ORDER BY {order_by(query.places)}", values)
    return Order(name, version, rows.to_arrow_table().combine_chunks())


def _slice(order: Order, window: Window) -> tuple[int, int, int | None] | None:
    """(first, end, rank of the anchor's row) of the rows wanted; None when the anchor's row is not in the list."""
    total, anchor = len(order), window.anchor
    before, after = max(0, window.before), max(0, window.after)
    if anchor == "end":
        start = max(0, total - (before or after))
        return start, total, total - 1 if start < total else None
    if anchor == "start":
        end = min(total, after or before)
        return 0, end, 0 if end else None
    rank = max(0, anchor) if isinstance(anchor, int) else order.rank(_key(anchor))
    if rank is None or rank >= total:
        return None
    return max(0, rank - before), min(total, rank + after + 1), rank


def _fetch(
    connection: duckdb.DuckDBPyConnection, query: Query, columns: list[str], order: Order, start: int, end: int
) -> list[list[Any]] | None:
    """Rows of a piece of the order with all columns; None when the row numbers no longer belong to the keys."""
    numbers = order.rows.column("rid").slice(start, end - start).to_pylist()
    # Numbers stand in the text: as a parameter each of them costs as much as a short statement.
    chosen = f"SELECT unnest({numbers}::BIGINT[]) AS rid, unnest(range({len(numbers)})) AS place"
    found = fetch(connection, query, columns, (chosen, []), ["place"], [Term("t.place", nullable=False)])
    if [row[: len(LEADING)] for row in found] != order.keys(start, end):
        return None
    return [list(row[:-1]) for row in found]
