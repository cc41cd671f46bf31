"""Whole lists as Arrow batches, for files: the rows of a window's list from its first to its last one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from store.estate.reading.fetching import statement
from store.estate.reading.models import Key, Window
from store.estate.reading.order import Sql, Term, run
from store.estate.reading.query import Query, columns_of
from store.estate.reading.relation import LEADING
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb
    import pyarrow

BATCH = 2048  # rows: 10 to 20 ms of work for whoever writes them


@dataclass(frozen=True, slots=True)
class Picked:
    """Which rows of the list: all, only those with these keys, or all without some."""

    keys: Sequence[Key] | None = None
    without: Sequence[Key] = field(default_factory=tuple)


def names_of(type: ResourceType, columns: Sequence[str] | None) -> list[str]:
    """Names of exactly the columns asked for, in their order; for None cloud, region, id and the type's default ones.

    Raises UnknownColumn.
    """
    if columns is None:
        return [*LEADING, *columns_of(type, None)]
    leading = set(LEADING)
    return list(dict.fromkeys(n if n in leading else columns_of(type, [n])[0] for n in columns))


def count(connection: duckdb.DuckDBPyConnection, window: Window, picked: Picked, now: datetime) -> int:
    """How many rows the list has. Raises FilterError, UnknownColumn."""
    query = Query(window, now)
    more, values = _condition(query, picked)
    sql = f"SELECT count(*) {query.relation.from_clause} WHERE {query.where[0]} AND {more}"
    found = run(connection, sql, [*query.where[1], *values]).fetchone()
    assert found
    return int(found[0])


def batches(
    connection: duckdb.DuckDBPyConnection, window: Window, picked: Picked, now: datetime, limit: int
) -> tuple[pyarrow.Schema, Iterator[pyarrow.RecordBatch]]:
    """The first rows in order, with the columns of `names_of`; to be read before the connection does anything else.

    Times are microseconds of UTC, lists are lists of strings. Raises FilterError, UnknownColumn.
    """
    import pyarrow

    query = Query(window, now)
    names = names_of(query.type, window.columns)
    columns = [name for name in names if name not in LEADING]
    kept = [term.sql for term in query.places]
    order = [Term(f"t.{term.sql}", term.descending, term.nullable) for term in query.places]
    chosen = query.first(_condition(query, picked), backward=False, limit=limit)
    sql, values = statement(query, columns, chosen, kept, order)
    reader = run(connection, sql, values).to_arrow_reader(BATCH)
    places = [[*LEADING, *columns].index(name) for name in names]
    schema = pyarrow.schema(
        [pyarrow.field(n, _kind(reader.schema.field(p).type)) for n, p in zip(names, places, strict=True)]
    )
    return schema, (_arranged(batch, places, schema) for batch in reader)


def _arranged(batch: pyarrow.RecordBatch, places: list[int], schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    import pyarrow

    arrays = [batch.column(place).cast(schema.field(n).type) for n, place in enumerate(places)]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=schema)


def _kind(kind: pyarrow.DataType) -> pyarrow.DataType:
    """The type under which a column is written: times say that they are UTC."""
    import pyarrow

    return pyarrow.timestamp("us", "UTC") if pyarrow.types.is_timestamp(kind) else kind


def _condition(query: Query, picked: Picked) -> Sql:
    parts: list[Sql] = []
    for keys, word in ((picked.keys, "IN"), (picked.without or None, "NOT IN")):
        if keys is not None:
            row = ", ".join(query.relation.column(name) for name in LEADING)
            table = "SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[])"
            parts.append((f"({row}) {word} ({table})", [[key[n] for key in keys] for n in range(3)]))
    return " AND ".join(sql for sql, _ in parts) or "true", [value for _, values in parts for value in values]
