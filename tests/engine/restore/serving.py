"""A service of restores over a planner, a gate and jobs that do as a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import update

from engine.access.models import Caller
from engine.api.changes import ChangeFeed
from engine.audit.service import AuditService
from engine.gate.models import Target
from engine.gate.refusals import Refused
from engine.jobs.models import Step, StepContext, StepResult
from engine.jobs.service import JobService
from engine.restore.models import Plan, PlannedStep, Request, Way
from engine.restore.plans import Plans
from engine.restore.records import Records
from engine.restore.service import RestoreService
from engine.settings.models import Settings
from store.ids import uuid7
from store.ops.jobs_tables import job_steps, jobs
from store.ops.ops import Ops
from tests.engine.restore import small_cloud
from tests.engine.restore.small_cloud import NOW, PROJECT

ANNA = Caller("anna", uid=1, role="superadmin")
ADMIN = Caller("ada", uid=2, role="admin")
VIEWER = Caller("vera", uid=3, role="viewer")
PHRASE = "DELETE AND RESTORE web-1"
STEPS = (
    PlannedStep("VALIDATE_LIVE_STATE"), PlannedStep("CREATE_VOLUME_FROM_SNAPSHOT"), PlannedStep("PROVE_IT_ANSWERS"),
    PlannedStep("FINALIZE"), PlannedStep("UNDO_VOLUMES", "undo"),
)  # fmt: skip


class Planner:
    """Answers plans of the small cloud; `told` is what `again` finds changed."""

    def __init__(self) -> None:
        self.told: tuple[str, ...] = ()
        self.more: dict[str, Any] = {}
        self.asked: list[Request] = []
        self.broken: Exception | None = None

    def plan(
        self, caller: Caller, request: Request, *, id: str = "", reused: Mapping[str, str] | None = None,
        retry_of: str = "",
    ) -> Plan:  # fmt: skip
        self.asked.append(request)
        if self.broken is not None:
            raise self.broken
        made = small_cloud.plan(request.way, id=id or uuid7(), steps=STEPS, commit="PROVE_IT_ANSWERS")
        return replace(made, request=request, reused=dict(reused or {}), retry_of=retry_of, **self.more)

    def again(self, plan: Plan) -> tuple[str, ...]:
        return self.told


class Runner:
    """Steps are never run here: the tests say how jobs go."""

    versions = (1,)

    def run_step(self, step: Step, context: StepContext) -> StepResult:
        raise AssertionError

    def ended(self, job: dict[str, Any]) -> None:
        pass

    def retry(self, job: dict[str, Any], steps: Sequence[Step], caller: Caller) -> None:
        return None


class Gate(small_cloud.SmallCloud):
    """The small cloud with what else the service asks of the gate."""

    def __init__(self) -> None:
        super().__init__()
        self.held_for: dict[str, list[str]] = {}
        self.user_datas: dict[str, str] = {}  # base64, by server
        self.frozen = ""

    def hold(self, caller: Caller, plan_id: str, job_id: str, title: str, targets: Sequence[Target]) -> None:
        taken = {id for other, ids in self.held_for.items() if other != plan_id for id in ids}
        if busy := taken & {target.id for target in targets}:
            raise Refused("held", f"{min(busy)}: a job works on it")
        self.held_for[plan_id] = [target.id for target in targets]

    def submitted(self, plan_id: str) -> None:
        pass

    def release(self, plan: Mapping[str, Any], job_id: str) -> None:
        self.held_for.pop(str(plan.get("plan_id")), None)

    def user_data(self, cloud: str, region: str, server_id: str) -> str:
        return self.user_datas.get(server_id, "")

    def hands_off(self, target: Target) -> str | None:
        return self.frozen or None


class World:
    def __init__(self, ops: Ops) -> None:
        self.ops, self.clock, self.settings = ops, NOW, Settings()
        self.audit, self.planner, self.gate = AuditService(ops), Planner(), Gate()
        self.plans, self.records = Plans(ops, lambda: self.clock), Records(ops, lambda: self.clock)
        self.jobs = JobService(ops, self.audit, ChangeFeed())
        self.jobs.register("restore", Runner())
        self.jobs._launch = lambda: None  # type: ignore[method-assign]
        self.jobs._start = lambda job_id: None  # type: ignore[method-assign]
        self.told: list[str] = []
        self.service = RestoreService(
            ops, self.audit, self.plans, self.records, self.planner, self.jobs, self.gate, lambda: self.settings,  # type: ignore[arg-type]
            lambda caller, cloud, project: (
                (caller.clouds is None or cloud in caller.clouds)
                and (caller.projects is None or project in caller.projects)
            ),
            lambda id, cloud: self.told.append(id), lambda plan: [{"step": "X", "would": "nothing"}],
            lambda: self.clock,
        )  # fmt: skip

    def plan(self, way: Way = "NEW", **more: Any) -> Plan:
        return self.service.make(ANNA, Request(PROJECT, "old", "lab", "one", way, **more))

    def begun(self, way: Way = "NEW") -> str:
        made = self.plan(way)
        self.service.execute(ANNA, made.id, typed=PHRASE if way == "REPLACE" else "")
        return made.id

    def went(self, id: str, state: str, **steps: str) -> None:
        """The job is in that state, and its steps in these."""
        ended = None if state in ("queued", "running", "waiting") else NOW
        with self.ops.begin() as connection:
            connection.execute(update(jobs).where(jobs.c.id == id).values(state=state, detail="so", ended_at=ended))
            for name, its in steps.items():
                where = (job_steps.c.job_id == id, job_steps.c.name == name)
                connection.execute(update(job_steps).where(*where).values(state=its))
        if ended is not None:
            self.service.ended(self.jobs.job(id))

    def volume(self, id: str, made: str = "v-new", purpose: str = "volume:root") -> None:
        self.records.begin(id, 2, purpose, "volume", f"t-{made}", made, ("lab", "one", ""), PROJECT)
        self.records.made(id, purpose, made)

    def actions(self, action: str) -> list[str]:
        _, records = self.audit.page(limit=200)
        return [record["outcome"] for record in records if record["action"] == action]
