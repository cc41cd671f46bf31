"""Steps of runs in a simulated cloud: what is made, what is removed, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.access.models import ENGINE
from engine.gate.models import Answer, Call
from engine.snapshots.models import TOKEN
from store.ops.snapshot_run_tables import snapshot_records as records
from tests.engine.snapshots.runs.simulated import CLOUD, World

DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def said(world: World) -> list[tuple[str, str, str]]:
    """(action, status, code) of every record."""
    with world.real.read() as connection:
        rows = connection.execute(select(records.c.action, records.c.status, records.c.code).order_by(records.c.id))
        return [tuple(row) for row in rows]


def one(world: World, keep: int = 2, **volume: Any) -> str:
    """A volume with a daily policy; the schedule is known from now on."""
    world.policy("daily", keep=keep)
    id = world.cloud.add_volume(**volume)
    world.hold(id, "daily")
    world.settle()
    return id


def submitted(world: World) -> None:
    """The run is planned, and none of its steps has begun."""
    while not world.journal.jobs:
        assert world.timing.tick(world.now) or world.records.open()


def test_every_day_one_is_made_and_the_oldest_goes(world: World) -> None:
    volume = one(world)
    for day in range(5):
        world.pass_time(DAY)
        assert len(world.cloud.made) == day + 1
        assert len(world.own(volume, "daily")) == min(day + 1, 2)
    assert [snap["id"] for snap in world.cloud.removed] == [snap["id"] for snap in world.cloud.made[:3]]
    assert world.listings == 5
    run = world.runs.run(5)
    assert (run["status"], run["snapshots_created"], run["snapshots_deleted"]) == ("completed", 1, 1)
    assert run["progress_pct"] == 100.0


def test_what_others_made_stays_whatever_it_says(world: World) -> None:
    volume = one(world, keep=1)
    by_hand = world.cloud.add_snapshot(volume, {})
    forged = world.forge(volume, "daily")
    world.pass_time(DAY, 3)
    copied = world.cloud.add_snapshot(
        volume, dict(world.cloud.snapshots[world.own(volume, "daily")[0]["point_id"]]["metadata"])
    )
    world.pass_time(DAY, 3)
    assert {by_hand["id"], forged["id"], copied["id"]} <= set(world.cloud.snapshots)
    assert len(world.own(volume, "daily")) == 1 and len(world.cloud.removed) == 5


def test_a_point_whose_token_somebody_changed_is_left_alone(world: World) -> None:
    one(world, keep=1)
    world.pass_time(DAY)
    first = world.cloud.made[0]["id"]
    world.cloud.snapshots[first]["metadata"][TOKEN] = "another"
    world.pass_time(DAY)
    assert first in world.cloud.snapshots
    assert ("deleted", "SKIPPED", "stuck") in said(world)


def test_a_snapshot_with_clones_stays_and_the_others_go_on(world: World) -> None:
    volume = one(world, keep=1)
    world.pass_time(DAY)
    stuck = world.cloud.made[0]["id"]
    world.cloud.cloned.add(stuck)
    world.pass_time(DAY, 3)
    assert {row["point_id"] for row in world.own(volume, "daily")} == {stuck, world.cloud.made[-1]["id"]}
    world.cloud.cloned.clear()
    world.pass_time(DAY)
    assert [row["point_id"] for row in world.own(volume, "daily")] == [world.cloud.made[-1]["id"]]


def test_two_policies_of_one_volume_keep_apart(world: World) -> None:
    volume = one(world, keep=2)
    world.policy("weekly", "0 2 * * 0", keep=1)
    world.hold(volume, "weekly")
    world.settle()
    world.pass_time(DAY, 15)
    assert len(world.own(volume, "daily")) == 2 and len(world.own(volume, "weekly")) == 1


def test_a_lowered_keep_is_brought_down_even_where_the_quota_is_full(world: World) -> None:
    volume = one(world, keep=5)
    world.pass_time(DAY, 5)
    world.cloud.limits["p1/snapshots"] = 5
    world.policy("daily", keep=2)
    world.hold(volume, "daily")
    world.pass_time(DAY)
    assert len(world.own(volume, "daily")) == 2 and len(world.cloud.made) == 6


@pytest.mark.parametrize("refused", ["500", "lost", "unsent"])
def test_an_answer_that_does_not_come_makes_no_double(world: World, refused: str) -> None:
    volume = one(world)
    world.faults.refuse.append(refused)
    world.pass_time(DAY)
    assert len(world.own(volume, "daily")) == (1 if refused == "lost" else 0)
    world.pass_time(timedelta(hours=1), 3)
    assert len(world.cloud.made) == len(world.own(volume, "daily")) == 1


def test_what_comes_late_after_all_is_found_and_not_made_again(world: World) -> None:
    volume = one(world)
    world.faults.refuse.append("unsent")
    world.pass_time(DAY)
    (row,) = world.register.rows(CLOUD, "one", [volume], "daily", ("begun",))
    late = world.cloud.add_snapshot(volume, {TOKEN: row["token"]})
    world.pass_time(timedelta(hours=1), 2)
    assert [row["point_id"] for row in world.own(volume, "daily")] == [late["id"]]
    assert not world.cloud.made


@pytest.mark.parametrize("deaths", range(0, 60))
def test_wherever_it_dies_the_point_is_there_once(tmp_path: Path, deaths: int) -> None:
    world = World(tmp_path)
    volume = one(world, keep=1)
    world.pass_time(DAY)
    world.faults.crash_in = deaths
    world.pass_time(DAY)
    world.faults.crash_in = None
    world.pass_time(timedelta(hours=1))
    assert len(world.cloud.made) == 2
    assert [row["point_id"] for row in world.own(volume, "daily")] == [world.cloud.made[-1]["id"]]
    assert list(world.cloud.snapshots) == [world.cloud.made[-1]["id"]]
    assert [one for one in said(world) if one[0] == "created"] == [("created", "OK", "")] * 2
    world.close()


def test_a_volume_that_goes_half_way_is_skipped(world: World) -> None:
    volume = one(world)
    other = world.cloud.add_volume()
    world.hold(other, "daily")
    world.now += DAY
    submitted(world)
    del world.cloud.volumes[other]
    world.settle()
    assert len(world.own(volume, "daily")) == 1
    assert ("skipped", "SKIPPED", "gone") in said(world)
    assert world.runs.run(1)["status"] == "completed"


def test_what_is_excluded_meanwhile_is_skipped(world: World) -> None:
    volume = one(world)
    world.now += DAY
    submitted(world)
    world.wanted.excluded.add(volume)
    world.settle()
    assert not world.cloud.made and ("skipped", "SKIPPED", "excluded") in said(world)


def test_quota_that_ends_half_way_blocks_the_rest_of_the_project_and_no_other(world: World) -> None:
    one(world)
    volumes = [world.cloud.add_volume() for _ in range(4)]
    elsewhere = world.cloud.add_volume(project="p2")
    for volume in (*volumes, elsewhere):
        world.hold(volume, "daily")
    world.now += DAY
    submitted(world)
    world.cloud.limits["p1/snapshots"] = 2  # after the plan
    asked: list[str] = []
    create = world.cloud._create

    def counted(call: Call) -> Answer:
        asked.append(call.project_id)
        return create(call)

    world.cloud._create = counted  # type: ignore[method-assign]
    world.settle()
    assert len(world.cloud.made) == 3 and len(world.own(elsewhere, "daily")) == 1
    assert asked.count("p1") == 3, "the project was asked again in vain"
    run = world.runs.run(1)
    assert (run["status"], run["quota_blocked"]) == ("partial", 3)
    assert {block["reason"] for block in world.runs.blocked(run_id=1)} == {"snapshots_exceeded"}
    world.cloud.limits.clear()
    world.pass_time(timedelta(hours=1))
    assert len(world.cloud.made) == 6, "what can be made now is made before the next day"


def test_lists_that_are_not_whole_make_nothing_and_are_tried_again(world: World) -> None:
    one(world)
    world.listing_fails = 1
    world.pass_time(DAY)
    run = world.runs.run(1)
    assert run["status"] == "failed" and "the volume list broke off" in run["detail"] and not world.cloud.made
    world.pass_time(timedelta(minutes=31))
    assert len(world.cloud.made) == 1 and world.runs.run(2)["attempt"] == 2


def test_a_cloud_that_may_not_be_changed_says_so_and_makes_it_later(world: World) -> None:
    one(world)
    world.forbidden = "sim is read-only"
    world.pass_time(DAY)
    assert world.runs.state()["idle"] == {CLOUD: "sim is read-only"} and world.runs.page(ENGINE)[0] == 0
    world.forbidden = None
    world.pass_time(timedelta(hours=1))
    assert len(world.cloud.made) == 1 and not world.runs.state()["idle"]


def test_a_dry_run_makes_nothing_and_says_what_it_would(world: World) -> None:
    volume = one(world)
    world.pass_time(DAY)
    run = world.runs.start(ENGINE, CLOUD, dry_run=True)
    world.settle()
    assert world.runs.run(run["id"])["status"] == "dry_run_completed"
    assert len(world.cloud.made) == 1
    _, rows = world.runs.records(run["id"])
    assert [(row["volume_id"], row["status"]) for row in rows] == [(volume, "DRY_RUN")]


def test_a_run_on_demand_makes_one_more_of_everything(world: World) -> None:
    volume = one(world, keep=3)
    world.pass_time(DAY)
    run = world.runs.start(ENGINE, CLOUD, trigger="on_demand")
    world.settle()
    assert world.runs.run(run["id"])["snapshots_created"] == 1
    assert len(world.own(volume, "daily")) == 2


def test_a_cancelled_run_makes_no_more(world: World) -> None:
    one(world)
    run = world.runs.start(ENGINE, CLOUD)
    assert world.runs.active()["run"]["id"] == run["id"]
    world.runs.cancel(ENGINE, run["id"])
    world.settle()
    assert world.runs.run(run["id"])["status"] == "cancelled" and not world.cloud.made
    assert world.runs.active() == {"active": False, "run": None, "batches": [], "runs": []}
