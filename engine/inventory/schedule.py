"""When clouds are collected by themselves, and the store's housekeeping. One thread; what is due is a pure rule."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from engine.access.models import ENGINE
from engine.clouds.errors import CloudError
from store.estate.errors import EstateError
from store.times import utcnow

if TYPE_CHECKING:
    from engine.clouds.service import CloudService
    from engine.inventory.collect import CollectionService
    from store.estate.estate import Estate

_log = structlog.get_logger(__name__)

JITTER = 0.1  # of the interval: engines that were started together do not stay together
HOUSEKEEPING = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Due:
    """Clouds to collect now, and when each of the others is due."""

    now: tuple[str, ...]
    next: Mapping[str, datetime]


def due(
    clouds: Iterable[str],
    last: Mapping[str, datetime],
    planned: Mapping[str, datetime],
    now: datetime,
    interval: timedelta,
    spread: Callable[[], float] = random.random,
) -> Due:
    """What is due at `now`.

    last     when each cloud was last collected, as far as the store knows (absent: never)
    planned  what an earlier call answered as `next`
    A cloud is due one interval after it was last collected; a plan further ahead than that (the interval was
    shortened, or the clock set
    back) is given up.
    """
    ready, coming = [], {}
    for cloud in clouds:
        when = planned.get(cloud)
        if when is None or when - now > interval * (1 + JITTER):
            then = last.get(cloud)
            when = now if then is None or then > now else then + interval
        if when <= now:
            ready.append(cloud)
            coming[cloud] = now + interval * (1 + JITTER * (2 * spread() - 1))
        else:
            coming[cloud] = when
    return Due(tuple(ready), coming)


def last_collected(states: Iterable[Mapping[str, Any]]) -> dict[str, datetime]:
    """When the stalest list of each cloud was last tried: what an engine that died left half done is due at once."""
    found: dict[str, datetime] = {}
    for state in states:
        tried = state["ended_at"]
        if tried is not None:
            found[state["cloud"]] = min(found.get(state["cloud"], tried), tried)
    return found


class Schedule:
    """Starts collections when they are due, and keeps the store small, until `close`."""

    def __init__(
        self, estate: Estate, clouds: CloudService, collections: CollectionService, settings: Any, tick: float = 1.0
    ) -> None:
        """`settings` as for CollectionService; `tick` seconds between two looks at the clock."""
        self._estate = estate
        self._clouds = clouds
        self._collections = collections
        self._settings = settings
        self._tick = tick
        self._planned: dict[str, datetime] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._housekeeping_at = time.monotonic() + 60.0

    def open(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="collect-schedule", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; collections that run are not touched."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def next(self) -> dict[str, datetime]:
        """When each cloud is due."""
        return dict(self._planned)

    def look(self) -> tuple[str, ...]:
        """Start what is due now; answers the clouds."""
        now = utcnow()
        names = self._clouds.names()
        last = last_collected(self._estate.states()) if any(name not in self._planned for name in names) else {}
        found = due(names, last, self._planned, now, timedelta(minutes=self._collection().interval_minutes))
        self._planned = dict(found.next)
        if found.now:
            self._collections.start(ENGINE, found.now)
        return found.now

    def tidy(self) -> None:
        """Drop history that is too old and sum up old samples."""
        now = utcnow()
        dropped = self._estate.retain(now - timedelta(days=self._collection().retention_days))
        rolled = self._estate.roll_up_samples(now)
        _log.info("housekeeping", versions_dropped=dropped, samples_rolled_up=rolled)

    def _collection(self) -> Any:
        settings = self._settings() if callable(self._settings) else self._settings
        return settings.collection

    def _run(self) -> None:
        while not self._stop.wait(self._tick):
            try:
                self.look()
                if time.monotonic() >= self._housekeeping_at and not self._collections.busy():
                    self._housekeeping_at = time.monotonic() + HOUSEKEEPING
                    self.tidy()
            except (CloudError, EstateError) as error:
                _log.warning("the schedule could not work", error=str(error))
            except Exception as error:
                # A schedule that ends silently would leave the screens old without a word.
                _log.error("the schedule failed", error=type(error).__name__)
