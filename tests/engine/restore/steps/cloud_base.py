"""What every part of the simulated cloud is made of: routes, time that passes with every look, and faults."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.gate.models import Actor, Answer, Call
from engine.gate.refusals import NotDone

Doc = dict[str, Any]
PROJECT = "p1"
CLOUD, REGION = "sim", "one"


class Crash(BaseException):
    """The engine dies here."""


@dataclass
class Fault:
    """What happens to the next `times` requests whose "METHOD service/path key" matches; `number`: to that change only.

    crash_before, crash_after   the engine dies before the request is sent; after it was done, its answer not seen
    lost, timeout               no answer: it was done; it was not
    500_done, 500, 503, 429, 409, 400, 403   the cloud's status; the first was done
    """

    kind: str
    match: str = ""
    times: int = 1
    number: int = 0


def route(service: str, method: str, pattern: str, key: str = "") -> Callable[[Any], Any]:
    """A method of a part answers such requests; `{x}` in the pattern is one argument. `key`: the one key of the body.

    A GET answers the document or None (404); a change answers (status, document) or raises `refuse(...)`.
    """
    path = re.compile(re.sub(r"\{\w+\}", "([^/]+)", pattern))

    def mark(act: Any) -> Any:
        act.routes = [*getattr(act, "routes", ()), (service, method, path, key)]
        return act

    return mark


def refuse(status: int, words: str) -> NotDone:
    """The cloud says no."""
    return NotDone(f"the cloud refused it ({status}): {words}", status=status)


class Base:
    """Dispatch, faults and time. `sent`: every change that reached the cloud, as "METHOD service/path key"."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.sent: list[str] = []
        self.calls: list[Call] = []
        self.asked: list[str] = []
        self.numbers = itertools.count(1)
        self.later: list[tuple[int, Callable[[], None]]] = []  # what happens after so many looks
        self.slow = 2  # looks that a change of state takes
        self.points = 0  # places where the engine may die: every look, and before and after every change
        self.dies_at = -1
        self.told_at = -1
        self.tell: Callable[[], object] = lambda: None  # what happens at that place: somebody cancels, say
        self.changes = 0  # that were asked for
        self._routes: list[tuple[str, str, re.Pattern[str], str, Any]] = []
        for name in dir(self):
            for service, method, path, key in getattr(getattr(self, name), "routes", ()):
                self._routes.append((service, method, path, key, getattr(self, name)))
        self._routes.sort(key=lambda one: one[2].groups)  # "/volumes/detail" before "/volumes/{id}"

    def new_id(self, letter: str) -> str:
        return f"{letter}-{next(self.numbers)}"

    # Time

    def soon(self, act: Callable[[], None], looks: int | None = None) -> None:
        """Something happens after some more looks at the cloud."""
        self.later.append((self.slow if looks is None else looks, act))

    def tick(self) -> None:
        """A look at the cloud: time passes."""
        due = [act for left, act in self.later if left <= 0]
        self.later = [(left - 1, act) for left, act in self.later if left > 0]
        for act in due:
            act()

    def point(self) -> None:
        """A place where the engine may die."""
        self.points += 1
        if self.points == self.told_at:
            self.tell()
        if self.points == self.dies_at:
            raise Crash

    def settle(self) -> None:
        """All that was begun ends."""
        while self.later:
            self.tick()

    # Faults

    def fault(self, kind: str, match: str = "", times: int = 1, number: int = 0) -> None:
        self.faults.append(Fault(kind, match, times, number))

    def _fault(self, what: str) -> str:
        for fault in self.faults:
            if fault.times > 0 and fault.number in (0, self.changes) and re.search(fault.match, what):
                fault.times -= 1
                return fault.kind
        return ""

    # The gate

    def reader(self, cloud: str, region: str, project_id: str, kind: str = "tenant") -> Callable[..., Doc | None]:
        def get(service: str, path: str, microversion: str = "", query: Sequence[tuple[str, str]] = ()) -> Doc | None:
            self.tick()
            self.point()
            self.asked.append(f"{service}{path}")
            kind = self._fault(f"GET {service}{path}")
            if kind == "crash_before":
                raise Crash
            if kind:
                raise refuse(int(kind), "not now")
            self.query = dict(query)
            found = self._find(service, "GET", path, "")
            answer = found[0](*found[1])
            return None if answer is None else copy.deepcopy(answer)

        return get

    def perform(self, actor: Actor, call: Call) -> Answer:
        assert actor.job, "only a job changes anything"
        assert call.cloud == CLOUD and call.region == REGION and call.project_id
        key = next(iter(call.body or {}), "")
        what = f"{call.method} {call.service}{call.path} {key}".strip()
        self.changes += 1
        self.point()
        kind = self._fault(what)
        if kind == "crash_before":
            raise Crash
        if kind == "timeout":
            raise NotDone("no answer; nobody knows whether it was done", uncertain=True)
        if kind in ("429", "503"):
            raise NotDone(f"the cloud says {kind}", status=int(kind), retry_after=0.01)
        if kind.isdigit():
            raise refuse(int(kind), "not now")
        act, arguments = self._find(call.service, call.method, call.path, key)
        self.call = call
        status, document = act(*arguments, *([copy.deepcopy(call.body[key]) or {}] if key else []))  # type: ignore[index]
        self.sent.append(what)
        self.calls.append(call)
        self.point()
        if kind == "crash_after":
            raise Crash
        if kind == "lost":
            raise NotDone("no answer; nobody knows whether it was done", uncertain=True)
        if kind == "500_done":
            raise NotDone("the cloud says 500", status=500)
        return Answer(status, (f"req-{len(self.sent)}",), copy.deepcopy(document or {}))

    def hold_role(self, actor: Actor, call: Call) -> None:
        self.held = call.project_id

    def user_id(self, cloud: str, project_id: str) -> str:
        return "engine-user"

    def _find(self, service: str, method: str, path: str, key: str) -> tuple[Any, tuple[str, ...]]:
        for known, verb, pattern, wanted, act in self._routes:
            found = pattern.fullmatch(path) if (known, verb) == (service, method) else None
            if found and wanted in ("", key):
                return act, found.groups()
        raise AssertionError(f"the simulated cloud does not know {method} {service} {path} {key}")
