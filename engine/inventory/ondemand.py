"""Types that no collection reads (Cinder's messages): read for one resource, now, because somebody asked.

What is read goes into the store like any listing, with the resource as its scope: only rows that were read for the same
resource before, with no more rights, can be closed by it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from engine.clouds.errors import CloudError
from engine.inventory.collector.calls import Cancelled, Patience
from engine.inventory.collector.listing import Counts, ListingRun
from engine.inventory.collector.source import Gates, Source, background, wait_for
from engine.inventory.collector.tasks import Options, Progress, Task

if TYPE_CHECKING:
    from engine.clouds.accounts import Account
    from engine.clouds.rules import Candidate
    from engine.clouds.service import CloudService, Connected
    from store.estate.estate import Estate
    from store.types.declaration import ResourceType

SECONDS = 20.0  # a person waits for it
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read: rows of `type` that belong to one resource.

    region   "" = the only one there is
    project  the resource's project, "" when it is not known: says which account may see it
    """

    type: ResourceType
    cloud: str
    region: str
    resource_id: str
    project: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What came of it. `rows` that the cloud has; `state` and `reason` as those of a listing ("ok", "suspect")."""

    region: str
    account: str
    rows: int
    state: str
    reason: str


@dataclass(slots=True)
class _Reading:
    """One that goes on: `late` says that its time is over and nothing else stopped it."""

    cloud: str
    stop: threading.Event = field(default_factory=threading.Event)
    late: bool = False

    def expire(self) -> None:
        """Its time is over."""
        self.late = not self.stop.is_set()
        self.stop.set()


class OnDemand:
    """Reads one at a time per caller's thread, a few side by side. Thread-safe."""

    def __init__(
        self,
        estate: Estate,
        clouds: CloudService,
        options: Callable[[], Options],
        patience: Callable[[], Patience],
        seconds: float = SECONDS,
    ) -> None:
        """`seconds` is the most that one reading takes, login included."""
        self._estate = estate
        self._clouds = clouds
        self._options = options
        self._patience = patience
        self._seconds = seconds
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._ended = threading.Condition()
        self._running: list[_Reading] = []
        self._closed = False

    def read(self, wanted: Wanted) -> Read:
        """Read and store. Raises CloudError: `timeout` when it takes too long, `busy` when too many are under way,
        `denied` when no account may see it, `unknown` for the cloud, `bad_request` for a region that must be named.
        """
        with self._going(wanted) as reading:
            accounts = self._clouds.accounts(wanted.cloud)
            sources: list[Source] = []
            try:
                return self._with_accounts(wanted, accounts, reading, sources)
            except Cancelled:
                raise self._stopped(wanted, reading) from None
            finally:
                for source in sources:
                    source.session.close()

    def stop(self, cloud: str | None = None, timeout: float = 5.0) -> None:
        """Stop what is being read of the cloud, and wait a little; of all clouds and for good without one."""
        with self._ended:
            self._closed = self._closed or cloud is None
            for one in self._running:
                if cloud in (None, one.cloud):
                    one.stop.set()
            self._ended.wait_for(lambda: all(cloud not in (None, one.cloud) for one in self._running), timeout)

    @contextmanager
    def _going(self, wanted: Wanted) -> Iterator[_Reading]:
        if not self._room.acquire(timeout=self._seconds):
            raise CloudError("busy", f"{AT_ONCE} other readings are under way and did not end in time; try again")
        reading = _Reading(wanted.cloud)
        clock = threading.Timer(self._seconds, reading.expire)
        clock.daemon = True
        try:
            with self._ended:
                if self._closed:
                    raise self._stopped(wanted, reading)
                self._running.append(reading)
            clock.start()
            yield reading
        finally:
            clock.cancel()
            with self._ended:
                if reading in self._running:
                    self._running.remove(reading)
                self._ended.notify_all()
            self._room.release()

    def _stopped(self, wanted: Wanted, reading: _Reading) -> CloudError:
        title = wanted.type.title.lower()
        if reading.late:
            words = f"{wanted.cloud} did not answer within {self._seconds:g} s; {title} are as they were read last"
            return CloudError("timeout", words)
        return CloudError("busy", f"{title} were not read: the engine stops, or the cloud was removed")

    # With which account

    def _with_accounts(self, wanted: Wanted, accounts: list[Account], reading: _Reading, sources: list[Source]) -> Read:
        """With the first account that sees all projects, else the one of the resource's project, else, when that is
        not known, one after the other until rows come."""
        listing = wanted.type.listing
        narrow: list[tuple[Source, Candidate, str]] = []
        errors: list[CloudError] = []
        for account in accounts:
            try:
                source = self._source(account, reading.stop)
                sources.append(source)
                region = _region(wanted, source)
                candidate = source.candidate(listing.service, region)
            except CloudError as error:
                errors.append(error)
                continue
            if candidate.all_projects:
                return self._one(wanted, source, candidate, region, reading)
            if wanted.project in ("", candidate.token.project_id):
                narrow.append((source, candidate, region))
        if not narrow:
            raise errors[0] if errors else CloudError(
                "denied",
                f"no account of {wanted.cloud} sees the project of {wanted.resource_id:.80}: add one of that project, "
                "or an administrator's",
            )  # fmt: skip
        for source, candidate, region in narrow:
            found = self._one(wanted, source, candidate, region, reading)
            if found.rows:
                break
        return found

    def _source(self, account: Account, stop: threading.Event) -> Source:
        connected: Connected = wait_for(background(partial(self._clouds.connect, account)), stop)
        options = self._options()
        gates = Gates(options.per_service)
        return Source(connected.session, connected.token, gates, self._patience(), stop, options.clock)

    def _one(self, wanted: Wanted, source: Source, candidate: Candidate, region: str, reading: _Reading) -> Read:
        type = about(wanted.type, wanted.resource_id)
        endpoint = source.service(type.listing.service, region).endpoint
        assert endpoint is not None
        scope = f"resource:{wanted.resource_id}"
        task = Task(type, region, source.name, scope, candidate.all_projects, endpoint, source.token)
        progress = Progress(type.name, region, "running")
        run = ListingRun(
            self._estate, wanted.cloud, task, source, self._options(), progress, reading.stop, lambda _: ()
        )
        return self._judge(wanted, run.run(), progress, region, source.name, reading)

    def _judge(
        self, wanted: Wanted, counts: Counts, progress: Progress, region: str, account: str, reading: _Reading
    ) -> Read:
        if counts.state == "cancelled":
            raise self._stopped(wanted, reading)
        if counts.state == "not_permitted":
            raise CloudError("denied", counts.error)
        if counts.state in ("failed", "partial"):
            raise CloudError("broken", counts.error)
        return Read(region, account, progress.rows, "ok" if counts.state == "done" else counts.state, counts.error)


def about(type: ResourceType, resource_id: str) -> ResourceType:
    """The type with a listing of the rows that belong to one resource."""
    listing = type.listing
    path = listing.path.replace("{resource_id}", quote(resource_id, safe=""))
    query = tuple((name, value.replace("{resource_id}", resource_id)) for name, value in listing.query)
    return replace(type, listing=replace(listing, path=path, query=query))


def _region(wanted: Wanted, source: Source) -> str:
    if wanted.region or wanted.type.listing.global_:
        return wanted.region
    regions = source.session.regions()
    if len(regions) != 1:
        raise CloudError("bad_request", f"{wanted.cloud} has the regions {', '.join(regions)}: say which")
    return regions[0]
