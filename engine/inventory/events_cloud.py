"""Asking a cloud about one resource, now: with the account that may see it, in few seconds, on connections that are
kept for a while, because a person who looks at a log asks every two seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.clouds.errors import CloudError
from engine.clouds.session import Answer, Timeouts, microversion_header, negotiate
from engine.inventory.collector.calls import Cancelled, Patience
from engine.inventory.collector.source import Gates, Source
from engine.inventory.pages import address

if TYPE_CHECKING:
    from engine.clouds.accounts import Account
    from engine.clouds.service import CloudService

KEPT_SECONDS = 120.0  # what a token may see is asked again after that
QUICK = Timeouts(3.0, 4.0, 6.0)
_WIDTH = 8  # calls of one account to one service at the same time
_PATIENCE = Patience(attempts=2, timeouts=0, base=0.2, cap=0.5, after_cap=1.0)
_MOST_BYTES = 8 << 20


@dataclass(slots=True)
class _Kept:
    source: Source
    since: float


@dataclass(frozen=True, slots=True)
class Line:
    """An account's way to a service of a region. `all_projects`: it sees everybody's."""

    source: Source
    service: str
    region: str
    url: str
    top: str
    all_projects: bool

    @property
    def what(self) -> str:
        """Who answers, for sentences."""
        return f"the {self.service} service of {self.source.name}"

    def get(self, path: str, query: list[tuple[str, str]] | None = None, version: str = "") -> dict[str, Any]:
        """The JSON object at a path below the service. Raises CloudError, Cancelled."""
        headers = microversion_header(self.service, negotiate(version, self.top))
        url = address(self.url, path, query or [])
        return self.source.caller(self.service, self.region).get(url, headers, self.what, self._document)

    def _document(self, answer: Answer) -> dict[str, Any]:
        import orjson

        try:
            found = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise CloudError("broken", f"{self.what} answered with something that is no JSON object")
        return found


class CloudLines:
    """Finds lines. Thread-safe; all methods block and raise CloudError."""

    def __init__(self, clouds: CloudService, *, kept_seconds: float = KEPT_SECONDS, quick: Timeouts = QUICK) -> None:
        self._clouds = clouds
        self._kept_seconds = kept_seconds
        self._quick = quick
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        clouds.on_remove(lambda cloud: self.forget())

    def close(self) -> None:
        """Calls under way end; no more are made."""
        self._stop.set()
        self.forget()

    def forget(self) -> None:
        """Log in anew at the next question."""
        with self._lock:
            self._kept.clear()

    def line(self, cloud: str, region: str, service: str, project: str, seconds: float) -> Line:
        """The line of the first account that sees all projects, else of one in the resource's own project.

        project  "" when it is not known: then any account's
        seconds  the most that is waited for another thread's login
        Raises CloudError: `unknown` cloud, `denied` when no account may see it, or why none can be used.
        """
        narrow: list[Line] = []
        errors: list[CloudError] = []
        for account in self._clouds.accounts(cloud):
            try:
                line = self._of(account, service, region, seconds)
            except CloudError as error:
                errors.append(error)
                continue
            except Cancelled:
                raise CloudError("busy", "the engine stops") from None
            if line.all_projects:
                return line
            if project in ("", line.source.token.project_id):
                narrow.append(line)
        if narrow:
            return narrow[0]
        if errors:
            raise errors[0]
        raise CloudError(
            "denied", f"no account of {cloud} sees this project: add one of that project, or an administrator's"
        )

    def _of(self, account: Account, service: str, region: str, seconds: float) -> Line:
        source = self._source(account, seconds)
        try:
            candidate = source.candidate(service, region)
        except CloudError as error:
            if error.kind not in ("denied", "no_service"):
                self.forget()  # a source remembers what went wrong: the next question tries again
            raise
        endpoint = source.service(service, region).endpoint
        assert endpoint is not None
        return Line(source, service, region, endpoint.url, endpoint.top, candidate.all_projects)

    def _source(self, account: Account, seconds: float) -> Source:
        with self._lock:
            lock = self._locks.setdefault(account.id, threading.Lock())
        if not lock.acquire(timeout=seconds):
            raise CloudError("timeout", f"the identity service of {account.name} did not answer within {seconds:g} s")
        try:
            with self._lock:
                kept = self._kept.get(account.id)
            if kept is not None and time.monotonic() - kept.since < self._kept_seconds:
                return kept.source
            connected = self._clouds.connect(account)
            connected.session.timeouts = self._quick
            source = Source(connected.session, connected.token, Gates(_WIDTH), _PATIENCE, self._stop)
            with self._lock:
                self._kept[account.id] = _Kept(source, time.monotonic())
            return source
        finally:
            lock.release()


def side_by_side(work: Mapping[Any, Callable[[], Any]], seconds: float) -> dict[Any, Any]:
    """Do all of it at once, each on a thread of its own; what is not done after `seconds` is answered as CloudError.

    An answer is what the work returned, or the CloudError that it raised. Other errors are raised here.
    """
    from engine.inventory.collector.source import background

    deadline = time.monotonic() + seconds
    futures = {name: background(one) for name, one in work.items()}
    found: dict[Any, Any] = {}
    for name, future in futures.items():
        try:
            found[name] = future.result(timeout=max(0.0, deadline - time.monotonic()))
        except CloudError as error:
            found[name] = error
        except Cancelled:
            found[name] = CloudError("busy", "the engine stops")
        except TimeoutError:
            found[name] = CloudError("timeout", f"no answer within {seconds:g} s")
    return found
