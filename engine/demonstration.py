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
from typing import TYPE_CHECKING, Any

import structlog

from engine.access.models import ENGINE
from engine.clouds.errors import CloudError
from engine.demo.launch import DemoCloud, DemoCloudFailed, remembered
from engine.inventory.collect import ENDED
from store.estate.errors import EstateError
from store.ops.errors import OpsError
from store.times import utcnow

if TYPE_CHECKING:
    from engine.clouds.service import CloudService
    from engine.inventory.collect import CollectionService
    from engine.inventory.schedule import Schedule

_log = structlog.get_logger(__name__)

NAME = "demo"
SERVERS = 50
SEED = "1"
LEFT = "past.json"
# Days before now at which the past is collected; the first is the full listing. Few enough for a short replay, near
# enough to each other that no list loses so much between two of them that its deletions are doubted.
PAST = (30.0, 21.0, 14.0, 7.0, 3.0, 1.0)
END_SECONDS = 30.0  # that the cloud of an engine that was killed may take to end
LOOK_SECONDS = 1.0  # between two looks at the cloud's process


class DemoClock:
    """The demo cloud's time, as far as the engine needs it: `behind` the wall clock while the past is collected."""

    def __init__(self) -> None:
        self.behind = timedelta()

    def __call__(self) -> datetime:
        """Aware UTC time."""
        return utcnow() - self.behind


class Demonstration:
    """The demo cloud of one engine. `begin` returns at once; everything slow happens on a thread of its own.

    state    "starting" until the first data is there, "past" while the past is collected, "ready", or "failed"
    problem  why it failed, in one sentence; else empty
    """

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
        self.state = "starting"
        self.problem = ""

    def begin(self) -> None:
        """Start the cloud (as it was, or with as many servers as asked for) and what collects it."""
        self._thread.start()

    def status(self) -> dict[str, Any]:
        """{"state", "problem" (or None), "servers" (size it was made with), "days_behind"}."""
        return {
            "state": self.state,
            "problem": self.problem or None,
            "servers": self._servers,
            "days_behind": self._clock.behind.total_seconds() / 86400,
        }

    def close(self) -> None:
        """End what collects the demo cloud, then its process: a list must not break off because the cloud is gone."""
        self._stop.set()
        self._schedule.close()
        self._collections.close()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
        if self._cloud is not None:
            self._cloud.stop()

    def _run(self) -> None:
        try:
            self._live_through_the_past(self._start())
            if self._stop.is_set():
                return
            self._schedule.open()
            self.state = "ready"
            self._watch()
        except (DemoCloudFailed, CloudError, EstateError, OpsError, OSError) as error:
            self._fail(str(error))
        except Exception as error:
            if not self._stop.is_set():
                _log.exception("the demo failed")
            self._fail(f"The demo does not work, by an error of the engine itself ({type(error).__name__}).")

    def _fail(self, reason: str) -> None:
        if self._stop.is_set():
            return
        self.problem = reason
        self._clock.behind = timedelta()
        _log.error("the demo cloud does not work", reason=reason)
        # So that the cloud's own state says that it can't be reached.
        with contextlib.suppress(CloudError, OpsError):
            self._clouds.test(NAME)
        self.state = "failed"

    def _start(self) -> tuple[float, ...]:
        """Start the process, see to it that its cloud is watched; answers what is left of its past (days of PAST)."""
        watched = NAME in self._clouds.names()
        memory = remembered(self._home)
        if watched and (memory is None or memory["servers"] != self._servers):
            self._clouds.remove(ENGINE, NAME)
            watched = False
        if watched:
            left = self._left()
            cloud = self._launch(left[0] if left else 0.0)
            if self._same_address(cloud):
                return left
            # The port it had is taken: a cloud at another address is another cloud.
            self._clouds.remove(ENGINE, NAME)
            cloud.stop()
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._note_left(PAST)
        cloud = self._launch(PAST[0])
        self._clouds.add(ENGINE, "demo", NAME, cloud.clouds_yaml, writable=True)
        return PAST

    def _same_address(self, cloud: DemoCloud) -> bool:
        return self._clouds.accounts(NAME)[0].auth_url == cloud.auth_url

    def _launch(self, days_ago: float) -> DemoCloud:
        self._cloud = DemoCloud.start(self._home, self._servers, SEED, days_ago=days_ago, wait=END_SECONDS)
        return self._cloud

    def _live_through_the_past(self, left: tuple[float, ...]) -> None:
        """One listing per day of `left`, the cloud's clock put forward between them; ends in the present."""
        assert self._cloud is not None
        if not left:
            return
        if left != PAST:
            self.state = "past"
        for place, days in enumerate(left):
            self._clock.behind = timedelta(days=days)
            self._collect()
            if self._stop.is_set():
                return
            self.state = "past"
            after = left[place + 1 :]
            self._cloud.advance((days - (after[0] if after else 0.0)) * 86400)
            self._note_left(after)
        self._clock.behind = timedelta()
        self._collect()

    def _collect(self) -> None:
        """One collection, up to its end or ours."""
        for item in self._collections.start(ENGINE, [NAME]):
            while not self._stop.is_set() and self._collections.wait(item["id"], timeout=0.2)["state"] not in ENDED:
                pass

    def _watch(self) -> None:
        """Until the engine ends: when the cloud's process dies it is started again, as the same cloud."""
        while not self._stop.wait(LOOK_SECONDS):
            cloud = self._cloud
            assert cloud is not None
            if cloud.process.poll() is not None:
                _log.warning("the demo cloud died and is started again", status=cloud.process.returncode)
                cloud.stop()
                if not self._same_address(self._launch(0.0)):
                    raise DemoCloudFailed(
                        "The demo cloud died and its port was taken meanwhile; stop the engine and start it again."
                    )

    # How far the past has been collected: an engine that is killed meanwhile goes on from there.

    def _left(self) -> tuple[float, ...]:
        try:
            left = tuple(float(day) for day in json.loads((self._home / LEFT).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return ()
        return left if set(left) <= set(PAST) and list(left) == sorted(left, reverse=True) else ()

    def _note_left(self, left: tuple[float, ...]) -> None:
        new = self._home / f"{LEFT}.new"
        new.write_text(json.dumps(left), encoding="utf-8")
        new.replace(self._home / LEFT)


def known_size(home: Path) -> int | None:
    """How many servers the demo cloud of this home has, or had; None when there never was one."""
    try:
        return int(json.loads((home / "cloud.json").read_text(encoding="utf-8"))["servers"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
