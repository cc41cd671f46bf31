"""Asking who did it: our own audit for every event, Nova's instance actions within a budget of calls, outside sources.

One thread asks by itself, the most severe first, each server once for all of its events. What the budget leaves over
is asked when somebody opens the event.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import structlog

from engine.api.answers import dump
from engine.clouds.errors import CloudError
from engine.drift import grading
from engine.drift.grading import Action
from engine.drift.models import Candidate, Found
from engine.drift.requests import Record
from engine.inventory import events_rules
from engine.inventory.collector.calls import Cancelled
from engine.inventory.events_rules import People
from store import times
from store.estate import drift
from store.estate.errors import EstateError
from store.estate.reading import history
from store.types import registry

if TYPE_CHECKING:
    import duckdb

    from engine.audit.service import AuditService
    from engine.drift.owning import Jobs
    from engine.inventory.events_cloud import CloudLines
    from engine.inventory.reads import InventoryReads

_log = structlog.get_logger("qdeck.drift")
MOST_ACTIONS = 200
MOST_RECORDS = 5000  # of our own audit, looked through at once
MOST_EVENTS = 5000  # judged at once
TICK_SECONDS = 15.0  # outside sources are read on so often
SECONDS = 5.0  # a person waits for it
AGAIN = timedelta(hours=24)  # after which what a source tells comes too late
QUIET = timedelta(minutes=15)  # before which nothing was done that is seen now
_NOVA = registry.ALL["server"].listing.microversion
Event = dict[str, Any]
Server = tuple[str, str, str]  # cloud, region, id
_UNASKED = "SELECT * FROM drift_events WHERE asked_at IS NULL"
_ORDER = "ORDER BY expected, CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, opened_at DESC, id"


class Outside(Protocol):
    """Another source of records."""

    def records(self, cloud: str, ids: Iterable[str]) -> Sequence[Record]:
        """Those that name one of these resources."""
        ...

    def poll(self) -> list[tuple[str, str]]:
        """Read on; answers the resources (cloud, id) that something new is known of."""
        ...


class Asker:
    """See the module.

    budget   most calls to one cloud in a period, and how many seconds a period lasts
    moved    called when events are other than before
    outside  another source; None: there is none
    """

    def __init__(
        self,
        reads: InventoryReads,
        lines: CloudLines,
        audit: AuditService,
        jobs: Jobs,
        budget: Callable[[], tuple[int, float]],
        moved: Callable[[], Any],
        outside: Outside | None = None,
    ) -> None:
        self._reads = reads
        self._lines = lines
        self._audit = audit
        self._jobs = jobs
        self._budget = budget
        self._moved = moved
        self._outside = outside
        self._spent: dict[str, tuple[float, int]] = {}  # cloud -> (when its period began, calls)
        self._asking = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Ask by itself from now on."""
        self._thread = threading.Thread(target=self._run, name="drift-asking", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def wake(self) -> None:
        """There are new events."""
        self._wake.set()

    # Before anybody is told of new events

    def expect(self) -> int:
        """Mark what our own jobs did among the events that were not asked about; answers how many. No cloud is asked.

        Raises EstateError, OpsError.
        """
        events = self._read(f"{_UNASKED} {_ORDER} LIMIT {MOST_EVENTS}")
        ours = [event for event in events if not event["expected"] and not grading.broke(event)]
        if not ours:
            return 0
        records = self._own(ours)
        rows = []
        for event in ours:
            found = [one for one in grading.direct(event, records, self._jobs.ended) if one.job]
            if found:
                rows.append(_row(event, Found("unknown", expected=True), None) | {"grade": None})
        return self._keep(rows)

    # By itself

    def work(self) -> int:
        """Ask about what was not asked yet, as far as the budget goes; answers how many events were judged."""
        with self._asking:
            events = self._read(f"{_UNASKED} {_ORDER} LIMIT {MOST_EVENTS}")
            if not events:
                return 0
            found = self._judge(events, self._affordable)
            done = self._keep(found)
        if done:
            self._moved()
        return done

    def about(self, row: Mapping[str, Any]) -> str:
        """Ask about one event that is opened, whatever the budget; answers why that could not be done, or ""."""
        problems: list[str] = []

        def ask(server: Server) -> list[Mapping[str, Any]] | None:
            try:
                return self._actions(server)
            except CloudError as error:
                problems.append(f"instance actions of {server[0]} could not be read: {error}")
                return None

        try:
            events = self._read("SELECT * FROM drift_events WHERE id = ? AND asked_at IS NULL", [row["id"]])
            if self._keep(self._judge(events, ask)):
                self._moved()
        except EstateError as error:
            problems.append(str(error))
        return problems[0] if problems else ""

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if self._outside is not None:
                    self.known(self._outside.poll())
                while self.work() and not self._stop.is_set():
                    pass
            except EstateError as error:
                if not self._stop.is_set():
                    _log.error("nobody was asked who did it", reason=str(error))
            except Exception:
                if not self._stop.is_set():
                    _log.exception("asking who did it failed")
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()

    # Judging

    def _judge(
        self, events: Sequence[Event], ask: Callable[[Server], list[Mapping[str, Any]] | None]
    ) -> list[dict[str, Any]]:
        """Rows for the store of the events that could be judged."""
        records = self._own(events)
        sent = {id: record for record in records for id in record.request_ids}
        outside = self._others(events)
        told: dict[Server, list[Action] | None] = {}
        now = self._reads.clock()
        rows = []
        for event in events:
            if self._stop.is_set():
                break
            known: list[Action] | None = None
            if grading.asks_nova(event):
                server = (event["cloud"], event["region"], event["owner_id"])
                if server not in told:
                    documents = ask(server)
                    told[server] = None if documents is None else self._of(server, documents, sent)
                known = told[server]
                if known is None:
                    continue
            ours = grading.direct(event, records, self._jobs.ended)
            others = grading.direct(event, outside)
            jobs = self._jobs.numbers({record.job for record in (*ours, *sent.values()) if record.job})
            rows.append(_row(event, grading.judge(event, known, ours, others, sent, jobs), now))
        return rows

    def _of(self, server: Server, documents: Sequence[Mapping[str, Any]], sent: Mapping[str, Record]) -> list[Action]:
        ids = {events_rules.text(one.get("user_id"), 255) for one in documents} - {""}

        def names(connection: duckdb.DuckDBPyConnection) -> People:
            users = history.latest_names(connection, "user", server[0], ids)
            services = frozenset(history.service_projects(connection, server[0]))
            return People(users, services, {id: one.actor or "" for id, one in sent.items()})

        return grading.actions(documents, self._reads.read(names))

    def _own(self, events: Sequence[Event]) -> list[Record]:
        """Requests of ours in the time that these events cover."""
        if not events:
            return []
        spans = [grading.span(event) for event in events]
        since = min(span[0] for span in spans) - QUIET
        until = max(span[1] for span in spans)
        _, records = self._audit.page(
            since=times.parse(times.text(since)), until=times.parse(times.text(until)), text='"call":',
            limit=MOST_RECORDS,
        )  # fmt: skip
        return [*grading.own(records), *self._jobs.made(since)]

    def _others(self, events: Sequence[Event]) -> list[Record]:
        if self._outside is None:
            return []
        wanted: dict[str, set[str]] = {}
        for event in events:
            wanted.setdefault(event["cloud"], set()).update(
                id for id in (event["resource_id"], event["owner_id"]) if id
            )
        return [one for cloud, ids in wanted.items() for one in self._named(cloud, self._outside.records(cloud, ids))]

    def _named(self, cloud: str, records: Sequence[Record]) -> list[Record]:
        """With names for ids of users, and told apart what a service of the cloud did."""
        if not records:
            return []
        ids = {one.actor for one in records if one.actor}

        def read(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, str], set[str]]:
            return history.latest_names(connection, "user", cloud, ids), history.service_projects(connection, cloud)

        names, services = self._reads.read(read)
        found = []
        for one in records:
            service, actor = one.project in services, names.get(one.actor or "", one.actor)
            name = f"{actor} (a service of the cloud)" if service and actor else actor
            found.append(replace(one, actor=name, service=service))
        return found

    def known(self, keys: Iterable[tuple[str, str]]) -> int:
        """An outside source told something of these resources: what was unknown is judged again."""
        wanted = sorted({id for _, id in keys})
        if not wanted:
            return 0
        events = self._read(
            "SELECT * FROM drift_events WHERE asked_at IS NOT NULL AND grade = 'unknown' AND last_at > ?"
            " AND resource_id IN (SELECT unnest(?))",
            [times.naive(self._reads.clock()) - AGAIN, wanted],
        )
        # Nova was asked about these: what it does not record is all that a source can add.
        fresh = [row for row in self._judge(events, lambda server: []) if row["grade"] != "unknown"]
        done = self._keep(fresh)
        if done:
            self._moved()
        return done

    # Nova

    def _affordable(self, server: Server) -> list[Mapping[str, Any]] | None:
        most, seconds = self._budget()
        began, calls = self._spent.get(server[0], (float("-inf"), 0))
        now = time.monotonic()
        if now - began >= seconds:
            began, calls = now, 0
        if calls >= most:
            return None
        self._spent[server[0]] = (began, calls + 1)
        try:
            return self._actions(server)
        except CloudError as error:
            # A cloud that does not answer is not asked again before the next period.
            self._spent[server[0]] = (began, most)
            _log.warning("instance actions could not be read", cloud=server[0], reason=str(error))
            return None

    def _actions(self, server: Server) -> list[Mapping[str, Any]]:
        cloud, region, id = server
        project = self._project(server)
        try:
            line = self._lines.line(cloud, region, "compute", project, SECONDS)
            answer = line.get(f"/servers/{quote(id, safe='')}/os-instance-actions", None, _NOVA)
        except Cancelled:
            raise CloudError("busy", "the engine stops") from None
        except CloudError as error:
            if error.kind != "not_found":
                raise
            return []  # deleted, and its records were archived
        return list(events_rules.items(answer.get("instanceActions"))[:MOST_ACTIONS])

    def _project(self, server: Server) -> str:
        sql = "SELECT any_value(project_id) FROM drift_events WHERE cloud = ? AND region = ? AND owner_id = ?"
        found = self._reads.read(lambda connection: connection.execute(sql, list(server)).fetchone())
        return (found[0] if found else None) or ""

    # The store

    def _read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Event]:
        def work(connection: duckdb.DuckDBPyConnection) -> list[Event]:
            cursor = connection.execute(sql, list(parameters))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        return self._reads.read(work)

    def _keep(self, rows: Sequence[Mapping[str, Any]]) -> int:
        if not rows:
            return 0
        return self._reads.estate.write(lambda connection: drift.attribute(connection, rows)).result()


def _row(event: Event, found: Found, now: datetime | None) -> dict[str, Any]:
    """What the store keeps (store.estate.drift.attribute)."""
    return {
        "id": event["id"],
        "opened_at": event["opened_at"],
        "asked_at": times.naive(now) if now is not None else None,
        "grade": found.grade,
        "actor": found.actor,
        "source": found.source,
        "request_id": found.request_id,
        "candidates": dump([_told(one) for one in found.candidates]).decode() if found.candidates else None,
        "expected": found.expected,
        "job": found.job,
    }


def _told(candidate: Candidate) -> dict[str, Any]:
    return {**asdict(candidate), "at": times.text(candidate.at)}
