"""Where a window's anchor lies in the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from store.estate.reading.hints import Hints, Sample, within
from store.estate.reading.models import Window
from store.estate.reading.order import Sql, beyond, order_by, run
from store.estate.reading.query import Place, Query
from store.estate.reading.relation import Relation, quoted

if TYPE_CHECKING:
    import duckdb


def sample_of(connection: duckdb.DuckDBPyConnection, query: Query, hints: Hints) -> Sample | None:
    """A sample of the places of the query's order; None for a short list."""

    def count() -> int:
        return int(_one(connection, f"SELECT count(*) FROM {quoted(query.type.table)}", [])[0])

    def read(condition: str) -> list[Place]:
        picked, order = ", ".join(term.sql for term in query.terms), order_by(query.terms)
        sql = f"SELECT {picked} {query.relation.from_clause} WHERE {condition} ORDER BY {order}"
        return list(run(connection, sql).fetchall())

    return hints.sample((query.type.name, tuple(query.sort)), count, read, query.terms)


def _one(connection: duckdb.DuckDBPyConnection, sql: str, values: list[Any]) -> tuple[Any, ...]:
    found = run(connection, sql, values).fetchone()
    assert found
    return found


def find_place(
    connection: duckdb.DuckDBPyConnection, query: Query, window: Window, hints: Hints | None = None
) -> Place | None:
    """The place of the anchor; None for the start or the end, and for a key that never existed (which counts as the
    start).
    """
    anchor = window.anchor
    if isinstance(anchor, str):
        return None
    if isinstance(anchor, int):
        return _by_rank(connection, query, max(0, anchor), hints)
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
    return run(connection, sql, list(anchor)).fetchone()


def _by_rank(connection: duckdb.DuckDBPyConnection, query: Query, rank: int, hints: Hints | None) -> Place | None:
    """The place of the row with this rank, None past the end.

    In a long list the rows are counted up to a place of the sample a little before it, and only those after that are
    sorted.
    """
    sample = None if hints is None or query.filtered or query.computed else sample_of(connection, query, hints)
    if sample is None:
        return _nth(connection, query, ("true", []), rank)
    total = _one(connection, f"SELECT count(*) {query.relation.from_clause} WHERE {query.where[0]}", query.where[1])[0]
    if rank >= total:
        return None
    places, step = sample.places, 2
    index = int(rank / total * len(places)) - 1
    while index > 0:
        sql, values = beyond(query.terms, places[index], backward=True)
        counted = f"SELECT count(*) {query.relation.from_clause} WHERE {query.where[0]} AND {sql}"
        earlier = _one(connection, counted, [*query.where[1], *values])[0]
        if earlier <= rank:
            high = places[index + 8] if index + 8 < len(places) else None
            slice = within(query.terms, places[index], high)
            found = _nth(connection, query, slice, rank - earlier)
            return found or _nth(connection, query, within(query.terms, places[index], None), rank - earlier)
        index, step = index - step, step * 4
    return _nth(connection, query, ("true", []), rank)


def _nth(connection: duckdb.DuckDBPyConnection, query: Query, more: Sql, number: int) -> Place | None:
    sql, values = query.rows(more)
    picked = ", ".join(term.sql for term in query.places)
    sql = f"SELECT {picked} FROM ({sql}) ORDER BY {order_by(query.places)} LIMIT 1 OFFSET {int(number)}"
    return run(connection, sql, values).fetchone()
