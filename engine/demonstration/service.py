"""The demo's engine: starts the demo cloud, adds it like any other, and has its past told behind the present."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from engine.access.models import ENGINE
from engine.clouds.errors import CloudError
from engine.demo.launch import DemoCloud, DemoCloudFailed, remembered
from engine.demonstration.past import AGE_DAYS, DAYS, Note, Past
from engine.inventory.collect import ENDED
from store.estate.errors import EstateError
from store.ops.errors import OpsError
from store.times import utcnow

if TYPE_CHECKING:
    from engine.clouds.service import CloudService
    from engine.inventory.collect import CollectionService
    from engine.inventory.schedule import Schedule
    from store.estate.estate import Estate

_log = structlog.get_logger(__name__)

NAME = "demo"
SERVERS = 50
SEED = "1"
END_SECONDS = 30.0  # that the cloud of an engine that was killed may take to end
LOOK_SECONDS = 1.0  # between two looks at the cloud's process


class Demonstration:
    """The demo cloud of one engine. `begin` returns at once; everything slow happens on threads of its own.

    state    "starting" until the first data is there, "past" while the past is told behind it, "ready", or "failed"
    problem  why it failed, in one sentence; else empty
    """

    def __init__(
        self,
        home: Path,
        servers: int | None,
        estate: Estate,
        clouds: CloudService,
        collections: CollectionService,
        schedule: Schedule,
        past: int | None = None,
        arrange: Callable[[], None] = lambda: None,
    ) -> None:
        """`past`: days of history, at most 30; None is what it was, or all. `arrange` is called once the cloud was
        collected for the first time: what people had decided by then."""
        self._home = home / "cloud"
        self._servers = servers or known_size(self._home) or SERVERS
        self._days = past
        self._estate = estate
        self._clouds = clouds
        self._collections = collections
        self._schedule = schedule
        self._arrange = arrange
        self._cloud: DemoCloud | None = None
        self._past: Past | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demonstration", daemon=True)
        self._telling = threading.Thread(target=self._tell_past, name="past", daemon=True)
        self.state = "starting"
        self.problem = ""

    def begin(self) -> None:
        """Start the cloud (as it was, or with as many servers as asked for) and what collects it."""
        self._thread.start()

    def status(self) -> dict[str, Any]:
        """{"state", "problem" (or None), "servers" (size it was made with), "past": {"days", "done", "problem"}}."""
        past = self._past
        return {
            "state": self.state,
            "problem": self.problem or None,
            "servers": self._servers,
            "past": {
                "days": past.days if past else self._wanted(None),
                "done": past.done if past else 0,
                "problem": (past.problem or None) if past else None,
            },
        }

    @property
    def busy(self) -> bool:
        """Whether history is still being put behind the present."""
        return self.state in ("starting", "past")

    def close(self) -> None:
        """End what collects the demo cloud, then its process: a list must not break off because the cloud is gone."""
        self._stop.set()
        self._schedule.close()
        self._collections.close()
        for thread in (self._thread, self._telling):
            if thread.is_alive():
                thread.join(timeout=5.0)
        if self._cloud is not None:
            self._cloud.stop()

    def _run(self) -> None:
        try:
            note = self._start()
            if not note.begun:
                self._collect()
                if self._stop.is_set():
                    return
                self._arrange()
                note = replace(note, begun=True).write(self._home)
            self._schedule.open()
            self._past = Past(self._home, SEED, self._estate, self._collections, note, self._stop)
            self.state = "past" if self._past.done < self._past.days else "ready"
            self._telling.start()
            self._watch()
        except (DemoCloudFailed, CloudError, EstateError, OpsError, OSError) as error:
            self._fail(str(error))
        except Exception as error:
            if not self._stop.is_set():
                _log.exception("the demo failed")
            self._fail(f"The demo does not work, by an error of the engine itself ({type(error).__name__}).")

    def _tell_past(self) -> None:
        """The past is told beside everything else; a demo whose past is not to be had still has its present."""
        past, cloud = self._past, self._cloud
        assert past is not None and cloud is not None
        try:
            past.run(self._clouds.accounts(NAME)[0], cloud)
        except (DemoCloudFailed, CloudError, EstateError, OpsError, OSError) as error:
            past.problem = str(error)
        except Exception as error:
            past.problem = f"an error of the engine itself ({type(error).__name__})"
            _log.exception("the past of the demo failed")
        if self._stop.is_set():
            return
        if past.problem:
            past.problem = f"The demo has {past.done} of {past.days} days of its past: {past.problem}"
            _log.error("the demo's past ends early", reason=past.problem)
        if self.state == "past":
            self.state = "ready"

    def _fail(self, reason: str) -> None:
        if self._stop.is_set():
            return
        self.problem = reason
        _log.error("the demo cloud does not work", reason=reason)
        # So that the cloud's own state says that it can't be reached.
        with contextlib.suppress(CloudError, OpsError):
            self._clouds.test(NAME)
        self.state = "failed"

    def _start(self) -> Note:
        """Start the process, see to it that its cloud is watched; answers how far its past is."""
        watched = NAME in self._clouds.names()
        memory = remembered(self._home)
        if watched and (memory is None or memory["servers"] != self._servers):
            self._clouds.remove(ENGINE, NAME)
            watched = False
        if watched:
            cloud = self._launch()
            note = Note.read(self._home)
            if self._same_address(cloud) and note is not None:
                return replace(note, days=self._wanted(note)).write(self._home)
            # The port it had is taken: a cloud at another address is another cloud.
            self._clouds.remove(ENGINE, NAME)
            cloud.stop()
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        note = Note(utcnow(), days=self._wanted(None)).write(self._home)
        cloud = self._launch()
        self._clouds.add(ENGINE, "demo", NAME, cloud.clouds_yaml, writable=True)
        return note

    def _wanted(self, note: Note | None) -> int:
        days = self._days if self._days is not None else note.days if note else DAYS
        return min(max(days, 0), DAYS)

    def _same_address(self, cloud: DemoCloud) -> bool:
        return self._clouds.accounts(NAME)[0].auth_url == cloud.auth_url

    def _launch(self) -> DemoCloud:
        self._cloud = DemoCloud.start(self._home, self._servers, SEED, age_days=AGE_DAYS, wait=END_SECONDS)
        return self._cloud

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
                if not self._same_address(self._launch()):
                    raise DemoCloudFailed(
                        "The demo cloud died and its port was taken meanwhile; stop the engine and start it again."
                    )


def known_size(home: Path) -> int | None:
    """How many servers the demo cloud of this home has, or had; None when there never was one."""
    try:
        return int(json.loads((home / "cloud.json").read_text(encoding="utf-8"))["servers"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
