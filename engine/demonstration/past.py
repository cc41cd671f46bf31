"""The demo's past: its cloud as it was on each of the days before, newest day first, behind what is shown already.

The demo cloud lives the same life every time, so a second one, a process of its own, can stand as the first one stood
some days ago. The real collector reads it into an estate of its own at the time that it was then, and what comes out
is put behind the engine's history (store.estate.earlier). So yesterday is there first, and every version carries the
time that it would have had.
"""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from engine.clouds import entries
from engine.clouds.errors import CloudError
from engine.clouds.service import Connected
from engine.clouds.session import CloudSession
from engine.demo.launch import DemoCloud, remember, remembered
from engine.inventory.collector.run import Memory, Request, Run
from store.estate.earlier import prepend
from store.estate.estate import Estate
from store.times import parse, text, utcnow

if TYPE_CHECKING:
    from engine.clouds.accounts import Account
    from engine.clouds.entries import Entry
    from engine.inventory.collect import CollectionService

_log = structlog.get_logger(__name__)

NOTE = "past.json"
DAYS = 30
# A cloud has lived a little longer than its past is told. Not a whole part of a day: what happens in it happens every
# so many hours, and a listing at just such a moment might come before or after it.
AGE_DAYS = DAYS + 0.1234
LARGE = 5_000  # servers from which a listing takes seconds, so that yesterday has fewer of them


def moments(day: int, servers: int) -> tuple[float, ...]:
    """Hours before the present at which a day of the past is listed, oldest first. Yesterday is day 1."""
    if day > 1:
        return (24.0 * day,)
    return (24.0, 12.0) if servers > LARGE else (24.0, 18.0, 12.0, 6.0)


@dataclass(frozen=True, slots=True)
class Note:
    """How far the past has been told, as it stands in the cloud's home: an engine that was killed goes on from there.

    present  aware UTC: where the past begins; begun: the present was collected once; days: how many are wanted
    done     days that are there
    """

    present: datetime
    begun: bool = False
    days: int = DAYS
    done: int = 0

    @classmethod
    def read(cls, home: Path) -> Note | None:
        """The note; None when there is none, or something else."""
        try:
            found = json.loads((home / NOTE).read_text(encoding="utf-8"))
            days, done = int(found["days"]), int(found["done"])
            note = cls(parse(found["present"]), bool(found["begun"]), days, done)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return note if 0 <= days <= DAYS and 0 <= done <= DAYS else None

    def write(self, home: Path) -> Note:
        """Keep it; answers itself."""
        new = home / f"{NOTE}.new"
        document = {"present": text(self.present), "begun": self.begun, "days": self.days, "done": self.done}
        new.write_text(json.dumps(document), encoding="utf-8")
        new.replace(home / NOTE)
        return self


class Past:
    """Tells the past of one demo cloud. `run` takes its time; `done` and `days` say how far it is."""

    def __init__(
        self, home: Path, seed: str, estate: Estate, collections: CollectionService, note: Note, stop: threading.Event
    ) -> None:
        self._home = home
        self._seed = seed
        self._estate = estate
        self._collections = collections
        self._note = note
        self._stop = stop
        self.problem = ""

    @property
    def days(self) -> int:
        """Days that are wanted."""
        return self._note.days

    @property
    def done(self) -> int:
        """Days that are there, newest first."""
        return min(self._note.done, self._note.days)

    def run(self, account: Account, live: DemoCloud) -> None:
        """Tell what is left of it; returns early when told to stop. Raises what its cloud or a store raises.

        `live` is the cloud as it is now, whose addresses the one of the past names.
        """
        memory = remembered(self._home)
        home = self._home / "past"
        while memory is not None and self._note.done < self._note.days and not self._stop.is_set():
            day = self._note.done + 1
            remember(home, {**memory, "ports": [0]})
            if not self._tell(day, home, memory["servers"], account, live):
                return
            self._note = replace(self._note, done=day).write(self._home)

    def _tell(self, day: int, home: Path, servers: int, account: Account, live: DemoCloud) -> bool:
        """One day: list it in an estate of its own, then put it behind the others. Answers whether it is there."""
        hours = moments(day, servers)
        present = self._note.present
        behind = (utcnow() - present).total_seconds() / 86400 + hours[0] / 24
        with contextlib.ExitStack() as closing:
            cloud = DemoCloud.start(home, servers, self._seed, days_ago=behind, speak_as=live.ports)
            closing.callback(cloud.stop)
            estate = closing.enter_context(_scratch(home / "estate.duckdb"))
            memory = Memory()
            for place, ago in enumerate(hours):
                if place:
                    cloud.advance((hours[place - 1] - ago) * 3600)
                state, errors = self._list(cloud, live, account, estate, present - timedelta(hours=ago), memory)
                if self._stop.is_set():
                    return False
                if state == "failed":
                    raise CloudError("broken", "; ".join(errors) or "the cloud of the past answered nothing")
            cloud.stop()
            came = prepend(self._estate, estate, account.cloud)
            _log.info("a day of the demo's past", day=day, versions=came.versions, extended=came.extended)
        return True

    def _list(
        self, cloud: DemoCloud, live: DemoCloud, account: Account, estate: Estate, when: datetime, memory: Memory
    ) -> tuple[str, list[str]]:
        """One collection at that moment: (state, errors)."""
        moved = dict(zip(live.ports, cloud.ports, strict=True))
        entry = entries.find(account.name, cloud.clouds_yaml)

        def connect(account: Account) -> Connected:
            session = _PastSession(entry, moved)
            return Connected(account, session, session.login())

        options = replace(self._collections.options(), clock=lambda: when)
        run = Run(
            estate, Request(account.cloud), [account], connect, options, self._collections.patience(), memory,
            self._stop,
        )  # fmt: skip
        return run.run(), run.errors


@contextlib.contextmanager
def _scratch(path: Path) -> Any:
    """An empty estate for a moment."""
    _remove(path)
    try:
        with Estate.open(path, memory_limit="512MB") as estate:
            yield estate
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}.wal")):
        name.unlink(missing_ok=True)


class _PastSession(CloudSession):
    """A session whose requests to some ports of this machine go to others: documents name the cloud of the present."""

    def __init__(self, entry: Entry, moved: dict[int, int]) -> None:
        from requests.adapters import HTTPAdapter

        class Moved(HTTPAdapter):
            def __init__(self, old: str, new: str) -> None:
                super().__init__()
                self._old, self._new = old, new

            def send(self, request: Any, *given: Any, **more: Any) -> Any:
                request.url = request.url.replace(self._old, self._new, 1)
                return super().send(request, *given, **more)

        super().__init__(entry)
        for old, new in moved.items():
            root = f"http://127.0.0.1:{old}/"
            self._session.session.mount(root, Moved(root, f"http://127.0.0.1:{new}/"))
