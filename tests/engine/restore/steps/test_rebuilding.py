"""In place: rebuilt once, from the right image, and back again when it fails in any way."""

from __future__ import annotations

import pytest

from engine.restore.records import Records
from tests.engine.restore.steps import scenes
from tests.engine.restore.steps.scenes import IMAGE_METADATA, Scene

REBUILD, WAIT, UNDO = "REBUILD_SERVER", "WAIT_SERVER_REBUILT", "UNDO_REBUILD"
MAKES = (scenes.in_place, scenes.in_place_off, scenes.image_booted)


def _upto(make: scenes.Make, records: Records, last: str) -> Scene:
    scene = make(records)
    scene.job.run(*scene.does[: scene.does.index(last) + 1])
    return scene


@pytest.mark.parametrize("make", MAKES, ids=lambda make: make.__name__)
def test_the_whole_of_it(make: scenes.Make, records: Records) -> None:
    scene = make(records)
    state, hanging = scene.cloud.servers[scene.server]["status"], scene.cloud.hanging(scene.server)
    scene.job.run(*scene.does)
    assert scene.cloud.content(scene.server) == "root then"
    assert scene.cloud.servers[scene.server]["status"] == state
    assert scene.cloud.hanging(scene.server) == hanging  # the same volumes at the same places
    if scene.root:
        assert scene.cloud.volumes[scene.root]["volume_image_metadata"] == IMAGE_METADATA
    ours = {row["purpose"]: row["state"] for row in scene.job.records.of_job(scene.job.plan.id)}
    assert {purpose for purpose, state in ours.items() if state == "made"} == {f"safety:{scene.root or 'root'}"}
    [call] = [call for call in scene.cloud.calls if call.body and "rebuild" in call.body]
    assert (call.microversion, call.session) == ("2.93", "tenant")


def test_a_password_in_the_answer_goes_nowhere(records: Records) -> None:
    scene = _upto(scenes.in_place, records, WAIT)
    assert "adminPass" not in str(scene.job.results)


@pytest.mark.parametrize("make", MAKES, ids=lambda make: make.__name__)
def test_a_rebuild_that_fails_is_taken_back(make: scenes.Make, records: Records) -> None:
    scene = _upto(make, records, REBUILD)
    before = scene.first
    scene.cloud.fails.add("rebuild")
    assert "Failed to rebuild" in scene.job.attempt(WAIT)
    scene.cloud.fails.clear()
    scene.job.run(*scene.undoes)
    picture = scene.picture()
    assert picture["root"] == "root now"
    assert picture["state"] == "ACTIVE"  # Nova leaves a machine running that was in error
    assert set(scene.cloud.images) - before <= {scene.job.work(UNDO).made("safety:root")}


def test_a_root_volume_in_error_is_taken_out_of_it_first(records: Records) -> None:
    scene = _upto(scenes.in_place, records, REBUILD)
    scene.cloud.fails.add("rebuild")
    scene.job.attempt(WAIT)
    scene.cloud.fails.clear()
    scene.job.step(UNDO)
    [call] = [call for call in scene.cloud.calls if call.body and "os-reset_status" in call.body]
    assert call.session == "admin" and call.path == f"/volumes/{scene.root}/action"


def test_nothing_is_taken_back_that_was_not_done(records: Records) -> None:
    scene = _upto(scenes.in_place, records, "WAIT_IMAGE_ACTIVE")
    assert "not touched" in scene.job.step(UNDO).detail
    scene.cloud.fault("403", "rebuild")
    scene.job.attempt(REBUILD)
    sent = len(scene.cloud.sent)
    assert "did not reach Nova" in scene.job.step(UNDO).detail
    assert len(scene.cloud.sent) == sent


def test_a_machine_under_rebuild_is_waited_for_before_it_is_written_back(records: Records) -> None:
    scene = _upto(scenes.in_place, records, REBUILD)
    scene.cloud.slow = 20  # it is still at it
    scene.job.run(*scene.undoes)
    assert scene.cloud.content(scene.server) == "root now"
    assert sum("rebuild" in (call.body or {}) for call in scene.cloud.calls) == 2


def test_without_the_safety_snapshot_it_says_so(records: Records) -> None:
    scene = _upto(scenes.in_place, records, WAIT)
    scene.job.records.removed(scene.job.plan.id, f"safety:{scene.root}")
    assert "safety snapshot of web-root is gone" in scene.job.attempt(UNDO)


@pytest.mark.parametrize(("change", "words"), [("gone", "was deleted while"), ("image", "its root is from img-other")])
def test_other_ends_of_waiting(change: str, words: str, records: Records) -> None:
    scene = _upto(scenes.in_place, records, REBUILD)
    scene.cloud.settle()
    if change == "gone":
        del scene.cloud.servers[scene.server]
    else:
        scene.cloud.volumes[scene.root]["volume_image_metadata"]["image_id"] = "img-other"
    assert words in scene.job.attempt(WAIT)


def test_a_rebuild_that_does_not_end(records: Records) -> None:
    scene = _upto(scenes.in_place, records, REBUILD)
    scene.cloud.later.clear()
    assert "was not rebuilt after" in scene.job.attempt(WAIT)
    assert "is still being rebuilt" in scene.job.attempt(UNDO)
    # The image that it may be written from stays, and is told.
    detail = scene.job.attempt("UNDO_VOLUMES")
    assert "clean-up removes it later" in detail
    assert scene.job.work(UNDO).made("image") in scene.cloud.images


def test_a_machine_that_was_off_and_is_left_running_is_no_failure(records: Records) -> None:
    scene = _upto(scenes.in_place_off, records, REBUILD)
    scene.cloud.settle()
    scene.cloud.servers[scene.server]["status"] = "ACTIVE"
    assert "active" in scene.job.step(WAIT).detail


def test_no_image_to_rebuild_from(records: Records) -> None:
    scene = scenes.in_place(records)
    assert "no image to rebuild from" in scene.job.attempt(REBUILD)
