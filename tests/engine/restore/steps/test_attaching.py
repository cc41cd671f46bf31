"""Volumes on machines and off them: devices, tags and ends as they were, and what Nova does not do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.restore.models import Request
from engine.restore.records import Records
from tests.engine.restore.steps import scenes
from tests.engine.restore.steps.cloud_base import PROJECT, Crash
from tests.engine.restore.steps.job import NOW
from tests.engine.restore.steps.scenes import Scene

VOLUMES = ("CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE")
ATTACH, DETACH, RESTORED, KEEP = "ATTACH_VOLUME", "DETACH_CURRENT_VOLUME", "ATTACH_RESTORED_VOLUME", "KEEP_OLD_VOLUME"
UNDO = "UNDO_DATA_VOLUME"


def _beside(records: Records, **more: Any) -> Scene:
    scene = scenes.beside(records)
    if more:
        scene.job.plan = replace(scene.job.plan, **more)
    scene.job.run(*VOLUMES)
    return scene


def _back(records: Records, *names: str) -> Scene:
    scene = scenes.back(records)
    scene.job.run(*VOLUMES, *names)
    return scene


def _row(scene: Scene, device: str) -> dict[str, Any]:
    return next(one for one in scene.cloud.attachments[scene.server] if one["device"] == device)


# A disk beside


def test_a_copy_beside_the_disks_of_the_machine(records: Records) -> None:
    scene = _beside(records)
    result = scene.job.step(ATTACH)
    assert result.detail == "attached to web as /dev/vdd" and result.more["device"] == "/dev/vdd"
    row = _row(scene, "/dev/vdd")
    assert scene.cloud.contents[row["volumeId"]] == "root then"
    assert row["delete_on_termination"] is False and row["tag"] is None


def test_a_copy_on_a_helper(records: Records) -> None:
    scene = scenes.beside(records)
    helper = scene.cloud.add_server([scene.cloud.add_volume("helper")], name="helper")
    scene.job.plan = replace(scene.job.plan, helper=("sim", "one", helper), helper_name="helper")
    scene.job.run(*VOLUMES, ATTACH)
    assert [scene.cloud.contents[id] for _, id in scene.cloud.hanging(helper)] == ["helper", "root then"]
    assert len(scene.cloud.hanging(scene.server)) == 3
    scene.job.run("UNDO_ATTACH")
    assert len(scene.cloud.hanging(helper)) == 1


def test_a_copy_is_there_for_a_time_only(records: Records) -> None:
    scene = _beside(records)
    scene.job.run(ATTACH, "FINALIZE")
    [row] = records.kept(job_id=scene.job.plan.id)
    assert (row["kind"], row["at_end"], row["project_id"]) == ("disk_beside", "delete", PROJECT)
    assert (row["until"] - NOW).days == 7
    assert row["resource_id"] == scene.job.work(ATTACH).made(f"volume:{scene.root}")


def test_an_attachment_that_nova_gives_up(records: Records) -> None:
    scene = _beside(records)
    scene.cloud.fails.add("attach")
    assert "could not be attached" in scene.job.attempt(ATTACH)
    assert "nothing to take back" in scene.job.step("UNDO_ATTACH").detail
    assert "qdeck_used" not in str(scene.cloud.volumes)  # no machine has written to it


def test_a_machine_that_is_gone(records: Records) -> None:
    scene = _beside(records)
    del scene.cloud.servers[scene.server]
    scene.cloud.attachments[scene.server].clear()
    assert "is gone" in scene.job.attempt(ATTACH)
    assert scene.job.step("UNDO_ATTACH").ok


def test_a_machine_without_volumes_gets_its_first(records: Records) -> None:
    scene = _beside(records)
    scene.cloud.attachments[scene.server].clear()
    assert scene.job.step(ATTACH).ok


# A data volume in the place of another


def test_device_tag_and_end_as_they_were(records: Records) -> None:
    scene = _back(records, DETACH)
    assert scene.cloud.volumes[scene.data[0]]["status"] == "available"
    scene.job.step(RESTORED)
    row = _row(scene, "/dev/vdb")
    assert scene.cloud.contents[row["volumeId"]] == "db then"
    assert (row["tag"], row["delete_on_termination"]) == ("database", True)
    assert _row(scene, "/dev/vdc")["volumeId"] == scene.data[1]  # the others were not touched


def test_a_cloud_that_chooses_devices_itself(records: Records) -> None:
    scene = _back(records, DETACH)
    scene.cloud.devices = False
    scene.job.step(RESTORED)
    assert _row(scene, "/dev/vdb")["tag"] == "database"  # the first that is free


def test_a_cloud_without_tags_still_keeps_the_end(records: Records) -> None:
    scene = _back(records, DETACH)
    for _ in range(2):
        scene.cloud.fault("400", "volumeAttachment")
    scene.job.step(RESTORED)
    row = _row(scene, "/dev/vdb")
    assert row["tag"] is None and row["delete_on_termination"] is True


def test_a_device_that_is_taken(records: Records) -> None:
    scene = _back(records, DETACH)
    scene.cloud.attachments[scene.server].append({"volumeId": "other", "device": "/dev/vdb"})
    scene.job.step(RESTORED)
    assert scene.cloud.contents[_row(scene, "/dev/vdd")["volumeId"]] == "db then"


def test_another_refusal_is_no_reason_to_ask_otherwise(records: Records) -> None:
    scene = _back(records, DETACH)
    scene.cloud.fault("403", "volumeAttachment")
    sent = scene.cloud.changes
    assert "refused" in scene.job.attempt(RESTORED)
    assert scene.cloud.changes == sent + 1


def test_a_guest_that_holds_its_disk(records: Records) -> None:
    scene = _back(records)
    scene.cloud.fails.add("detach")
    assert "its guest holds it" in scene.job.attempt(DETACH)
    assert "nothing was detached" in scene.job.step(UNDO).detail
    assert _row(scene, "/dev/vdb")["volumeId"] == scene.data[0]


def test_a_machine_that_was_locked_meanwhile_is_left_alone(records: Records) -> None:
    scene = _back(records)
    scene.cloud.servers[scene.server]["locked"] = True
    sent = scene.cloud.changes
    assert "was locked since the plan was made" in scene.job.attempt(DETACH)
    assert scene.cloud.changes == sent


def test_a_root_is_never_detached(records: Records) -> None:
    scene = _back(records)
    scene.job.plan = replace(scene.job.plan, disks=(replace(scene.job.plan.disks[1], root=True),))
    assert "cannot be detached" in scene.job.attempt(DETACH)


def test_a_volume_that_others_have_too(records: Records) -> None:
    scene = _back(records)
    scene.cloud.volumes[scene.data[0]]["attachments"].append({"server_id": "other"})
    scene.job.step(DETACH)
    assert scene.cloud.volumes[scene.data[0]]["status"] == "in-use"  # by the other machine
    one = replace(scene.job.plan.disks[1], attached_elsewhere=("other",))
    scene.job.plan = replace(scene.job.plan, disks=(one,))
    scene.cloud.volumes[scene.data[0]]["status"] = "available"  # as a cloud with multi-attach would take it
    scene.job.step(UNDO)
    assert _row(scene, "/dev/vdb")["volumeId"] == scene.data[0]


# Back


@pytest.mark.parametrize("names", [(DETACH,), (DETACH, RESTORED)])
def test_the_old_one_is_back_where_it_was(names: tuple[str, ...], records: Records) -> None:
    scene = _back(records, *names)
    assert "db back in place" in scene.job.step(UNDO).detail
    row = _row(scene, "/dev/vdb")
    assert (row["volumeId"], row["tag"], row["delete_on_termination"]) == (scene.data[0], "database", True)
    assert scene.job.step(UNDO).detail.startswith("nothing to take back")


@pytest.mark.parametrize(("state", "words"), [("gone", "is gone"), ("elsewhere", "attached to another machine")])
def test_an_old_one_that_cannot_be_put_back(state: str, words: str, records: Records) -> None:
    scene = _back(records, DETACH)
    if state == "gone":
        del scene.cloud.volumes[scene.data[0]]
    else:
        scene.cloud.volumes[scene.data[0]]["attachments"] = [{"server_id": "other"}]
    assert words in scene.job.attempt(UNDO)


def test_a_request_that_arrives_late_is_taken_back_too(records: Records) -> None:
    scene = _back(records)
    scene.cloud.fault("crash_before", "DELETE", times=1)
    with pytest.raises(Crash):
        scene.job.once(DETACH)
    # The request was on its way when the engine died, and Nova begins with it only now.
    scene.cloud.soon(lambda: scene.cloud.detach(scene.server, scene.data[0]), looks=4)
    scene.job.step(UNDO)
    scene.cloud.settle()
    assert _row(scene, "/dev/vdb")["volumeId"] == scene.data[0]


# Kept


@pytest.mark.parametrize(("end", "at_end"), [("keep", "none"), ("delete", "delete")])
def test_the_old_one_stays_for_a_time_and_says_so(end: Any, at_end: str, records: Records) -> None:
    scene = _back(records, DETACH, RESTORED)
    request = Request(PROJECT, scene.server, "sim", "one", way="DATA_VOLUME_BACK", keep_days=3, end=end)
    scene.job.plan = replace(scene.job.plan, request=request)
    scene.cloud.volumes[scene.data[0]]["description"] = scene.job.plan.disks[1].description
    scene.job.step(KEEP, again=1)
    [row] = records.kept(job_id=scene.job.plan.id)
    assert (row["kind"], row["resource_id"], row["at_end"]) == ("volume", scene.data[0], at_end)
    assert (row["until"] - NOW).days == 3
    description = scene.cloud.volumes[scene.data[0]]["description"]
    assert description.startswith("Replaced by vol-") and "kept until 2026-03-04" in description
    assert scene.cloud.volumes[scene.data[0]]["name"] == "db"


def test_an_old_one_that_somebody_deleted_is_told(records: Records) -> None:
    scene = _back(records, DETACH, RESTORED)
    del scene.cloud.volumes[scene.data[0]]
    assert "somebody has deleted it" in scene.job.attempt(KEEP)
