"""New volumes: what is asked for, what is mended, what comes to nothing and says why, and what a retry takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.restore.models import MARK, Source
from engine.restore.records import Records
from tests.engine.restore.steps import scenes
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.job import Job, disk, plan
from tests.engine.restore.steps.scenes import IMAGE_METADATA, Scene

CREATE, WAIT = "CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE"


def _new(scene: Scene) -> dict[str, Any]:
    return scene.cloud.volumes[scene.job.work(CREATE).made(f"volume:{scene.data[0]}")]


def _root(records: Records, **more: Any) -> tuple[FakeCloud, Job, str]:
    """A root that was bootable, and whose snapshot says nothing of that."""
    cloud = FakeCloud()
    root = cloud.add_volume("now", name="web-root")
    server = cloud.add_server([root])
    point = Source("snapshot", cloud.add_snapshot(root, "then"), volume_id=root)
    cloud.volumes[root] |= {"bootable": "true", "volume_image_metadata": dict(IMAGE_METADATA)}
    one = disk(cloud, root, point, root=True, **more)
    return cloud, Job(cloud, records, plan("NEW", server, one)), root


def test_what_is_asked_for(records: Records) -> None:
    scene = scenes.back(records)
    scene.cloud.volumes[scene.data[0]]["description"] = "the orders"
    one = scene.job.plan.disks[1]
    scene.job.plan = replace(scene.job.plan, disks=(replace(one, description="the orders", zone="z2", volume_type="hdd",
                                                            size_gb=9),))  # fmt: skip
    scene.job.step(CREATE)
    [call] = [call for call in scene.cloud.calls if call.path == "/volumes"]
    assert call.body is not None
    body = dict(call.body["volume"])
    metadata = body.pop("metadata")
    assert body == {"name": "db", "size": 9, "description": "the orders", "volume_type": "hdd",
                    "availability_zone": "z2", "snapshot_id": one.source.id if one.source else ""}  # fmt: skip
    # What people wrote goes over at once, policies only with PROTECT; and both marks.
    assert metadata.pop(MARK) and metadata.pop("qdeck_restore") == scene.job.plan.id
    assert metadata == {"owner": "db"}
    assert (call.session, call.creates, call.project_id) == ("tenant", True, "p1")


@pytest.mark.parametrize(
    ("way", "root", "name", "called"),
    [
        ("NEW", True, "x", "restore-web-root"),
        ("REPLACE", False, "db", "db"),
        ("DATA_VOLUME_BACK", False, "", "restore-web-1"),
        ("DISK_BESIDE", False, "db", "restore-web-db"),
        ("DISK_BESIDE", True, "x", "restore-web-root"),
        ("NEW", False, "n" * 300, "n" * 255),
    ],
)
def test_what_it_is_called(way: Any, root: bool, name: str, called: str, records: Records) -> None:
    cloud = FakeCloud()
    volume = cloud.add_volume(name=name)
    server = cloud.add_server([volume])
    point = Source("snapshot", cloud.add_snapshot(volume, "then"))
    job = Job(cloud, records, plan(way, server, disk(cloud, volume, point, root=root, order=1)))
    job.step(CREATE)
    assert cloud.volumes[job.results[job.names[CREATE]].created]["name"] == called


def test_secrets_and_system_metadata_stay_behind(records: Records) -> None:
    scene = scenes.back(records)
    given = {"owner": "db", "db_password": "(redacted)", "attached_mode": "rw", "src_backup_id": "b1", MARK: "theirs"}
    scene.job.plan = replace(scene.job.plan, disks=(replace(scene.job.plan.disks[1], metadata=given),))
    scene.job.step(CREATE)
    assert set(_new(scene)["metadata"]) == {"owner", MARK, "qdeck_restore"}
    assert _new(scene)["metadata"][MARK] != "theirs"


def test_a_root_is_made_bootable_again(records: Records) -> None:
    cloud, job, root = _root(records)
    job.run(CREATE, WAIT)
    new = cloud.volumes[job.work(WAIT).made(f"volume:{root}")]
    assert new["bootable"] == "true"
    assert new["volume_image_metadata"] == IMAGE_METADATA
    sent = len(cloud.sent)
    job.step(WAIT)
    assert len(cloud.sent) == sent  # there is nothing left to mend


def test_what_says_which_image_it_was_stays_as_the_point_has_it(records: Records) -> None:
    scene = scenes.beside(records)
    root = scene.cloud.volumes[scene.root]
    newer = {**IMAGE_METADATA, "image_id": "img-newer", "os_distro": "trixie"}
    scene.job.plan = replace(scene.job.plan, disks=(replace(scene.job.plan.disks[0], image_metadata=newer),))
    scene.job.run(CREATE, WAIT)
    new = scene.cloud.volumes[scene.job.work(WAIT).made(f"volume:{root['id']}")]
    assert new["volume_image_metadata"] == {**IMAGE_METADATA, "os_distro": "trixie"}


def test_image_metadata_that_may_not_be_set_are_told(records: Records) -> None:
    cloud, job, _ = _root(records)
    cloud.fault("403", "os-set_image_metadata")
    job.step(CREATE)
    result = job.step(WAIT)
    assert result.ok and "could not be given" in result.detail and "hw_qemu_guest_agent" in result.detail


def test_what_cannot_be_mended(records: Records) -> None:
    _, job, _ = _root(records, volume_type="premium", multiattach=True)
    job.cloud.devices = True
    job.step(CREATE)
    for volume in job.cloud.volumes.values():
        volume["volume_type"] = "ssd"
    detail = job.step(WAIT).detail
    assert "is of type ssd now, not premium" in detail and "several machines" in detail


def test_an_encrypted_disk_never_comes_back_in_clear(records: Records) -> None:
    _, job, _ = _root(records, encrypted=True)
    job.step(CREATE)
    assert "is encrypted, and its new volume" in job.attempt(WAIT)


def test_a_root_that_cannot_be_made_bootable_fails(records: Records) -> None:
    cloud, job, _ = _root(records)
    cloud.fault("403", "os-set_bootable")
    job.step(CREATE)
    assert "refused" in job.attempt(WAIT)


def test_a_volume_in_error_fails_with_the_words_of_cinder(records: Records) -> None:
    scene = scenes.back(records)
    scene.cloud.fails.add("volume")
    scene.job.step(CREATE)
    detail = scene.job.attempt(WAIT)
    assert "is in status error" in detail and "the pool is full" in detail


def test_a_cloud_without_messages(records: Records) -> None:
    scene = scenes.back(records)
    scene.cloud.fails.add("volume")
    scene.cloud.fault("400", "GET block-storage/messages")
    scene.job.step(CREATE)
    assert "Cinder does not say why" in scene.job.attempt(WAIT)


@pytest.mark.parametrize(
    ("state", "words"),
    [("creating", "was not ready after"), ("in-use", "attached to a machine already"), ("gone", "was deleted while")],
)
def test_other_ends_of_waiting(state: str, words: str, records: Records) -> None:
    scene = scenes.back(records)
    scene.job.step(CREATE)
    id = _new(scene)["id"]
    scene.cloud.settle()
    if state == "gone":
        del scene.cloud.volumes[id]
    else:
        scene.cloud.volumes[id]["status"] = state
    assert words in scene.job.attempt(WAIT)


def test_a_refused_volume_fails_and_leaves_nothing(records: Records) -> None:
    scene = scenes.back(records)
    scene.cloud.fault("403", "/volumes volume")
    assert "refused" in scene.job.attempt(CREATE)
    assert scene.rows() == [(f"volume:{scene.data[0]}", "removed")]


# Backups


def test_a_backup_that_fails_to_restore(records: Records) -> None:
    scene = scenes.from_backup(records)
    scene.cloud.fails.add("restore")
    scene.job.step(CREATE)
    assert "is in status error_restoring" in scene.job.attempt(WAIT)


def test_a_backup_brings_no_metadata_of_its_time_and_the_mark_is_put_back(records: Records) -> None:
    scene = scenes.from_backup(records)
    scene.job.run(CREATE, WAIT)
    [row] = scene.job.records.of_job(scene.job.plan.id)
    metadata = _new(scene)["metadata"]
    assert metadata[MARK] == row["token"] and metadata["qdeck_restore"] == scene.job.plan.id
    assert metadata["owner"] == "db"
    assert scene.cloud.contents[row["id"]] == "db then"


def test_a_backup_never_goes_to_a_volume_that_is_not_ours(records: Records) -> None:
    scene = scenes.from_backup(records)
    scene.job.step(CREATE)
    [call] = [call for call in scene.cloud.calls if call.path.endswith("/restore")]
    assert call.body == {"restore": {"volume_id": _new(scene)["id"]}}


# A retry


def test_a_retry_takes_what_was_made(records: Records) -> None:
    first = scenes.back(records)
    first.job.run(CREATE, WAIT)
    made = _new(first)["id"]
    second = _retry(first, records)
    second.run(CREATE, WAIT)
    assert second.work(CREATE).made(f"volume:{first.data[0]}") == made
    assert sum(call.path == "/volumes" for call in first.cloud.calls) == 1


@pytest.mark.parametrize("end", ["error", "used", "gone"])
def test_a_retry_makes_another_one_where_the_first_will_not_do(end: str, records: Records) -> None:
    first = scenes.back(records)
    if end == "error":
        first.cloud.fails.add("volume")
    first.job.step(CREATE)
    made = _new(first)["id"]
    first.cloud.settle()
    first.cloud.fails.clear()
    if end == "used":
        first.cloud.volumes[made]["metadata"]["qdeck_used"] = "true"
    elif end == "gone":
        del first.cloud.volumes[made]
    second = _retry(first, records)
    second.run(CREATE, WAIT)
    another = second.work(CREATE).made(f"volume:{first.data[0]}")
    assert another not in ("", made)
    first.cloud.settle()
    assert made not in first.cloud.volumes  # it was ours, and of no use to anybody
    assert first.cloud.contents[another] == "db then"


def test_a_retry_leaves_alone_what_it_does_not_know_as_its_own(records: Records) -> None:
    first = scenes.back(records)
    first.job.step(CREATE)
    made = _new(first)["id"]
    first.cloud.volumes[made]["status"] = "error"
    first.cloud.later.clear()
    second = Job(first.cloud, records, replace(first.job.plan, reused={first.data[0]: made}))
    second.run(CREATE, WAIT)
    assert made in first.cloud.volumes
    assert second.work(CREATE).made(f"volume:{first.data[0]}") != made


def _retry(first: Scene, records: Records) -> Job:
    """Another job that took over the rows of the first, as the service does."""
    second = Job(first.cloud, records, first.job.plan)
    with records._ops.begin() as connection:
        records.adopt(connection, second.plan.id, first.job.plan.id, [f"volume:{first.data[0]}"])
    return second
