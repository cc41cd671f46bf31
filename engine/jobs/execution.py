"""One job while it runs: a thin loop over the plan in the journal. Called by the workflow, again after every crash."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection

from engine.access.models import Caller
from engine.audit.service import AuditService
from engine.jobs import journal, rules
from engine.jobs.durable import Durable, Leave
from engine.jobs.models import OPEN, Interrupted, Step, StepContext, StepResult, StepRunner
from store import times
from store.ops.errors import OpsError
from store.ops.ops import Ops

LEAVE_SECONDS = 8.0  # that running steps have to end when the engine stops
PROBE_SECONDS = 1.0  # between two looks whether the journal can be written again

_log = structlog.get_logger("qdeck.jobs")


@dataclass(slots=True)
class Signals:
    """What the service tells a running job, and is told by it.

    trouble   the sentence while it waits for storage
    progress  {seq: what the running step does just now}
    """

    stopping: threading.Event
    cancelled: threading.Event
    publish: Callable[[str], None]
    trouble: str | None = None
    progress: dict[int, str] = field(default_factory=dict)


class Execution:
    """Performs what is left of one job's plan."""

    def __init__(
        self,
        ops: Ops,
        audit: AuditService,
        durable: Durable,
        job_id: str,
        runner: StepRunner,
        signals: Signals,
        *,
        only_back: bool = False,
    ) -> None:
        """`only_back`: the job is taken back, and nothing else of it is begun, not even again what was interrupted."""
        self._ops, self._audit, self._durable = ops, audit, durable
        self._id, self._runner, self._signals = job_id, runner, signals
        self._only_back = only_back
        self._answers: queue.SimpleQueue[tuple[int, StepResult | BaseException]] = queue.SimpleQueue()
        self._busy: set[int] = set()
        with ops.read() as connection:
            row = journal.job(connection, job_id)
            assert row is not None
            self._job = row
            stored = journal.steps(connection, job_id)
        self._caller = caller_of(self._job["caller"])
        self._steps = {row["seq"]: step_of(row) for row in stored}
        self._states = {row["seq"]: row["state"] for row in stored}
        self._results = {row["seq"]: _result_of(row) for row in stored if row["state"] == "done"}
        self._failed = sum(self._states[seq] == "failed" for seq in self._phase("do"))
        if row["cancel_asked_at"] is not None:
            signals.cancelled.set()

    def run(self) -> None:
        """Until every step ended. Raises Leave when the engine stops first; the job is resumed at the next start."""
        if self._job["state"] in OPEN:
            self._through_trouble(self._mark_running)
            size = rules.parallel(self._job["options"])
            pool = ThreadPoolExecutor(size, thread_name_prefix=f"job-{self._job['number']}")
            try:
                if self._only_back:
                    self._cut()
                self._loop(pool)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
            self._through_trouble(self._end)
            self._signals.publish(self._id)

    def _loop(self, pool: ThreadPoolExecutor) -> None:
        while True:
            if self._signals.stopping.is_set():
                self._leave()
            if self._signals.trouble is None:
                self._begin_steps(pool)
            if not self._busy:
                if self._signals.trouble is None:
                    return
                self._await_storage()
                continue
            try:
                self._take(*self._answers.get(timeout=0.5))
            except queue.Empty:
                if self._signals.trouble is not None:
                    self._look_for_storage()

    def _cut(self) -> None:
        """What was interrupted stays so: the steps that take back look for themselves how far it came."""
        for seq in self._phase("do"):
            if self._states[seq] == "running":
                self._take(seq, StepResult(False, journal.CUT))

    def _begin_steps(self, pool: ThreadPoolExecutor) -> None:
        # What was begun before a crash may have reached the cloud: that is ended, also when nothing else begins.
        ending, options = self._ending(), self._job["options"]
        steps = self._left("do", ("running",) if ending else ("pending", "running"))
        busy = len(self._busy)
        if self._committed():
            room = rules.parallel(options) - busy
        else:
            room = rules.parallel(options) - busy if ending else rules.room(options, self._failed, busy)
        if not steps and not busy and self._takes_back():
            # One after another, and each of them whatever became of the one before.
            steps, room = self._left("undo", ("pending", "running")), 1
        for seq in rules.next_steps(steps, frozenset(self._busy), room):
            self._busy.add(seq)
            pool.submit(self._attempt, seq)

    def _ending(self) -> bool:
        """Whether nothing is begun that was not begun before."""
        if self._committed():
            return False
        return self._signals.cancelled.is_set() or rules.stops(self._job["options"], self._failed)

    def _committed(self) -> bool:
        names = ((self._steps[seq].name, self._states[seq]) for seq in self._phase("do"))
        return rules.committed(self._job["plan"], names)

    def _takes_back(self) -> bool:
        """Whether the job did something, and did not get so far that it holds."""
        states = [self._states[seq] for seq in self._phase("do")]
        over = all(state == "done" for state in states)
        return not over and not self._committed() and any(state != "pending" for state in states)

    def _phase(self, phase: str) -> list[int]:
        return [seq for seq, step in self._steps.items() if step.phase == phase]

    def _left(self, phase: str, states: tuple[str, ...]) -> list[tuple[int, int, str]]:
        left = [(seq, self._steps[seq].group, self._states[seq]) for seq in self._phase(phase)]
        return [one for one in left if one[2] in states]

    def _take(self, seq: int, answer: StepResult | BaseException) -> None:
        """A step answered: write it down, or see why it could not."""
        if isinstance(answer, OpsError):
            # Nothing was called without its record; what may have been is found by its token.
            # The answers of the others are still taken: they may be written with the reserve.
            self._busy.discard(seq)
            self._stall(answer)
        elif isinstance(answer, Interrupted):
            self._busy.discard(seq)
        elif isinstance(answer, StepResult):
            self._through_trouble(lambda: self._write_result(seq, answer))
            self._busy.discard(seq)
            self._states[seq] = "done" if answer.ok else "failed"
            self._signals.progress.pop(seq, None)
            self._failed += not answer.ok and self._steps[seq].phase == "do"
            if answer.ok:
                self._results[seq] = answer
            self._signals.publish(self._id)
        else:
            raise answer

    def _attempt(self, seq: int) -> None:
        """In a thread of the pool: intent first, then the step."""
        try:
            if self._signals.stopping.is_set():
                raise Interrupted
            with self._ops.begin() as connection:
                attempt, token = journal.begin_attempt(connection, self._id, seq, times.utcnow())
            self._states[seq] = "running"
            self._signals.publish(self._id)
            self._answers.put((seq, self._perform(self._steps[seq], self._context(seq, attempt, token))))
        except BaseException as error:
            self._answers.put((seq, error))

    def _perform(self, step: Step, context: StepContext) -> StepResult:
        try:
            return self._runner.run_step(step, context)
        except (OpsError, Interrupted):
            raise
        except Exception as error:
            foreseen = getattr(error, "detail", None)  # of the API's errors, the gate's among them
            sentence = str(foreseen or error) or type(error).__name__
            trace = None if foreseen else error
            _log.warning("a step failed", job=self._job["number"], step=step.seq, error=sentence, exc_info=trace)
            return StepResult(False, sentence)

    def _context(self, seq: int, attempt: int, token: str) -> StepContext:
        job, signals = self._job, self._signals

        def progress(text: str) -> None:
            if signals.progress.get(seq) != text:
                signals.progress[seq] = text
                signals.publish(self._id)

        return StepContext(
            job_id=self._id,
            number=job["number"],
            attempt=attempt,
            token=token,
            count=len(self._steps),
            caller=self._caller,
            reason=job["reason"],
            ticket=job["ticket"],
            plan=job["plan"],
            options=job["options"],
            results=self._results.get,
            stopping=signals.stopping.is_set,
            cancelled=signals.cancelled.is_set,
            sleep=signals.stopping.wait,
            begun=lambda one: self._states.get(one, "pending") != "pending",
            progress=progress,
        )

    def _mark_running(self) -> None:
        with self._ops.begin() as connection:
            journal.set_state(connection, self._id, "running", None, times.utcnow())
        self._signals.publish(self._id)

    def _write_result(self, seq: int, result: StepResult) -> None:
        def there() -> bool:
            with self._ops.read() as connection:
                return journal.step_ended(connection, self._id, seq)

        def act(connection: Connection) -> int:
            journal.end_step(connection, self._id, seq, result, times.utcnow())
            return seq

        self._durable.write(self._id, act, there)

    def _end(self) -> None:
        def there() -> bool:
            with self._ops.read() as connection:
                row = journal.job(connection, self._id)
                return row is not None and row["state"] not in OPEN

        self._durable.write(self._id, lambda connection: end(connection, self._audit, self._job, self._caller), there)

    def _through_trouble(self, act: Callable[[], None]) -> None:
        """Do it, and again after every storage error once the storage can be written."""
        while True:
            try:
                return act()
            except OpsError as error:
                self._wait_for_storage(error)

    def _wait_for_storage(self, error: OpsError) -> None:
        """Do nothing until the journal can be written again. Raises Leave when the engine stops meanwhile."""
        self._stall(error)
        self._await_storage()

    def _stall(self, error: OpsError) -> None:
        """Begin nothing more until the journal can be written again."""
        if self._signals.trouble is None:
            _log.error("a job waits for storage", job=self._job["number"], error=str(error))
        self._signals.trouble = _waits(error)
        self._signals.publish(self._id)

    def _await_storage(self) -> None:
        while not self._signals.stopping.wait(PROBE_SECONDS):
            if self._look_for_storage():
                return
        raise Leave

    def _look_for_storage(self) -> bool:
        """Whether the journal can be written, the space for records is whole again, and the job goes on."""
        try:
            with self._ops.begin() as connection:
                journal.set_state(connection, self._id, "running", None, times.utcnow())
        except OpsError as error:
            self._signals.trouble = _waits(error)
            return False
        self._signals.trouble = None
        self._signals.publish(self._id)
        return True

    def _leave(self) -> None:
        """The engine stops: write down what still ends in time, then leave the rest to the next start."""
        deadline = time.monotonic() + LEAVE_SECONDS
        while self._busy and (left := deadline - time.monotonic()) > 0:
            try:
                self._take(*self._answers.get(timeout=left))
            except queue.Empty:
                break
        raise Leave


def end(connection: Connection, audit: AuditService, job: Mapping[str, Any], caller: Caller) -> str:
    """Write how a job ended, with its audit record, in the transaction of `connection`."""
    ended = journal.end_job(connection, job["id"], times.utcnow())
    if ended is not None:
        state, sentence = ended
        detail = {"job": job["id"], "kind": job["kind"], "state": state, "result": sentence}
        outcome = "ok" if state == "done" else "failed"
        audit.record(caller, "job.end", f"job {job['number']}: {job['title']}", detail, outcome, connection)
    return "ended"


def caller_of(stored: Mapping[str, Any]) -> Caller:
    """Who submitted a job, from the journal."""
    lists = {
        name: None if stored.get(name) is None else tuple(stored[name]) for name in ("clouds", "domains", "projects")
    }
    return Caller(**{**stored, **lists})


def step_of(row: Mapping[str, Any]) -> Step:
    """A step as its runner sees it, from the journal."""
    key = None if row["key"] is None else tuple(row["key"])
    return Step(row["seq"], row["name"], key, row["target"] or "", row["args"], row["group"], row["phase"])


def _waits(error: OpsError) -> str:
    return f"waits before its next change: {error}"


def _result_of(row: Mapping[str, Any]) -> StepResult:
    return StepResult(
        row["state"] == "done", row["detail"] or "", tuple(row["request_ids"]), row["created"] or "", row["result"]
    )
