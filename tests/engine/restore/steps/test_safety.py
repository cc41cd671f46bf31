"""Safety snapshots: of what, how they are marked, and that nothing goes on before they can be used."""

from __future__ import annotations

import pytest

from engine.restore.models import MARK, Source
from engine.restore.records import Records
from engine.snapshots.models import CONSISTENCY, CREATED_BY, CREATED_BY_HAND, TAKEN_AT, VOLUME
from tests.engine.restore.steps import scenes
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.job import Job, disk, plan

SAFETY, WAIT = "SAFETY_SNAPSHOT", "WAIT_SAFETY_SNAPSHOT"


def test_the_root_and_nothing_else_in_place(records: Records) -> None:
    scene = scenes.in_place(records)
    there = set(scene.cloud.snapshots)
    scene.job.run(SAFETY, WAIT)
    [made] = [one for id, one in scene.cloud.snapshots.items() if id not in there]
    assert made["volume_id"] == scene.root and scene.cloud.contents[made["id"]] == "root now"
    assert made["name"] == "safety-web-root-20260301-120000"
    metadata = made["metadata"]
    # It stands as a restore point made by hand: no retention counts it.
    assert metadata[CREATED_BY] == CREATED_BY_HAND and metadata[VOLUME] == scene.root
    assert metadata[TAKEN_AT] and metadata[CONSISTENCY] == "crash-consistent"
    assert metadata[MARK] == scene.job.records.of_job(scene.job.plan.id)[0]["token"]


def test_the_disks_that_move_in_replace(records: Records) -> None:
    cloud = FakeCloud()
    root, data = cloud.add_volume("root", bootable="true"), cloud.add_volume("db", name="db")
    server = cloud.add_server([root, data], status="SHUTOFF", **{"OS-EXT-STS:vm_state": "stopped"})
    point = Source("snapshot", cloud.add_snapshot(root, "then"))
    job = Job(cloud, records, plan("REPLACE", server, disk(cloud, root, point, root=True), disk(cloud, data, None)))
    job.run(SAFETY, WAIT)
    assert [one["volume_id"] for one in cloud.snapshots.values()] == [root, data]  # the first one is the point
    assert job.results[job.names[WAIT]].more["snapshots"] == {data: list(cloud.snapshots)[1]}
    assert list(cloud.snapshots.values())[1]["metadata"][CONSISTENCY] == "group-consistent"  # it was off


def test_an_image_of_a_root_that_is_no_volume(records: Records) -> None:
    scene = scenes.image_booted(records)
    scene.job.run(SAFETY, WAIT)
    id = scene.job.results[1 + scene.job.names[SAFETY]].more["snapshots"]["root"]
    assert scene.cloud.contents[id] == "root now"
    assert not scene.cloud.snapshots  # data volumes are not touched


@pytest.mark.parametrize(("what", "make"), [("snapshot", scenes.in_place), ("image", scenes.image_booted)])
def test_one_that_comes_to_nothing_stops_everything(what: str, make: scenes.Make, records: Records) -> None:
    scene = make(records)
    scene.cloud.fails.add(what)
    scene.job.step(SAFETY)
    assert "nothing was overwritten" in scene.job.attempt(WAIT)
    assert "no safety snapshot that can be used" in _rebuild(scene)
    assert scene.cloud.content(scene.server) == "root now"


def _rebuild(scene: scenes.Scene) -> str:
    if scene.root:
        scene.job.run("CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE", "CREATE_IMAGE", "WAIT_IMAGE_ACTIVE")
    return scene.job.attempt("REBUILD_SERVER")


@pytest.mark.parametrize(("state", "words"), [("creating", "was not ready after"), ("gone", "is gone")])
def test_other_ends_of_waiting(state: str, words: str, records: Records) -> None:
    scene = scenes.in_place(records)
    scene.job.step(SAFETY)
    scene.cloud.settle()
    id = list(scene.cloud.snapshots)[-1]
    if state == "gone":
        del scene.cloud.snapshots[id]
    else:
        scene.cloud.snapshots[id]["status"] = state
    assert words in scene.job.attempt(WAIT)


def test_a_machine_that_is_gone_or_locked_is_not_touched(records: Records) -> None:
    scene = scenes.in_place(records)
    scene.cloud.servers[scene.server]["locked"] = True
    assert "was locked since the plan was made" in scene.job.attempt(SAFETY)
    del scene.cloud.servers[scene.server]
    assert "is gone" in scene.job.attempt(SAFETY)
    assert scene.rows() == []
