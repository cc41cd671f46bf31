"""Plans are carried out once, as they were shown, by whom it is allowed, and one at a time for each machine."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from engine.access.models import Caller
from engine.api.changes import ChangeFeed
from engine.api.errors import Conflict, Forbidden, NotFound
from engine.audit.service import AuditService
from engine.clouds.errors import CloudError
from engine.gate.models import Target
from engine.gate.refusals import NotDone, Refused
from engine.jobs.models import Step, StepContext, StepResult
from engine.jobs.service import JobService
from engine.restore.kept import to_json
from engine.restore.models import Plan, PlannedStep, Request, Way
from engine.restore.plans import Plans
from engine.restore.records import Records
from engine.restore.service import RestoreService
from engine.settings.cloud_rules import CloudRules
from engine.settings.models import Settings
from engine.settings.restore_section import CloudRestore, Restore
from store.ids import uuid7
from store.ops.jobs_tables import job_steps, jobs
from store.ops.ops import Ops
from tests.engine.restore import small_cloud
from tests.engine.restore.small_cloud import NOW, OTHER, PROJECT

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
            lambda caller, cloud, project: caller.projects is None or project in caller.projects,
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


@pytest.fixture
def world(tmp_path: Path):
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        yield World(ops)


# Plans


def test_a_plan_is_stored_shown_and_noted(world: World) -> None:
    made = world.plan("REPLACE")
    shown = world.service.get(ANNA, made.id)
    assert shown["requires"] == {"reason": False, "ticket": False, "ticket_pattern": None, "typed": PHRASE}
    assert (shown["status"], shown["expired"], shown["may_execute"]) == ("PLANNED", False, True)
    assert shown["dry_run"] == [{"step": "X", "would": "nothing"}]
    assert {name: shown[name] for name in to_json(made) if name != "dry_run"} == to_json(made)
    assert world.actions("restore.plan") == ["ok"]
    assert made.id in world.told


def test_a_plan_is_only_shown_to_who_may_see_the_machine(world: World) -> None:
    made = world.plan()
    eve = Caller("eve", role="superadmin", projects=(OTHER,))
    for act in (world.service.get, world.service.detail, world.service.cancel, world.service.execute):
        with pytest.raises(NotFound):
            act(eve, made.id)
    assert world.service.page(eve)[0] == 0
    with pytest.raises(NotFound):
        world.service.make(eve, Request(PROJECT, "old", "lab", "one"))
    with pytest.raises(NotFound):
        world.service.make(Caller("eve", role="admin", clouds=("x",)), Request(PROJECT, "old", "lab", "one"))


def test_the_project_has_to_be_the_machines(world: World) -> None:
    with pytest.raises(NotFound, match="not in the project 'p2'"):
        world.service.make(ANNA, Request(OTHER, "old", "lab", "one"))


def test_a_cloud_that_does_not_answer_is_a_clear_answer(world: World) -> None:
    world.planner.broken = CloudError("timeout", "Nova of lab did not answer in time")
    with pytest.raises(NotDone, match="did not answer in time"):
        world.plan()


def test_plans_that_nobody_wanted_are_tidied(world: World) -> None:
    first = world.plan()
    world.clock = NOW + timedelta(hours=1)
    assert world.service.detail(ANNA, first.id)["expired"]
    assert "older than 30 minutes" in world.service.detail(ANNA, first.id)["detail"]
    world.clock = NOW + timedelta(days=2)
    world.plan()
    with pytest.raises(NotFound):
        world.service.get(ANNA, first.id)


# Carrying out


def test_a_plan_becomes_a_job_of_the_same_id(world: World) -> None:
    made = world.plan()
    found = world.service.execute(ANNA, made.id, "disk broken", "CHG1", hash=made.hash)
    assert (found["id"], found["status"], found["number"]) == (made.id, "PENDING", 1)
    job = world.jobs.job(made.id)
    assert (job["kind"], job["reason"], job["ticket"]) == ("restore", "disk broken", "CHG1")
    assert (job["plan"]["commit"], job["stop_after"]) == ("PROVE_IT_ANSWERS", 1)
    assert [(step["name"], step["phase"]) for step in job["steps"]] == [(step.name, step.phase) for step in STEPS]
    assert world.gate.held_for == {made.id: ["old", "root", "data"]}
    assert world.actions("restore.execute") == ["ok"]


def test_a_plan_is_carried_out_once(world: World) -> None:
    id = world.begun()
    with pytest.raises(Refused) as refused:
        world.service.execute(ANNA, id)
    assert refused.value.code == "executed"
    world.went(id, "failed")
    with pytest.raises(Refused):
        world.service.execute(ANNA, id)
    assert world.jobs.page()[0] == 1


REFUSALS: list[tuple[str, Any, dict[str, Any], str, str]] = [
    ("too old", lambda w: setattr(w, "clock", NOW + timedelta(minutes=30)), {}, "expired", "older than 30 minutes"),
    ("another hash", lambda w: None, {"hash": "x" * 64}, "expired", "another one"),
    ("not eligible", lambda w: w.planner.more.update(eligible=False, problems=("no room",)), {}, "refused", "no room"),
    ("read-only", lambda w: setattr(w.gate.windows, "closed", True), {}, "read_only", "read-only"),
    ("frozen", lambda w: setattr(w.gate, "frozen", "hands off web-1"), {}, "hands_off", "hands off"),
    ("changed", lambda w: setattr(w.planner, "told", ("the port is gone",)), {}, "changed", "the port is gone: make a"),
    ("much changed", lambda w: setattr(w.planner, "told", ("a", "b")), {}, "changed", "2 things have changed"),
    ("no reason", lambda w: setattr(w.gate.windows, "own", CloudRules(reason_required=True)), {}, "reason", "a reason"),
    ("no ticket", lambda w: setattr(w.gate.windows, "own", CloudRules(ticket_required=True)), {}, "ticket", "a ticket"),
    ("production", lambda w: setattr(w.gate.windows, "own", CloudRules(production=True)), {}, "typed", "type 'lab'"),
    ("held", lambda w: w.gate.held_for.update(other=["data"]), {}, "held", "a job works on it"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "given", "code", "said"), [pytest.param(*row[1:], id=row[0]) for row in REFUSALS])
def test_what_speaks_against_it_is_found_before_anything_begins(
    world: World, change: Any, given: dict[str, Any], code: str, said: str
) -> None:
    change(world)
    made = world.plan()
    if code == "expired":
        world.clock = NOW
        made = world.plan()
        change(world)
    with pytest.raises(Refused) as refused:
        world.service.execute(ANNA, made.id, **given)
    assert (refused.value.code, said in refused.value.detail) == (code, True), refused.value.detail
    assert world.jobs.page()[0] == 0
    assert made.id not in world.gate.held_for
    assert world.plans.row(made.id)["status"] == "PLANNED"  # type: ignore[index]


@pytest.mark.parametrize("typed", ["", "delete and restore web-1", "DELETE AND RESTORE web-2", PHRASE + " ", "yes"])
def test_replace_needs_the_exact_phrase(world: World, typed: str) -> None:
    made = world.plan("REPLACE")
    with pytest.raises(Refused, match="type 'DELETE AND RESTORE web-1'"):
        world.service.execute(ANNA, made.id, typed=typed)
    assert world.jobs.page()[0] == 0


def test_a_production_cloud_asks_for_its_name_before_the_phrase(world: World) -> None:
    world.gate.windows.own = CloudRules(production=True)
    made = world.plan("REPLACE")
    with pytest.raises(Refused):
        world.service.execute(ANNA, made.id, typed=PHRASE)
    assert world.service.execute(ANNA, made.id, typed=f"lab {PHRASE}")["status"] == "PENDING"


@pytest.mark.parametrize(
    ("caller", "way", "least", "allowed"),
    [
        (VIEWER, "NEW", "admin", False),
        (ADMIN, "NEW", "admin", True),
        (ADMIN, "REPLACE", "admin", True),
        (ADMIN, "REPLACE", "superadmin", False),
        (ADMIN, "IN_PLACE", "superadmin", True),
        (ANNA, "REPLACE", "superadmin", True),
    ],
)
def test_who_may_carry_it_out(world: World, caller: Caller, way: Way, least: Any, allowed: bool) -> None:
    world.settings = Settings(restore=Restore(replace_role=least))
    made = world.plan(way)
    assert world.service.get(caller, made.id)["may_execute"] is allowed
    typed = PHRASE if way == "REPLACE" else ""
    if allowed:
        assert world.service.execute(caller, made.id, typed=typed)["status"] == "PENDING"
        return
    with pytest.raises(Forbidden, match="Permission denied"):
        world.service.execute(caller, made.id, typed=typed)
    assert world.jobs.page()[0] == 0
    assert world.actions("restore.execute") == ["refused"]


def test_a_dry_run_is_never_carried_out(world: World) -> None:
    made = world.plan()
    world.settings = Settings(restore=Restore(dry_run=True))
    with pytest.raises(Conflict, match=r"restore\.dry_run"):
        world.service.execute(ANNA, made.id)
    world.settings = Settings(
        restore=Restore(dry_run=True), clouds={"lab": CloudRules(restore=CloudRestore(dry_run=False))}
    )
    assert world.service.execute(ANNA, made.id)["status"] == "PENDING"


def test_where_restores_are_off_there_are_none(world: World) -> None:
    made = world.plan()
    world.settings = Settings(clouds={"lab": CloudRules(restore=CloudRestore(enabled=False))})
    for act in (lambda: world.plan(), lambda: world.service.execute(ANNA, made.id)):
        with pytest.raises(NotFound, match="switched off in lab"):
            act()


def test_one_restore_of_a_machine_at_a_time(world: World) -> None:
    first, second = world.plan(), world.plan()
    world.service.execute(ANNA, first.id)
    world.gate.held_for.clear()  # whatever becomes of the holds
    with pytest.raises(Refused, match="another restore of it runs"):
        world.service.execute(ANNA, second.id)
    assert world.plans.row(second.id)["status"] == "PLANNED"  # type: ignore[index]
    world.went(first.id, "done")
    assert world.service.execute(ANNA, second.id)["status"] == "PENDING"


def test_a_job_whose_end_was_not_told_does_not_block_for_ever(world: World) -> None:
    first, second = world.plan(), world.plan()
    world.service.execute(ANNA, first.id)
    with world.ops.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == first.id).values(state="failed", ended_at=NOW))
    world.gate.held_for.clear()
    assert world.service.execute(ANNA, second.id)["status"] == "PENDING"


def test_many_who_carry_one_plan_out_at_once_begin_one_job(world: World) -> None:
    made, begun, refused = world.plan(), [], []
    barrier = threading.Barrier(6)

    def act() -> None:
        barrier.wait()
        try:
            begun.append(world.service.execute(ANNA, made.id)["id"])
        except Refused as error:
            refused.append(error.code)

    threads = [threading.Thread(target=act) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert begun == [made.id] and len(refused) == 5
    assert world.gate.held_for == {made.id: ["old", "root", "data"]}
    assert world.jobs.page()[0] == 1


def test_when_the_job_cannot_be_submitted_nothing_is_held_and_the_plan_can_be_tried_again(world: World) -> None:
    made, submit = world.plan(), world.jobs.submit

    def broken(*args: Any, **more: Any) -> dict[str, Any]:
        raise Conflict("the engine is stopping")

    world.jobs.submit = broken  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        world.service.execute(ANNA, made.id)
    assert world.gate.held_for == {}
    world.jobs.submit = submit  # type: ignore[method-assign]
    assert world.service.execute(ANNA, made.id)["status"] == "PENDING"


def test_an_engine_that_died_before_it_submitted_the_job_did_nothing(world: World) -> None:
    made = world.plan()
    with world.ops.begin() as connection:
        world.plans.take(connection, world.plans.row(made.id), "anna")  # type: ignore[arg-type]
    assert world.service.detail(ANNA, made.id)["status"] == "PLANNED"
    assert world.service.execute(ANNA, made.id)["status"] == "PENDING"


# States and what may be asked


@pytest.mark.parametrize(
    ("state", "status", "can"),
    [
        ("queued", "PENDING", ["cancel"]),
        ("running", "RUNNING", ["cancel"]),
        ("waiting", "INTERRUPTED", ["cancel"]),
        ("done", "SUCCEEDED", []),
        ("failed", "FAILED", ["retry", "cleanup"]),
        ("cancelled", "CANCELED", ["retry", "cleanup"]),
    ],
)
def test_states_as_documented(world: World, state: str, status: str, can: list[str]) -> None:
    id = world.begun()
    world.volume(id)
    world.went(id, state)
    found = world.service.detail(ANNA, id)
    assert (found["status"], found["can"]) == (status, can)
    assert [one["id"] for one in world.service.page(ANNA, status=status)[1]] == [id]
    others = {"PLANNED", "PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "INTERRUPTED"} - {status}
    assert all(world.service.page(ANNA, status=other)[0] == 0 for other in others)


def test_a_restore_that_holds_is_a_success_whatever_its_last_steps_did(world: World) -> None:
    id = world.begun()
    world.volume(id)
    world.went(id, "partial", VALIDATE_LIVE_STATE="done", PROVE_IT_ANSWERS="done", FINALIZE="failed")
    found = world.service.detail(ANNA, id)
    assert (found["status"], found["incomplete"], found["can"]) == ("SUCCEEDED", True, [])
    for ask in (world.service.retry,):
        with pytest.raises(Conflict, match="did what it was for"):
            ask(ANNA, id)


def test_cancelling_a_plan_and_a_job(world: World) -> None:
    made = world.plan()
    assert world.service.cancel(ANNA, made.id, "not needed")["status"] == "CANCELED"
    with pytest.raises(Refused):
        world.service.execute(ANNA, made.id)
    with pytest.raises(Conflict):
        world.service.cancel(ANNA, made.id)
    id = world.begun()
    world.service.cancel(ANNA, id, "wrong machine")
    assert world.jobs.job(id)["cancel_asked"]
    assert world.actions("restore.cancel") == ["ok", "ok"]


def test_a_question_is_answered_once_and_only_while_it_is_asked(world: World) -> None:
    id = world.begun()
    with pytest.raises(Conflict, match="asks nothing"):
        world.service.answer(ANNA, id, "yes")
    world.went(id, "running", PROVE_IT_ANSWERS="running")
    assert "answer" in world.service.detail(ANNA, id)["can"]
    world.service.answer(ANNA, id, "yes")
    assert world.records.answer(id) == "yes"
    with pytest.raises(Conflict, match="somebody answered before"):
        world.service.answer(ANNA, id, "no")


def test_the_end_lets_go_of_everything(world: World) -> None:
    id = world.begun()
    world.went(id, "failed")
    world.service.ended(world.jobs.job(id))  # told twice
    assert world.gate.held_for == {}
    assert world.plans.row(id)["status"] == "ENDED"  # type: ignore[index]


# Retries


def test_a_retry_goes_on_with_what_was_made_of_the_very_same_points(world: World) -> None:
    id = world.begun("REPLACE")
    world.volume(id)
    world.went(id, "failed", VALIDATE_LIVE_STATE="done", CREATE_VOLUME_FROM_SNAPSHOT="done")
    with pytest.raises(Refused, match="type"):
        world.service.retry(ANNA, id)
    made = world.service.retry(ANNA, id, PHRASE, "NEW_IPS")
    request = world.planner.asked[-1]
    assert (request.restore_point_id, request.disks, request.ip_strategy) == (
        "snap-1", {"root": "point:snap-1", "data": "keep_current"}, "NEW_IPS",
    )  # fmt: skip
    assert made["plan_json"]["reused"] == {"root": "v-new"}
    assert made["retry_of"] == id
    assert [(row["job_id"], row["id"], row["token"]) for row in world.records.left()] == [
        (made["id"], "v-new", "t-v-new")
    ]
    assert world.service.detail(ANNA, id)["can"] == []  # the retry has it now
    with pytest.raises(Conflict, match="was retried by job 2"):
        world.service.retry(ANNA, id, PHRASE)
    world.went(made["id"], "failed")
    assert world.service.retry(ANNA, made["id"], PHRASE)["number"] == 3


def test_a_retry_that_is_refused_leaves_everything_with_the_failed_job(world: World) -> None:
    id = world.begun()
    world.volume(id)
    world.went(id, "failed")
    world.gate.windows.closed = True
    with pytest.raises(Refused):
        world.service.retry(ANNA, id)
    assert [(row["job_id"], row["state"]) for row in world.records.left()] == [(id, "made")]
    world.gate.windows.closed = False
    submit = world.jobs.submit
    world.jobs.submit = lambda *args, **more: (_ for _ in ()).throw(Conflict("stopping"))  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        world.service.retry(ANNA, id)
    world.jobs.submit = submit  # type: ignore[method-assign]
    assert [(row["job_id"], row["state"]) for row in world.records.left()] == [(id, "made")]


def test_a_retry_never_uses_a_volume_of_another_point(world: World) -> None:
    id = world.begun()
    world.volume(id)
    world.went(id, "failed")
    point = replace(small_cloud.plan().disks[0].source, id="snap-2")  # type: ignore[type-var]
    world.planner.more["disks"] = (replace(small_cloud.plan().disks[0], source=point),)
    with pytest.raises(Conflict, match="a restore point that it came from is gone"):
        world.service.retry(ANNA, id)
    assert [row["job_id"] for row in world.records.left()] == [id]


def test_a_retry_is_for_who_may_administer_restores(world: World) -> None:
    id = world.begun()
    world.went(id, "failed")
    with pytest.raises(Forbidden):
        world.service.retry(ADMIN, id)


@pytest.mark.parametrize("state", ["queued", "running", "waiting", "done"])
def test_what_has_not_failed_is_not_retried(world: World, state: str) -> None:
    id = world.begun()
    world.went(id, state)
    with pytest.raises(Conflict):
        world.service.retry(ANNA, id)


def test_the_jobs_do_not_retry_what_asks_for_a_phrase(world: World) -> None:
    id = world.begun("REPLACE")
    world.went(id, "failed")
    with pytest.raises(Conflict, match="type a phrase"):
        world.service.retry_job(world.jobs.job(id), ANNA)
    other = world.begun()
    world.went(other, "failed")
    assert world.service.retry_job(world.jobs.job(other), ANNA)["kind"] == "restore"
