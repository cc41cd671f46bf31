"""The vocabulary of jobs: what a runner is given for one step, what it answers, and the answers of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, Field

from engine.access.models import Caller

JobState = Literal["queued", "running", "waiting", "done", "failed", "partial", "cancelled"]
StepState = Literal["pending", "running", "done", "failed", "skipped"]
Phase = Literal["do", "undo"]
OPEN: tuple[JobState, ...] = ("queued", "running", "waiting")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan as it was submitted: `args` is whatever its runner put there.

    phase  "undo": taken only when the job fails, or is cancelled, before the step that the plan calls its `commit`
    """

    seq: int
    name: str
    key: tuple[str, ...] | None
    target: str
    args: Mapping[str, Any]
    group: int = 0
    phase: Phase = "do"


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step ended: a sentence, the cloud's request ids, and the id of what was made ("" for none).

    more  further facts for later steps and for the record, as JSON
    """

    ok: bool
    detail: str = ""
    request_ids: tuple[str, ...] = ()
    created: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


class Interrupted(BaseException):
    """The engine is stopping: the step is left as it is and taken up again at the next start.

    Not an Exception: no general handler on its way may take it for the step's failure.
    """


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step may know of its job.

    token    unguessable text, the same at every attempt and on disk before the first: it goes into what a create makes
    attempt  1, or more when an earlier attempt may have reached the cloud: look for the token before creating
    count    steps of the job
    plan     the submitted plan without its steps; `options` as submitted
    results  results(seq) -> the StepResult of an earlier step that was done, or None
    stopping true once the engine is stopping; cancelled() is true once somebody cancelled the job
    sleep    sleep(seconds): ends early when the engine stops
    begun    begun(seq): whether any attempt at that step was begun
    progress progress(text): what the step does just now, for whoever watches; kept nowhere
    """

    job_id: str
    number: int
    attempt: int
    token: str
    count: int
    caller: Caller
    reason: str
    ticket: str
    plan: Mapping[str, Any]
    options: Mapping[str, Any]
    results: Callable[[int], StepResult | None]
    stopping: Callable[[], bool]
    cancelled: Callable[[], bool]
    sleep: Callable[[float], object]
    begun: Callable[[int], bool] = lambda seq: False
    progress: Callable[[str], object] = lambda text: None

    def wait(
        self, check: Callable[[], T | None], seconds: float, *, first: float = 0.25, longest: float = 5.0
    ) -> T | None:
        """Ask `check` until it answers something, at growing intervals from `first` to `longest` seconds.

        None after `seconds`. Raises Interrupted when the engine stops meanwhile.
        """
        import time

        deadline, pause = time.monotonic() + seconds, first
        while True:
            if self.stopping():
                raise Interrupted
            if (found := check()) is not None:
                return found
            if (left := deadline - time.monotonic()) <= 0:
                return None
            self.sleep(min(pause, left))
            pause = min(pause * 1.5, longest)


class StepRunner(Protocol):
    """Performs the steps of one kind of job. Called from several threads at once.

    versions  the plan versions it can run
    """

    versions: Sequence[int]

    def run_step(self, step: Step, context: StepContext) -> StepResult:
        """Do one step. Runs at least once; `context.token` and `context.attempt` make it happen effectively once.

        Raises OpsError when journal or audit cannot be written (the job then waits and tries again), Interrupted when
        the engine stops; any other exception fails the step with its sentence.
        """
        ...

    def ended(self, job: dict[str, Any]) -> None:
        """The job ended (may be told twice)."""
        ...

    def retry(self, job: dict[str, Any], steps: Sequence[Step], caller: Caller) -> dict[str, Any] | None:
        """Begin a new job for these steps of an ended one; None: the steps are submitted again as they were."""
        ...


@runtime_checkable
class TakesBack(Protocol):
    """A runner that can also take back jobs whose plan version it does not run any more."""

    def takes_back(self, version: int, names: Sequence[str]) -> bool:
        """Whether it performs the undo steps with these names, of a plan of that version."""
        ...


class StepAnswer(BaseModel):
    """One step. `key` is (cloud, region, id) of what it is about; `request_id` the cloud's, several by a comma."""

    seq: int
    group: int
    name: str
    key: list[str] | None
    target: str | None
    state: StepState
    detail: str | None
    request_id: str | None
    created: str | None
    attempt: int
    started_at: str | None
    ended_at: str | None
    phase: Phase = "do"
    progress: str | None = Field(None, description="What a running step does just now.")


class JobAnswer(BaseModel):
    """One job; `can` says what may be asked of it now. `detail`: why it waits or how it ended."""

    id: str
    number: int
    kind: str
    title: str
    state: JobState
    detail: str | None
    by: str
    cloud: str | None
    reason: str
    ticket: str
    plan_id: str | None
    plan_version: int
    retry_of: str | None
    created_at: str
    started_at: str | None
    ended_at: str | None
    cancel_asked: bool
    cancelled_by: str | None
    done: int
    failed: int
    running: int
    total: int
    stop_after: int | None = Field(None, description="Failures after which no further step begins.")
    can: list[Literal["cancel", "retry"]]


class JobDetail(JobAnswer):
    """One job with its steps, and the rest of its plan."""

    steps: list[StepAnswer]
    plan: dict[str, Any] = Field(description="The submitted plan without its steps.")


class Jobs(BaseModel):
    """A page of jobs, the newest first."""

    total: int
    page: int
    page_size: int
    items: list[JobAnswer]
