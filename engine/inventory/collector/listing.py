"""One list from the cloud into the store: read, redacted, built into rows, and ended in a way that never deletes too
much."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from engine.clouds.errors import CloudError
from engine.inventory.collector import readers
from engine.inventory.collector.calls import Cancelled, check
from engine.inventory.collector.cells import cell_down, check_cells, is_bare
from engine.inventory.collector.readers import Reading
from engine.inventory.collector.shapes import shape
from engine.inventory.collector.source import Source, failure
from engine.inventory.collector.tasks import Options, Progress, Task
from engine.inventory.courtesy import piece, step_aside
from engine.inventory.pages import BadPage, NotWhole
from store.estate.errors import EstateError
from store.estate.models import Listing, Outcome
from store.ids import uuid7
from store.redact import redact

if TYPE_CHECKING:
    from store.estate.estate import Estate
    from store.estate.ingest import ListingWriter
    from store.estate.rows import RowBuilder

_log = structlog.get_logger(__name__)

# One listing at a time does work that holds the interpreter.
_lane = threading.Lock()
# An ids sweep that finds more unknown resources than this is answered by a whole listing next time.
_FETCHED = 200


@dataclass(slots=True)
class Counts:
    """What came of reading one task."""

    state: str = "done"
    error: str = ""
    new: int = 0
    changed: int = 0
    gone: int = 0
    bare: int = 0
    unreadable: int = 0
    again: bool = False  # read it whole: the delta could not be had

    def add(self, outcome: Outcome) -> None:
        """Add what a listing did."""
        self.new += outcome.new
        self.changed += outcome.changed
        self.gone += outcome.gone


@dataclass(slots=True)
class ListingRun:
    """Reads one task into the store."""

    estate: Estate
    cloud: str
    task: Task
    source: Source
    options: Options
    progress: Progress
    stop: threading.Event
    ids: Callable[[str], Sequence[str]]
    counts: Counts = field(default_factory=Counts)

    def run(self) -> Counts:
        """Read it; never raises but for a store that is broken."""
        reading = Reading(self.task, self.source, self.options, self.stop, self.ids)
        kind = "delta" if self.task.since is not None else "full"
        budget: Sequence[str] = ()
        if self.task.type.listing.per == "project" and self.task.scope == "all":
            budget = self.ids("project")
            if len(readers.quota_projects(reading)) < len(budget):
                kind = "delta"
        outcome = self._list(kind, lambda writer: self._rows(reading, writer))
        if outcome is None or self.counts.again:
            return self.counts
        if kind == "delta" and budget:
            self._list("ids", lambda writer: writer.add_ids(budget))
        elif kind == "delta" and not self.task.type.listing.delta_gone:
            self._sweep(reading)
        return self.counts

    def _list(self, kind: Any, fill: Callable[[ListingWriter], None]) -> Outcome | None:
        """One listing of the store; None when it broke off."""
        task = self.task
        listing = Listing(
            uuid7(), self.cloud, task.region, task.type.name, kind, task.scope, task.visibility, self.options.clock()
        )
        writer = self.estate.begin(listing)
        try:
            fill(writer)
            self.source.confirm(time.monotonic())
            if self.counts.unreadable:
                raise NotWhole(f"{self.counts.unreadable} rows could not be read")
            if self.counts.bare:
                raise cell_down(task.type.title.lower(), self.counts.bare)
            check(self.stop)
        except (CloudError, BadPage, NotWhole, Cancelled) as error:
            self._broke_off(writer, error)
            return None
        except EstateError:
            raise
        except Exception as error:
            # Not `exception`: a log that shows local variables would show documents.
            trace = traceback.format_exc(limit=-8)
            _log.error("a listing failed", cloud=self.cloud, type=task.type.name, region=task.region, trace=trace)
            self._broke_off(writer, error)
            return None
        outcome = writer.finish(ended_at=self.options.clock())
        self._note(outcome, listing)
        return outcome

    def _rows(self, reading: Reading, writer: ListingWriter) -> None:
        builder = writer.builder()
        delta = self.task.since is not None
        try:
            for rows in readers.read(reading):
                start = 0
                while start < len(rows):
                    step_aside()
                    end = start + piece()
                    with _lane:
                        self._build(builder, rows[start:end], delta)
                    start = end
                    if builder.full:
                        writer.add(builder.take())
                    check(self.stop)
                self.progress.rows += len(rows)
        finally:
            # Also when the list breaks off: what did arrive is news.
            if len(builder):
                writer.add(builder.take())
        if self.task.type.name == "server" and not self.counts.bare:
            caller = self.source.caller(self.task.type.listing.service, self.task.region)
            check_cells(caller, self.task, lambda: () if delta else writer.missing())

    def _build(self, builder: RowBuilder, rows: list[Any], delta: bool) -> None:
        name = self.task.type.name
        into_shape = shape(name, self.task.all_projects)
        for row in rows:
            try:
                if type(row) is not dict:
                    self.counts.unreadable += 1
                    continue
                if is_bare(name, row):
                    self.counts.bare += 1
                    if name == "server":  # services have not even an id then
                        builder.add(row, bare=True)
                    continue
                gone = delta and row.get("status") in ("DELETED", "deleted")
                if into_shape is not None:
                    into_shape(row)
                builder.add(redact(row), deleted=gone)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
                self.counts.unreadable += 1
                _log.warning("a row could not be read", type=self.task.type.name, error=type(error).__name__)

    def _sweep(self, reading: Reading) -> None:
        """Ids of all rows, after a delta that does not tell what was deleted; what is unknown is read one by one."""
        reading.task = sweep = _swept(self.task)
        identity = "id"

        def fill(writer: ListingWriter) -> None:
            for rows in readers.read(reading):
                self.progress.rows += len(rows)
                writer.add_ids([str(row[identity]) for row in rows if isinstance(row, dict) and row.get(identity)])

        self.task = sweep
        outcome = self._list("ids", fill)
        if outcome is not None and outcome.unknown_ids:
            # A volume that never changed has no time of change, so no delta brings it.
            self.fetch(outcome.unknown_ids)

    def fetch(self, ids: Sequence[str]) -> Counts:
        """Read single resources that a delta did not bring; so many that a whole listing is cheaper set `again`."""
        if len(ids) > _FETCHED:
            self.counts.again = True
            return self.counts
        reading = Reading(self.task, self.source, self.options, self.stop, self.ids)

        def fill(writer: ListingWriter) -> None:
            builder = writer.builder()
            for document in readers.several(reading, ids):
                self._build(builder, [document], delta=False)
            writer.add(builder.take())

        self._list("delta", fill)
        return self.counts

    def _note(self, outcome: Outcome, listing: Listing) -> None:
        self.counts.add(outcome)
        if outcome.state != "ok":
            self.counts.state = {"suspect": "suspect", "degraded": "degraded"}.get(outcome.state, "partial")
            self.counts.error = outcome.reason
        _log.info(
            "listing",
            cloud=self.cloud,
            region=listing.region,
            type=listing.type,
            kind=listing.kind,
            scope=listing.scope,
            state=outcome.state,
            rows=self.progress.rows,
            new=outcome.new,
            changed=outcome.changed,
            gone=outcome.gone,
            seconds=round((self.options.clock() - listing.started_at).total_seconds(), 3),
        )

    def _broke_off(self, writer: ListingWriter, error: Exception) -> None:
        if self.task.since is not None and isinstance(error, CloudError) and error.status == 400:
            # Neutron refuses `changed_since` unless it is told not to check filters: no failure, only no deltas.
            writer.abandon("partial", "this cloud has no deltas for the type", apply=False)
            self.counts.again = True
            return
        state, reason = failure(error, writer.rows)
        cancelled = isinstance(error, Cancelled)
        self.counts.state, self.counts.error = ("cancelled", "") if cancelled else (state, reason)
        outcome = writer.abandon(state, reason)
        self.counts.add(outcome)
        log = _log.info if state == "not_permitted" or cancelled else _log.warning
        log(
            "listing broke off",
            cloud=self.cloud,
            region=self.task.region,
            type=self.task.type.name,
            state=self.counts.state,
            reason=reason,
        )


def _swept(task: Task) -> Task:
    return Task(
        task.type, task.region, task.account, task.scope, task.all_projects, task.endpoint, task.token, None, True
    )
