"""The old machine is kept, or deleted as it was asked for, and its storage goes only where nothing needs it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.restore.records import Records
from engine.restore.steps.old_machine import old_name
from tests.engine.restore.steps import scenes_machines as scenes
from tests.engine.restore.steps.job import Job
from tests.engine.restore.steps.scenes_machines import Scene


def _asked(records: Records, make: Any = scenes.shelved, **request: Any) -> Scene:
    """A scene with that request, up to its commit."""
    scene = make(records)
    made = replace(scene.job.plan, request=replace(scene.job.plan.request, **request),
                   point=next(one.source for one in scene.job.plan.disks if one.root or one.source))  # fmt: skip
    ready = Scene(scene.cloud, Job(scene.cloud, records, made, prove_command=()), scene.server)
    ready.job.run(*ready.before_commit)
    return ready


def _unproven(scene: Scene) -> None:
    name = scene.job.names["PROVE_IT_ANSWERS"]
    scene.job.results[name] = replace(scene.job.results[name], more={"proven": False, "by": ""})


def test_it_is_kept_renamed_and_locked(records: Records) -> None:
    scene = _asked(records, keep_days=3)
    result = scene.job.step("KEEP_OLD_MACHINE")
    old = scene.cloud.servers[scene.server]
    assert (old["name"], old["status"], old["locked"]) == ("web-old-7", "SHELVED_OFFLOADED", True)
    assert f"replaced by web ({scene.new['id']}), restore job 7; kept until 2026-03-04" in old["locked_reason"]
    (row,) = records.kept(job_id=scene.job.plan.id)
    assert (row["kind"], row["resource_id"], row["name"]) == ("machine", scene.server, "web-old-7")
    assert "is kept for 3 days, shelved offloaded and locked" in result.detail


def test_a_kept_machine_that_somebody_deleted(records: Records) -> None:
    scene = _asked(records)
    del scene.cloud.servers[scene.server]
    assert "somebody deleted it" in scene.job.step("KEEP_OLD_MACHINE").detail


@pytest.mark.parametrize(("name", "wanted"), [("web", "web-old-7"), ("x" * 255, "x" * 249 + "-old-7")])
def test_names_have_their_limit(name: str, wanted: str) -> None:
    assert old_name(name, 7) == wanted and len(old_name(name, 123456)) <= 255


def test_it_is_deleted_and_no_volume_with_it(records: Records) -> None:
    scene = _asked(records, end="delete")
    # Somebody switched it on again meanwhile.
    scene.cloud.attachments[scene.server][0]["delete_on_termination"] = True
    before = set(scene.cloud.volumes)
    result = scene.job.step("DELETE_OLD_MACHINE")
    assert scene.server not in scene.cloud.servers and set(scene.cloud.volumes) == before
    # Its ports were not made by this job.
    assert all(nic.port_id in scene.cloud.ports for nic in scene.job.plan.nics)
    assert "were not made with it, and stay" in result.detail
    assert scene.job.step("DELETE_OLD_MACHINE").more["deleted"] is True


def test_it_is_kept_when_nothing_was_proven(records: Records) -> None:
    scene = _asked(records, end="delete")
    _unproven(scene)
    result = scene.job.step("DELETE_OLD_MACHINE")
    assert result.more["kept"] is True and "nothing has shown that the new machine answers" in result.detail
    assert scene.cloud.servers[scene.server]["locked"] is True


@pytest.mark.parametrize("change", [{"status": "ERROR"}, None])
def test_it_is_kept_when_the_new_one_runs_no_more(records: Records, change: dict[str, str] | None) -> None:
    scene = _asked(records, end="delete")
    if change:
        scene.new.update(change)
    else:
        del scene.cloud.servers[scene.new["id"]]
    assert "it is not deleted: web is " in scene.job.step("DELETE_OLD_MACHINE").detail
    assert scene.server in scene.cloud.servers


def test_a_lock_of_somebody_keeps_it(records: Records) -> None:
    scene = _asked(records, end="delete")
    scene.cloud.servers[scene.server] |= {"locked": True, "locked_reason": "evidence"}
    assert "was locked" in scene.job.attempt("DELETE_OLD_MACHINE") and scene.server in scene.cloud.servers


# Old storage


def _root(scene: Scene) -> str:
    return next(one.volume_id for one in scene.job.plan.disks if one.root)


def _point(scene: Scene) -> str:
    assert scene.job.plan.point is not None
    return scene.job.plan.point.id


def test_old_storage_goes_where_nothing_needs_it(records: Records) -> None:
    scene = _asked(records, end="delete", cleanup_old_storage=True, delete_source_snapshot=True)
    scene.job.run("DELETE_OLD_MACHINE")
    said = scene.job.step("CLEANUP_OLD_STORAGE").more["said"]
    assert said == [f"the snapshot {_point(scene)} is deleted", f"the volume {_root(scene)} is deleted"]
    assert _root(scene) not in scene.cloud.volumes and _point(scene) not in scene.cloud.snapshots
    assert not any("cascade" in one for one in scene.cloud.sent)
    assert scene.job.step("CLEANUP_OLD_STORAGE").more["said"] == said


def test_a_root_that_has_restore_points_stays(records: Records) -> None:
    scene = _asked(records, end="delete", cleanup_old_storage=True)
    scene.job.run("DELETE_OLD_MACHINE")
    said = scene.job.step("CLEANUP_OLD_STORAGE").detail
    assert said == f"skipped: the volume {_root(scene)} stays: it has a restore point"


@pytest.mark.parametrize(
    ("make", "words"),
    [(scenes.shelved, "it is reserved"), (scenes.dead, "a machine has it")],
)
def test_the_root_of_a_kept_machine_stays(records: Records, make: Any, words: str) -> None:
    scene = _asked(records, make, cleanup_old_storage=True)
    scene.job.run("KEEP_OLD_MACHINE")
    assert words in scene.job.step("CLEANUP_OLD_STORAGE").detail and _root(scene) in scene.cloud.volumes


def test_nothing_goes_when_nothing_was_proven(records: Records) -> None:
    scene = _asked(records, cleanup_old_storage=True, delete_source_snapshot=True)
    _unproven(scene)
    assert scene.job.step("CLEANUP_OLD_STORAGE").detail.count("nothing has shown") == 2
    assert _point(scene) in scene.cloud.snapshots


def test_what_the_cloud_refuses_is_said_and_fails_nothing(records: Records) -> None:
    scene = _asked(records, delete_source_snapshot=True)
    scene.cloud.fault("403", "DELETE block-storage/snapshots", times=9)
    said = scene.job.step("CLEANUP_OLD_STORAGE").detail
    assert said.startswith(f"skipped: the snapshot {_point(scene)} stays: ") and "403" in said
