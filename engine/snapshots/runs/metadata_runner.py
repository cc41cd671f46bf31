"""Performs the steps of jobs of kind "snapshot-metadata": what was decided is written to the metadata of volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from engine.access.models import Caller
from engine.gate.models import Actor
from engine.jobs.models import Step, StepContext, StepResult
from engine.snapshots.models import Volume
from engine.snapshots.runs.steps import STANDING, volumes_of

KIND = "snapshot-metadata"
PERMISSION = "snapshot_assignments:write"
ACTION = "snapshot.metadata"


class Writer(Protocol):
    """engine/snapshots/policies/writing.py."""

    def write(self, actor: Actor, volume: Volume) -> str:
        """Write what is missing or stale; harmless when repeated."""
        ...


class MetadataRunner:
    """See the module; what the jobs call a StepRunner."""

    versions: Sequence[int] = (1,)

    def __init__(self, writer: Writer, moved: Callable[[], object], ended: Callable[[dict[str, Any]], None]) -> None:
        """`moved()`: what is kept of decisions is read again."""
        self._writer, self._moved, self._ended = writer, moved, ended

    def run_step(self, step: Step, context: StepContext) -> StepResult:
        """One volume. Raises what the gate does."""
        (volume,) = volumes_of(step, str(context.plan["cloud"]), str(step.args["region"]))
        actor = Actor(
            context.caller, PERMISSION, ACTION, job=context.job_id, step=step.seq, reason=context.reason,
            ticket=context.ticket, standing=STANDING,
        )  # fmt: skip
        return StepResult(True, self._writer.write(actor, volume))

    def ended(self, job: dict[str, Any]) -> None:
        """The job is over."""
        self._moved()
        self._ended(job)

    def retry(self, job: dict[str, Any], steps: Sequence[Step], caller: Caller) -> dict[str, Any] | None:
        """The same steps again: a step that is repeated writes only what is missing."""
        return None
