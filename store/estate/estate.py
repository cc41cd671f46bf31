"""The estate: what was observed of the clouds, in one DuckDB file with one writer and many readers."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from store.estate import backup, decisions, growth, opening, retention, samples, schema
from store.estate.errors import EstateClosed
from store.estate.ingest import ListingWriter
from store.estate.models import Listing
from store.estate.staging import Budget
from store.estate.writer import Writer

if TYPE_CHECKING:
    import duckdb

    from store.types.declaration import ResourceType

T = TypeVar("T")
_log = logging.getLogger(__name__)

READERS = 4


class Estate:
    """One open estate file. Thread-safe. Make it with `open`, and `close` it on any thread but the writer's."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection, types: Mapping[str, ResourceType]) -> None:
        self.path = path
        self.types = dict(types)
        self._connection = connection
        self._writer = Writer(connection.cursor(), path)
        self.budget = Budget()
        self._readers: queue.LifoQueue[duckdb.DuckDBPyConnection | None] = queue.LifoQueue()
        for _ in range(READERS):
            self._readers.put(None)
        # Process-wide counters that also grow over restarts, so a client never takes an old version for the current
        # one.
        self._versions: dict[str, int] = {}
        self._version = time.time_ns() // 1_000_000
        self._first_version = self._version
        self._callbacks: list[Callable[[str, str, int], None]] = []
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        threads: int = 2,
        memory_limit: str = "1GB",
        types: Mapping[str, ResourceType] | None = None,
    ) -> Estate:
        """Open the file, make it when it does not exist, and bring it to this program's schema.

        `types` is for tests; by default all declared types. Raises EstateLocked, EstateNewer, EstateCorrupt,
        EstateForeign,
        EstateDiskFull, EstateReadOnly; `str()` of each is one clear sentence.
        """
        import duckdb

        declared = types is None
        if types is None:
            from store.types import registry

            types = registry.ALL
        path = Path(path)
        connection = opening.connect(path, threads=threads, memory_limit=memory_limit)
        try:
            grown = schema.prepare(connection, path, types.values())
            growth.catch_up(connection, types.values(), grown)
            if declared:
                _create_views(connection)
        except duckdb.Error as error:
            connection.close()
            raise opening.explained(error, path) or error from error
        except BaseException:
            connection.close()
            raise
        return cls(path, connection, types)

    def close(self) -> None:
        """Finish queued writes and wait for readers at work, then close every connection."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._writer.close()
        slots = []
        for _ in range(READERS):
            try:
                slots.append(self._readers.get(timeout=5))
            except queue.Empty:
                _log.warning("a reader of the estate did not end within 5 s")
                break
        for reader in slots:
            if reader is not None:
                reader.close()
            self._readers.put(None)  # whoever waits for a connection finds that there is none any more
        self._connection.close()

    def __enter__(self) -> Estate:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def broken(self) -> Exception | None:
        """Why the estate has to be opened again, or None."""
        return self._writer.broken

    # Reading

    @contextlib.contextmanager
    def reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for reading, this thread's alone until the block ends. Waits when all are in use."""
        reader = self._readers.get()
        try:
            if self._closed:
                raise EstateClosed(f"the estate {self.path} is closed")
            if reader is None:
                reader = self._connection.cursor()
            yield reader
        except BaseException:
            # A failed query can leave a transaction open; a fresh connection costs less than finding out.
            if reader is not None:
                reader.close()
                reader = None
            raise
        finally:
            self._readers.put(reader)

    # Writing

    def submit(
        self,
        work: Callable[[duckdb.DuckDBPyConnection], T],
        *,
        after: Callable[[T], None] | None = None,
        transaction: bool = True,
    ) -> Future[T]:
        """As `write`; `after` gets the result on the writer thread once it is committed."""
        return self._writer.submit(work, after=after, transaction=transaction)

    def write(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> Future[T]:
        """Run work on the writer thread, in a transaction of its own: committed when it returns, rolled back
        when it raises."""
        return self._writer.submit(work)

    def give_way(self, wait: Callable[[float], None]) -> None:
        """Have the writer call `wait(seconds)` before each statement: it may wait so long while somebody reads."""
        self._writer.give_way(wait)

    def checkpoint(self) -> None:
        """Merge the log into the file. DuckDB does it by itself when the log has 32 MB; call this when the
        engine is idle."""
        self._writer.submit(lambda connection: connection.execute("CHECKPOINT") and None, transaction=False).result()

    def backup(self, target: Path) -> None:
        """Copy to `target` (must not exist) while running; see store.estate.backup."""
        self._writer.submit(
            lambda connection: backup.copy(connection, self.path, Path(target)), transaction=False
        ).result()

    # Data versions

    def data_version(self, type: str | None = None) -> int:
        """A number that moves when an ingest changed rows of the type (of any type when None)."""
        with self._lock:
            return self._version if type is None else self._versions.get(type, self._first_version)

    def on_change(self, callback: Callable[[str, str, int], None]) -> None:
        """Have `callback(cloud, type, version)` called on the writer thread after each commit that changed rows."""
        with self._lock:
            self._callbacks.append(callback)

    def changed(self, cloud: str, type: str) -> None:
        """Move the type's data version and tell everybody. For ingest, and for others that write rows with `write`."""
        with self._lock:
            self._version += 1
            version = self._versions[type] = self._version
            callbacks = list(self._callbacks)
        for callback in callbacks:
            try:
                callback(cloud, type, version)
            except Exception:
                _log.exception("a callback for changed %s of %s failed", type, cloud)

    # Ingest

    def begin(self, listing: Listing) -> ListingWriter:
        """Begin to take the rows of a listing. Raises KeyError for an unknown type."""
        return ListingWriter(self, listing, self.types[listing.type])

    def states(self, cloud: str | None = None) -> list[dict[str, Any]]:
        """The state of every (cloud, region, type, scope) that was ever listed; see decisions.states.

        Without types that are read on demand: how long ago somebody asked about one resource says nothing of a cloud.
        """
        with self.reader() as connection:
            found = decisions.states(connection, cloud)
        asked = {name for name, type in self.types.items() if type.listing.on_demand}
        return [state for state in found if state["type"] not in asked]

    def decide(self, cloud: str, region: str, type: str, accept: bool) -> dict[str, Any]:
        """A person's word on a suspect type; see decisions.decide. Raises KeyError."""
        declared = self.types[type]
        future = self._writer.submit(
            lambda connection: decisions.decide(connection, declared, cloud, region, accept),
            after=lambda _: self.changed(cloud, type),
        )
        return future.result()

    # Keeping it small

    def retain(self, before: datetime) -> int:
        """Drop closed versions with valid_to before `before`; answers how many. Current versions always stay."""
        return self._writer.submit(lambda c: retention.retain(c, self.types.values(), before)).result()

    def forget_cloud(self, cloud: str) -> None:
        """Drop everything that is stored of a cloud."""

        def announce(types: list[str]) -> None:
            for type in types:
                self.changed(cloud, type)

        self._writer.submit(lambda c: retention.forget_cloud(c, self.types.values(), cloud), after=announce).result()

    def add_samples(self, rows: Iterable[samples.Sample]) -> int:
        """Store measurements: (cloud, region, type, id, metric, at, value)."""
        kept = list(rows)
        return self._writer.submit(lambda c: samples.add(c, kept)).result()

    def roll_up_samples(
        self, now: datetime, *, raw_days: int = samples.RAW_DAYS, hourly_days: int = samples.HOURLY_DAYS
    ) -> int:
        """Sum old samples up by the hour, drop the oldest; answers how many raw samples went."""
        return self._writer.submit(
            lambda c: samples.roll_up(c, now, raw_days=raw_days, hourly_days=hourly_days)
        ).result()


def _create_views(connection: duckdb.DuckDBPyConnection) -> None:
    """The public views are the reading side's; made anew at every open, so that they follow the declarations."""
    try:
        from store.estate.reading import views
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("store.estate.reading"):
            return
        raise
    views.create(connection)
