"""What drives restores of many machines: each look begins the machines whose turn it is, within order and limits.

The plan that a turn carries out is on disk before its job is begun, and a job has its plan's id: so it does not matter
where the engine ends. A turn whose job is there was taken; one whose job is not there is taken again, with that plan.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from engine.access.models import Caller
from engine.api.errors import ApiError, Conflict, Forbidden
from engine.clouds.errors import CloudError
from engine.gate.refusals import Refused
from engine.jobs.looking import Looking
from engine.restore import rules as restore_rules
from engine.restore.bulk import rules
from engine.restore.bulk.models import Standing
from engine.restore.bulk.records import ENDED, PAUSED, RUNNING, BulkRecords, Member, caller_of, limits_of
from engine.restore.kept import request_of
from engine.restore.plans import PLANNED
from store import times
from store.estate.errors import EstateError
from store.ops.errors import OpsError

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.restore.models import Plan
    from engine.restore.plans import Plans
    from engine.restore.service import RestoreService
    from engine.restore.sources import Jobs, Windows
    from store.ops.ops import Ops

LOOK_SECONDS = 2.0  # between two looks while something is open and nobody wakes it
AT_ONCE = 8  # turns that are taken side by side
PATIENCE = 10  # tries of a turn that the cloud or the engine does not let through
_WAIT, _LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=2)
# Refusals that hold for all machines alike: nobody is skipped for them.
_FOR_ALL = ("read_only", "reason", "ticket", "typed")
_PASSING = ("cloud", "jobs")

_log = structlog.get_logger("qdeck.restore")


class _Pause(Exception):
    """No machine can begin just now; one sentence."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    tries: int
    until: datetime
    sentence: str


class Driver:
    """See the module. Thread-safe; looks do not overlap."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        records: BulkRecords,
        plans: Plans,
        restores: RestoreService,
        jobs: Jobs,
        windows: Windows,
        changed: Callable[[str], None],
        clock: Callable[[], datetime] = times.utcnow,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """`changed(id)`: one moved."""
        self._ops, self._audit, self._records, self._plans = ops, audit, records, plans
        self._restores, self._jobs, self._windows = restores, jobs, windows
        self._changed, self._clock, self._seconds = changed, clock, look_seconds
        self._troubles: dict[tuple[str, int], _Trouble] = {}
        self._asked: set[str] = set()  # jobs whose end was asked for
        self._one = threading.Lock()  # look at a time
        self._looking = Looking("restore-many", self._again)
        self._pool: ThreadPoolExecutor | None = None

    # By itself

    def begin(self) -> None:
        """Start to look."""
        self._looking.begin()

    def close(self) -> None:
        """End it; turns that are being taken are waited for a little."""
        self._looking.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def wake(self) -> None:
        """Look now: something was asked for, or ended."""
        self._looking.wake()

    def trouble(self, bulk_id: str, seq: int) -> str:
        """Why the turn of a machine is being tried again; "" when it is not."""
        found = self._troubles.get((bulk_id, seq))
        return "" if found is None else found.sentence

    def _again(self) -> float | None:
        try:
            moved, open = self.tick(self._clock())
        except OpsError as error:
            _log.warning("restores of many machines could not go on", reason=str(error))
            moved, open = False, True
        except Exception:
            if not self._looking.ending:
                _log.exception("restores of many machines could not go on")
            moved, open = False, True
        return 0.0 if moved else self._seconds if open else None

    def tick(self, now: datetime) -> tuple[bool, bool]:
        """(something moved, something is open): one look at all of them, on this thread."""
        with self._one:
            rows = self._records.open()
            members = {row["id"]: self._records.members(row["id"]) for row in rows}
            moved = False
            for row in rows:
                elsewhere = [
                    one.standing()
                    for id, others in members.items()
                    for one in others
                    if id != row["id"] and one.state == "RUNNING"
                ]
                if self._look(row, members[row["id"]], elsewhere, now):
                    members[row["id"]], moved = self._records.members(row["id"]), True
            return moved, bool(rows)

    # One of them

    def _look(
        self, row: Mapping[str, Any], members: Sequence[Member], elsewhere: Sequence[Standing], now: datetime
    ) -> bool:
        if row["cancelled_by"]:
            return self._cancelling(row, members)
        resting = {seq for (id, seq), one in self._troubles.items() if id == row["id"] and now < one.until}
        standings = [member.standing(member.row["seq"] in resting) for member in members]
        decision = rules.decide(
            standings, limits_of(row), elsewhere=elsewhere, passed=row["passed"], forgiven=row["forgiven"]
        )
        if decision.over:
            return self._over(row, members)
        if row["phase"] == PAUSED:
            return False
        if decision.pause:
            return self._pause(row, decision.pause)
        chosen = [member for member in members if member.row["seq"] in decision.begin]
        return self._take_turns(row, chosen, now)

    def _take_turns(self, row: Mapping[str, Any], chosen: Sequence[Member], now: datetime) -> bool:
        if not chosen or self._looking.ending:
            return False
        if self._pool is None:
            self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="restore-turn")
        outcomes = list(self._pool.map(lambda member: self._turn(row, member, now), chosen))
        pauses = [one for one in outcomes if isinstance(one, str)]
        if pauses:
            self._pause(row, pauses[0])
        self._changed(row["id"])
        return bool(pauses) or any(one is True for one in outcomes)

    def _turn(self, row: Mapping[str, Any], member: Member, now: datetime) -> bool | str:
        """Begin one machine, or skip it: True. False when it is tried again later; a sentence when all have to wait."""
        id, seq = row["id"], member.row["seq"]
        fresh = self._records.row(id)
        if self._looking.ending or fresh is None or fresh["phase"] != RUNNING or fresh["cancelled_by"]:
            return False
        try:
            self._begin(fresh, member)
        except _Pause as pause:
            return str(pause)
        except (Forbidden, Conflict) as error:
            return error.detail
        except (ApiError, CloudError, EstateError, OpsError) as error:
            return self._stumbled(row, member, now, error)
        self._troubles.pop((id, seq), None)
        return True

    def _stumbled(self, row: Mapping[str, Any], member: Member, now: datetime, error: Exception) -> bool | str:
        sentence, code = str(getattr(error, "detail", None) or error), getattr(error, "code", "")
        key = (row["id"], member.row["seq"])
        if code in _FOR_ALL:
            return sentence
        if isinstance(error, Refused) and code not in _PASSING:
            return self._skip(row, member, sentence)
        if isinstance(error, ApiError) and error.status < 500 and code not in _PASSING:
            return self._skip(row, member, sentence)
        tries = self._troubles[key].tries + 1 if key in self._troubles else 1
        if tries >= PATIENCE and not isinstance(error, OpsError):
            return self._skip(row, member, f"tried {tries} times: {sentence}")
        wait = min(_LONGEST_WAIT, _WAIT * 2 ** min(tries - 1, 8))
        self._troubles[key] = _Trouble(tries, now + wait, f"could not begin, tried again: {sentence}")
        _log.warning(
            "a machine of many could not begin", bulk=row["id"], server=member.row["server_id"], reason=sentence
        )
        return False

    def _skip(self, row: Mapping[str, Any], member: Member, sentence: str) -> bool:
        self._troubles.pop((row["id"], member.row["seq"]), None)
        self._records.settle(row["id"], member.row["seq"], "SKIPPED", sentence)
        return True

    # A turn

    def _begin(self, row: Mapping[str, Any], member: Member) -> None:
        """Carry out the plan of a machine's turn, made anew where it is too old or the cloud has changed."""
        caller, turn = caller_of(row), str(member.row["turn_id"])
        if self._jobs.exists(turn):
            return
        cloud = member.row["cloud"]
        if not self._restores.section(cloud).enabled or self._restores.section(cloud).dry_run:
            raise _Pause(f"restores are switched off in {cloud}, or only planned (restore.enabled, restore.dry_run)")
        known = self._plans.row(turn)
        anew = known is None or (known["status"] == PLANNED and self._clock() >= known["expires_at"])
        if anew:
            turn = self._anew(caller, row, member)
        try:
            self._execute(caller, row, turn)
        except Refused as refused:
            if refused.code not in ("changed", "expired") or anew:
                raise
            self._execute(caller, row, self._anew(caller, row, member))

    def _anew(self, caller: Caller, row: Mapping[str, Any], member: Member) -> str:
        """The id of a plan that was made this moment, from the same points. Raises Refused when it is another plan
        than was agreed to."""
        content = member.row["content"]
        made = self._restores.make(caller, request_of(content["request"]), bulk_id=row["id"])
        if not made.eligible:
            raise Refused("refused", "; ".join(made.problems[:3]) or "this restore is not possible any more")
        if problem := rules.changed(content["shape"], rules.shape(made)):
            raise Refused("changed", problem)
        self._records.turn(row["id"], member.row["seq"], made.id)
        return made.id

    def _execute(self, caller: Caller, row: Mapping[str, Any], plan_id: str) -> None:
        # What a person had to type was typed once for all of them.
        found = self._restores.row(caller, plan_id)
        plan: Plan = self._restores.plan_in(found)
        typed = restore_rules.phrase(plan, self._windows.rules(found["cloud"])) or ""
        try:
            self._restores.execute(caller, plan_id, row["reason"], row["ticket"], typed)
        except Refused as refused:
            if not (refused.code == "executed" and self._jobs.exists(plan_id)):
                raise

    # Ends

    def _cancelling(self, row: Mapping[str, Any], members: Sequence[Member]) -> bool:
        for member in members:
            if member.state == "WAITING":
                self._records.settle(row["id"], member.row["seq"], "NOT_BEGUN", f"cancelled by {row['cancelled_by']}")
        running = [member.job["id"] for member in members if member.state == "RUNNING" and member.job is not None]
        if row["cancel_running"]:
            for job in running:
                self._end_job(row, job)
        if running:
            return any(member.state == "WAITING" for member in members)
        return self._over(row, self._records.members(row["id"]))

    def _end_job(self, row: Mapping[str, Any], job_id: str) -> None:
        if job_id in self._asked:
            return
        self._asked.add(job_id)
        try:
            self._restores.cancel(caller_of(row), job_id, f"all of it was cancelled by {row['cancelled_by']}")
        except ApiError as error:  # it is past that, or ended this moment: it goes on to its end
            _log.info("a restore of many is not cancelled", job=job_id, reason=error.detail)

    def _pause(self, row: Mapping[str, Any], why: str) -> bool:
        def act(connection: Any) -> bool:
            paused = self._records.change(connection, row["id"], (RUNNING,), phase=PAUSED, paused_why=why[:2000])
            if paused:
                detail = {"bulk": row["id"], "why": why[:400]}
                self._audit.record(caller_of(row), "restore.bulk_pause", _named(row), detail, "failed", connection)
            return paused

        paused = bool(self._ops.finish(act))
        self._changed(row["id"])
        return paused

    def _over(self, row: Mapping[str, Any], members: Sequence[Member]) -> bool:
        states = [member.state for member in members]
        status, said = rules.outcome(states, bool(row["cancelled_by"]))
        values = {"phase": ENDED, "outcome": status, "detail": said, "ended_at": self._clock()}

        def act(connection: Any) -> None:
            if self._records.change(connection, row["id"], (RUNNING, PAUSED), **values):
                detail = {"bulk": row["id"], "status": status, **rules.counts(states), "result": said}
                outcome = "ok" if status == "SUCCEEDED" else "failed"
                self._audit.record(caller_of(row), "restore.bulk_end", _named(row), detail, outcome, connection)

        self._ops.finish(act)
        self._asked -= {str(member.row["turn_id"]) for member in members}
        for key in [key for key in self._troubles if key[0] == row["id"]]:
            self._troubles.pop(key, None)
        self._changed(row["id"])
        return True


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['way']} of many machines {row['id']}"
