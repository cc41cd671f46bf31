"""The jobs: submitted with a plan, run durably, watched, cancelled and begun again for what failed.

The plan is stored before anything starts; what runs it is in `execution.py`, and what brings it back after a crash in
`durable.py`. The durable part is launched with the first open job, not with the engine, whose start stays as fast.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NoReturn

import structlog
from sqlalchemy import Connection

from engine.access.models import Caller
from engine.api.changes import ChangeFeed
from engine.api.errors import BadRequest, Conflict, NotFound, Unavailable
from engine.audit.service import AuditService
from engine.jobs import journal, rules, views
from engine.jobs.durable import APPLICATION_VERSION, Durable, Leave
from engine.jobs.execution import LEAVE_SECONDS, Execution, Signals, end, step_of
from engine.jobs.models import OPEN, StepRunner, TakesBack
from store import times
from store.ids import uuid7
from store.ops.errors import OpsError
from store.ops.jobs_tables import jobs
from store.ops.ops import Ops

RESUMED = ("PENDING", "ENQUEUED")  # states of a workflow that is run at the next launch
PICK_UP_SECONDS = 15.0  # after which an open job that nobody runs is an error

_log = structlog.get_logger("qdeck.jobs")


class JobService:
    """Jobs of one engine. Thread-safe."""

    def __init__(self, ops: Ops, audit: AuditService, feed: ChangeFeed) -> None:
        self._ops, self._audit, self._feed = ops, audit, feed
        self._runners: dict[str, StepRunner] = {}
        self._durable = Durable(ops.path, self._run, ops.relieve)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._signals: dict[str, Signals] = {}  # of the jobs that run in this process
        self._problems: dict[str, str] = {}  # open jobs that don't run, and why
        self._launched_at: float | None = None
        self._launcher: threading.Thread | None = None

    def register(self, kind: str, runner: StepRunner) -> None:
        """Say who performs the steps of jobs of this kind; before `begin`."""
        self._runners[kind] = runner

    def begin(self) -> None:
        """Take up the jobs of an earlier life, in the background; nothing is launched when none is open."""
        self._launcher = threading.Thread(target=self._take_up, name="jobs-launch", daemon=True)
        self._launcher.start()

    def close(self) -> None:
        """Begin no further step, give those that run a few seconds, and leave the rest to the next start."""
        self._stopping.set()
        if self._launcher is not None:
            self._launcher.join()
        deadline = time.monotonic() + LEAVE_SECONDS + 1
        while self._signals and time.monotonic() < deadline:
            time.sleep(0.02)
        self._durable.close()

    # --- what others ask ---

    def submit(
        self, kind: str, title: str, caller: Caller, plan: Mapping[str, Any], options: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Store a plan and start its job; answers as GET /q/jobs/{id} does.

        plan     {"version": 1, "steps": [{"name", "key", "target", "args", "group"}, ...], ...}: the steps of one group
                 run side by side, a group begins when the one before has ended; JSON throughout, and no secrets
        options  parallel (8), stop_after (failures; None: never), cloud, reason, ticket, plan_id (each also taken from
                 the plan), job_id (an id of the caller's own: submitted twice, it is one job)
        Raises BadRequest for a plan that is none, Conflict for one that this release cannot run, OpsError when it
        cannot be stored, and Unavailable while the engine stops. Not to be called on an event loop's thread.
        """
        options = dict(options or {})
        runner, version = self._runners.get(kind), int(plan.get("version", 1))
        if self._stopping.is_set():
            raise Unavailable("the engine is stopping; begin the job again in a moment")
        if runner is None or version not in runner.versions:
            raise Conflict(f"this release has no jobs of kind {kind} with version {version} of a plan")
        try:
            steps = rules.checked_steps(plan)
        except rules.BadPlan as error:
            raise BadRequest(str(error)) from error
        self._launch()
        values = _values(kind, title, caller, plan, options, version)
        with self._ops.begin() as connection:
            if journal.job(connection, values["id"]) is None:
                number = journal.create(connection, values, steps)
                detail = {"job": values["id"], "kind": kind, "steps": len(steps), "plan": values["plan_id"]}
                detail |= {"reason": values["reason"], "ticket": values["ticket"]}
                self._audit.record(caller, "job.submit", f"job {number}: {title}", detail, connection=connection)
        self._start(values["id"])
        return self.job(values["id"])

    def open(self, job_id: str) -> bool:
        """Whether the job has not ended yet; False for one that does not exist."""
        with self._ops.read() as connection:
            row = journal.job(connection, job_id)
        return row is not None and row["state"] in OPEN

    def exists(self, job_id: str) -> bool:
        """Whether there is a job of that id, ended or not."""
        with self._ops.read() as connection:
            return journal.job(connection, job_id) is not None

    def job(self, reference: str | int, caller: Caller | None = None) -> dict[str, Any]:
        """A job with its steps, by id or number. Raises NotFound, also for one that `caller` may not see."""
        with self._ops.read() as connection:
            row = self._found(journal.job(connection, reference), reference, caller)
            steps = journal.steps(connection, row["id"])
        running = sum(step["state"] == "running" for step in steps)
        signals = self._signals.get(row["id"])
        told = {} if signals is None else dict(signals.progress)
        shown = [views.step(step, told.get(step["seq"])) for step in steps]
        committed = rules.committed(row["plan"], ((step["name"], step["state"]) for step in steps))
        return self._view(row, running, committed) | {"plan": row["plan"], "steps": shown}

    def arguments(self, job_id: str) -> dict[int, Mapping[str, Any]]:
        """seq -> the `args` of each step as it was submitted, which `job` does not tell; empty for no job."""
        with self._ops.read() as connection:
            return {step["seq"]: step["args"] for step in journal.steps(connection, job_id)}

    def page(
        self,
        caller: Caller | None = None,
        *,
        state: Sequence[str] = (),
        kind: str | None = None,
        by: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[int, list[dict[str, Any]]]:
        """(total, jobs without steps, newest first). A caller whose role is limited sees his own."""
        conditions: list[Any] = [] if caller is None or not caller.limited else [jobs.c.owner == caller.owner]
        conditions += [jobs.c.state.in_(state)] if state else []
        conditions += [jobs.c.kind == kind] if kind is not None else []
        conditions += [jobs.c.by == by] if by is not None else []
        with self._ops.read() as connection:
            total, rows = journal.page(connection, conditions, limit, offset)
            running = journal.running_counts(connection, [row["id"] for row in rows])
        return total, [self._view(row, running.get(row["id"], 0)) for row in rows]

    def status(self) -> list[dict[str, Any]]:
        """The open jobs, for the engine's status: id, number, title, state, counts, and `problem` if any."""
        with self._ops.read() as connection:
            rows = journal.open_jobs(connection)
        names = ("id", "number", "kind", "title", "state", "detail", "done", "failed", "total", "by")
        found = []
        for row in rows:
            view = self._view(row, 0)
            found.append({name: view[name] for name in names} | {"problem": self._trouble(row["id"])})
        return found

    def cancel(self, reference: str | int, caller: Caller) -> dict[str, Any]:
        """End a job between two steps; one that nobody runs ends at once, but one that is only too old for this
        release is taken back first where that can be done. Raises NotFound, Conflict when it ended."""
        with self._ops.read() as connection:
            job_id = self._found(journal.job(connection, reference), reference, caller)["id"]
        resumes = self._problem(job_id) is not None and self._resumes(job_id)

        def act(connection: Connection) -> tuple[dict[str, Any], bool, bool]:
            row = self._found(journal.job(connection, reference), reference, caller)
            if row["state"] not in OPEN:
                raise Conflict(f"job {row['number']} has ended: {row['detail']}")
            steps = journal.steps(connection, row["id"])
            idle = self._problem(row["id"]) is not None
            if not idle and rules.committed(row["plan"], ((step["name"], step["state"]) for step in steps)):
                raise Conflict(f"job {row['number']} did what it was for already; what is left of it is tidying up")
            if journal.ask_cancel(connection, row["id"], caller.name, times.utcnow()):
                target = f"job {row['number']}: {row['title']}"
                self._audit.record(caller, "job.cancel", target, {"job": row["id"]}, connection=connection)
            back = idle and resumes and self._takes_back(row, steps)
            if idle and not back:
                end(connection, self._audit, row, caller)
            return row, idle and not back, back

        row, over, back = self._ops.finish(act)
        if back:
            self._problems[row["id"]] = "is about to be taken back"
            self._durable.resume(row["id"])
        if over and (runner := self._runners.get(row["kind"])) is not None:
            runner.ended(self.job(row["id"]))
        with self._lock:
            if (signals := self._signals.get(row["id"])) is not None:
                signals.cancelled.set()
            elif not back:
                self._problems.pop(row["id"], None)
        self._publish(row["id"])
        return self.job(row["id"])

    def retry(self, reference: str | int, caller: Caller) -> dict[str, Any]:
        """Begin a new job for what failed or was skipped. Raises NotFound; Conflict when there is nothing."""
        with self._ops.read() as connection:
            row = self._found(journal.job(connection, reference), reference, caller)
            every = [step for step in journal.steps(connection, row["id"]) if step["phase"] == "do"]
            steps = [step for step in every if step["state"] in ("failed", "skipped")]
        if row["state"] in OPEN:
            raise Conflict(f"job {row['number']} still runs; cancel it first, or wait for its end")
        if not steps:
            raise Conflict(f"every step of job {row['number']} was done")
        runner = self._runners.get(row["kind"])
        if runner is None:
            raise Conflict(_cannot_run(row["kind"], row["plan_version"]))
        chosen = [step_of(step) for step in steps]
        if (made := runner.retry(self.job(row["id"]), chosen, caller)) is not None:
            return made
        again = [{"name": s.name, "key": s.key, "target": s.target, "args": s.args, "group": s.group} for s in chosen]
        options = {**row["options"], "retry_of": row["id"]}
        options.pop("job_id", None)
        return self.submit(row["kind"], row["title"], caller, {**row["plan"], "steps": again}, options)

    # --- running ---

    def _launch(self) -> None:
        self._durable.launch()
        if self._launched_at is None:
            self._launched_at = time.monotonic()

    def _take_up(self) -> None:
        rows: list[dict[str, Any]] = []
        try:
            with self._ops.read() as connection:
                rows = journal.open_jobs(connection)
            if not rows or self._stopping.is_set():
                return
            self._launch()
            for row in rows:
                self._take_up_one(row)
        except Exception as error:
            _log.exception("the open jobs were not taken up")
            for row in rows:
                self._problems[row["id"]] = f"was not taken up: {error}; restart the engine once that is mended"

    def _take_up_one(self, row: dict[str, Any]) -> None:
        known = self._durable.status(row["id"])
        if known is None:
            self._start(row["id"])  # the engine died between storing the job and starting it
        elif (known[1] != APPLICATION_VERSION or known[0] not in RESUMED) and self.open(row["id"]):
            self._problems[row["id"]] = (
                f"was not taken up: its workflow is {known[0]} of {known[1]}; install the release that began it, "
                "or cancel it"
            )
            _log.error("a job was not taken up", job=row["number"], workflow=known[0], version=known[1])
            self._publish(row["id"])

    def _start(self, job_id: str) -> None:
        self._durable.start(job_id)
        self._publish(job_id)

    def _run(self, job_id: str) -> None:
        """The workflow's body: what is left of the job. In a thread of the durable part."""
        signals = Signals(self._stopping, threading.Event(), self._publish)
        with self._lock:
            if self._stopping.is_set():
                raise Leave
            self._signals[job_id] = signals
            self._problems.pop(job_id, None)
        try:
            self._run_with(job_id, signals)
        except OpsError as error:
            self._give_up(job_id, str(error))
        finally:
            with self._lock:
                self._signals.pop(job_id, None)

    def _run_with(self, job_id: str, signals: Signals) -> None:
        with self._ops.read() as connection:
            row = journal.job(connection, job_id)
            steps = journal.steps(connection, job_id)
        if row is None:
            _log.error("a workflow without a job is left", job=job_id)
            return
        runner = self._runners.get(row["kind"])
        strange = runner is None or row["plan_version"] not in runner.versions
        back = strange and self._takes_back(row, steps)
        if strange and row["state"] not in OPEN:
            return
        if runner is None or (strange and not (back and row["cancel_asked_at"] is not None)):
            self._give_up(job_id, _cannot_run(row["kind"], row["plan_version"], back))
        Execution(self._ops, self._audit, self._durable, job_id, runner, signals, only_back=back).run()
        # After a crash this is told again.
        runner.ended(self.job(job_id))

    def _resumes(self, job_id: str) -> bool:
        """Whether the job's workflow is there, and only waits for somebody to run it."""
        known = self._durable.status(job_id) if self._durable.launched else None
        return known is not None and known[1] == APPLICATION_VERSION and known[0] in RESUMED

    def _takes_back(self, row: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> bool:
        """Whether an open job that this release cannot run did something that it can at least take back."""
        runner, version = self._runners.get(row["kind"]), row["plan_version"]
        if not isinstance(runner, TakesBack) or version in runner.versions:
            return False
        names = rules.takes_back(steps, row["plan"])
        return bool(names) and runner.takes_back(version, names)

    def _give_up(self, job_id: str, problem: str) -> NoReturn:
        """Leave an open job that cannot run, and say so. It is tried again at the next start."""
        _log.error("a job can't run", job=job_id, problem=problem)
        self._problems[job_id] = problem
        self._publish(job_id)
        raise Leave

    def _problem(self, job_id: str) -> str | None:
        """Why an open job does not run; None when it does, or when it is too early to say."""
        if job_id in self._signals:
            return None
        if (known := self._problems.get(job_id)) is not None:
            return known
        if self._launched_at is None or time.monotonic() - self._launched_at < PICK_UP_SECONDS:
            return None
        return "was not picked up when the engine started; restart the engine, or cancel the job"

    def _trouble(self, job_id: str) -> str | None:
        """Why an open job does not go on: it does not run, or waits for storage."""
        signals = self._signals.get(job_id)
        return signals.trouble if signals is not None else self._problem(job_id)

    def _view(self, row: dict[str, Any], running: int, committed: bool = False) -> dict[str, Any]:
        problem = self._trouble(row["id"]) if row["state"] in OPEN else None
        holds = committed and self._problem(row["id"]) is None
        return views.job(row, running, problem, row["kind"] in self._runners, holds)

    def _found(self, row: dict[str, Any] | None, reference: str | int, caller: Caller | None) -> dict[str, Any]:
        if row is None or (caller is not None and caller.limited and row["owner"] != caller.owner):
            raise NotFound(f"there is no job {reference}")
        return row

    def _publish(self, job_id: str) -> None:
        self._feed.publish("jobs", id=job_id)


def _values(
    kind: str, title: str, caller: Caller, plan: Mapping[str, Any], options: Mapping[str, Any], version: int
) -> dict[str, Any]:
    def given(name: str) -> Any:
        return options.get(name) if options.get(name) is not None else plan.get(name)

    return {
        "id": options.get("job_id") or uuid7(),
        "kind": kind,
        "title": title,
        "plan_version": version,
        "plan": {name: value for name, value in plan.items() if name != "steps"},
        "options": {name: value for name, value in options.items() if name != "job_id"},
        "plan_id": given("plan_id"),
        "cloud": given("cloud"),
        "caller": asdict(caller),
        "by": caller.name,
        "owner": caller.owner,
        "reason": given("reason") or "",
        "ticket": given("ticket") or "",
        "retry_of": options.get("retry_of"),
        "created_at": times.utcnow(),
    }


def _cannot_run(kind: str, version: int, back: bool = False) -> str:
    return (
        f"this release can't run version {version} of a plan of kind {kind}; go back to the release that began the "
        "job (its database is as that release left it), or cancel the job"
        + (": what it has changed is taken back then" if back else "")
    )
