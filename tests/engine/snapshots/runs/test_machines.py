"""All volumes of a machine as one point: by Nova where it can, else all at once by Cinder; removed as one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.engine.snapshots.runs.simulated import CLOUD, REGION, World

DAY = timedelta(days=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def machine(world: World, keep: int = 1, volumes: int = 2) -> tuple[str, list[str]]:
    """A machine whose volumes have a daily policy for machines."""
    world.policy("daily", keep=keep, method="server")
    disks = [world.cloud.add_volume() for _ in range(volumes)]
    id = world.cloud.add_server(disks)
    for disk in disks:
        world.hold(disk, "daily")
    world.settle()
    return id, disks


def test_nova_takes_all_volumes_and_image_and_snapshots_go_together(world: World) -> None:
    server, disks = machine(world)
    world.pass_time(DAY)
    (image,) = world.cloud.images
    points = world.register.own(CLOUD, REGION)
    assert {(point.kind, point.group, point.server_id) for point in points} == {
        ("snapshot", image, server), ("image", image, server),
    }  # fmt: skip
    assert {point.volume_id for point in points} == {*disks, ""}
    assert {point.spread_ms for point in points} == {100}
    assert all(point.consistency and point.proof for point in points)
    world.pass_time(DAY, 2)
    assert len(world.cloud.images) == 1 and image not in world.cloud.images
    assert len(world.cloud.snapshots) == len(disks)
    # The image goes before what it lists.
    assert [one["id"][0] for one in world.cloud.removed] == ["i", "s", "s"] * 2


def test_a_machine_of_which_one_volume_is_left_out_is_not_nova_s(world: World) -> None:
    _, disks = machine(world, volumes=3)
    world.wanted.excluded.add(disks[1])
    world.pass_time(DAY)
    assert not world.cloud.images
    assert {one["volume_id"] for one in world.cloud.made} == {disks[0], disks[2]}
    points = world.register.own(CLOUD, REGION)
    assert all(point.spread_ms is not None and point.consistency == "crash-consistent" for point in points)


def test_where_nova_refuses_cinder_takes_all_at_once(world: World) -> None:
    _, disks = machine(world)
    world.cloud.freezes = False
    world.pass_time(DAY, 3)
    assert not world.cloud.images and len(world.cloud.snapshots) == len(disks)
    assert world.runs.run(3)["status"] == "completed"


def test_a_machine_that_boots_from_an_image_is_taken_by_cinder(world: World) -> None:
    server, disks = machine(world)
    world.cloud.servers[server]["image"] = {"id": "ubuntu"}
    world.pass_time(DAY)
    assert not world.cloud.images and len(world.cloud.made) == len(disks)


@pytest.mark.parametrize("deaths", range(0, 80, 2))
def test_wherever_it_dies_there_is_one_image_with_its_snapshots(tmp_path: Path, deaths: int) -> None:
    world = World(tmp_path)
    _, disks = machine(world)
    world.pass_time(DAY)
    world.faults.crash_in = deaths
    world.pass_time(DAY)
    world.faults.crash_in = None
    world.pass_time(timedelta(hours=1))
    assert len(world.cloud.images) == 1 and len(world.cloud.snapshots) == len(disks)
    assert len(world.cloud.made) == 2 * len(disks)
    assert {point.group for point in world.register.own(CLOUD, REGION)} == set(world.cloud.images)
    world.close()


@pytest.mark.parametrize("refused", ["lost", "unsent", "500"])
def test_an_answer_of_nova_that_does_not_come_makes_no_second_image(world: World, refused: str) -> None:
    _, disks = machine(world)
    world.faults.refuse.append(refused)
    world.pass_time(DAY)
    world.pass_time(timedelta(hours=1), 2)
    assert len(world.cloud.images) == 1 and len(world.cloud.snapshots) == len(disks)
