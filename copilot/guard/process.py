"""The engine's side of the process in which statements run: it starts, feeds, watches and ends it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copilot.guard.child import LENGTH, MAX_ANSWER
from copilot.guard.refusing import Failed

if TYPE_CHECKING:
    import duckdb
    import pyarrow

_LOOK_SECONDS = 0.02
_MOST_BYTES = 8 * MAX_ANSWER  # of one answer: a character may take six bytes and more as JSON
# Nothing of the engine's; one heap and few threads, so that little memory is set aside without being used.
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "HOME": "/",
    "MALLOC_ARENA_MAX": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


class Ended(Exception):
    """The process was ended or broke down; `why` is "time", "memory" or "broken"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Process:
    """One process. Not for several threads. `peak` is the most memory that it used, in bytes."""

    def __init__(self, *, seconds: float, memory: int) -> None:
        """`memory` in bytes: beyond it, and after `seconds`, the process is ended."""
        self.peak = 0
        self._memory = memory
        self._ends = time.monotonic() + seconds
        self._why = ""
        self._reading: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()
        # `-I`: neither the folder nor the environment says where modules come from.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "copilot.guard.child", str(memory), str(max(1, round(seconds)))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
        )
        self._watcher = threading.Thread(target=self._watch, name="guard-watch", daemon=True)
        self._watcher.start()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._process.kill()
        self._watcher.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def ask(self, sql: str, values: Sequence[Any]) -> list[list[Any]]:
        """Rows of a statement of the guard's own. Raises Ended, Failed."""
        return list(self._call({"do": "ask", "sql": sql, "values": list(values)})["rows"])

    def load(self, table: str, reader: pyarrow.RecordBatchReader) -> None:
        """Hand over the rows of a table. Raises Ended, Failed."""
        import pyarrow

        self._send({"do": "load", "table": table})
        writer = pyarrow.ipc.new_stream(self._process.stdin, reader.schema)
        for batch in reader:
            self._write(writer.write_batch, batch)
        self._write(writer.close)
        assert self._process.stdin is not None
        self._write(self._process.stdin.flush)
        self._receive()

    def run(self, sql: str, limit: int) -> dict[str, Any]:
        """{"columns": [{"name", "type"}], "rows": lists of at most `limit` values, "total", "cut"}.

        Raises Ended, Failed."""
        return self._call({"do": "run", "sql": sql, "limit": limit})

    @contextlib.contextmanager
    def reading(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """While the block reads with the connection, its statement is interrupted when the time is over.

        Raises Ended for whatever the block raises then."""
        with self._lock:
            self._reading = connection
        try:
            yield
        except Exception:
            if self._why:
                raise self.ended() from None
            raise
        finally:
            with self._lock:
                self._reading = None

    def _call(self, request: dict[str, Any]) -> dict[str, Any]:
        self._send(request)
        return self._receive()

    def _send(self, request: dict[str, Any]) -> None:
        body = json.dumps(request).encode()
        assert self._process.stdin is not None
        self._write(self._process.stdin.write, LENGTH.pack(len(body)) + body)
        self._write(self._process.stdin.flush)

    def _write(self, write: Callable[..., object], *what: object) -> None:
        try:
            write(*what)
        except OSError:
            self._receive()  # it may have said why it reads no more
            raise self.ended() from None

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        head = self._process.stdout.read(LENGTH.size)
        size = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
        body = self._process.stdout.read(size) if size <= _MOST_BYTES else b""
        if not size or len(body) < size:
            raise self.ended()
        answer = json.loads(body)
        self.peak = max(self.peak, int(answer.get("peak") or 0))
        if "error" in answer:
            raise Failed(str(answer["error"]), str(answer["message"]))
        return dict(answer)

    def ended(self) -> Ended:
        """Why there is no more to be had of it."""
        return Ended(self._why or "broken")

    def _watch(self) -> None:
        """End the process when its time is over or its memory too large; the kernel's limits are the second line."""
        while not self._over.wait(_LOOK_SECONDS):
            resident, peak = _memory_of(self._process.pid)
            self.peak = max(self.peak, peak)
            if time.monotonic() > self._ends:
                self._why = self._why or "time"
            elif resident > self._memory:
                self._why = self._why or "memory"
            if self._why:
                self._process.kill()
                with self._lock:
                    if self._reading is not None:
                        self._reading.interrupt()


def _memory_of(pid: int) -> tuple[int, int]:
    """Bytes of memory that a process has now, and the most it had; zeros where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS:", "VmHWM:"))}
    return int(found.get("VmRSS", 0)) * 1024, int(found.get("VmHWM", 0)) * 1024
