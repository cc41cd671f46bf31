"""Jobs of kind `actions`: each step carries out one item of a plan that the write gate made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from engine.access.models import Caller
from engine.jobs.models import Step, StepContext, StepResult

if TYPE_CHECKING:
    from engine.gate.models import Outcome

KIND = "actions"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a gate's plan that a job carries out.

    plan     the submitted plan without its steps; `args` the step's own
    token    the same at every attempt; `attempt` over 1: an earlier one may have reached the cloud
    wait     wait(check, seconds): asks `check` until it answers something; None after `seconds`
    """

    plan: Mapping[str, Any]
    args: Mapping[str, Any]
    job_id: str
    job_number: int
    seq: int
    count: int
    attempt: int
    token: str
    caller: Caller
    reason: str
    ticket: str
    wait: Callable[[Callable[[], Any], float], Any]


class Actions(Protocol):
    """What the gate offers to its jobs."""

    def carry_out(self, item: Item) -> Outcome:
        """Check again, call, and wait until it has settled. A refusal is raised; so is OpsError, which tries again."""
        ...

    def release(self, plan: Mapping[str, Any], job_id: str) -> None:
        """The job has ended: let go of what it held (may be told twice)."""
        ...

    def again(
        self,
        plan: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]],
        caller: Caller,
        stop_after: int | None,
        retry_of: str,
    ) -> dict[str, Any]:
        """Plan the same action for these items anew and execute it; answers the new job. Raises what planning does."""
        ...


class ActionsRunner:
    """Carries out the gate's plans."""

    versions: Sequence[int] = (1,)

    def __init__(self, gate: Actions) -> None:
        self._gate = gate

    def run_step(self, step: Step, context: StepContext) -> StepResult:
        """One item. Raises what the gate does."""
        outcome = self._gate.carry_out(
            Item(
                plan=context.plan,
                args=step.args,
                job_id=context.job_id,
                job_number=context.number,
                seq=step.seq,
                count=context.count,
                attempt=context.attempt,
                token=context.token,
                caller=context.caller,
                reason=context.reason,
                ticket=context.ticket,
                wait=context.wait,
            )
        )
        return StepResult(outcome.ok, outcome.detail, outcome.request_ids, outcome.created)

    def ended(self, job: dict[str, Any]) -> None:
        """Let go of what the job held."""
        self._gate.release(job["plan"], job["id"])

    def retry(self, job: dict[str, Any], steps: Sequence[Step], caller: Caller) -> dict[str, Any]:
        """A new plan of the same action for these steps: what was seen when the old one was made may be wrong now."""
        return self._gate.again(job["plan"], [step.args for step in steps], caller, job["stop_after"], job["id"])
