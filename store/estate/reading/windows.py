"""Windows: a piece of a sorted, filtered list around an anchor, with keyset conditions and never an OFFSET (but for a
rank).

Rows are chosen first with nothing but what filter and order look at; what is only shown is joined to the few chosen
rows. Each call runs on one connection; wrap it in a transaction to have all its statements see the same state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from store import filter_sql, filters
from store.estate.reading import limits
from store.estate.reading.models import UnknownColumn, Window
from store.estate.reading.order import Sql, Term, beyond, order_by
from store.estate.reading.relation import LEADING, Moment, Relation, quoted
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

Place = Sequence[Any]  # values of the order's terms


class Query:
    """What all statements of one window share: relation, condition, order. Raises FilterError and UnknownColumn."""

    def __init__(self, window: Window, now: datetime) -> None:
        self.type = registry.ALL[window.type]
        self.moment = Moment(window.at)
        self.relation = Relation(self.type, self.moment)
        tree = filters.parse(window.filter) if isinstance(window.filter, str) else window.filter
        parts = [
            (self.relation.at("t"), []),
            limits.condition(self.relation, window.scope),
            filter_sql.to_sql(tree, self.type, window.at or now, self.relation.column),
        ]
        kept = [part for part in parts if part[0] != "true"]
        self.where: Sql = (
            " AND ".join(sql for sql, _ in kept),
            [value for _, values in kept for value in values],
        )
        self.sort = sort_of(self.type, window.sort)
        self.terms = self.terms_of(self.relation)

    def terms_of(self, relation: Relation) -> list[Term]:
        """The order's terms as columns of a relation."""
        terms = [Term(relation.column(name), descending, name not in LEADING) for name, descending in self.sort]
        named = {name for name, _ in self.sort}
        return terms + [Term(relation.column(name), False, False) for name in LEADING if name not in named]

    @property
    def names(self) -> list[str]:
        """Names of the order's columns."""
        named = [name for name, _ in self.sort]
        return named + [name for name in LEADING if name not in named]

    def chosen(self, columns: Sequence[str], more: Sql, *, backward: bool, limit: int) -> Sql:
        """SELECT of the first `limit` rows that also pass `more`.

        Keys, stored columns, the order's values as s0, s1, ..., and `side`: 0 when `backward`, else 1.
        """
        t = self.relation
        picked = [t.column(name) for name in LEADING]
        picked += [f"{t.alias}.{quoted(name)}" for name in columns]
        picked += [f"{term.sql} AS s{i}" for i, term in enumerate(self.terms)]
        picked.append(f"{0 if backward else 1} AS side")
        extra = f" AND {more[0]}" if more[0] != "true" else ""
        sql = (
            f"SELECT {', '.join(picked)} {t.from_clause} WHERE {self.where[0]}{extra}"
            f" ORDER BY {order_by(self.terms, backward=backward)} LIMIT {int(limit)}"
        )
        return sql, [*self.where[1], *more[1]]


def sort_of(type: ResourceType, sort: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """(column, descending) with the columns' own names; the type's default order when none is asked for.

    `age` grows as `created_at` falls, so it turns the direction. Raises UnknownColumn.
    """
    asked = sort or [(name, False) for name in type.default_sort]
    found: dict[str, bool] = {}
    for name, descending in asked:
        try:
            column = filter_sql.resolve(type, name).name
        except KeyError as error:
            raise UnknownColumn(error.args[0]) from None
        if column not in found:
            found[column] = descending != (name.strip().lower() == "age" and column == "created_at")
    return list(found.items())


def columns_of(type: ResourceType, columns: Sequence[str] | None) -> list[str]:
    """The columns' own names; the type's default ones for None. cloud, region and id always come first and are left
    out.
    """
    if columns is None:
        return list(type.default_columns)
    try:
        names = [filter_sql.resolve(type, name).name for name in columns]
    except KeyError as error:
        raise UnknownColumn(error.args[0]) from None
    return [name for name in dict.fromkeys(names) if name not in LEADING]


def read_window(connection: duckdb.DuckDBPyConnection, window: Window, now: datetime) -> dict[str, Any]:
    """The rows around the anchor: {type, columns, rows, anchor_index, place_index, has_before, has_after}.

    rows          values of (cloud, region, id, *columns); times are naive UTC datetimes
    anchor_index  index of the anchor's row (of the first or last one for "start" and "end"), None when it does not pass
    place_index   index of the first row that does not lie before the anchor
    Raises FilterError, UnknownColumn.
    """
    query = Query(window, now)
    columns = columns_of(query.type, window.columns)
    place = find_place(connection, query, window)
    before, after = max(0, window.before), max(0, window.after)
    if place is None:
        from_end = window.anchor == "end" or isinstance(window.anchor, int)
        before, after = (before or after, 0) if from_end else (0, after or before)
    sides = _sides(query, columns, place, before, after)
    rows = _rows(connection, query, columns, sides)
    return _trimmed(connection, query, window, columns, rows, place, (before, after))


def find_place(connection: duckdb.DuckDBPyConnection, query: Query, window: Window) -> Place | None:
    """The place of the anchor; None for the start or the end, and for a key that never existed (which counts as the
    start).
    """
    anchor = window.anchor
    if isinstance(anchor, str):
        return None
    if isinstance(anchor, int):
        sql, values = query.chosen((), ("true", []), backward=False, limit=1)
        found = connection.execute(f"{sql} OFFSET {max(0, int(anchor))}", values).fetchone()
        return found[len(LEADING) : -1] if found else None
    relation = Relation(query.type, query.moment, "place")
    terms = query.terms_of(relation)
    carried = ", ".join(quoted(name) for name in relation.needs(query.names))
    # The row as it was at that time, or else as it was last known.
    sql = (
        f"WITH place AS (SELECT cloud, region, id{', ' + carried if carried else ''}"
        f" FROM {quoted(query.type.table)} v WHERE v.cloud = ? AND v.region = ? AND v.id = ?"
        f" ORDER BY {query.moment.of('v')} DESC, v.valid_from DESC LIMIT 1)"
        f" SELECT {', '.join(term.sql for term in terms)} {relation.from_clause}"
    )
    return connection.execute(sql, list(anchor)).fetchone()


def _sides(query: Query, columns: list[str], place: Place | None, before: int, after: int) -> list[Sql]:
    """The statements for the rows before the place and from it on, each with one row more than wanted."""
    carried = query.relation.needs(columns)
    sides = []
    if before:
        more: Sql = ("true", []) if place is None else beyond(query.terms, place, backward=True)
        sides.append(query.chosen(carried, more, backward=True, limit=before + 1))
    if after or place is not None:
        more = ("true", []) if place is None else beyond(query.terms, place, inclusive=True)
        sides.append(query.chosen(carried, more, backward=False, limit=after + (1 if place is None else 2)))
    return sides


def _rows(
    connection: duckdb.DuckDBPyConnection, query: Query, columns: list[str], sides: list[Sql]
) -> list[tuple[Any, ...]]:
    """The chosen rows in order, with shown columns joined: cloud, region, id, columns, values of the order, side."""
    if not sides:
        return []
    shown = Relation(query.type, query.moment, "page")
    picked = [shown.column(name) for name in (*LEADING, *columns)]
    order = [Term(f"t.s{i}", term.descending, term.nullable) for i, term in enumerate(query.terms)]
    picked += [term.sql for term in order] + ["t.side"]
    chosen = " UNION ALL ".join(f"SELECT * FROM ({sql})" for sql, _ in sides)
    sql = f"WITH page AS ({chosen}) SELECT {', '.join(picked)} {shown.from_clause} ORDER BY {order_by(order)}"
    return connection.execute(sql, [value for _, values in sides for value in values]).fetchall()


def _trimmed(
    connection: duckdb.DuckDBPyConnection,
    query: Query,
    window: Window,
    columns: list[str],
    rows: list[tuple[Any, ...]],
    place: Place | None,
    wanted: tuple[int, int],
) -> dict[str, Any]:
    """The answer: surplus rows taken off, which say whether there is more."""
    before, after = wanted
    width = len(LEADING) + len(columns)
    if place is None:
        from_end = before > 0
        more = len(rows) > before + after
        rows = rows[1:] if more and from_end else rows[: before + after]
        index = len(rows) if from_end else 0
        at_row = (len(rows) - 1 if from_end else 0) if rows else None
        has_before, has_after = from_end and more, not from_end and more
    else:
        at = list(place)
        index = sum(1 for row in rows if row[-1] == 0)
        start = max(0, index - before)
        present = index < len(rows) and list(rows[index][width:-1]) == at
        end = index + after + (1 if present else 0)
        has_before, has_after = start > 0, len(rows) > end
        if before == 0:
            has_before = _exists(connection, query, beyond(query.terms, at, backward=True))
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
    return connection.execute(sql, [*query.where[1], *values]).fetchone() is not None


def position(connection: duckdb.DuckDBPyConnection, window: Window, now: datetime) -> dict[str, int]:
    """{total, rank}: how many rows pass, and how many of them lie before the anchor.

    Raises FilterError, UnknownColumn.
    """
    query = Query(window, now)
    place = None if isinstance(window.anchor, int) else find_place(connection, query, window)
    before: Sql = ("false", []) if place is None else beyond(query.terms, place, backward=True)
    counted = "0" if before[0] == "false" else f"count(*) FILTER ({before[0]})"
    sql = f"SELECT count(*), {counted} {query.relation.from_clause} WHERE {query.where[0]}"
    found = connection.execute(sql, [*before[1], *query.where[1]]).fetchone()
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
    sql, values = query.chosen(query.relation.needs(columns), ("true", []), backward=False, limit=limit)
    rows = _rows(connection, query, columns, [(f"{sql} OFFSET {max(0, int(offset))}", values)])
    return total, ["cloud", "region", "id", *columns], [list(row[: len(LEADING) + len(columns)]) for row in rows]
