"""The operations database: one SQLite file, opened whole by the one engine that owns it.

Writers are serialised by a lock of the process (SQLite has one writer anyway, and waiting on a lock of ours is fair and
cheap); readers never wait, thanks to the write-ahead log. Every commit is on disk when `begin()` returns.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.exc import DBAPIError

from store.ops.errors import OpsCorrupt, OpsDiskFull, OpsForeign, OpsNewer, translate
from store.ops.migrations import LATEST, MIGRATIONS
from store.ops.reserve import Reserve
from store.ops.tables import meta

T = TypeVar("T")

APPLICATION = "quarterdeck"
_MAGIC = b"SQLite format 3\x00"
# A full check reads the whole file: cheap at the usual size, too slow at start for one that grew for years.
_CHECKED_BYTES = 64 * 1024 * 1024


class Ops:
    """Transactions on the operations database. Thread-safe; short transactions only (they hold the one writer)."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self.path = path
        self.reserve: Reserve | None = None  # given by the engine; without one every write is tried once
        self._writer = threading.Lock()
        self._writing: int | None = None  # the thread inside `begin`

    @classmethod
    def open(cls, path: Path, *, busy_timeout: float = 5.0) -> Ops:
        """Open `path`, making it (0600) when it is missing, and bring its tables to this release.

        busy_timeout: seconds to wait for another process's lock. Raises OpsLocked, OpsNewer, OpsCorrupt, OpsForeign,
        OpsDiskFull, OpsReadOnly; an existing file is not changed when one of these is raised before migrating.
        """
        path = Path(path)
        with _translated(path, (OSError, sqlite3.Error)):
            _prepare_file(path)
            _check(path, busy_timeout)
        ops = cls(_engine(path, busy_timeout), path)
        try:
            ops._migrate()
        except BaseException:
            ops.close()
            raise
        return ops

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A writing transaction: committed and synced at the end of the block, rolled back when it raises.

        Raises OpsError for a failure of the database; OpsDiskFull also while the reserve is given up; sqlalchemy's own
        errors for broken constraints; RuntimeError for a transaction inside another of the same thread, which would
        wait for itself.
        """
        if self.reserve is not None and (refusal := self.reserve.refusal()):
            raise OpsDiskFull(refusal)
        with self._begin() as connection:
            yield connection

    def finish(self, act: Callable[[Connection], T]) -> T:
        """Write, in one transaction, how something ended that was begun before; answers what `act` does.

        On a full disk the reserve is used, and `act` is called again. Raises what `begin` does.
        """
        while True:
            try:
                with self._begin() as connection:
                    return act(connection)
            except OpsDiskFull:
                if not self.relieve():
                    raise

    def relieve(self) -> bool:
        """Free space for a record that found none, from the reserve; False when there is nothing to free."""
        return self.reserve is not None and self.reserve.give_up()

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        if self._writing == threading.get_ident():
            raise RuntimeError("this thread is in a transaction already; hand its connection on instead")
        with self._writer:
            self._writing = threading.get_ident()
            try:
                with self._transaction() as connection:
                    yield connection
            finally:
                self._writing = None

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with _translated(self.path), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()  # nothing to do where SQLite already rolled back (full disk)
                raise
            connection.exec_driver_sql("COMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view for reading; sees every commit made before it began."""
        with _translated(self.path), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    def backup(self, target: Path) -> None:
        """Write a consistent copy to `target` (0600) while the engine runs; an older copy there is replaced whole.

        Raises OpsError when either side fails; `target` is then as it was before.
        """
        target = Path(target)
        partial = target.with_name(f".{target.name}.partial")
        try:
            with _translated(target, (OSError, sqlite3.Error)):
                partial.unlink(missing_ok=True)
                os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(partial)) as copy:
                    source.backup(copy)
                    copy.execute("PRAGMA journal_mode = DELETE")
                _sync(partial)
                partial.replace(target)
                _sync(target.parent)
        finally:
            partial.unlink(missing_ok=True)

    def schema_version(self) -> int:
        """The number of the last migration applied."""
        with self.read() as connection:
            return int(_read_meta(connection)["schema_version"])

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        self._engine.dispose()

    def _migrate(self) -> None:
        with self.begin() as connection:
            if not inspect(connection).has_table(meta.name):
                meta.create(connection)
                created = datetime.now(UTC).isoformat()
                for key, value in (
                    ("application", APPLICATION),
                    ("schema_version", "0"),
                    ("created_at", created),
                ):
                    connection.execute(meta.insert().values(key=key, value=value))
            version = int(_read_meta(connection)["schema_version"])
        for migration in MIGRATIONS:
            if migration.version <= version:
                continue
            with self.begin() as connection:
                migration.apply(connection)
                connection.execute(
                    meta.update().where(meta.c.key == "schema_version").values(value=str(migration.version))
                )


def _read_meta(connection: Connection) -> dict[str, str]:
    return {row.key: row.value for row in connection.execute(select(meta))}


def _check(path: Path, busy_timeout: float) -> None:
    """Refuse a file that is damaged, not ours, or of a later release. Through a plain connection: changes nothing."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=busy_timeout)) as connection:
        if path.stat().st_size <= _CHECKED_BYTES:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise OpsCorrupt(
                    f"the operations database {path} is damaged ({' '.join(str(verdict).split())}); "
                    "restore it from a backup made with `qdeck engine backup`"
                )
        columns = [row[1] for row in connection.execute("SELECT * FROM pragma_table_info('meta')")]
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return
        found = {}
        if columns == ["key", "value"]:
            found = dict(connection.execute("SELECT key, value FROM meta"))
    if found.get("application") != APPLICATION:
        raise OpsForeign(
            f"{path} is a database of another program; move it away, or choose another home with QDECK_HOME"
        )
    version = int(found["schema_version"])
    if version > LATEST:
        raise OpsNewer(
            f"the operations database {path} was written by a later release (schema {version}, this release "
            f"knows {LATEST}); install that release or restore an older backup"
        )


def _prepare_file(path: Path) -> None:
    """Make the file with its mode before SQLite would with the umask's, and check the first bytes of an old one."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
        if head and head != _MAGIC:
            raise OpsForeign(
                f"{path} is not an SQLite database; move it away, or choose another home with QDECK_HOME"
            ) from None


def _engine(path: Path, busy_timeout: float) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": busy_timeout, "check_same_thread": False, "isolation_level": None},
        pool_size=8,
        max_overflow=120,  # more than there are threads: none ever waits for a connection
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


@contextmanager
def _translated(path: Path, kinds: tuple[type[Exception], ...] = (DBAPIError, sqlite3.Error)) -> Iterator[None]:
    """Turn failures of the database into OpsError; `kinds` are what to look at (default: what SQLAlchemy raises)."""
    try:
        yield
    except kinds as error:
        found = translate(error, path)
        if found is None:
            raise
        raise found from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
