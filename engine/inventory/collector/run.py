"""One collection of one cloud: log in, find out who may read what, read everything side by side within limits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from engine.clouds.errors import CloudError
from engine.clouds.rules import Candidate, share_out
from engine.clouds.service import Connected
from engine.inventory.collector.calls import Cancelled, Patience
from engine.inventory.collector.listing import Counts, ListingRun
from engine.inventory.collector.memory import streaming
from engine.inventory.collector.mend import touched_servers
from engine.inventory.collector.source import Gates, Source, background, failure, wait_for
from engine.inventory.collector.tasks import (
    AFTER,
    Before,
    Options,
    Progress,
    Task,
    in_order,
    overall,
    since,
    worst,
)
from store.estate.models import Listing
from store.estate.visibility import Visibility
from store.ids import uuid7

if TYPE_CHECKING:
    from engine.clouds.accounts import Account
    from store.estate.estate import Estate
    from store.types.declaration import ResourceType

_log = structlog.get_logger(__name__)

Key = tuple[str, str]  # (type, region)


@dataclass(slots=True)
class Request:
    """What to collect: a cloud, types (None = all that belong to a collection), and whether deltas are allowed."""

    cloud: str
    types: Sequence[str] | None = None
    full: bool = False


@dataclass(slots=True)
class Memory:
    """What earlier collections of this process learned, by (cloud, region, type).

    no_deltas  refuse deltas
    readers    account that read the type last
    skews      seconds the service's clock was ahead of ours when the type was last read well
    """

    no_deltas: set[tuple[str, str, str]] = field(default_factory=set)
    skews: dict[tuple[str, str, str], float] = field(default_factory=dict)
    readers: dict[tuple[str, str, str], str] = field(default_factory=dict)


class Run:
    """Runs one collection; `progress` may be read by other threads meanwhile."""

    def __init__(
        self,
        estate: Estate,
        request: Request,
        accounts: Sequence[Account],
        connect: Callable[[Account], Connected],
        options: Options,
        patience: Patience,
        memory: Memory,
        stop: threading.Event,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """`tick` is called several times a second while it runs, to tell people how far it is."""
        self.estate = estate
        self.request = request
        self.options = options
        self.memory = memory
        self.stop = stop
        self.progress: dict[Key, Progress] = {}
        self.errors: list[str] = []
        self._accounts = accounts
        self._tick = tick
        self._connect = connect
        self._gates = Gates(options.per_service)
        self._patience = patience
        self._sources: dict[str, Source] = {}
        self._states: dict[tuple[str, str, str], Before] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._by_delta: list[tuple[Task, Progress]] = []
        self._began = options.clock()

    def run(self) -> str:
        """Collect; answers the state of the whole. Raises only what breaks the store."""
        try:
            with streaming():
                self._log_in()
                self._read_states()
                chosen = in_order(self.estate.types, self.request.types)
                if not self._sources:
                    self._nobody(chosen)
                    return "failed"
                self._everything(chosen)
        except Cancelled:
            pass
        finally:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
            for source in self._sources.values():
                source.session.close()
        cancelled = self.stop.is_set()
        for row in self.progress.values():
            if cancelled and row.state in ("queued", "running"):
                row.state = "cancelled"
        return overall(self.progress.values(), cancelled)

    # Who

    def _log_in(self) -> None:
        waiting = {account.name: background(partial(self._connect, account)) for account in self._accounts}
        for name, future in waiting.items():
            try:
                connected = wait_for(future, self.stop)
            except CloudError as error:
                self.errors.append(str(error))
                continue
            source = Source(
                connected.session, connected.token, self._gates, self._patience, self.stop, self.options.clock
            )
            self._sources[name] = source

    def _nobody(self, chosen: Iterable[ResourceType]) -> None:
        """No account can log in: what was collected before is marked as not refreshed."""
        reason = self.errors[0] if self.errors else "the cloud has no account"
        names = {type.name for type in chosen}
        for (type, region, scope), before in self._states.items():
            if type in names:
                self._mark(type, region, scope, "failed", reason, before.visibility)

    # What was there before

    def _read_states(self) -> None:
        for row in self.estate.states(self.request.cloud):
            seen = row["seen_by"]
            visibility = None
            if seen["endpoint"] is not None:
                visibility = Visibility(
                    seen["endpoint"], seen["user_id"], seen["scope"], tuple(seen["roles"]), bool(seen["all_projects"])
                )
            self._states[(row["type"], row["region"], row["scope"])] = Before(
                row["state"], row["whole_started_at"], row["fresh_started_at"], row["rows"] or 0, visibility
            )

    def _mark(
        self, type: str, region: str, scope: str, state: Any, reason: str, visibility: Visibility | None = None
    ) -> None:
        """Note in the store that a type could not be read at all; touches no row."""
        seen = visibility or Visibility("", "", "", (), False)
        listing = Listing(uuid7(), self.request.cloud, region, type, "full", scope, seen, self.options.clock())
        self.estate.begin(listing).abandon(state, reason, apply=False)

    # Everything

    def _everything(self, chosen: Sequence[ResourceType]) -> None:
        regions = sorted({region for source in self._sources.values() for region in source.session.regions()})
        keys = [(type, region) for type in chosen for region in ([""] if type.listing.global_ else regions)]
        for type, region in keys:
            self.progress[(type.name, region)] = Progress(type.name, region, "queued", self._known(type.name, region))
        at_once = self.options.parallel * min(len(regions), self.options.regions)
        pool = self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="collect")
        names = {type.name for type in chosen}
        waiting = {key: {(other, "") for other in AFTER.get(key[0].name, ()) if other in names} for key in keys}
        ended: set[Key] = set()
        running: dict[Future[None], Key] = {}
        while waiting or running:
            for key in [key for key, needs in waiting.items() if needs <= ended]:
                del waiting[key]
                running[pool.submit(self._one, *key)] = (key[0].name, key[1])
            done, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
            self._tick()
            for future in done:
                ended.add(running.pop(future))
                future.result()
            if self.stop.is_set():
                # What runs sees it too and ends its listing; a call that hangs is left behind on its own thread.
                wait(running, timeout=2.0)
                raise Cancelled
        for task, row in self._by_delta:
            if task.type.name == "server" and row.state == "done":
                self._mend(task, row)

    def _known(self, type: str, region: str) -> int:
        return sum(before.rows for (t, r, _), before in self._states.items() if (t, r) == (type, region))

    def _one(self, type: ResourceType, region: str) -> None:
        """One type of one region, with as many accounts as it takes."""
        row = self.progress[(type.name, region)]
        row.began, row.state = time.monotonic(), "running"
        states = []
        try:
            for task in self._tasks(type, region):
                states.append(self._read(task, row))
        except Cancelled:
            states.append("cancelled")
        except CloudError as error:
            state, row.error = failure(error, 0)
            states.append(state)
            scopes = [s for (t, r, s) in self._states if (t, r) == (type.name, region)] or ["all"]
            for scope in scopes:
                self._mark(type.name, region, scope, state, row.error)
        row.state, row.ended = worst(states), time.monotonic()

    def _tasks(self, type: ResourceType, region: str) -> list[Task]:
        service = type.listing.service
        candidates: list[Candidate] = []
        reasons: list[CloudError] = []
        for source in self._sources.values():
            try:
                candidates.append(source.candidate(service, region))
            except CloudError as error:
                reasons.append(error)
        if not candidates:
            # What can be mended outweighs what is not permitted.
            raise max(reasons, key=lambda error: error.kind not in ("denied", "no_service"))
        reader = (self.request.cloud, region, type.name)
        shares = share_out(type, candidates, self.memory.readers.get(reader, ""))
        if not shares:
            raise CloudError("denied", f"only an administrator's account can list {type.title.lower()}")
        tasks = [self._task(type, region, share.account, share.scope, candidates) for share in shares]
        if len(shares) == 1:
            self.memory.readers[reader] = shares[0].account
        if shares[0].scope != "all" and (type.name, region, "all") in self._states:
            names = ", ".join(share.account for share in shares)
            self._mark(
                type.name,
                region,
                "all",
                "not_permitted",
                f"no account sees all projects any more ({names}); what was seen before is kept as it was",
                tasks[0].visibility,
            )
        return tasks

    def _task(self, type: ResourceType, region: str, account: str, scope: str, candidates: Iterable[Candidate]) -> Task:
        source = self._sources[account]
        wide = next(one.all_projects for one in candidates if one.account == account)
        service = source.service(type.listing.service, region)
        assert service.endpoint is not None
        before = self._states.get((type.name, region, scope))
        task = Task(
            type, region, account, scope, wide, service.endpoint, source.token, known=before.rows if before else 0
        )
        if not self.request.full and (self.request.cloud, region, type.name) not in self.memory.no_deltas:
            # A delta reaches back to a moment of the *service's* time: as its clock was then, not as it is now.
            then = self.memory.skews.get((self.request.cloud, region, type.name))
            if then is not None or abs(service.skew) < self.options.overlap / 2:
                task.since = since(task, before, self.options.clock(), self.options, then or 0.0)
        return task

    def _read(self, task: Task, row: Progress) -> str:
        counts = self._list(task, row)
        if counts.again and not self.stop.is_set():
            self.memory.no_deltas.add((self.request.cloud, task.region, task.type.name))
            task.since = None
            counts = self._list(task, row)
        if counts.state == "done":
            service = self._sources[task.account].service(task.type.listing.service, task.region)
            self.memory.skews[(self.request.cloud, task.region, task.type.name)] = service.skew
            if task.since is not None:
                self._by_delta.append((task, row))
        self._take(counts, row)
        return counts.state

    def _mend(self, task: Task, row: Progress) -> None:
        """Servers whose neighbours changed: see collector.mend."""
        with self.estate.reader() as connection:
            ids = touched_servers(connection, self.request.cloud, task.region, self._began)
        if not ids:
            return
        counts = self._listing(task, row).fetch(ids)
        if counts.again:
            task.since = None
            counts = self._list(task, row)
        self._take(counts, row)
        row.state = worst([row.state, counts.state])

    def _list(self, task: Task, row: Progress) -> Counts:
        row.kind = "delta" if task.since is not None else "full"
        return self._listing(task, row).run()

    def _listing(self, task: Task, row: Progress) -> ListingRun:
        source = self._sources[task.account]
        return ListingRun(self.estate, self.request.cloud, task, source, self.options, row, self.stop, self._ids)

    def _take(self, counts: Counts, row: Progress) -> None:
        row.error = counts.error or row.error
        row.new, row.changed, row.gone = row.new + counts.new, row.changed + counts.changed, row.gone + counts.gone

    def _ids(self, type: str) -> Sequence[str]:
        """Ids of the cloud's current rows of a (global) type: domains, projects."""
        table = self.estate.types[type].table
        with self.estate.reader() as connection:
            rows = connection.execute(
                f'SELECT id FROM "{table}" WHERE cloud = ? AND valid_to IS NULL ORDER BY id', [self.request.cloud]
            ).fetchall()
        return [row[0] for row in rows]
