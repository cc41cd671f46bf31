"""Windows: a piece of a sorted, filtered list around an anchor, with keyset conditions and never an OFFSET (but for a
rank).

Rows are chosen first with nothing but what filter and order look at; what is only shown is joined to the few chosen
rows. Each call runs on one connection; wrap it in a transaction to have all its statements see the same state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store.estate.reading.anchors import find_place, sample_of
from store.estate.reading.fetching import fetch
from store.estate.reading.hints import SHARED, Hints, slice_around, within
from store.estate.reading.models import Window
from store.estate.reading.order import Sql, Term, beyond, order_by, run
from store.estate.reading.query import Place, Query, columns_of
from store.estate.reading.relation import LEADING

if TYPE_CHECKING:
    import duckdb


def read_window(
    connection: duckdb.DuckDBPyConnection, window: Window, now: datetime, hints: Hints | None = SHARED
) -> dict[str, Any]:
    """The rows around the anchor: {type, columns, rows, anchor_index, place_index, has_before, has_after}.

    rows          values of (cloud, region, id, *columns); times are naive UTC datetimes
    anchor_index  index of the anchor's row (of the first or last one for "start" and "end"), None when it does not pass
    place_index   index of the first row that does not lie before the anchor
    hints         what is known of where rows lie in long lists; None to do without
    Raises FilterError, UnknownColumn.
    """
    query = Query(window, now)
    columns = columns_of(query.type, window.columns)
    place = find_place(connection, query, window, hints)
    from_end = window.anchor == "end" or (isinstance(window.anchor, int) and place is None)
    before, after = max(0, window.before), max(0, window.after)
    if place is None:
        before, after = (before or after, 0) if from_end else (0, after or before)
    wanted = Wanted(place, from_end, before, after)
    rows = _sliced(connection, query, columns, window, wanted, hints) if hints is not None else None
    if rows is None:
        rows = _rows(
            connection, query, columns, *_chosen(query, wanted, both_from_one=query.filtered or query.computed)
        )
    return _trimmed(connection, query, columns, rows, wanted)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many rows on which side of which place; without a place, from the start or the end."""

    place: Place | None
    from_end: bool
    before: int
    after: int

    @property
    def limits(self) -> tuple[int, int]:
        """Rows to read before the place and from it on: one more than wanted says whether there is more."""
        if self.place is None:
            return (self.before + 1, 0) if self.from_end else (0, self.after + 1)
        return (self.before + 1 if self.before else 0), self.after + 2


def _chosen(
    query: Query, wanted: Wanted, *, slice: Sql | None = None, both_from_one: bool = False
) -> tuple[str, list[Any]]:
    """Statement that gives the wanted rows' `values` and `side`.

    Both sides are read from one pass over the rows when it is a slice of the list, or costs a filter.
    """
    limit_before, limit_after = wanted.limits
    once = slice is not None or (both_from_one and limit_before > 0 and limit_after > 0)
    terms = query.places if once else query.terms
    parts: list[Sql] = []
    for limit, backward in ((limit_before, True), (limit_after, False)):
        if limit:
            more: Sql = ("true", [])
            if wanted.place is not None:
                more = beyond(terms, wanted.place, backward=backward, inclusive=not backward)
            parts.append(query.first(more, backward=backward, limit=limit, source="passing" if once else ""))
    sql = " UNION ALL ".join(f"({part})" for part, _ in parts) or f"SELECT *, 1 AS side FROM ({query.rows(_NONE)[0]})"
    values = [value for _, found in parts for value in found] if parts else query.rows(_NONE)[1]
    if not once:
        return sql, values
    passing, found = query.rows(slice or ("true", []))
    return f"WITH passing AS MATERIALIZED ({passing}) {sql}", [*found, *values]


_NONE: Sql = ("false", [])


def _sliced(
    connection: duckdb.DuckDBPyConnection,
    query: Query,
    columns: list[str],
    window: Window,
    wanted: Wanted,
    hints: Hints,
) -> list[tuple[Any, ...]] | None:
    """The rows out of a slice of the list; None when the list is short, or a slice does not pay."""
    sample = None if query.filtered or query.computed else sample_of(connection, query, hints)
    if sample is None:
        return None
    known = (query.type.name, window.scope, sample.until)
    factor = hints.factor(known)
    limit_before, limit_after = wanted.limits
    while True:
        ends = slice_around(sample, wanted.place, wanted.from_end, wanted.limits, factor, hints.most)
        if ends is None:
            hints.learn(known, factor)
            return None
        rows = _rows(connection, query, columns, *_chosen(query, wanted, slice=within(query.terms, *ends)))
        earlier = sum(1 for row in rows if row[-1] == 0)
        whole_before = earlier >= limit_before or ends[0] is None
        whole_after = len(rows) - earlier >= limit_after or ends[1] is None
        if whole_before and whole_after:
            hints.learn(known, factor)
            return rows
        factor *= hints.wider


def _rows(
    connection: duckdb.DuckDBPyConnection, query: Query, columns: list[str], chosen: str, values: list[Any]
) -> list[tuple[Any, ...]]:
    """The chosen rows in order, with shown columns joined: cloud, region, id, columns, values of the order, side."""
    places = query.places
    order = [Term(f"t.{term.sql}", term.descending, term.nullable) for term in places]
    return fetch(connection, query, columns, (chosen, values), [*(term.sql for term in places), "side"], order)


def _trimmed(
    connection: duckdb.DuckDBPyConnection,
    query: Query,
    columns: list[str],
    rows: list[tuple[Any, ...]],
    wanted: Wanted,
) -> dict[str, Any]:
    """The answer: surplus rows taken off, which say whether there is more."""
    before, after = wanted.before, wanted.after
    width = len(LEADING) + len(columns)
    if wanted.place is None:
        more = len(rows) > before + after
        rows = rows[1:] if more and wanted.from_end else rows[: before + after]
        index = len(rows) if wanted.from_end else 0
        at_row = (len(rows) - 1 if wanted.from_end else 0) if rows else None
        has_before, has_after = wanted.from_end and more, not wanted.from_end and more
    else:
        place = list(wanted.place)
        index = sum(1 for row in rows if row[-1] == 0)
        start = max(0, index - before)
        present = index < len(rows) and list(rows[index][width:-1]) == place
        end = index + after + (1 if present else 0)
        has_before, has_after = start > 0, len(rows) > end
        if before == 0:
            has_before = _exists(connection, query, beyond(query.terms, place, backward=True))
        rows, index = rows[start:end], index - start
        at_row = index if present else None
    return {
        "type": query.type.name,
        "columns": ["cloud", "region", "id", *columns],
        "rows": [list(row[:width]) for row in rows],
        "anchor_index": at_row,
        "place_index": index,
        "has_before": has_before,
        "has_after": has_after,
    }


def _exists(connection: duckdb.DuckDBPyConnection, query: Query, more: Sql) -> bool:
    sql, values = f"SELECT 1 {query.relation.from_clause} WHERE {query.where[0]} AND {more[0]} LIMIT 1", more[1]
    return run(connection, sql, [*query.where[1], *values]).fetchone() is not None


def position(connection: duckdb.DuckDBPyConnection, window: Window, now: datetime) -> dict[str, int]:
    """{total, rank}: how many rows pass, and how many of them lie before the anchor.

    Raises FilterError, UnknownColumn.
    """
    query = Query(window, now)
    place = None if isinstance(window.anchor, int) else find_place(connection, query, window)
    before: Sql = ("false", []) if place is None else beyond(query.terms, place, backward=True)
    counted = "0" if before[0] == "false" else f"count(*) FILTER ({before[0]})"
    sql = f"SELECT count(*), {counted} {query.relation.from_clause} WHERE {query.where[0]}"
    found = run(connection, sql, [*before[1], *query.where[1]]).fetchone()
    assert found
    total, rank = found
    if isinstance(window.anchor, int):
        rank = min(max(0, window.anchor), total)
    return {"total": total, "rank": max(0, total - 1) if window.anchor == "end" else rank}


def read_page(
    connection: duckdb.DuckDBPyConnection, window: Window, offset: int, limit: int, now: datetime
) -> tuple[int, list[str], list[list[Any]]]:
    """(total, columns, rows) of a page counted from the start; for shallow pages only, an OFFSET reads what it skips.

    Raises FilterError, UnknownColumn.
    """
    query = Query(window, now)
    columns = columns_of(query.type, window.columns)
    total = position(connection, replace(window, anchor="start"), now)["total"]
    if offset >= total:
        return total, ["cloud", "region", "id", *columns], []
    sql, values = query.first(("true", []), backward=False, limit=offset + limit)
    skipped = f"{sql} ORDER BY {order_by(query.places)} LIMIT {int(limit)} OFFSET {max(0, int(offset))}"
    rows = _rows(connection, query, columns, skipped, values)
    return total, ["cloud", "region", "id", *columns], [list(row[: len(LEADING) + len(columns)]) for row in rows]
