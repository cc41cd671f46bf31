"""Rows of one listing between their arrival and its end."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow

    from store.estate.estate import Estate

# So much of all listings together is kept as Arrow; what is more goes to temporary tables, which DuckDB keeps
# on disk when
# memory is short. Only new and changed rows come here, so most listings never get there; a temporary table
# costs as much
# CPU again as the insert itself.
MEMORY_BYTES = 128 << 20


class Budget:
    """Bytes of Arrow that all open listings hold."""

    def __init__(self, limit: int = MEMORY_BYTES) -> None:
        self._limit = limit
        self.share = limit // 8  # a listing with less than this is not worth spilling
        self._used = 0
        self._lock = threading.Lock()

    def take(self, amount: int) -> bool:
        """Count more bytes (fewer when negative); answers whether that is too many."""
        with self._lock:
            self._used += amount
            return self._used > self._limit


class Stage:
    """Arrow tables of equal columns under one name. Filled by one thread at a time, used on the writer thread
    at the end."""

    def __init__(self, estate: Estate, name: str) -> None:
        self.name = name
        self._estate = estate
        self._tables: list[pyarrow.Table] = []
        self._bytes = 0
        self._spilled = False
        self._pending: Future[None] | None = None

    def __bool__(self) -> bool:
        """Whether any row came."""
        return self._spilled or bool(self._tables)

    def add(self, table: pyarrow.Table) -> None:
        """Keep a table. Blocks while an earlier one is on its way to disk: a slow disk slows the collector,
        not memory."""
        self._tables.append(table)
        self._bytes += table.nbytes
        if self._estate.budget.take(table.nbytes) and self._bytes > self._estate.budget.share:
            tables, self._tables = self._tables, []
            self._release()
            first, self._spilled = not self._spilled, True
            if self._pending is not None:
                self._pending.result()
            self._pending = self._estate.submit(lambda connection: self._spill(connection, tables, first))

    def open(self, connection: duckdb.DuckDBPyConnection, without: list[int]) -> str:
        """The name under which SQL finds the rows, without those of the given `seq`. Raises what spilling raised."""
        import pyarrow as pa

        if self._pending is not None:
            self._pending.result()
        if self._spilled:
            if self._tables:
                self._spill(connection, self._tables, False)
                self._tables = []
            if without:
                connection.execute(f"DELETE FROM {self.name} WHERE list_contains(?, seq)", [without])
            return self.name
        table = pa.concat_tables(self._tables)
        if without:
            from pyarrow import compute

            table = table.filter(compute.invert(compute.is_in(table.column("seq"), pa.array(without, pa.int64()))))
        connection.register(self.name, table)
        return self.name

    def drop(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Forget the rows."""
        self._tables = []
        self._release()
        if self._spilled:
            connection.execute(f"DROP TABLE IF EXISTS {self.name}")
        else:
            connection.unregister(self.name)

    def _release(self) -> None:
        self._estate.budget.take(-self._bytes)
        self._bytes = 0

    def _spill(self, connection: duckdb.DuckDBPyConnection, tables: list[pyarrow.Table], first: bool) -> None:
        import pyarrow as pa

        connection.register("arriving", pa.concat_tables(tables))
        try:
            verb = f"CREATE TEMP TABLE {self.name} AS" if first else f"INSERT INTO {self.name}"
            connection.execute(f"{verb} SELECT * FROM arriving")
        finally:
            connection.unregister("arriving")
