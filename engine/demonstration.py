"""The demo's engine: starts the demo cloud, adds it like any other, and lets the real collector live through its past.

The past is one full listing 30 days ago and a few listings of changes since. The demo cloud's clock is put forward
between them, and the collector's clock with it, so that every version carries the time it would have had.
"""

from __future__ import annotations

import contextlib
import json
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from engine.access.models import ENGINE
from engine.clouds.errors import CloudError
from engine.demo.launch import DemoCloud, DemoCloudFailed
from store.estate.errors import EstateError
from store.times import utcnow

if TYPE_CHECKING:
    from engine.clouds.service import CloudService
    from engine.inventory.collect import CollectionService
    from engine.inventory.schedule import Schedule

_log = structlog.get_logger(__name__)

NAME = "demo"
SERVERS = 50
SEED = "1"
# Days before now at which the past is collected; the first is the full listing.
PAST = (30.0, 21.0, 14.0, 7.0, 3.0, 1.0, 0.25)


class DemoClock:
    """The demo cloud's time, as far as the engine needs it: `behind` the wall clock while the past is collected."""

    def __init__(self) -> None:
        self.behind = timedelta()

    def __call__(self) -> datetime:
        """Aware UTC time."""
        return utcnow() - self.behind


class Demonstration:
    """The demo cloud of one engine. `begin` returns at once; everything slow happens on a thread of its own."""

    def __init__(
        self,
        home: Path,
        servers: int | None,
        clouds: CloudService,
        collections: CollectionService,
        schedule: Schedule,
        clock: DemoClock,
    ) -> None:
        self._home = home / "cloud"
        self._servers = servers or known_size(self._home) or SERVERS
        self._clouds = clouds
        self._collections = collections
        self._schedule = schedule
        self._clock = clock
        self._cloud: DemoCloud | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demonstration", daemon=True)
        self.problem = ""

    def begin(self) -> None:
        """Start the cloud (as it was, or with as many servers as asked for) and what collects it."""
        self._thread.start()

    def close(self) -> None:
        """End the demo cloud's process."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
        if self._cloud is not None:
            self._cloud.stop()

    def _run(self) -> None:
        try:
            fresh = self._start()
            if fresh:
                self._live_through_the_past()
            if not self._stop.is_set():
                self._schedule.open()
        except (DemoCloudFailed, CloudError, EstateError, OSError) as error:
            self.problem = str(error)
            _log.error("the demo cloud does not work", reason=str(error))

    def _start(self) -> bool:
        """Start the process and see to it that its cloud is watched; True when its past is still to be collected."""
        watched = NAME in self._clouds.names()
        if watched and known_size(self._home) != self._servers:
            self._clouds.remove(ENGINE, NAME)
            watched = False
        self._cloud = DemoCloud.start(self._home, self._servers, SEED, days_ago=0.0 if watched else PAST[0])
        if watched:
            with contextlib.suppress(CloudError):
                account = self._clouds.accounts(NAME)[0]
                if account.auth_url == self._cloud.auth_url:
                    return False
            # The port it had is taken: a cloud at another address is another cloud.
            self._clouds.remove(ENGINE, NAME)
        self._clouds.add(ENGINE, "demo", NAME, self._cloud.clouds_yaml, writable=True)
        return not watched

    def _live_through_the_past(self) -> None:
        """One listing per day of PAST, the cloud's clock put forward between them; ends in the present."""
        assert self._cloud is not None
        for days, following in zip(PAST, (*PAST[1:], 0.0), strict=True):
            self._clock.behind = timedelta(days=days)
            for item in self._collections.start(ENGINE, [NAME]):
                self._collections.wait(item["id"], timeout=600)
            if self._stop.is_set():
                return
            self._cloud.advance((days - following) * 86400)
        self._clock.behind = timedelta()


def known_size(home: Path) -> int | None:
    """How many servers the demo cloud of this home was made with; None when there is none yet."""
    try:
        return int(json.loads((home / "cloud.json").read_text(encoding="utf-8"))["servers"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
