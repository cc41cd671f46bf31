"""Plans are carried out once, as they were shown, by whom it is allowed, and one at a time for each machine."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from engine.access.models import Caller
from engine.api.errors import Conflict, Forbidden, NotFound
from engine.clouds.errors import CloudError
from engine.gate.refusals import NotDone, Refused
from engine.restore.kept import to_json
from engine.restore.models import Request, Way
from engine.settings.cloud_rules import CloudRules
from engine.settings.models import Settings
from engine.settings.restore_section import CloudRestore, Restore
from store.ops.jobs_tables import jobs
from store.ops.ops import Ops
from tests.engine.restore.serving import ADMIN, ANNA, PHRASE, STEPS, VIEWER, World
from tests.engine.restore.small_cloud import NOW, OTHER, PROJECT


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
