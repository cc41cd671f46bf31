"""Machines begin in their order and within limits, once each, wherever the engine ends."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.api.errors import NotFound, Unavailable
from engine.clouds.errors import CloudError
from engine.restore.bulk.models import Limits
from engine.settings.models import Settings
from engine.settings.restore_section import Restore
from store.ops.ops import Ops
from tests.engine.restore.bulk.bulking import LIMITS, Many
from tests.engine.restore.serving import ANNA


class Killed(BaseException):
    """The engine ends here."""


@pytest.fixture
def world(tmp_path: Path):
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        yield Many(ops)


def test_every_machine_gets_an_ordinary_restore(world: Many) -> None:
    id = world.started(3, "REPLACE")
    world.look()
    assert set(world.states(id).values()) == {"RUNNING"}
    for name in ("m0", "m1", "m2"):
        assert len(world.jobs_of(name)) == 1
        world.ends(id, name)
    world.look()
    found = world.bulk.get(ANNA, id)
    assert (found["status"], found["detail"]) == ("SUCCEEDED", "3 of 3 machines restored")
    assert world.actions("restore.bulk_end") == ["ok"] and world.actions("restore.execute") == ["ok"] * 3
    assert world.driver.tick(world.clock) == (False, False)


def test_a_machine_that_runs_says_what_it_does_and_asks(world: Many) -> None:
    id = world.started(1)
    world.look()
    job = world.job_of_machine(id, "m0")
    world.went(job, "running", VALIDATE_LIVE_STATE="done", CREATE_VOLUME_FROM_SNAPSHOT="running")
    assert world.bulk.get(ANNA, id)["machines"][0]["step"] == "CREATE_VOLUME_FROM_SNAPSHOT"
    world.went(job, "running", CREATE_VOLUME_FROM_SNAPSHOT="done", PROVE_IT_ANSWERS="running")
    real = world.jobs.job

    def asking(*given: Any) -> Any:
        found = real(*given)
        return {**found, "steps": [{**step, "progress": "does it answer?"} for step in found["steps"]]}

    world.jobs.job = asking  # type: ignore[method-assign]
    assert world.bulk.get(ANNA, id)["machines"][0]["progress"] == "does it answer?"


def test_groups_go_one_after_another(world: Many) -> None:
    id = world.started(3, order=["m2", "m0"])
    for name, rest in (("m2", {"m0": "WAITING", "m1": "WAITING"}), ("m0", {"m1": "WAITING"}), ("m1", {})):
        world.look()
        assert {one: state for one, state in world.states(id).items() if state == "WAITING"} == rest
        world.ends(id, name)
    world.look()
    assert world.bulk.get(ANNA, id)["status"] == "SUCCEEDED"


def test_the_next_group_does_not_begin_after_a_failure_until_somebody_says_so(world: Many) -> None:
    id = world.started(2, order=["m0"])
    world.look()
    world.ends(id, "m0", "failed")
    world.look()
    found = world.bulk.get(ANNA, id)
    assert found["status"] == "PAUSED" and "next group does not begin" in found["detail"]
    assert found["can"] == ["resume", "cancel"]
    world.bulk.resume(ANNA, id)
    world.look()
    world.ends(id, "m1")
    world.look()
    assert world.bulk.get(ANNA, id)["status"] == "PARTIAL"


def test_a_retry_that_succeeds_counts(world: Many) -> None:
    id = world.started(2, order=["m0"])
    world.look()
    world.ends(id, "m0", "failed")
    world.look()
    again = world.service.retry(ANNA, world.job_of_machine(id, "m0"))["id"]
    assert world.states(id)["m0"] == "RUNNING" and world.job_of_machine(id, "m0") == again
    world.went(again, "done")
    world.bulk.resume(ANNA, id)
    world.look()
    assert world.states(id) == {"m0": "SUCCEEDED", "m1": "RUNNING"}


def test_it_stops_after_so_many_failures(world: Many) -> None:
    id = world.started(6, limits=replace(LIMITS, parallel=2, stop_after=2))
    world.look()
    for name in ("m0", "m1"):
        world.ends(id, name, "failed")
        world.look()
    assert "2 restores have failed" in world.bulk.get(ANNA, id)["detail"]
    assert list(world.states(id).values()).count("WAITING") == 3
    assert world.actions("restore.bulk_pause") == ["failed"]


def test_limits_hold_over_all_plans(world: Many) -> None:
    narrow = Limits(100, 2, 100, 3)
    first, keys = world.started(3, limits=narrow), [("lab", "one", f"n{number}") for number in range(2)]
    second = world.bulk.plan(ANNA, keys, world.planner.asked[0], (), narrow)["id"]
    world.bulk.execute(ANNA, second)
    world.look()
    assert list(world.states(first).values()).count("RUNNING") == 2
    assert set(world.states(second).values()) == {"WAITING"}
    world.ends(first, "m0")
    world.look()
    assert [*world.states(first).values()].count("RUNNING") + [*world.states(second).values()].count("RUNNING") == 2


def test_paused_begins_nothing_and_what_runs_goes_on(world: Many) -> None:
    id = world.started(2, limits=replace(LIMITS, parallel=1))
    world.look()
    assert world.bulk.pause(ANNA, id)["status"] == "PAUSED"
    world.ends(id, "m0")
    world.look()
    assert world.states(id) == {"m0": "SUCCEEDED", "m1": "WAITING"}
    world.bulk.resume(ANNA, id)
    world.look()
    assert world.states(id)["m1"] == "RUNNING"


@pytest.mark.parametrize("running", [False, True])
def test_cancelled_begins_none_of_the_rest(world: Many, running: bool) -> None:
    id = world.started(3, limits=replace(LIMITS, parallel=1))
    world.look()
    assert world.bulk.cancel(ANNA, id, running)["status"] == "CANCELING"
    world.look()
    job = world.job_of_machine(id, "m0")
    assert world.states(id) == {"m0": "RUNNING", "m1": "NOT_BEGUN", "m2": "NOT_BEGUN"}
    assert (world.jobs.job(job)["cancelled_by"] == "anna") is running
    world.went(job, "cancelled" if running else "done")
    world.look()
    assert world.bulk.get(ANNA, id)["status"] == "CANCELED"


def test_a_machine_that_is_held_is_skipped_with_the_reason(world: Many) -> None:
    id = world.started(2)
    world.gate.held_for["other"] = ["m0"]
    world.look()
    found = {one["name"]: one for one in world.bulk.get(ANNA, id)["machines"]}
    assert found["m0"]["state"] == "SKIPPED" and "a job works on it" in found["m0"]["detail"]
    assert found["m1"]["state"] == "RUNNING"


def test_a_machine_that_was_locked_meanwhile_is_skipped_with_the_reason(world: Many) -> None:
    id = world.started(2)
    world.planner.changed["m0"] = ("the machine's locked was not so",)
    world.planner.ill["m0"] = "m0 is locked (no reason was given)"
    world.look()
    found = {one["name"]: one for one in world.bulk.get(ANNA, id)["machines"]}
    assert (found["m0"]["state"], found["m0"]["detail"]) == ("SKIPPED", "m0 is locked (no reason was given)")


def test_what_changed_without_harm_is_planned_anew(world: Many) -> None:
    id = world.started(1)
    shown = world.bulk.get(ANNA, id)["machines"][0]["plan_id"]
    world.planner.changed["m0"] = ("the machine's host was a when it was planned, and is b now",)
    world.look()
    assert world.states(id) == {"m0": "RUNNING"}
    assert world.job_of_machine(id, "m0") != shown


def test_what_would_lose_something_else_is_not_begun(world: Many) -> None:
    id = world.started(1)
    world.later(minutes=31)
    world.planner.points["m0"] = "snap-2"
    world.look()
    found = world.bulk.get(ANNA, id)["machines"][0]
    assert found["state"] == "SKIPPED" and "another loss than was shown" in found["detail"]
    assert world.jobs_of("m0") == []


@pytest.mark.parametrize("later", [{"minutes": 31}, {"days": 3}])
def test_a_plan_that_is_too_old_at_its_turn_is_made_anew_from_the_same_points(world: Many, later: Any) -> None:
    id = world.started(2, limits=replace(LIMITS, parallel=1))
    world.look()
    world.later(**later)
    world.plan()  # which forgets old plans
    world.ends(id, "m0")
    world.look()
    assert world.states(id) == {"m0": "SUCCEEDED", "m1": "RUNNING"}
    asked = world.planner.asked[-1]
    assert (asked.server_id, asked.restore_point_id, asked.disks["root-m1"]) == ("m1", "snap-1", "point:snap-1")


def test_a_cloud_that_is_read_only_now_pauses_all(world: Many) -> None:
    id = world.started(2)
    world.gate.windows.closed = True
    world.look()
    found = world.bulk.get(ANNA, id)
    assert found["status"] == "PAUSED" and "read-only" in found["detail"]
    assert set(world.states(id).values()) == {"WAITING"}
    world.gate.windows.closed = False
    world.bulk.resume(ANNA, id)
    world.look()
    assert set(world.states(id).values()) == {"RUNNING"}


def test_restores_that_are_switched_off_now_pause_all(world: Many) -> None:
    id = world.started(2)
    world.settings = Settings(restore=Restore(dry_run=True))
    world.look()
    assert "only planned" in world.bulk.get(ANNA, id)["detail"]


def test_a_cloud_that_does_not_answer_is_asked_again_and_then_left(world: Many) -> None:
    id = world.started(1)
    world.later(minutes=31)
    world.planner.broken = CloudError("timeout", "Nova of lab did not answer in time")
    world.look()
    found = world.bulk.get(ANNA, id)["machines"][0]
    assert found["state"] == "WAITING" and "tried again: Nova of lab did not answer" in found["detail"]
    tried = len(world.planner.asked)
    world.look()
    assert len(world.planner.asked) == tried, "not at once"
    for _ in range(20):
        world.later(minutes=3)
        world.look()
    found = world.bulk.get(ANNA, id)["machines"][0]
    assert found["state"] == "SKIPPED" and "tried 10 times" in found["detail"]


def test_a_cloud_that_answers_again_is_gone_on_with(world: Many) -> None:
    id = world.started(1)
    world.later(minutes=31)
    world.planner.broken = CloudError("timeout", "Nova of lab did not answer in time")
    world.look()
    world.planner.broken = None
    world.later(minutes=1)
    world.look()
    assert world.states(id) == {"m0": "RUNNING"} and world.driver.trouble(id, 0) == ""


def test_a_machine_that_is_gone_is_skipped(world: Many) -> None:
    id = world.started(1)
    world.later(minutes=31)
    world.planner.broken = NotFound("there is no machine 'm0'")
    world.look()
    assert world.states(id) == {"m0": "SKIPPED"}


# Crashes

ALWAYS = ["plans.row", "gate.hold", "plans.take", "jobs.submit", "gate.submitted"]
ANEW = ["service.make", "plans.keep", "many.turn"]  # where the plan is too old


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("place", "old"), [*((one, old) for one in ALWAYS for old in (False, True)), *((one, True) for one in ANEW)]
)
def test_no_machine_twice_and_none_forgotten(world: Many, place: str, after: bool, old: bool) -> None:
    """The engine ends before or after that call of the second turn, and begins again."""
    id = world.started(3, limits=replace(LIMITS, parallel=1), way="REPLACE")
    world.look()
    world.ends(id, "m0")
    if old:
        world.later(minutes=31)
    whose, name = place.split(".")
    owner = getattr(world, whose)
    real = getattr(owner, name)

    def dies(*arguments: Any, **more: Any) -> Any:
        setattr(owner, name, real)
        if after:
            real(*arguments, **more)
        raise Killed

    setattr(owner, name, dies)
    with pytest.raises(Killed):
        world.look()
    world.service._starting.clear()
    world.live()
    for machine in ("m1", "m2"):
        world.look()
        assert world.states(id)[machine] == "RUNNING", world.bulk.get(ANNA, id)["machines"]
        world.ends(id, machine)
    world.look()
    assert world.bulk.get(ANNA, id)["status"] == "SUCCEEDED"
    assert [len(world.jobs_of(machine)) for machine in ("m0", "m1", "m2")] == [1, 1, 1]


def test_an_engine_that_stops_leaves_turns_to_the_next(world: Many) -> None:
    id = world.started(1)
    real = world.jobs.submit

    def stopping(*arguments: Any, **more: Any) -> Any:
        raise Unavailable("the engine is stopping; begin the job again in a moment")

    world.jobs.submit = stopping  # type: ignore[method-assign]
    world.look()
    assert world.states(id) == {"m0": "WAITING"}
    world.jobs.submit = real  # type: ignore[method-assign]
    world.live()
    world.look()
    assert world.states(id) == {"m0": "RUNNING"} and len(world.jobs_of("m0")) == 1


def test_the_thread_goes_on_by_itself(world: Many) -> None:
    from tests.engine.process.running import wait_for

    world.driver._seconds = 0.05
    world.driver.begin()
    try:
        id = world.started(2, limits=replace(LIMITS, parallel=1))
        world.driver.wake()
        wait_for(lambda: world.states(id)["m0"] == "RUNNING" or None, 10)
        world.ends(id, "m0")
        wait_for(lambda: world.states(id)["m1"] == "RUNNING" or None, 10)
        world.ends(id, "m1")
        wait_for(lambda: world.bulk.get(ANNA, id)["status"] == "SUCCEEDED" or None, 10)
    finally:
        world.driver.close()
