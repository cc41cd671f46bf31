"""What becomes of restores: their states, questions, ends, and retries that go on with what was made."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from engine.api.errors import Conflict, Forbidden
from engine.gate.refusals import Refused
from store.ops.ops import Ops
from tests.engine.restore import small_cloud
from tests.engine.restore.serving import ADMIN, ANNA, PHRASE, World


@pytest.fixture
def world(tmp_path: Path):
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        yield World(ops)


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
