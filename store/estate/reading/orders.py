"""Orders of lists that people are scrolling, kept in memory while the data stays as it is.

Finding a page's rows costs far more than fetching them, and consoles ask for the next page of the same list again and
again. The second time a list is asked for, the row numbers and keys of all its rows are kept in its order; from then on
a page is a slice of them. An order lives until its type's data version moves. Row numbers may move without that (the
file is rewritten after rows were dropped), so every page is checked against the keys, and one that does not agree is
read in the ordinary way.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate.reading.models import Key, Window
from store.estate.reading.order import order_by, run
from store.estate.reading.query import Query, columns_of
from store.estate.reading.relation import LEADING, Relation, quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow

MOST_ROWS = 300_000  # of one list: 85 bytes a row
MOST_ORDERS = 8
MOST_ASKED = 64  # lists remembered as asked for once


@dataclass(slots=True)
class Order:
    """All rows of a list in its order, as columns rid, cloud, region, id; `version` is the data version they are of."""

    version: int
    rows: pyarrow.Table
    _ranks: dict[Key, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def rank(self, key: Key) -> int | None:
        """The key's place from 0; None when its row is not in the list."""
        with self._lock:
            if not self._ranks:
                columns = [self.rows.column(name).to_pylist() for name in LEADING]
                self._ranks = {key: rank for rank, key in enumerate(zip(*columns, strict=True))}
        return self._ranks.get(key)


class Orders:
    """The kept orders of one estate. Thread-safe."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        self._most_rows = most_rows
        self._orders: OrderedDict[Hashable, Order] = OrderedDict()
        self._asked: OrderedDict[Hashable, int] = OrderedDict()
        self._too_long: OrderedDict[Hashable, int] = OrderedDict()  # list -> data version at which it was found so
        self._making: set[Hashable] = set()
        self._lock = threading.Lock()

    def window(
        self, connection: duckdb.DuckDBPyConnection, window: Window, now: datetime, version: int
    ) -> dict[str, Any] | None:
        """The answer of `read_window`, out of a kept order; None when there is none, or it is no longer right.

        `version` is the type's data version, read before the connection's transaction began. Raises FilterError,
        UnknownColumn.
        """
        query = Query(window, now)
        order = self._order(connection, query, window, version)
        if order is None:
            return None
        chosen = _slice(order, window)
        if chosen is None:
            return None
        start, end, at = chosen
        columns = columns_of(query.type, window.columns)
        rows = _rows(connection, query, columns, order, start, end)
        if rows is None:
            self._forget(_name(window, query))
            return None
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
        self, connection: duckdb.DuckDBPyConnection, window: Window, now: datetime, version: int
    ) -> dict[str, int] | None:
        """The answer of `position`, out of a kept order; None as for `window`."""
        query = Query(window, now)
        order = self._order(connection, query, window, version)
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

    def _order(self, connection: duckdb.DuckDBPyConnection, query: Query, window: Window, version: int) -> Order | None:
        if not _keepable(query, window):
            return None
        name = _name(window, query)
        with self._lock:
            known = self._orders.get(name)
            if known is not None and known.version == version:
                self._orders.move_to_end(name)
                return known
            before = self._asked.get(name)
            _put(self._asked, name, version, MOST_ASKED)
            # Asked for once: most lists are looked at and left. In the making: what others make is not made again.
            if before != version or self._too_long.get(name) == version or name in self._making:
                return None
            self._making.add(name)
        try:
            order = _read(connection, query, version, self._most_rows)
            with self._lock:
                if order is None:
                    _put(self._too_long, name, version, MOST_ASKED)
                else:
                    _put(self._orders, name, order, MOST_ORDERS)
        finally:
            self._making.discard(name)
        return order

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


def _read(connection: duckdb.DuckDBPyConnection, query: Query, version: int, most: int) -> Order | None:
    """The whole order; None when the list is too long to keep, which is found out without sorting it."""
    found = f"SELECT 1 {query.relation.from_clause} WHERE {query.where[0]} LIMIT {most + 1}"
    counted = run(connection, f"SELECT count(*) FROM ({found})", query.where[1]).fetchone()
    if counted is None or counted[0] > most:
        return None
    sql, values = query.rows(("true", []))
    picked = ", ".join(("rid", *LEADING))
    rows = run(connection, f"SELECT {picked} FROM ({sql}) ORDER BY {order_by(query.places)}", values)
    return Order(version, rows.to_arrow_table().combine_chunks())


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


def _rows(
    connection: duckdb.DuckDBPyConnection, query: Query, columns: list[str], order: Order, start: int, end: int
) -> list[list[Any]] | None:
    """The rows of the slice with all columns; None when the row numbers no longer belong to the keys."""
    wanted = order.rows.slice(start, end - start)
    if not wanted.num_rows:
        return []
    shown = Relation(query.type, query.moment, "page")
    picked = ", ".join(shown.column(name) for name in (*LEADING, *columns))
    carried = "".join(f", w.{quoted(name)}" for name in query.relation.needs(columns))
    kept = ", ".join(f"w.{quoted(name)}" for name in LEADING)
    sql = (
        "WITH keys AS (SELECT unnest($1::BIGINT[]) AS rid, unnest($2::BIGINT[]) AS place),"
        f" page AS (SELECT k.place, {kept}{carried} FROM keys k JOIN {quoted(query.type.table)} w ON w.rowid = k.rid"
        f" WHERE {query.moment.of('w')}) SELECT {picked} {shown.from_clause} ORDER BY t.place"
    )
    places = list(range(wanted.num_rows))
    rows = [list(row) for row in connection.execute(sql, [wanted.column("rid").to_pylist(), places]).fetchall()]
    keys = [list(key) for key in zip(*(wanted.column(name).to_pylist() for name in LEADING), strict=True)]
    return rows if [row[: len(LEADING)] for row in rows] == keys else None
