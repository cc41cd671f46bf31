"""A machine's volumes that are a group of the policy's type: one group snapshot, once, removed as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.snapshots import group_snapshots
from engine.snapshots.models import TOKEN
from tests.engine.snapshots.runs.simulated import CLOUD, REGION, World

DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def machine(world: World, keep: int = 1) -> list[str]:
    """A machine with two volumes whose policy names a group type; they are in no group yet."""
    world.policy("daily", keep=keep, method="server", group_type="ledger")
    disks = [world.cloud.add_volume() for _ in range(2)]
    world.cloud.add_server(disks)
    for disk in disks:
        world.hold(disk, "daily")
    world.settle()
    return disks


def details(world: World) -> list[str]:
    """What the records of the last run say of points that were made."""
    last = world.records.page(None, (), 1)[1][0]["id"]
    return [row["detail"] for row in world.records.records(last)[1] if row["action"] == "created"]


def test_one_group_snapshot_is_one_point_and_goes_as_a_whole(world: World) -> None:
    disks = machine(world)
    group = world.cloud.add_group(disks)
    world.pass_time(DAY)
    (made,) = world.cloud.group_snapshots.values()
    assert made["group_id"] == group and not world.cloud.images
    points = world.register.own(CLOUD, REGION)
    assert {(point.kind, point.group, point.volume_id) for point in points} == {
        ("snapshot", made["id"], disk) for disk in disks
    }
    assert {point.id for point in points} == set(world.cloud.snapshots)
    assert {(point.consistency, point.spread_ms) for point in points} == {("group-consistent", None)}
    assert all(made["id"] in point.proof and group in point.proof for point in points)
    world.pass_time(DAY, 2)
    assert len(world.cloud.group_snapshots) == 1 and made["id"] not in world.cloud.group_snapshots
    assert len(world.cloud.snapshots) == len(disks)
    # The whole, never a member: those went with it.
    assert [one["id"][:2].rstrip("0123456789") for one in world.cloud.removed] == ["gs", "s", "s"] * 2
    assert world.runs.run(3)["status"] == "completed"


@pytest.mark.parametrize("deaths", range(0, 80))
def test_wherever_it_dies_there_is_one_group_snapshot(tmp_path: Path, deaths: int) -> None:
    world = World(tmp_path)
    disks = machine(world)
    world.cloud.add_group(disks)
    world.pass_time(DAY)
    world.faults.crash_in = deaths
    world.pass_time(DAY)
    world.faults.crash_in = None
    world.pass_time(timedelta(hours=1))
    assert len(world.cloud.group_snapshots) == 1 and len(world.cloud.snapshots) == len(disks)
    assert len(world.cloud.made) == 2 * len(disks)
    assert {point.group for point in world.register.own(CLOUD, REGION)} == set(world.cloud.group_snapshots)
    assert {point.id for point in world.register.own(CLOUD, REGION)} == set(world.cloud.snapshots)
    world.close()


@pytest.mark.parametrize("deaths", range(0, 60))
@pytest.mark.parametrize("refused", ["lost", "unsent", "500"])
def test_an_answer_that_does_not_come_makes_no_second_one(tmp_path: Path, refused: str, deaths: int) -> None:
    world = World(tmp_path)
    disks = machine(world)
    world.cloud.add_group(disks)
    world.faults.refuse.append(refused)
    world.faults.crash_in = deaths
    world.pass_time(DAY)
    world.faults.crash_in = None
    world.pass_time(timedelta(hours=1), 2)
    assert len(world.cloud.group_snapshots) == 1 and len(world.cloud.made) == len(disks)
    assert {point.id for point in world.register.own(CLOUD, REGION)} == set(world.cloud.snapshots)
    world.close()


def _in_none(world: World, disks: list[str]) -> None:
    pass


def _one_of_them(world: World, disks: list[str]) -> None:
    world.cloud.add_group(disks[:1])


def _with_another(world: World, disks: list[str]) -> None:
    world.cloud.add_group([*disks, world.cloud.add_volume()])


def _of_another_type(world: World, disks: list[str]) -> None:
    world.cloud.add_group(disks, type_name="other")


def _inconsistent(world: World, disks: list[str]) -> None:
    world.cloud.add_group(disks, consistent="<is> False")


def _in_error(world: World, disks: list[str]) -> None:
    world.cloud.groups[world.cloud.add_group(disks)]["status"] = "error"


def _hidden(world: World, disks: list[str]) -> None:
    world.cloud.add_group(disks)
    for type in world.cloud.group_types.values():
        del type["group_specs"]


@pytest.mark.parametrize(
    ("arrange", "why"),
    [
        (_in_none, "is in no group"),
        (_one_of_them, "is not exactly the volumes of the machine"),
        (_with_another, "is not exactly the volumes of the machine"),
        (_of_another_type, "has the type other, not ledger"),
        (_inconsistent, "does not say consistent_group_snapshot_enabled"),
        (_in_error, "is error"),
        (_hidden, "administrators alone"),
    ],
)
def test_what_is_no_such_group_is_taken_as_before_and_the_record_says_why(world: World, arrange: Any, why: str) -> None:
    arrange(world, machine(world))
    world.pass_time(DAY)
    assert not world.cloud.group_snapshots and len(world.cloud.images) == 1
    said = details(world)
    assert len(said) == 2 and all("no group snapshot: " in one and why in one for one in said), said


def test_a_machine_of_which_one_volume_is_left_out_is_no_group(world: World) -> None:
    disks = machine(world)
    world.cloud.add_group(disks)
    world.wanted.excluded.add(disks[1])
    world.pass_time(DAY)
    assert not world.cloud.group_snapshots and len(world.cloud.snapshots) == 1
    assert all("not all volumes" in one for one in details(world))


def test_a_group_whose_quota_is_full_is_blocked(world: World) -> None:
    disks = machine(world)
    world.cloud.add_group(disks)
    world.cloud.limits["p1/snapshots"] = 2
    real = world.quotas

    def before(*place: Any) -> Any:
        found = real(*place)
        world.cloud.limits["p1/snapshots"] = 1  # somebody else was quicker
        return found

    world.quotas = before  # type: ignore[method-assign, assignment]
    world.boot()
    world.pass_time(DAY)
    assert not world.cloud.made
    statuses = {row["status"] for row in world.records.records(1)[1]}
    assert statuses == {"QUOTA_BLOCKED"}, world.records.records(1)


@pytest.mark.parametrize("change", ["token", "copied"])
def test_a_group_snapshot_that_is_not_ours_stays(world: World, change: str) -> None:
    disks = machine(world)
    world.cloud.add_group(disks)
    world.pass_time(DAY)
    (first,) = world.cloud.group_snapshots.values()
    if change == "token":
        first["description"] = "somebody wrote over it"
    else:
        # Somebody's own that says it is ours: the register does not have it.
        forged = {**first, "id": "forged"}
        world.cloud.group_snapshots["forged"] = forged
        for disk in disks:
            world.cloud.add_snapshot(disk, {}, group_snapshot_id="forged")
    world.pass_time(DAY, 3)
    kept = first["id"] if change == "token" else "forged"
    assert kept in world.cloud.group_snapshots
    assert sum(one["group_snapshot_id"] == kept for one in world.cloud.snapshots.values()) == 2


def test_a_volume_that_lost_its_policy_keeps_its_points_and_so_the_whole(world: World) -> None:
    disks = machine(world)
    world.cloud.add_group(disks)
    world.pass_time(DAY)
    (first,) = world.cloud.group_snapshots
    del world.wanted.held[disks[1]]
    world.pass_time(DAY, 3)
    assert first in world.cloud.group_snapshots
    world.hold(disks[1], "daily")
    world.pass_time(DAY, 2)
    assert first not in world.cloud.group_snapshots and len(world.cloud.group_snapshots) == 1


def test_the_token_ends_the_description_however_long_the_policy_is_called() -> None:
    call = group_snapshots.create(("c", "r", "s"), "p1", "g1", "n" * 300, "p" * 255, "t" * 32)
    body = (call.body or {})["group_snapshot"]
    assert group_snapshots.has_token(body, "t" * 32) and len(body["description"]) <= 255 >= len(body["name"])
    assert not group_snapshots.has_token(body, "") and not group_snapshots.has_token(body, "t" * 31)
    assert not group_snapshots.has_token({"description": f"x{TOKEN}={'t' * 32}"}, "t" * 32)
