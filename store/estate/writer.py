"""The one thread that writes: a queue of work, each piece in a transaction of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar, cast

from store.estate.errors import EstateClosed
from store.estate.opening import explained

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

T = TypeVar("T")
After = Callable[[Any], None]
Work = Callable[["duckdb.DuckDBPyConnection"], Any]
_STOP = None

# A statement waits no longer for people who read, and all statements of one piece of work no longer together.
STATEMENT_SECONDS, WORK_SECONDS = 0.03, 0.15


class Courteous:
    """A connection whose statements first wait for people who read.

    A statement takes both cores and the interpreter for milliseconds, and the end of a listing is a dozen of them.

    give_way  waits while somebody reads, at most the seconds it is given
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._inner = connection
        self._patience = 0.0
        self.give_way: Callable[[float], None] | None = None

    def begin(self) -> None:
        """Another piece of work begins."""
        self._patience = WORK_SECONDS

    def execute(self, *arguments: Any) -> duckdb.DuckDBPyConnection:
        """As the connection's own."""
        if self.give_way is not None and self._patience > 0:
            began = time.monotonic()
            self.give_way(min(self._patience, STATEMENT_SECONDS))
            self._patience -= time.monotonic() - began
        return self._inner.execute(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Writer:
    """Runs work on one connection, in the order it was handed in.

    After an error that leaves the database unusable (DuckDB calls it fatal; a full disk during a commit is the
    common one) every later
    piece of work fails with EstateClosed, and `broken` says why: the estate has to be opened again.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = Courteous(connection)
        self._path = path
        self._queue: queue.SimpleQueue[tuple[Work, Future[Any], After | None, bool] | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        self.broken: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="estate-writer", daemon=True)
        self._thread.start()

    def submit(
        self,
        work: Callable[[duckdb.DuckDBPyConnection], T],
        *,
        after: Callable[[T], None] | None = None,
        transaction: bool = True,
    ) -> Future[T]:
        """Queue work; with `transaction` it is committed when it returns and rolled back when it raises.

        `after` is called with the result once it is committed, before the future is done. It must not raise.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise EstateClosed(f"the estate {self._path} is closed")
            self._queue.put((work, future, after, transaction))
        return future

    @property
    def is_current_thread(self) -> bool:
        """Whether the caller runs on the writer thread."""
        return threading.current_thread() is self._thread

    def give_way(self, wait: Callable[[float], None]) -> None:
        """Have `wait(seconds)` called before each statement: it may wait so long while somebody reads."""
        self._connection.give_way = wait

    def close(self) -> None:
        """Finish what is queued and end the thread. The connection is closed on that thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(_STOP)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._queue.get()) is not _STOP:
            work, future, after, transaction = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = self._one(work, transaction)
                if after is not None:
                    after(result)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            del work, future, after, item
        self._connection.close()

    def _one(self, work: Work, transaction: bool) -> Any:
        import duckdb

        if self.broken is not None:
            raise EstateClosed(
                f"the estate {self._path} stopped after an error and has to be opened again: {self.broken}"
            )
        connection = cast("duckdb.DuckDBPyConnection", self._connection)
        self._connection.begin()
        try:
            if not transaction:
                return work(connection)
            self._connection.execute("BEGIN")
            try:
                result = work(connection)
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            return result
        except duckdb.Error as error:
            known = explained(error, self._path)
            if isinstance(error, duckdb.FatalException) or "has been invalidated" in str(error):
                self.broken = known or error
            if known is not None:
                raise known from error
            raise

    def _roll_back(self) -> None:
        import duckdb

        try:
            self._connection.execute("ROLLBACK")
        except duckdb.Error as error:
            # No transaction is open when COMMIT itself failed; anything else means the database can not be trusted
            # any more.
            if not isinstance(error, duckdb.TransactionException):
                self.broken = explained(error, self._path) or error
