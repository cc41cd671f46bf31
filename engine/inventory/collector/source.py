"""The accounts of a cloud as one collection uses them: who may see what, found out once, and asked again at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from engine.clouds import errors, rules
from engine.clouds.errors import CloudError
from engine.clouds.rules import Candidate
from engine.clouds.session import CloudSession, Endpoint, Token, skew
from engine.inventory.collector.calls import Caller, Cancelled, Gate, Patience
from engine.inventory.pages import Degraded, NotWhole, address
from store.times import utcnow

T = TypeVar("T")


def background(work: Callable[[], T]) -> Future[T]:
    """Run `work` on a daemon thread: a call that hangs must hold up neither a cancelled collection nor the engine's
    end."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="collect-call", daemon=True).start()
    return future


def wait_for(future: Future[T], stop: threading.Event) -> T:
    """The future's result; raises Cancelled as soon as `stop` is set."""
    while not future.done():
        if stop.is_set():
            raise Cancelled
        try:
            return future.result(timeout=0.1)
        except TimeoutError:
            if future.done():
                raise
    return future.result()


@dataclass(frozen=True, slots=True)
class Service:
    """One service of one region as one account sees it; `error` says why it can't be used."""

    endpoint: Endpoint | None
    all_projects: bool
    skew: float = 0.0
    error: CloudError | None = None


class Source:
    """One logged-in account of the cloud being collected. Thread-safe."""

    def __init__(
        self,
        session: CloudSession,
        token: Token,
        gates: Gates,
        patience: Patience,
        stop: threading.Event,
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        """`clock` tells our time, against which the services' clocks are measured."""
        self.session = session
        self.token = token
        self.stop = stop
        self._clock = clock
        self._gates = gates
        self._patience = patience
        self._services: dict[tuple[str, str], Service] = {}
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._lock = threading.Lock()
        self._confirming = threading.Lock()
        self._confirmed_at = 0.0
        self._now = token

    @property
    def name(self) -> str:
        """The account's name."""
        return self.session.name

    def caller(self, service: str, region: str) -> Caller:
        """Makes calls to a service, through its gate."""
        return Caller(self.session, self._gates.of(service, region), self._patience, self.stop)

    def service(self, service: str, region: str) -> Service:
        """The service, its endpoint found and its probe asked the first time."""
        key = (service, region)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            found = self._services.get(key)
            if found is None:
                found = self._services[key] = wait_for(background(lambda: self._find(service, region)), self.stop)
            return found

    def candidate(self, service: str, region: str) -> Candidate:
        """This account as a candidate for the service's lists; raises CloudError when it can't read them."""
        if why := rules.refusal(service, self.token):
            raise CloudError("denied", why)
        found = self.service(service, region)
        if found.error is not None:
            raise found.error
        return Candidate(self.name, self.token, found.all_projects)

    def confirm(self, ended: float) -> None:
        """Make sure that the account may still do what it could when the collection began, asked after `ended`
        (monotonic).

        Raises NotWhole when it may not: the list that just ended may have been filtered in silence.
        """
        with self._confirming:
            if self._confirmed_at < ended:
                began = time.monotonic()
                self._now = wait_for(background(self._ask), self.stop)
                self._confirmed_at = began
            if (self._now.user_id, self._now.scope, self._now.roles) != (
                self.token.user_id,
                self.token.scope,
                self.token.roles,
            ):
                raise NotWhole(f"the roles of {self.name} changed while the list was read")

    def _ask(self) -> Token:
        try:
            return self.session.confirm()
        except CloudError as error:
            if error.status not in (403, 404):
                raise
            return self.session.login()  # this cloud does not let a token look at itself

    def _find(self, service: str, region: str) -> Service:
        try:
            endpoint = self.session.endpoint(service, region)
            probe = rules.PROBES.get(service)
            if probe is None:
                return Service(endpoint, rules.granted(service, self.token, 404))
            url = address(endpoint.url, probe.path, list(probe.query))
            what = f"the {service} service of {self.name}"
            status, ahead = self._probe(self.caller(service, region), url, what)
            return Service(endpoint, rules.granted(service, self.token, status), ahead)
        except CloudError as error:
            return Service(None, False, error=error)

    def _probe(self, caller: Caller, url: str, what: str) -> tuple[int, float]:
        try:
            return caller.get(url, {}, what, lambda answer: (answer.status, skew(answer, self._clock())))
        except CloudError as error:
            # Refused, or not offered: both are answers. Anything else is a service that can't be used.
            if error.status is None or error.status >= 500 or error.status in (401, 429):
                raise
            return error.status, 0.0


class Gates:
    """The gates of a collection, made when first needed."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._gates: dict[tuple[str, str], Gate] = {}
        self._lock = threading.Lock()

    def of(self, service: str, region: str) -> Gate:
        """The gate of a service of a region."""
        with self._lock:
            return self._gates.setdefault((service, region), Gate(self._width))


def failure(error: Exception, rows: int) -> tuple[Any, str]:
    """(state, reason) of a listing that broke off with that error after `rows` rows."""
    if isinstance(error, Cancelled):
        return "partial", "the collection was cancelled"
    if isinstance(error, Degraded):
        return "degraded", str(error)
    if isinstance(error, CloudError) and error.kind in ("denied", "not_found", "no_service") and not rows:
        return "not_permitted", str(error)
    words = str(error) or type(error).__name__
    return ("partial" if rows else "failed"), errors.plain(words)
