"""Waiting for what a cloud is doing: many jobs wait, and the cloud is asked little.

Every wait has its own pace: at first a few times a second, since most changes are quick, then nearly once a second. Few
waits ask for their one resource each. When many wait for machines or volumes of one region, one listing of what changed
lately answers for all of them. A cloud that is slow, or says that it is asked too much, is asked less.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from engine.clouds.errors import CloudError
from engine.gate.models import NoRole, SessionKind
from engine.gate.refusals import NotDone
from engine.restore.steps.failing import Failed
from store import times

T = TypeVar("T")
Document = dict[str, Any]
Place = tuple[str, str, str]  # (cloud, region, project)
Reader = Callable[..., Document | None]

FIRST, LONGEST = 0.05, 0.8  # seconds between two looks of one wait, at first and later
SLOWEST = 15.0  # when the cloud answers slowly, or asks for it
MANY = 4  # waits for one type in one region from which one listing is read for all of them
_CALM = 8.0  # the pause is at least so many times what the cloud took to answer
_OVERLAP = timedelta(minutes=2)  # between clocks
_PASSES = (401, 408, 425, 429, 500, 502, 503, 504)

# type: (service, path of one, its key in the answer, path of the listing of what changed, its key, the time's name)
_ASKED: Mapping[str, tuple[str, str, str]] = {
    "server": ("compute", "/servers/{id}", "server"),
    "volume": ("block-storage", "/volumes/{id}", "volume"),
    "snapshot": ("block-storage", "/snapshots/{id}", "snapshot"),
    "backup": ("block-storage", "/backups/{id}", "backup"),
    "image": ("image", "/images/{id}", ""),
    "port": ("network", "/ports/{id}", "port"),
}
_VERSIONS = {"server": "2.72", "volume": "3.60"}
_LISTED: Mapping[str, tuple[str, str, Callable[[str], list[tuple[str, str]]]]] = {
    "server": ("/servers/detail", "servers", lambda at: [("all_tenants", "1"), ("changes-since", at)]),
    "volume": ("/volumes/detail", "volumes", lambda at: [("all_tenants", "1"), ("updated_at", f"gt:{at[:19]}")]),
}


@dataclass(eq=False, slots=True)
class _Wait:
    """One caller who waits. `seen`: the newest document there is; `fresh`: it was read since he last looked."""

    place: Place
    type: str
    id: str
    since: datetime
    due: float = 0.0
    pause: float = FIRST
    seen: Document | None = None
    asked: bool = False
    problem: Exception | None = None
    fresh: threading.Event = field(default_factory=threading.Event)


class Watcher:
    """See the module. Thread-safe; a thread of its own asks for each (cloud, region, type) while somebody waits."""

    def __init__(
        self,
        reader: Callable[[str, str, str, SessionKind], Reader],
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        """`reader(cloud, region, project, kind)`: as Gate.reader."""
        self._reader = reader
        self._clock = clock
        self._lock = threading.Lock()
        self._groups: dict[tuple[str, str, str], _Group] = {}
        self.calls = 0

    def until(
        self,
        place: Place,
        type: str,
        id: str,
        check: Callable[[Document | None], T | None],
        seconds: float,
        look_up: Callable[[], object],
    ) -> T | None:
        """Wait until `check(document)` answers something; None after `seconds`.

        `look_up()` may raise to end the wait (the engine stops, the job is cancelled): it is called twice a second.
        Raises Failed when the cloud refuses to be asked.
        """
        wait = _Wait(place, type, id, self._clock())
        group = self._join(wait)
        deadline = time.monotonic() + seconds
        try:
            while True:
                look_up()
                if wait.fresh.wait(min(0.5, max(0.0, deadline - time.monotonic()))):
                    wait.fresh.clear()
                    if wait.problem is not None:
                        raise Failed(str(wait.problem)) from wait.problem
                    if (found := check(wait.seen)) is not None:
                        return found
                    group.go_on(wait)
                elif time.monotonic() >= deadline:
                    return None
        finally:
            group.leave(wait)

    def _join(self, wait: _Wait) -> _Group:
        key = (*wait.place[:2], wait.type)
        with self._lock:
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = _Group(self, key)
        group.join(wait)
        return group

    def read(self, place: Place, kind: SessionKind, *what: Any) -> Document | None:
        """One request."""
        self.calls += 1
        return self._reader(*place, kind)(*what)


class _Group:
    """The waits for one type in one region, and the thread that asks for them."""

    def __init__(self, watcher: Watcher, key: tuple[str, str, str]) -> None:
        self._watcher = watcher
        self._cloud, self._region, self._type = key
        self._waits: list[_Wait] = []
        self._moved = threading.Condition()
        self._thread: threading.Thread | None = None
        self._lists = self._type in _LISTED  # until a listing is refused: only an administrator sees every project
        self._took = 0.0
        self._rest = 0.0  # how long the cloud asked for

    def join(self, wait: _Wait) -> None:
        with self._moved:
            self._waits.append(wait)
            if self._thread is None:
                name = f"watch-{self._cloud}-{self._type}"
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()
            self._moved.notify()

    def leave(self, wait: _Wait) -> None:
        with self._moved:
            self._waits.remove(wait)
            self._moved.notify()

    def go_on(self, wait: _Wait) -> None:
        """The caller saw what there is, and waits on."""
        with self._moved:
            longest = max(LONGEST, min(self._took * _CALM, SLOWEST))
            wait.due = time.monotonic() + max(min(wait.pause, longest), self._took, self._rest)
            wait.pause = min(wait.pause * 1.6, longest)
            self._moved.notify()

    def _run(self) -> None:
        while True:
            with self._moved:
                if not self._waits:
                    self._thread = None
                    return
                waiting = [wait for wait in self._waits if not wait.fresh.is_set()]
                now = time.monotonic()
                due = [wait for wait in waiting if wait.due <= now]
                if not due:
                    self._moved.wait(min((wait.due for wait in waiting), default=now + 1.0) - now)
                    continue
                every = list(waiting)
            self._ask(due, every)

    def _ask(self, due: list[_Wait], every: list[_Wait]) -> None:
        known = [wait for wait in every if wait.asked]
        if self._lists and len(known) >= MANY and any(wait in known for wait in due):
            self._list(known)
            due = [wait for wait in due if not wait.asked]
        for wait in due:
            if not wait.fresh.is_set():
                self._one(wait)

    def _one(self, wait: _Wait) -> None:
        service, path, name = _ASKED[self._type]
        began = time.monotonic()
        try:
            found = self._watcher.read(
                wait.place, "tenant", service, path.format(id=wait.id), _VERSIONS.get(self._type, "")
            )
        except (NotDone, CloudError, NoRole) as error:
            self._refused(wait, error)
            return
        self._took, self._rest = time.monotonic() - began, 0.0
        inner = found if found is None or not name else found.get(name)
        wait.asked = True
        self._tell(wait, inner if isinstance(inner, dict) else None)

    def _list(self, waits: list[_Wait]) -> None:
        """One listing of what changed since the first of them began: what is not in it is as it was."""
        path, name, query = _LISTED[self._type]
        since = times.text(min(wait.since for wait in waits) - _OVERLAP)
        place = (self._cloud, self._region, "")
        began = time.monotonic()
        try:
            found = self._watcher.read(
                place, "read", _ASKED[self._type][0], path, _VERSIONS.get(self._type, ""), query(since)
            )
        except (NotDone, CloudError, NoRole) as error:
            if not _passes(error):
                self._lists = False
            return
        self._took = time.monotonic() - began
        rows = (found or {}).get(name)
        if not isinstance(rows, list) or (found or {}).get(f"{name}_links"):
            self._lists = False  # more than a page: each is asked for by itself
            return
        by_id = {str(row.get("id")): row for row in rows if isinstance(row, dict)}
        for wait in waits:
            row = by_id.get(wait.id)
            if row is None and self._type == "volume":
                # A volume that is gone is in no listing; whoever waits for that is told by its own answer.
                self._one(wait) if _looks_going(wait.seen) else self._tell(wait, wait.seen)
            elif row is None:
                self._tell(wait, wait.seen)
            else:
                self._tell(wait, None if row.get("status") in ("DELETED", "SOFT_DELETED") else row)

    def _refused(self, wait: _Wait, error: Exception) -> None:
        if _passes(error):
            # Asked again, later and later.
            wanted = getattr(error, "retry_after", None) or 0.0
            with self._moved:
                self._rest = min(max(wanted, self._rest * 2, 1.0), SLOWEST)
                wait.due = time.monotonic() + self._rest
            return
        wait.problem = error
        wait.fresh.set()

    def _tell(self, wait: _Wait, document: Document | None) -> None:
        wait.seen = document
        wait.fresh.set()


def _looks_going(document: Document | None) -> bool:
    return document is None or "delet" in str(document.get("status", "")).lower()


def _passes(error: Exception) -> bool:
    if isinstance(error, NotDone):
        return error.uncertain or error.cloud_status in _PASSES
    return isinstance(error, CloudError) and error.kind not in ("denied", "not_found", "bad_request", "no_service")
