"""Performs the steps of jobs of kind "restore": effectively once each, whatever ends in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.access.models import Caller
from engine.api.errors import Conflict
from engine.jobs.models import Step, StepContext, StepResult
from engine.restore import kept
from engine.restore.models import PLAN_VERSION, Plan
from engine.restore.steps import catalogue
from engine.restore.steps.work import Kit, Work

KIND = "restore"  # of the jobs
_PLANS = 64  # read from the journal's JSON, and kept


class RestoreRunner:
    """See the module; what the jobs call a StepRunner. Thread-safe."""

    versions: Sequence[int] = (PLAN_VERSION,)

    def __init__(
        self,
        kit: Kit,
        ended: Callable[[dict[str, Any]], None],
        retry: Callable[[dict[str, Any], Caller], dict[str, Any]],
    ) -> None:
        """`ended(job)`: a job has (may be told twice); `retry(job, caller)`: begins another for what failed."""
        self._kit, self._ended, self._retry = kit, ended, retry
        self._plans: dict[str, Plan] = {}

    def run_step(self, step: Step, context: StepContext) -> StepResult:
        """As StepRunner.run_step."""
        perform = catalogue.steps().get(step.name)
        if perform is None:
            raise Conflict(f"this release has no step {step.name} of restores: install the one that began the job")
        names = {str(name): int(seq) for name, seq in context.plan["names"].items()}
        return perform(Work(step, context, self._plan(context), self._kit, names=names))

    def takes_back(self, version: int, names: Sequence[str]) -> bool:
        """As jobs.models.TakesBack: the plan can be read, and every step that takes back is known."""
        return version in kept.READS and all(name in catalogue.steps() for name in names)

    def ended(self, job: dict[str, Any]) -> None:
        """The job ended: let go of what it held, and have it told."""
        self._plans.pop(job["id"], None)
        self._ended(job)

    def retry(self, job: dict[str, Any], steps: Sequence[Step], caller: Caller) -> dict[str, Any]:
        """Begin a new job that goes on from what failed, with what was made before."""
        return self._retry(job, caller)

    def _plan(self, context: StepContext) -> Plan:
        found = self._plans.get(context.job_id)
        if found is None:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            found = self._plans[context.job_id] = kept.plan_of(context.plan["restore"])
        return found


def submitted(plan: Plan) -> dict[str, Any]:
    """What is submitted to the jobs for a plan (jobs.service.submit); the caller adds reason and ticket."""
    cloud, region, id = plan.machine.key
    steps = [
        {
            "name": step.name,
            "key": [cloud, region, id],
            "target": step.target or plan.machine.name,
            "args": dict(step.args),
            "group": number,
            "phase": step.phase,
        }
        for number, step in enumerate(plan.steps)
    ]
    return {
        "version": plan.version,
        "steps": steps,
        "names": {step.name: number for number, step in enumerate(plan.steps, 1)},
        "commit": plan.commit,
        "restore": kept.to_json(plan),
        "plan_id": plan.id,
        "cloud": cloud,
        "region": region,
    }
