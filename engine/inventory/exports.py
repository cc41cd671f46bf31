"""Exports: a whole list as a file, made beside the pages that people read.

The rows are read in one go into a Parquet file without a name: the store's transaction is short, and memory does not
grow with the list. What is sent is made from that file piece by piece, on a thread that pages do not use.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import weakref
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import IO, TYPE_CHECKING

from engine.api.errors import BadRequest, Unavailable
from engine.inventory import export_formats
from engine.inventory.exports_models import MOST_EXPORTED
from engine.inventory.reads import InventoryReads
from store.estate.reading import exporting
from store.estate.reading.exporting import Picked
from store.estate.reading.models import Window
from store.types import registry

if TYPE_CHECKING:
    import duckdb
    import pyarrow

MOST_AT_ONCE = 6  # open exports: each holds a file


class Export:
    """Rows that were read, and the file that is made of them."""

    def __init__(self, rows: IO[bytes], count: int, names: list[str], type: str, format: str) -> None:
        self.count, self.names = count, names
        self.format = export_formats.FORMATS[format]
        self._rows, self._type = rows, registry.ALL[type]
        self._pieces = self._made()

    def piece(self) -> bytes | None:
        """The next bytes of the file (none are an empty piece); None when it is whole. Blocks for 20 ms or so."""
        return next(self._pieces, None)

    def close(self) -> None:
        """Forget it, whole or not."""
        self._pieces.close()
        self._rows.close()

    def _made(self) -> Generator[bytes, None, None]:
        ending = self.format.ending
        if ending == "parquet":
            yield from export_formats.blocks(self._rows)
        elif ending == "csv":
            yield from export_formats.write_csv(self._batches(), self.names)
        elif ending == "json":
            yield from export_formats.write_json(self._batches(), self.names)
        else:
            with tempfile.TemporaryFile() as book:
                yield from export_formats.write_xlsx(self._batches(), self.names, self._type.plural, book)
                yield from export_formats.blocks(book)

    def _batches(self) -> Iterator[pyarrow.RecordBatch]:
        from pyarrow.parquet import ParquetFile

        self._rows.seek(0)
        yield from ParquetFile(self._rows).iter_batches(exporting.BATCH)


class Exports:
    """Exports of one estate."""

    def __init__(self, reads: InventoryReads, most_rows: int = MOST_EXPORTED) -> None:
        self._reads = reads
        self._most_rows = most_rows
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="export")
        self._open: weakref.WeakSet[Export] = weakref.WeakSet()

    async def begin(self, window: Window, picked: Picked, format: str, limit: int | None) -> Export:
        """Read the rows. Raises BadRequest for a list that is too long, and what InventoryReads.read raises."""
        if len(self._open) >= MOST_AT_ONCE:
            raise Unavailable(f"{MOST_AT_ONCE} exports are being made; ask again when one has ended")
        loop = asyncio.get_running_loop()
        export = await loop.run_in_executor(self._pool, self._read, window, picked, format, limit)
        self._open.add(export)
        return export

    async def stream(self, export: Export) -> AsyncIterator[bytes]:
        """The file's bytes."""
        loop = asyncio.get_running_loop()
        try:
            while not self._reads.closed:
                piece = await loop.run_in_executor(self._pool, export.piece)
                if piece is None:
                    return
                if piece:
                    yield piece
            raise Unavailable("the engine is stopping: ask again when it runs")
        finally:
            self._open.discard(export)
            with contextlib.suppress(RuntimeError):  # the interpreter ends
                self._pool.submit(export.close)  # behind a piece that may still be made

    def _read(self, window: Window, picked: Picked, format: str, limit: int | None) -> Export:
        now = self._reads.clock()
        rows = tempfile.TemporaryFile(dir=self._reads.estate.path.parent)  # noqa: SIM115 - closed with the export
        try:
            names = self._reads.read(lambda c: exporting.names_of(registry.ALL[window.type], window.columns))
            count = self._reads.read(lambda c: self._write(c, window, picked, now, limit, rows))
        except OSError as error:
            rows.close()
            raise Unavailable(f"the rows could not be kept for the export: {error.strerror or error}") from None
        except BaseException:
            rows.close()
            raise
        return Export(rows, count, names, window.type, format)

    def _write(
        self,
        connection: duckdb.DuckDBPyConnection,
        window: Window,
        picked: Picked,
        now: datetime,
        limit: int | None,
        rows: IO[bytes],
    ) -> int:
        """Put the list's rows into a Parquet file; how many they are."""
        from pyarrow.parquet import ParquetWriter

        total = exporting.count(connection, window, picked, now)
        count = min(total, limit or total)
        if count > self._most_rows:
            raise BadRequest(
                f"this list has {count:,} rows, and a file takes {self._most_rows:,}: narrow it with a filter, or "
                "export it by cloud or project"
            )
        schema, batches = exporting.batches(connection, window, picked, now, count)
        with ParquetWriter(rows, schema, compression="zstd") as writer:
            for batch in batches:
                if self._reads.closed:
                    raise Unavailable("the engine is stopping: ask again when it runs")
                writer.write_batch(batch)
        return count
