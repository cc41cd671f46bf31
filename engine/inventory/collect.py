"""Collections: started by people and by the schedule, one at a time per cloud, watched and cancelled.

Each runs on a thread of its own. They are idempotent and not durable: what an engine that died was collecting is
simply collected again by
the next one. All methods may be called from any thread and return at once.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from engine.access.models import ENGINE, Caller
from engine.clouds.errors import CloudError
from engine.inventory.collector.calls import Patience
from engine.inventory.collector.run import Memory, Request, Run
from engine.inventory.collector.tasks import Options, Progress
from engine.inventory.ondemand import OnDemand
from store.estate.errors import EstateError
from store.ids import uuid7
from store.times import text, utcnow

if TYPE_CHECKING:
    from engine.api.changes import ChangeFeed
    from engine.audit.service import AuditService
    from engine.clouds.service import CloudService
    from store.estate.estate import Estate

_log = structlog.get_logger(__name__)

KEPT = 50  # ended collections that are remembered
Items = list[dict[str, Any]]
ENDED = ("done", "partial", "failed", "cancelled")


@dataclass(slots=True)
class Collection:
    """One collection of one cloud, as people see it. `state`: queued, running, done, partial, failed, cancelled."""

    id: str
    request: Request
    by: str
    state: str = "queued"
    asked_at: datetime = field(default_factory=utcnow)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str = ""
    run: Run | None = None
    progress: list[Progress] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        rows = list(self.run.progress.values()) if self.run is not None else self.progress
        clock = time.monotonic()
        return {
            "id": self.id,
            "cloud": self.request.cloud,
            "state": self.state,
            "full": self.request.full,
            "by": self.by,
            "asked_at": text(self.asked_at),
            "started_at": text(self.started_at) if self.started_at else None,
            "ended_at": text(self.ended_at) if self.ended_at else None,
            "types": [row.row(clock) for row in rows],
            "error": self.error or None,
        }


class CollectionService:
    """See the module."""

    def __init__(
        self,
        estate: Estate,
        clouds: CloudService,
        settings: Any,
        feed: ChangeFeed | None,
        audit: AuditService | None,
        *,
        patience: Patience | None = None,
        options: Options | None = None,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        """`settings` has `collection` (engine.settings.models), or is a function that answers such an object.

        `patience` and `options` are for tests; they replace what the settings say.
        `clock` tells when a listing takes place.
        """
        self._estate = estate
        self._clouds = clouds
        self._settings = settings
        self._feed = feed
        self._audit = audit
        self._patience = patience
        self._options = options
        self._clock = clock
        self._memory = Memory()
        self._lock = threading.RLock()
        self._ended = threading.Condition(self._lock)
        self._known: OrderedDict[str, Collection] = OrderedDict()
        self._running: dict[str, Collection] = {}
        self._queued: dict[str, Collection] = {}
        self._closed = False
        self.on_demand = OnDemand(estate, clouds, self.options, self.patience)
        clouds.on_remove(self._removed)

    # Asking for collections

    def start(
        self,
        caller: Caller = ENGINE,
        clouds: Sequence[str] | None = None,
        types: Sequence[str] | None = None,
        full: bool = False,
    ) -> Items:
        """Collect these clouds (None = all that the caller may see): one collection per cloud, running or queued.

        One that already runs and covers the request is answered as it is; anything else waits for it, and requests
        that wait are put
        together. Raises CloudError("unknown") for a cloud that does not exist, KeyError for a type that does not
        exist or is read on demand only.
        """
        names = list(dict.fromkeys(clouds)) if clouds is not None else self._clouds.names()
        if caller.clouds is not None:
            names = [name for name in names if name in caller.clouds]
        for name in names:
            self._clouds.accounts(name)
        for type in types or ():
            if type not in self._estate.types:
                raise KeyError(f"there is no resource type {type!r:.80}")
            if self._estate.types[type].listing.on_demand:
                raise KeyError(f"{type} is no part of collections: it is read for one resource, when asked")
        asked = [self._ask(caller, Request(name, tuple(types) if types is not None else None, full)) for name in names]
        if caller is not ENGINE and self._audit is not None and asked:
            detail = {"ids": [one.id for one in asked], "types": list(types or ()), "full": full}
            self._audit.record(caller, "collection.start", ", ".join(names), detail)
        return [one.describe() for one in asked]

    def cancel(self, caller: Caller, id: str) -> dict[str, Any]:
        """Cancel a collection; one that has ended stays as it is. Raises KeyError."""
        collection = self._find(id)
        with self._lock:
            if collection.state not in ENDED:
                collection.stop.set()
                if self._queued.get(collection.request.cloud) is collection:
                    del self._queued[collection.request.cloud]
                    self._end(collection, "cancelled")
        if self._audit is not None and caller is not ENGINE:
            self._audit.record(caller, "collection.cancel", collection.request.cloud, {"id": id})
        self._tell(collection)
        return collection.describe()

    # Looking

    def list(self, caller: Caller = ENGINE) -> Items:
        """Collections that wait, run, or ended lately; newest first."""
        with self._lock:
            found = list(self._known.values())
        return [
            one.describe() for one in reversed(found) if caller.clouds is None or one.request.cloud in caller.clouds
        ]

    def get(self, id: str, caller: Caller = ENGINE) -> dict[str, Any]:
        """One collection. Raises KeyError."""
        collection = self._find(id)
        if caller.clouds is not None and collection.request.cloud not in caller.clouds:
            raise KeyError(id)
        return collection.describe()

    def busy(self) -> tuple[str, ...]:
        """Clouds being collected now."""
        with self._lock:
            return tuple(sorted(self._running))

    def wait(self, id: str, timeout: float | None = None) -> dict[str, Any]:
        """Wait until a collection has ended; answers it, ended or not. Raises KeyError."""
        collection = self._find(id)
        with self._ended:
            self._ended.wait_for(lambda: collection.state in ENDED, timeout)
        return collection.describe()

    def close(self, timeout: float = 5.0) -> None:
        """Cancel everything and wait a little: the engine is stopping. Nothing is started any more."""
        self.on_demand.stop(timeout=timeout)
        with self._ended:
            self._closed = True
            for collection in self._known.values():
                collection.stop.set()
            self._queued.clear()
            self._ended.wait_for(lambda: not self._running, timeout)

    # Inside

    def _find(self, id: str) -> Collection:
        with self._lock:
            return self._known[id]

    def _ask(self, caller: Caller, request: Request) -> Collection:
        with self._lock:
            cloud = request.cloud
            running, queued = self._running.get(cloud), self._queued.get(cloud)
            if running is not None and not running.stop.is_set() and _covers(running.request, request):
                return running
            if queued is not None:
                queued.request = _both(queued.request, request)
                return queued
            collection = Collection(uuid7(), request, caller.login_name or caller.name)
            self._known[collection.id] = collection
            self._forget_old()
            if running is not None:
                self._queued[cloud] = collection
            else:
                self._begin(collection)
            return collection

    def _begin(self, collection: Collection) -> None:
        if self._closed:
            self._end(collection, "cancelled")
            return
        self._running[collection.request.cloud] = collection
        threading.Thread(target=self._work, args=(collection,), name="collection", daemon=True).start()

    def _work(self, collection: Collection) -> None:
        cloud = collection.request.cloud
        collection.state, collection.started_at = "running", utcnow()
        log = _log.bind(collection=collection.id, cloud=cloud)
        log.info("collection begins", by=collection.by, full=collection.request.full)
        state = "failed"
        try:
            accounts = self._clouds.accounts(cloud)
            run = Run(
                self._estate,
                collection.request,
                accounts,
                self._clouds.connect,
                self.options(),
                self.patience(),
                self._memory,
                collection.stop,
                lambda: self._tell(collection),
            )
            collection.run = run
            self._tell(collection)
            state = run.run()
            collection.error = "; ".join(run.errors)[:500]
        except (CloudError, EstateError) as error:
            collection.error = str(error)
        except Exception as error:
            collection.error = f"an error of the engine itself: {type(error).__name__}"
            log.error("collection failed", trace=traceback.format_exc(limit=-8))
        finally:
            self._finish(collection, state)
            log.info("collection ended", state=collection.state, error=collection.error or None)

    def _finish(self, collection: Collection, state: str) -> None:
        with self._lock:
            cloud = collection.request.cloud
            if self._running.get(cloud) is collection:
                del self._running[cloud]
            self._end(collection, state)
            waiting = self._queued.pop(cloud, None)
            if waiting is not None:
                self._begin(waiting)
        self._tell(collection)

    def _end(self, collection: Collection, state: str) -> None:
        with self._ended:
            if collection.run is not None:
                collection.progress = list(collection.run.progress.values())
                collection.run = None
            collection.state, collection.ended_at = state, utcnow()
            self._ended.notify_all()

    def _forget_old(self) -> None:
        over = len(self._known) - KEPT
        for id in [id for id, one in self._known.items() if one.state in ENDED][: max(0, over)]:
            del self._known[id]

    def _removed(self, cloud: str) -> None:
        """The cloud goes: nothing may write rows of it any more."""
        self.on_demand.stop(cloud)
        with self._ended:
            for collection in (self._queued.pop(cloud, None), self._running.get(cloud)):
                if collection is not None:
                    collection.stop.set()
            self._ended.wait_for(lambda: cloud not in self._running, 10.0)

    def _tell(self, collection: Collection) -> None:
        if self._feed is not None:
            self._feed.publish("collection", id=collection.id, cloud=collection.request.cloud)

    def _collection_settings(self) -> Any:
        settings = self._settings() if callable(self._settings) else self._settings
        return settings.collection

    def options(self) -> Options:
        """Limits, as the settings have them now."""
        if self._options is not None:
            return self._options
        now = self._collection_settings()
        return Options(
            per_service=now.parallel_per_service,
            regions=now.parallel_regions,
            projects=now.parallel_projects,
            full_every=now.full_every_minutes * 60.0,
            per_project_calls=now.quota_calls,
            clock=self._clock,
        )

    def patience(self) -> Patience:
        """Retries, as the settings have them now."""
        if self._patience is not None:
            return self._patience
        return Patience(attempts=self._collection_settings().retries + 1)


def _covers(running: Request, asked: Request) -> bool:
    """Whether a collection that runs will bring what is asked for."""
    if asked.full and not running.full:
        return False
    return (
        running.types is None
        if asked.types is None
        else running.types is None or set(asked.types) <= set(running.types)
    )


def _both(one: Request, other: Request) -> Request:
    types = None if one.types is None or other.types is None else tuple(dict.fromkeys((*one.types, *other.types)))
    return Request(one.cloud, types, one.full or other.full)
