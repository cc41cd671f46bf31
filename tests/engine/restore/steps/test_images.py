"""The image that a root is written from: its name is its mark, its properties are the original's."""

from __future__ import annotations

import pytest

from engine.restore.records import Records
from tests.engine.restore.steps import scenes
from tests.engine.restore.steps.scenes import IMAGE_METADATA, Scene

BEFORE = ("SAFETY_SNAPSHOT", "WAIT_SAFETY_SNAPSHOT", "CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE")
CREATE, WAIT = "CREATE_IMAGE", "WAIT_IMAGE_ACTIVE"


def _made(records: Records) -> Scene:
    scene = scenes.in_place(records)
    scene.job.run(*BEFORE, CREATE)
    return scene


def test_what_is_asked_for(records: Records) -> None:
    scene = _made(records)
    call = scene.cloud.calls[-1]
    assert call.body is not None
    body = call.body["os-volume_upload_image"]
    row = scene.job.records.found(scene.job.plan.id, "image")
    assert row is not None and row["id"] in scene.cloud.images  # the image's id, not the volume's
    assert body == {"image_name": row["token"], "container_format": "bare", "disk_format": "raw",
                    "visibility": "private"}  # fmt: skip
    assert scene.cloud.images[row["id"]]["hw_qemu_guest_agent"] == IMAGE_METADATA["hw_qemu_guest_agent"]


@pytest.mark.parametrize("how", ["removed", "left queued"])
def test_an_upload_that_cinder_gives_up(how: str, records: Records) -> None:
    scene = _made(records)
    if how == "removed":
        scene.cloud.fails.add("upload")
    else:
        scene.cloud.later.clear()
        for volume in scene.cloud.volumes.values():
            volume["status"] = "available" if volume["status"] == "uploading" else volume["status"]
    assert "could not be uploaded" in scene.job.attempt(WAIT)


def test_a_slow_upload_that_ends_between_two_looks(records: Records) -> None:
    scene = _made(records)
    scene.cloud.slow = 9
    assert scene.job.step(WAIT).ok


def test_one_that_never_ends(records: Records) -> None:
    scene = _made(records)
    scene.cloud.later.clear()
    assert "was not ready after" in scene.job.attempt(WAIT)


def test_without_the_volume(records: Records) -> None:
    scene = scenes.in_place(records)
    assert "not there any more" in scene.job.attempt(CREATE)
    assert "not there any more" in scene.job.attempt(WAIT)
