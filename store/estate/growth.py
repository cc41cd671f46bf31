"""A program with other declarations meets a file with older rows.

A column that a declaration gained is filled from the stored documents, and where what goes into a hash has
changed the hashes are made
again: an upgrade neither loses a value nor makes a version.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from store.estate.documents import hasher
from store.estate.rows import RowBuilder, to_arrow, volatile_paths
from store.estate.schema import hash_rule, own_columns, quoted

if TYPE_CHECKING:
    import duckdb

    from store.types.declaration import ResourceType

_CHUNK = 2000


def catch_up(connection: duckdb.DuckDBPyConnection, types: Iterable[ResourceType], grown: Iterable[str]) -> list[str]:
    """Bring stored rows to the types' declarations; answers the names of types whose rows were made again.

    `grown` are types whose tables gained columns. Each type is a transaction of its own, noted in `meta` when
    it is done, so a
    process that dies in the middle goes on where it was.
    """
    rules = dict(connection.execute("SELECT key, value FROM meta WHERE starts_with(key, 'rule ')").fetchall())
    wanted = set(grown)
    fresh: list[ResourceType] = []
    done = []
    for type in types:
        known, rule = rules.get(f"rule {type.name}"), hash_rule(type)
        if type.name in wanted or known not in (None, rule):
            with _transaction(connection):
                _remake(connection, type, rehash=known not in (None, rule))
                _note(connection, [type])
            done.append(type.name)
        elif known is None:
            fresh.append(type)
    if fresh:
        with _transaction(connection):
            _note(connection, fresh)
    return done


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _note(connection: duckdb.DuckDBPyConnection, types: list[ResourceType]) -> None:
    """Note by which rule the types' stored hashes were made."""
    keys = [f"rule {type.name}" for type in types]
    connection.execute("DELETE FROM meta WHERE list_contains(?, key)", [keys])
    rules = [hash_rule(type) for type in types]
    connection.execute("INSERT INTO meta SELECT unnest(?), unnest(?)", [keys, rules])


def _remake(connection: duckdb.DuckDBPyConnection, type: ResourceType, *, rehash: bool) -> None:
    """Typed columns, search text and, with `rehash`, hashes of all versions, out of their documents."""
    own = own_columns(type)
    columns = [("row", "BIGINT"), ("hash", "BLOB"), *own, ("search", "VARCHAR")]
    builder, digest = RowBuilder(type), hasher(volatile_paths(type))
    table = quoted(type.table)
    connection.execute(f"CREATE TEMP TABLE documents AS SELECT rowid AS row, id, hash, doc FROM {table}")
    last = connection.execute("SELECT coalesce(max(row), -1) FROM documents").fetchall()[0][0]
    definitions = ", ".join(f"{quoted(name)} {sql}" for name, sql in columns)
    connection.execute(f"CREATE TEMP TABLE remade ({definitions})")
    for start in range(0, last + 1, _CHUNK):
        query = "SELECT row, id, hash, doc FROM documents WHERE row >= ? AND row < ?"
        remade: list[tuple[Any, ...]] = []
        for row, id, hash, text in connection.execute(query, [start, start + _CHUNK]).fetchall():
            doc = orjson.loads(text)
            _, _, values, search = builder.values(doc)
            remade.append((row, digest(doc)[0] if rehash else hash, *values, f"{search} {id.lower()}"))
        if remade:
            connection.register("arriving", to_arrow(columns, remade))
            connection.execute("INSERT INTO remade SELECT * FROM arriving")
            connection.unregister("arriving")
    volatile = {column.name for column in type.columns if column.volatile}
    kept = [name for name, _ in columns[1:] if name not in volatile]  # measurements are newer than the document
    assignments = ", ".join(f"{quoted(name)} = r.{quoted(name)}" for name in kept)
    connection.execute(f"UPDATE {table} AS v SET {assignments} FROM remade r WHERE v.rowid = r.row")
    connection.execute("DROP TABLE documents")
    connection.execute("DROP TABLE remade")
