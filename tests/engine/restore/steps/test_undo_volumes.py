"""What a restore that came to nothing made: removed or kept, and nothing that it did not make is ever touched."""

from __future__ import annotations

import pytest

from engine.restore.models import MARK
from engine.restore.records import Records
from tests.engine.restore.steps import scenes
from tests.engine.restore.steps.cloud_base import Crash
from tests.engine.restore.steps.scenes import Scene

CREATE, WAIT, UNDO = "CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE", "UNDO_VOLUMES"


def _made(scene: Scene) -> str:
    return scene.job.work(UNDO).made(f"volume:{scene.data[0]}")


@pytest.mark.parametrize("cleans", [False, True])
def test_new_volumes_wait_for_a_retry_unless_set_otherwise(cleans: bool, records: Records) -> None:
    scene = scenes.back(records)
    scene.job.settings.cleanup_volumes = cleans
    scene.job.run(CREATE, WAIT)
    made = _made(scene)
    scene.job.step(UNDO)
    scene.cloud.settle()
    assert (made in scene.cloud.volumes) is not cleans
    assert _made(scene) == ("" if cleans else made)
    assert "qdeck_used" not in str(scene.cloud.volumes)


def test_a_volume_that_a_machine_had_says_so(records: Records) -> None:
    scene = scenes.back(records)
    scene.job.run(*scene.does[:4], *scene.undoes)
    assert scene.cloud.volumes[_made(scene)]["metadata"]["qdeck_used"] == "true"


def test_a_volume_that_is_still_made_is_waited_for(records: Records) -> None:
    scene = scenes.back(records)
    scene.job.settings.cleanup_volumes = True
    scene.cloud.slow = 8
    scene.job.step(CREATE)
    made = _made(scene)
    scene.job.step(UNDO)
    assert made not in scene.cloud.volumes


def test_one_that_is_never_done_is_left_for_clean_up(records: Records) -> None:
    scene = scenes.back(records)
    scene.job.settings.cleanup_volumes = True
    scene.job.step(CREATE)
    scene.cloud.later.clear()
    assert "is still creating: clean-up removes it" in scene.job.attempt(UNDO)
    assert _made(scene)


def test_what_was_asked_for_without_an_answer_is_found(records: Records) -> None:
    scene = scenes.back(records)
    scene.job.settings.cleanup_volumes = True
    scene.cloud.fault("crash_after", "/volumes volume")
    with pytest.raises(Crash):
        scene.job.once(CREATE)
    scene.job.step(UNDO)
    scene.cloud.settle()
    assert set(scene.cloud.volumes) == {scene.root, *scene.data}
    assert scene.rows() == [(f"volume:{scene.data[0]}", "removed")]


def test_nothing_that_the_job_did_not_make_is_touched(records: Records) -> None:
    scene = scenes.back(records)
    scene.job.settings.cleanup_volumes = True
    scene.job.run(CREATE, WAIT)
    made = scene.cloud.volumes[_made(scene)]
    alike = {**made["metadata"], MARK: made["metadata"][MARK][:-1]}
    planted = [
        scene.cloud.add_volume("theirs", name=made["name"], metadata=alike),
        scene.cloud.add_volume("theirs", name=made["name"], metadata={"qdeck_restore": scene.job.plan.id}),
    ]
    scene.job.step(UNDO)
    scene.cloud.settle()
    assert set(scene.cloud.volumes) == {scene.root, *scene.data, *planted}


def test_one_that_a_machine_has_is_left_and_told(records: Records) -> None:
    scene = scenes.back(records)
    scene.job.settings.cleanup_volumes = True
    scene.job.run(CREATE, WAIT)
    made = scene.cloud.volumes[_made(scene)]
    made["attachments"].append({"server_id": "other"})
    assert "is attached to a machine" in scene.job.attempt(UNDO)
    assert made["id"] in scene.cloud.volumes


def test_one_problem_does_not_keep_the_others(records: Records) -> None:
    scene = scenes.in_place(records)
    scene.job.settings.cleanup_volumes = True
    scene.job.run(*scene.does[:6])
    scene.cloud.fault("403", "DELETE image")
    detail = scene.job.attempt(UNDO)
    assert "refused" in detail and "is removed" in detail
    scene.cloud.settle()
    assert len(scene.cloud.volumes) == 3  # the temporary volume is gone


@pytest.mark.parametrize(
    ("upto", "stays"), [("WAIT_SAFETY_SNAPSHOT", False), ("WAIT_IMAGE_ACTIVE", False), ("REBUILD_SERVER", True)]
)
def test_the_safety_snapshot_stays_where_anything_was_overwritten(upto: str, stays: bool, records: Records) -> None:
    scene = scenes.in_place(records)
    scene.job.run(*scene.does[: scene.does.index(upto) + 1])
    made = scene.job.work(UNDO).made(f"safety:{scene.root}")
    scene.job.run(*scene.undoes)
    assert (made in scene.cloud.snapshots) is stays


def test_it_stays_too_when_the_way_back_failed(records: Records) -> None:
    scene = scenes.in_place(records)
    scene.job.run(*scene.does[: scene.does.index("REBUILD_SERVER") + 1])
    made = scene.job.work(UNDO).made(f"safety:{scene.root}")
    scene.cloud.settle()
    scene.cloud.fails.add("upload")
    scene.job.attempt("UNDO_REBUILD")
    detail = scene.job.step(UNDO).detail
    assert made in scene.cloud.snapshots and "can be rebuilt with it by hand" in detail
