"""The list of problems: found anew whenever the store changed, with what people and time add to each.

One thread looks; who asks gets what it found, or makes it look when the store has changed since.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import delete, insert, select, update

from engine.access import rules as permissions
from engine.access.models import Caller
from engine.api.errors import ApiError, BadRequest, NotFound
from engine.audit.service import AuditService
from engine.dashboard import problems_own, problems_rules
from engine.dashboard.problems_own import Own
from engine.dashboard.problems_rules import Problem
from store import times
from store.estate.errors import EstateError
from store.estate.reading.problems import Facts
from store.ops.dashboard_tables import problems as table
from store.ops.errors import OpsError
from store.ops.ops import Ops
from store.types import registry

RETURNS = timedelta(hours=1)  # within it a problem that comes back is the same one, with its owner
KEPT = timedelta(days=30)
LONGEST_MUTE = timedelta(days=30)
TICK_SECONDS = 2.0
AGAIN_SECONDS = 30.0  # what depends on the time alone is judged so often
CONSOLE = "console"  # stands for the cloud in the note key of what concerns none

Provider = Callable[[datetime], Iterable[Problem]]
_log = structlog.get_logger("qdeck.problems")


class Notes(Protocol):
    """What is asked of the notes."""

    def page(self, caller: Caller, *, kind: str, limit: int) -> tuple[int, list[dict[str, Any]]]:
        """(total, notes newest first)."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the facts come from. version: moves when `facts` would answer something else; own: the console's faults."""

    version: Callable[[], int]
    facts: Callable[[], Facts]
    own: Callable[[], Own] = Own


@dataclass(slots=True)
class _Found:
    """What the last look found. `missed`: sentences about what could not be judged."""

    problems: list[Problem] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    at: datetime | None = None
    looked: float = float("-inf")
    version: int = -1


class ProblemService:
    """See the module. Thread-safe."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        sources: Sources,
        notes: Notes,
        changed: Callable[[], Any] = lambda: None,
        *,
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        self._ops, self._audit, self._sources, self._notes = ops, audit, sources, notes
        self._changed, self._clock = changed, clock
        self._providers: dict[str, Provider] = {}
        self._looking = threading.Lock()
        self._found = _Found()
        self._facts: tuple[int, Facts] | None = None
        self._known: dict[str, dict[str, Any]] | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def register(self, name: str, provider: Provider) -> None:
        """Have `provider(now)` add problems of another room. Raises ValueError for a name that is taken."""
        if name in self._providers:
            raise ValueError(f"problems of {name} are given already")
        self._providers[name] = provider

    def begin(self) -> None:
        """Look by itself from now on."""
        self._thread = threading.Thread(target=self._run, name="problems", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    # --- finding ---

    def look(self, *, again: bool = True) -> _Found:
        """Judge everything now; with `again` false only when the store has changed, or it was long ago."""
        with self._looking:
            version = self._sources.version()
            old = self._found
            if not again and old.version == version and time.monotonic() - old.looked < AGAIN_SECONDS:
                return old
            now = self._clock()
            found = _Found(at=now, looked=time.monotonic(), version=version)
            self._gather(found, version, now)
            found.problems.sort(key=problems_rules.order)
            try:
                moved = self._keep(found.problems, now, whole=not found.missed)
            except OpsError as error:
                found.missed.append(str(error))
                moved = False
            self._found = found
        if moved or old.missed != found.missed or _shown(old.problems) != _shown(found.problems):
            self._changed()
        return found

    def _gather(self, found: _Found, version: int, now: datetime) -> None:
        """Fill in problems; a source that fails is told and takes nothing else with it."""
        sources: dict[str, Callable[[], Iterable[Problem]]] = {
            "the store": lambda: problems_rules.judge(self._read(version), now),
            "the console": lambda: problems_own.judge(self._sources.own(), now),
            **{name: lambda provider=provider: provider(now) for name, provider in self._providers.items()},  # type: ignore[misc]
        }
        for name, source in sources.items():
            try:
                found.problems += source()
            except (EstateError, OpsError, ApiError) as error:
                found.missed.append(f"{name} could not be judged: {error}")
            except Exception:
                _log.exception("a source of problems failed", source=name)
                found.missed.append(f"{name} could not be judged; the engine's log says why")

    def _read(self, version: int) -> Facts:
        if self._facts is None or self._facts[0] != version:
            self._facts = (version, self._sources.facts())
        return self._facts[1]

    def _keep(self, problems: Sequence[Problem], now: datetime, whole: bool) -> bool:
        """Note which began and which are over; answers whether any did. What was not judged does not end."""
        known = self._rows()
        present = {problem.id: problem for problem in problems}
        begun = [p for p in present.values() if (row := known.get(p.id)) is None or row["gone_at"] is not None]
        risen = [p for p in present.values() if p.id in known and known[p.id]["severity"] != p.severity]
        ended = [id for id, row in known.items() if row["gone_at"] is None and id not in present] if whole else []
        old = [id for id, row in known.items() if row["gone_at"] is not None and now - row["gone_at"] > KEPT]
        if not (begun or risen or ended or old):
            return False
        with self._ops.begin() as connection:
            for problem in begun:
                row = _row(problem, known.get(problem.id), now)
                if problem.id in known:
                    connection.execute(update(table).where(table.c.id == problem.id).values(row))
                else:
                    connection.execute(insert(table).values(row))
            for problem in risen:
                values = {"severity": problem.severity, "title": problem.title}
                connection.execute(update(table).where(table.c.id == problem.id).values(values))
            for id in ended:
                connection.execute(update(table).where(table.c.id == id).values(gone_at=now))
            for id in old:
                connection.execute(delete(table).where(table.c.id == id))
        self._known = None
        return True

    def _rows(self) -> dict[str, dict[str, Any]]:
        if self._known is None:
            with self._ops.read() as connection:
                self._known = {row["id"]: dict(row) for row in connection.execute(select(table)).mappings()}
        return self._known

    def _run(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            try:
                self.look(again=False)
            except Exception:
                # A list that silently grows old would say that all is well.
                _log.exception("looking for problems failed")

    # --- asking ---

    def page(
        self,
        caller: Caller,
        *,
        severity: str | None = None,
        cloud: str | None = None,
        muted: bool = True,
        limit: int = 500,
    ) -> dict[str, Any]:
        """The answer of GET /q/problems: what the caller may see, worst first, muted ones last."""
        found = self.look(again=False)
        now = self._clock()
        rows = self._rows()
        said = self._said(caller)
        items = [
            _told(problem, rows.get(problem.id, {}), said, caller, now)
            for problem in found.problems
            if visible(caller, problem) and cloud in (None, problem.cloud)
        ]
        loud = [item for item in items if item["muted_until"] is None]
        quiet = [item for item in items if item["muted_until"] is not None]
        counts = {name: sum(item["severity"] == name for item in loud) for name in problems_rules.RANK}
        listed = [item for item in (*loud, *(quiet if muted else ())) if severity in (None, item["severity"])]
        return {
            "total": len(listed),
            "counts": {**counts, "muted": len(quiet)},
            "items": listed[:limit],
            "at": found.at,
            "problems": list(found.missed),
        }

    def _said(self, caller: Caller) -> Mapping[str, Mapping[str, Any]]:
        """The newest note on each problem."""
        newest: dict[str, Mapping[str, Any]] = {}
        for note in self._notes.page(caller, kind="problem", limit=1000)[1]:
            newest.setdefault(note["subject"]["key"][-1], note)
        return newest

    # --- what people add ---

    def take(self, caller: Caller, id: str) -> dict[str, Any]:
        """The caller has it from now on. Raises NotFound."""
        values = {"owner": caller.owner, "owner_name": caller.name[:255], "taken_at": self._clock()}
        return self._change(caller, id, "problem.take", values)

    def give_up(self, caller: Caller, id: str) -> dict[str, Any]:
        """Nobody has it any more; anybody may say so of anybody: shifts end. Raises NotFound."""
        return self._change(caller, id, "problem.release", {"owner": None, "owner_name": None, "taken_at": None})

    def mute(self, caller: Caller, id: str, until: datetime, reason: str = "") -> dict[str, Any]:
        """Quiet until then: no bell, no line, not counted. Raises NotFound, BadRequest."""
        now = self._clock()
        if not now < until <= now + LONGEST_MUTE:
            raise BadRequest(f"Invalid parameter: until must lie ahead, {LONGEST_MUTE.days} days at most")
        values = {"muted_until": until, "muted_by": caller.name[:255], "mute_reason": reason.strip()}
        return self._change(caller, id, "problem.mute", values)

    def unmute(self, caller: Caller, id: str) -> dict[str, Any]:
        """No longer quiet. Raises NotFound."""
        values = {"muted_until": None, "muted_by": None, "mute_reason": None}
        return self._change(caller, id, "problem.unmute", values)

    def _change(self, caller: Caller, id: str, action: str, values: dict[str, Any]) -> dict[str, Any]:
        found = self.look(again=False)
        problem = next((one for one in found.problems if one.id == id and visible(caller, one)), None)
        if problem is None:
            raise NotFound("there is no such problem now; it may be over")
        detail = {"problem": id, "cloud": problem.cloud}
        if values.get("muted_until"):
            detail |= {"until": times.text(values["muted_until"]), "reason": values["mute_reason"]}
        with self._looking:
            with self._ops.begin() as connection:
                if not connection.execute(update(table).where(table.c.id == id).values(values)).rowcount:
                    row = {**_row(problem, None, self._clock()), **values}
                    connection.execute(insert(table).values(row))
                self._audit.record(caller, action, problem.title, detail, connection=connection)
            self._known = None
        self._changed()
        return _told(problem, self._rows()[id], self._said(caller), caller, self._clock())


def visible(caller: Caller, problem: Problem) -> bool:
    """Whether the caller's role covers it: his clouds, and where it is limited to projects or domains only theirs."""
    if caller.clouds is not None and problem.cloud not in caller.clouds:
        return False
    if caller.projects is not None and problem.project_id not in caller.projects:
        return False
    if caller.domains is not None and problem.domain_id not in caller.domains:
        return False
    if caller.limited and problem.opens and problem.opens.startswith("job:"):
        return False  # jobs are their owners'
    if problem.type is None:
        return True
    resource = permissions.resource_of_type(registry.ALL[problem.type].plural)
    return permissions.allows(caller.role, f"{resource}:read")


def _row(problem: Problem, before: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
    """The row of a problem that begins. One that was over only for a moment goes on; a mute holds until its end."""
    goes_on = before is not None and before["gone_at"] is not None and now - before["gone_at"] <= RETURNS
    kept: dict[str, Any] = dict.fromkeys(("owner", "owner_name", "taken_at"))
    if before is not None:
        kept = {name: before[name] if goes_on else None for name in kept}
    return {
        "id": problem.id,
        "rule": problem.rule,
        "severity": problem.severity,
        "cloud": problem.cloud,
        "title": problem.title,
        "first_seen": before["first_seen"] if before is not None and goes_on else now,
        "gone_at": None,
        **kept,
    }


def _shown(problems: Sequence[Problem]) -> list[tuple[Any, ...]]:
    return [(one.id, one.severity, one.title, one.detail) for one in problems]


def _told(
    problem: Problem,
    row: Mapping[str, Any],
    said: Mapping[str, Mapping[str, Any]],
    caller: Caller,
    now: datetime,
) -> dict[str, Any]:
    """A ProblemAnswer."""
    names = ("id", "rule", "severity", "title", "detail", "cloud", "region", "type", "filter", "opens", "project_id",
             "project_name", "since", "since_exact", "count", "machines")  # fmt: skip
    muted = row.get("muted_until") is not None and row["muted_until"] > now
    note = said.get(problem.id, {})
    begun = problem.since or row.get("first_seen")
    return {
        **{name: getattr(problem, name) for name in names},
        "key": list(problem.key) if problem.key else None,
        "first_seen": row.get("first_seen"),
        "age_seconds": max(0.0, (now - begun).total_seconds()) if begun else None,
        "owner": row.get("owner_name"),
        "mine": row.get("owner") == caller.owner,
        "taken_at": row.get("taken_at"),
        "note": note.get("text"),
        "note_by": note.get("created_by"),
        "note_key": [problem.cloud or CONSOLE, problem.id],
        "muted_until": row["muted_until"] if muted else None,
        "muted_by": row["muted_by"] if muted else None,
        "mute_reason": row["mute_reason"] if muted else None,
    }
