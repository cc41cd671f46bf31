"""One plan for many machines: its lines, its sums, its phrase, and who may carry it out."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from engine.access.models import Caller
from engine.api.errors import Conflict, Forbidden, NotFound
from engine.gate.refusals import Refused
from engine.restore.models import Request
from engine.settings.cloud_rules import CloudRules
from engine.settings.models import Settings
from engine.settings.restore_section import Restore
from store.ops.ops import Ops
from tests.engine.restore.bulk.bulking import LIMITS, Many
from tests.engine.restore.serving import ANNA, VIEWER
from tests.engine.restore.small_cloud import OTHER, PROJECT

OPERATOR = Caller("otto", uid=4, role="operator")


@pytest.fixture
def world(tmp_path: Path):
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        yield Many(ops)


def test_a_plan_has_a_line_for_each_machine(world: Many) -> None:
    world.planner.ill["m1"] = "m1 is locked (no reason was given)"
    id = world.planned(3, "REPLACE", order=["m2"])
    found = world.bulk.get(ANNA, id)
    assert [(one["name"], one["group"], one["state"]) for one in found["machines"]] == [
        ("m2", 0, "WAITING"), ("m0", 1, "WAITING"), ("m1", 1, "NOT_POSSIBLE"),
    ]  # fmt: skip
    ill = found["machines"][2]
    assert not ill["eligible"] and "locked" in ill["detail"]
    assert found["machines"][0]["point"]["id"] == "snap-1"
    assert found["machines"][0]["back_ends"] == ["lab/one/ceph"]
    assert found["requires"]["typed"] == "DELETE AND RESTORE 2 MACHINES"
    assert found["seconds"] == 120 and found["detail"] == "2 of 3 machines can be restored so"
    assert (found["status"], found["can"], found["refused"]) == ("PLANNED", ["execute", "cancel"], None)
    assert world.jobs.page()[0] == 0, "nothing is begun by that"
    assert world.actions("restore.bulk_plan") == ["ok"] and id in world.moved


def test_a_machine_that_is_named_twice_is_one(world: Many) -> None:
    keys = [("lab", "one", "m0")] * 3
    found = world.bulk.plan(ANNA, keys, Request("", "", keep_days=0), (), LIMITS)
    assert len(found["machines"]) == 1


def test_one_that_cannot_be_planned_is_a_line_that_says_why(world: Many) -> None:
    world.planner.broken = NotFound("there is no machine 'm0'")
    found = world.bulk.get(ANNA, world.planned(1))
    assert found["machines"][0]["detail"] == "there is no machine 'm0'"
    with pytest.raises(Refused, match="none of these machines"):
        world.bulk.execute(ANNA, found["id"])


def test_the_phrase_is_exact_and_counts_what_is_left(world: Many) -> None:
    id = world.planned(3, "REPLACE")
    for typed in ("", "delete and restore 3 machines", "DELETE AND RESTORE 2 MACHINES"):
        with pytest.raises(Refused, match="DELETE AND RESTORE 3 MACHINES"):
            world.bulk.execute(ANNA, id, typed=typed)
    found = world.bulk.execute(ANNA, id, typed="DELETE AND RESTORE 2 MACHINES", leave_out=[("lab", "one", "m1")])
    assert found["status"] == "RUNNING" and world.states(id)["m1"] == "LEFT_OUT"
    world.look()
    assert world.jobs_of("m1") == [] and len(world.jobs_of("m0")) == 1
    with pytest.raises(Refused, match="carried out"):
        world.bulk.execute(ANNA, id)


def test_a_production_cloud_is_typed_too(world: Many) -> None:
    world.gate.windows.own = CloudRules(production=True)
    id = world.planned(2, "REPLACE")
    assert world.bulk.get(ANNA, id)["requires"]["typed"] == "lab DELETE AND RESTORE 2 MACHINES"
    world.bulk.execute(ANNA, id, typed="lab DELETE AND RESTORE 2 MACHINES")
    world.look()
    assert set(world.states(id).values()) == {"RUNNING"}


def test_a_reason_is_asked_for_where_the_cloud_does(world: Many) -> None:
    world.gate.windows.own = CloudRules(reason_required=True)
    id = world.planned(1)
    assert world.bulk.get(ANNA, id)["requires"]["reason"]
    with pytest.raises(Refused, match="reason"):
        world.bulk.execute(ANNA, id)
    world.bulk.execute(ANNA, id, "patch night")
    world.look()
    job = world.jobs.job(world.job_of_machine(id, "m0"))
    assert job["reason"] == "patch night"


def test_who_may_replace_is_the_same_as_for_one(world: Many) -> None:
    world.settings = Settings(restore=Restore(replace_role="superadmin"))
    admin = Caller("ada", uid=2, role="admin")
    id = world.planned(1, "REPLACE")
    assert "superadmin" in world.bulk.get(admin, id)["refused"]
    for act in (
        lambda: world.bulk.execute(admin, id, typed="DELETE AND RESTORE 1 MACHINE"),
        lambda: world.bulk.pause(admin, id),
        lambda: world.bulk.execute(VIEWER, id),
    ):
        with pytest.raises(Forbidden):
            act()


def test_it_is_shown_to_who_may_see_all_of_its_machines(world: Many) -> None:
    id = world.planned(2)
    eve, paul = Caller("eve", role="admin", projects=(OTHER,)), Caller("paul", role="admin", projects=(PROJECT,))
    assert [one["id"] for one in world.bulk.page(paul)] == [id] and world.bulk.page(eve) == []
    for act in (world.bulk.get, world.bulk.execute, world.bulk.cancel, world.bulk.pause, world.bulk.resume):
        with pytest.raises(NotFound):
            act(eve, id)
    with pytest.raises(NotFound):
        world.bulk.plan(Caller("x", role="admin", clouds=("y",)), [("lab", "one", "m0")], Request("", ""), (), LIMITS)


def test_the_sum_has_to_fit_as_it_is_now(world: Many) -> None:
    from engine.restore.models import Fit

    world.planner.fit = Fit("instances", True, "so", 1, 6, 10)
    id = world.planned(3)
    assert all(one["ok"] for one in world.bulk.get(ANNA, id)["sums"])
    world.planner.fit = replace(world.planner.fit, used=8)
    with pytest.raises(Refused, match="instances of p1: 3 needed by all of them, 8 of 10 used; leave some out"):
        world.bulk.execute(ANNA, id)
    world.bulk.execute(ANNA, id, leave_out=[("lab", "one", "m0")])


def test_a_plan_lives_for_thirty_minutes_and_is_the_one_that_was_shown(world: Many) -> None:
    id = world.planned(1)
    with pytest.raises(Refused, match="another one"):
        world.bulk.execute(ANNA, id, hash="no")
    with pytest.raises(Refused, match="not in this plan"):
        world.bulk.execute(ANNA, id, leave_out=[("lab", "one", "m7")])
    world.later(minutes=30)
    assert world.bulk.get(ANNA, id)["expired"]
    with pytest.raises(Refused, match="older than 30 minutes"):
        world.bulk.execute(ANNA, id, hash=world.bulk.get(ANNA, id)["hash"])
    world.later(days=2)
    world.planned(1)
    with pytest.raises(NotFound):
        world.bulk.get(ANNA, id)


def test_a_cloud_that_is_read_only_or_dry_begins_nothing(world: Many) -> None:
    id = world.planned(1)
    world.gate.windows.closed = True
    with pytest.raises(Refused, match="read-only"):
        world.bulk.execute(ANNA, id)
    world.settings = Settings(restore=Restore(dry_run=True))
    with pytest.raises(Conflict, match="dry_run"):
        world.bulk.execute(ANNA, id)
    world.settings = Settings(restore=Restore(enabled=False))
    for act in (lambda: world.bulk.execute(ANNA, id), lambda: world.planned(1)):
        with pytest.raises(NotFound, match="switched off"):
            act()
    assert world.bulk.get(ANNA, id)["status"] == "PLANNED"


def test_a_plan_can_be_given_up_and_what_has_ended_takes_no_orders(world: Many) -> None:
    id = world.planned(1)
    for act in (world.bulk.pause, world.bulk.resume):
        with pytest.raises(Conflict, match="planned"):
            act(ANNA, id)
    assert world.bulk.cancel(ANNA, id)["status"] == "CANCELED"
    for act in (world.bulk.pause, world.bulk.resume, world.bulk.cancel):
        with pytest.raises(Conflict, match="canceled"):
            act(ANNA, id)


def test_limits_are_as_the_settings_say_unless_asked(world: Many) -> None:
    world.settings = Settings(restore=Restore(parallel_per_backend=2))
    assert (world.bulk.limits().per_backend, world.bulk.limits().per_project) == (2, 4)
    assert world.bulk.limits(per_backend=9, stop_after=None).per_backend == 9
    assert world.bulk.limits().stop_after == 3


def test_plans_of_single_machines_are_not_listed_beside_it_until_their_turn(world: Many) -> None:
    id = world.planned(3)
    assert world.service.page(ANNA) == (0, [])
    assert world.bulk.open() == []
    world.bulk.execute(ANNA, id)
    world.look()
    assert world.service.page(ANNA)[0] == 3
    assert [one["id"] for one in world.bulk.open()] == [id]
