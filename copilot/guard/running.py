"""A model's statement, from its text to rows, within the asker's scope and within limits of time and memory.

It runs in a process of its own: DuckDB can not bound what one statement takes (its limit is the database's, and the
texts that a function makes are not counted), and the engine must go on. The process is given the rows that the asker
may read of the views that the statement names, and ended when it takes too long or too much.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from copilot.answers import MOST_ROWS, Table
from copilot.guard import explaining, tabling
from copilot.guard.parsing import looked_at
from copilot.guard.process import Ended, Process
from copilot.guard.refusing import Failed, Refused
from copilot.guard.scoping import Load, loads
from copilot.sources import NotAvailable, Sources
from store import times

if TYPE_CHECKING:
    import duckdb

SECONDS = 10.0
MEMORY = 512 << 20  # bytes
_BATCH = 8192  # rows
_TOGETHER = threading.BoundedSemaphore(2)  # processes at a time


@dataclass(frozen=True, slots=True)
class Ran:
    """A statement that ran.

    table   its rows; `total` counts 100,001 at most
    sql     the statement as it ran, to be shown
    cut     the rows were too large for all to be kept
    took_ms  milliseconds by part: "check", "load", "run"
    peak    bytes of memory that the process took at most
    """

    table: Table
    sql: str
    cut: bool
    took_ms: dict[str, int]
    peak: int


def run(
    sql: str,
    sources: Sources,
    *,
    limit: int = MOST_ROWS,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    now: datetime | None = None,
) -> Ran:
    """Run a statement that a model wrote: at most `limit` rows, in `seconds`, with `memory` bytes.

    Raises Refused, with a sentence for the model, for everything that it can write differently; NotAvailable when the
    store, or a place to run it in, is not available just now.
    """
    moment = now or times.utcnow()
    started = time.monotonic()
    if not _TOGETHER.acquire(timeout=seconds):
        raise NotAvailable("Other questions to the data are being worked on: ask again in a moment.")
    try:
        with Process(seconds=seconds, memory=memory) as process:
            return _run(sql, sources, process, max(1, min(limit, MOST_ROWS)), moment, started)
    except Refused as error:
        error.peak = process.peak
        raise
    except Ended as error:
        refusal = explaining.ended(error.why, seconds, memory)
        refusal.peak = process.peak
        raise refusal from None
    except OSError:
        raise NotAvailable("No process can be started for the statement just now: ask again in a moment.") from None
    finally:
        _TOGETHER.release()


def _run(sql: str, sources: Sources, process: Process, limit: int, now: datetime, started: float) -> Ran:
    try:
        checked = looked_at(sql, process.ask, now)
    except Failed as error:
        raise explaining.failed(error, None) from None
    except Ended as error:
        if error.why == "broken":  # it never ran anything of the statement's
            raise NotAvailable("No statement can be run here just now: answer without one.") from None
        raise
    wanted = loads(checked, sources)
    at_check = time.monotonic()
    _hand_over(wanted, sources, process)
    at_load = time.monotonic()
    try:
        answer = process.run(checked.text, limit)
    except Failed as error:
        raise explaining.failed(error, checked) from None
    took = {
        "check": round(1000 * (at_check - started)),
        "load": round(1000 * (at_load - at_check)),
        "run": round(1000 * (time.monotonic() - at_load)),
    }
    return Ran(tabling.table(answer, checked), checked.text, bool(answer["cut"]), took, process.peak)


def _hand_over(wanted: list[Load], sources: Sources, process: Process) -> None:
    """Read the asker's rows and give them to the process, all as of one state of the store."""
    if not wanted:
        return

    def work(connection: duckdb.DuckDBPyConnection) -> None:
        for one in wanted:
            with process.reading(connection):
                reader = connection.execute(one.sql, list(one.parameters)).to_arrow_reader(_BATCH)
                process.load(one.table, reader)

    try:
        sources.read(work)
    except Failed as error:
        raise explaining.failed(error, None) from None
