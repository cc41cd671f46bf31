"""Performs the steps of jobs of kind "snapshots": effectively once each, whatever ends in between."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.api.errors import Conflict
from engine.gate.models import NoRole
from engine.gate.refusals import Refused
from engine.jobs.models import Step, StepContext, StepResult
from engine.snapshots.runs.creating import FORESEEN, Creator
from engine.snapshots.runs.grouping import Groups
from engine.snapshots.runs.machines import CONFLICT, Machines
from engine.snapshots.runs.pruning import Pruner
from engine.snapshots.runs.steps import Work, volumes_of
from store import times

if TYPE_CHECKING:
    from engine.snapshots.runs.records import Records
    from engine.snapshots.runs.register import Register
    from engine.snapshots.runs.sources import Gate, Policies
    from store.ops.ops import Ops


class SnapshotRunner:
    """See the module; what the jobs call a StepRunner. Thread-safe."""

    versions: Sequence[int] = (1,)

    def __init__(
        self,
        ops: Ops,
        records: Records,
        register: Register,
        policies: Policies,
        gate: Gate,
        limits: Callable[[], Any],
        told: Callable[[int, str], None],
        ended: Callable[[dict[str, Any]], None],
        clock: Callable[[], datetime] = times.utcnow,
    ) -> None:
        """`told(run, cloud)`: a step has ended; `ended(job)`: a job has (may be told twice)."""
        self._records, self._gate, self._told, self._ended = records, gate, told, ended
        self._creator = Creator(ops, records, register, policies, gate, limits, clock)
        self._machines = Machines(ops, register, self._creator)
        self._groups = Groups(ops, register, self._creator, gate)
        self._pruner = Pruner(ops, records, register, gate, self._groups, self._creator.freed)
        self._tight: dict[tuple[int, str], threading.Lock] = {}
        self._lock = threading.Lock()

    def run_step(self, step: Step, context: StepContext) -> StepResult:
        """Make one point and remove what is beyond retention. As StepRunner.run_step."""
        work = self._work(step, context)
        with self._alone(work):
            todo = self._creator.take_up(work)
            if todo:
                # Beyond retention before anything is made (it was lowered, or removing failed): that may be the room.
                self._pruner.prune(work, todo)
                self._make(work, todo)
            made = [one for one in work.volumes if one.id in work.made and self._creator.still_held(work, one)]
            if made:
                self._pruner.prune(work, made)
        self._told(work.run["id"], work.cloud)
        return work.result()

    def ended(self, job: dict[str, Any]) -> None:
        """The job ended: forget what was remembered for it, and have its run go on."""
        run_id = int(job["plan"]["run"])
        self._creator.forget(run_id)
        with self._lock:
            for key in [key for key in self._tight if key[0] == run_id]:
                del self._tight[key]
        self._ended(job)

    def retry(self, job: dict[str, Any], steps: Sequence[Step], caller: Caller) -> dict[str, Any] | None:
        """Refused: what can be made now is another run's to find out."""
        raise Conflict(
            f"the steps of a snapshot run are not repeated alone: begin a new run with `qdeck snapshot run --cloud "
            f"{job['plan']['cloud']}`; what could not be made for a passing reason is tried again by itself"
        )

    def _make(self, work: Work, todo: list[Any]) -> None:
        try:
            self._creator.machine(work, todo)
        except FORESEEN as problem:
            for volume in todo:
                self._creator.note(work, volume, problem)
            return
        # A group, where the policy names its type on purpose, then Nova; first what an earlier attempt asked.
        ways: list[Groups | Machines] = [self._groups, self._machines]
        for way in sorted(ways, key=lambda way: not way.begun(work)):
            if not (way.begun(work) or way.fits(work, todo)):
                continue
            try:
                way.make(work, todo)
                return
            except FORESEEN as problem:
                if getattr(problem, "code", "") != CONFLICT:
                    for volume in todo:
                        self._creator.note(work, volume, problem)
                    return
        self._creator.make(work, todo)

    def _work(self, step: Step, context: StepContext) -> Work:
        run = self._records.run(int(context.plan["run"]))
        if run is None:
            raise Conflict(f"the snapshot run {context.plan['run']} of this job is not known")
        cloud, region = str(context.plan["cloud"]), str(context.plan["region"])
        volumes = volumes_of(step, cloud, region)
        args = step.args
        try:
            get = self._gate.reader(cloud, region, volumes[0].project_id)
        except NoRole as error:
            raise Refused("no_role", str(error), command=error.command) from error
        work = Work(
            step, context, cloud, region, run, str(args["policy"]),
            times.parse(args["occurrence"]), volumes, get, lambda call: self._gate.perform(work.actor(), call),
        )  # fmt: skip
        return work

    def _alone(self, work: Work) -> Any:
        """Where the project's quota has room for one point at a time, its steps wait for each other."""
        if not work.step.args.get("tight"):
            return contextlib.nullcontext()
        with self._lock:
            return self._tight.setdefault((work.run["id"], work.project_id), threading.Lock())
