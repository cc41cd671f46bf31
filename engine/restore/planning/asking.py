"""Asking a cloud about one machine: with the session that sees the most, several questions side by side, all counted.

A restore is planned from what the cloud says now, so nothing here is kept. Documents come without secrets, and what is
taken out of them is checked: they are written by tenants.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from engine.clouds.errors import CloudError
from engine.gate.models import NoRole, SessionKind
from engine.gate.refusals import NotDone
from engine.inventory.events_rules import items
from store.types import extract

T = TypeVar("T")
Doc = Mapping[str, Any]
Query = Sequence[tuple[str, str]]
Reader = Callable[..., dict[str, Any] | None]
# What can be wrong with a cloud; anything else is a fault of ours.
FORESEEN = (NotDone, CloudError, NoRole)
PATIENCE_SECONDS = 20.0  # with what can be done without
PAGES = 60  # of one listing: what is longer is not read to its end, and said not to be
ADMIN = "admin"


class Who(Protocol):
    """A logged-in account, as far as one has to know who asks (engine/clouds/writing.py)."""

    @property
    def user_id(self) -> str: ...

    @property
    def project_id(self) -> str: ...

    @property
    def roles(self) -> tuple[str, ...]: ...

    def top(self, service: str, region: str) -> str:
        """The service's highest microversion; "" where it has none."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where answers come from.

    reader  the gate's: reader(cloud, region, project, kind) -> get(service, path, microversion, query)
    who     who(cloud, kind, project): who asks then. Raises NoRole
    pool    threads on which questions are asked side by side; none of them waits for another
    """

    reader: Callable[[str, str, str, SessionKind], Reader]
    who: Callable[[str, SessionKind, str], Who]
    pool: Executor


class Asking:
    """Questions about one machine's project. Thread-safe.

    admin  an administrator asks, who sees every project; else a member of the machine's own project does
    sees   whoever asks would see the machine if it were there
    calls  how many questions were sent
    """

    def __init__(self, sources: Sources, cloud: str, region: str, project_id: str = "") -> None:
        """Raises what the session does: the cloud cannot be logged in to."""
        self._sources = sources
        self.cloud, self.region, self.project_id = cloud, region, project_id
        self._wide = sources.who(cloud, "read", project_id)
        self.admin = ADMIN in self._wide.roles
        self.calls = 0
        self._lock = threading.Lock()
        # Without an administrator, and in a project without a role, whatever the account sees is all there is.
        kind: SessionKind = "read"
        if not self.admin and project_id:
            with contextlib.suppress(NoRole):
                sources.who(cloud, "tenant", project_id)
                kind = "tenant"
        self.sees = self.admin or kind == "tenant"
        self._get = sources.reader(cloud, region, project_id, kind)

    def get(self, service: str, path: str, version: str = "", query: Query = ()) -> dict[str, Any] | None:
        """The document at that path; None for 404. Raises NotDone, CloudError."""
        with self._lock:
            self.calls += 1
        return self._get(service, path, version, query)

    def one(self, service: str, path: str, key: str, version: str = "", query: Query = ()) -> dict[str, Any] | None:
        """The object under `key` of a document; None where there is none."""
        found = (self.get(service, path, version, query) or {}).get(key)
        return found if isinstance(found, dict) else None

    def rows(self, service: str, path: str, key: str, version: str = "", query: Query = ()) -> list[dict[str, Any]]:
        """All objects of a listing, page after page; [] for 404. Raises NotDone when it has no end."""
        found: list[dict[str, Any]] = []
        marker: list[tuple[str, str]] = []
        for _ in range(PAGES):
            page = self.get(service, path, version, [*query, *marker]) or {}
            rows = items(page.get(key))
            found += rows
            links = items(page.get(f"{key}_links"))
            more = isinstance(page.get("next"), str) or any(link.get("rel") == "next" for link in links)
            if not rows or not more:
                return found
            marker = [("marker", text(rows[-1].get("id")))]
        raise NotDone(f"the {service} service of {self.cloud} has more {key} than are read for one plan")

    def own(self, service: str, path: str, version: str = "", query: Query = ()) -> dict[str, Any] | None:
        """As `get`, with a token of the machine's own project where there is one: what its members see."""
        with self._lock:
            self.calls += 1
        reader = self._sources.reader(self.cloud, self.region, self.project_id, "tenant")
        return reader(service, path, version, query)

    def who(self, kind: SessionKind) -> Who:
        """Who asks, or would act. Raises NoRole."""
        return self._sources.who(self.cloud, kind, self.project_id)

    def top(self, service: str) -> str:
        """The service's highest microversion; "" where it has none or is not there."""
        try:
            return self._wide.top(service, self.region)
        except CloudError:
            return ""

    def later(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Have it done on another thread. `work` must wait for nothing that is done so, too."""
        return self._sources.pool.submit(work, *arguments)

    def try_later(self, work: Callable[..., T], *arguments: Any) -> Tried[T]:
        """As `later`, for what can be done without."""
        return Tried(self._sources.pool.submit(attempt, work, *arguments))


def attempt(work: Callable[..., T], *arguments: Any) -> T | str:
    """What the work answers, or the sentence why the cloud does not say it."""
    try:
        return work(*arguments)
    except FORESEEN as error:
        return str(error)


class Tried(Generic[T]):
    """An answer that can be done without: in its place there may be the sentence why it did not come."""

    def __init__(self, answer: Future[T | str]) -> None:
        self._answer = answer
        self._until = time.monotonic() + PATIENCE_SECONDS

    @classmethod
    def given(cls, answer: T | str) -> Tried[T]:
        """In place of a question that is not asked."""
        found: Future[T | str] = Future()
        found.set_result(answer)
        return cls(found)

    def result(self) -> T | str:
        """The answer, waited for as long as one has patience with a service that hangs."""
        try:
            return self._answer.result(max(0.0, self._until - time.monotonic()))
        except TimeoutError:
            self._answer.cancel()
            return f"no answer came within {PATIENCE_SECONDS:g} seconds"


def or_else(answer: T | str, otherwise: T) -> T:
    """The answer, or what stands for one that did not come."""
    return otherwise if isinstance(answer, str) else answer


# Values of documents


def text(value: Any) -> str:
    """A text; "" for anything else."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> int:
    """A whole number that is not negative; 0 for anything else."""
    return max(0, extract.integer(value) or 0)


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list; () for anything else."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list | tuple) else ()


def pairs(value: Any) -> dict[str, str]:
    """The texts of an object by their keys; {} for anything else."""
    return {key: one for key, one in value.items() if isinstance(one, str)} if isinstance(value, dict) else {}
