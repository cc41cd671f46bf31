"""Policies go over to the new volumes and lineage is noted; what is missing afterwards fails the step."""

from __future__ import annotations

from typing import Any

import pytest

from engine.restore.models import Source
from engine.restore.records import Records
from tests.engine.restore.steps import scenes
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.job import Job, disk, plan
from tests.engine.restore.steps.scenes import POLICIES

PROTECT = "PROTECT"


def _whole(way: Any, records: Records) -> tuple[FakeCloud, Job, str]:
    """A machine with one data volume, of which a new one was made."""
    cloud = FakeCloud()
    root = cloud.add_volume("root", bootable="true", metadata=dict(POLICIES))
    server = cloud.add_server([root])
    point = Source("snapshot", cloud.add_snapshot(root, "then"))
    job = Job(cloud, records, plan(way, server, disk(cloud, root, point, root=True)))
    job.run("CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE")
    return cloud, job, root


@pytest.mark.parametrize(("way", "retires"), [("NEW", False), ("REPLACE", True)])
def test_the_new_volumes_are_protected(way: Any, retires: bool, records: Records) -> None:
    cloud, job, root = _whole(way, records)
    job.step(PROTECT, again=1)
    new = job.work(PROTECT).made(f"volume:{root}")
    assert cloud.volumes[new]["metadata"]["snapshot_policies"] == "daily"
    # In NEW the old machine goes on as before; where it was replaced, its volumes are left alone from now on.
    assert (cloud.volumes[root]["metadata"]["auto_snapshot"] == "false") is retires
    assert [(row["type"], row["old_id"], row["new_id"]) for row in records.line("sim", "one", new)] == [
        ("volume", root, new)
    ]


def test_a_new_machine_is_noted_as_the_successor(records: Records) -> None:
    _, job, _ = _whole("NEW", records)
    job.records.begin(job.plan.id, 1, "server", "server", "t", "web-2", ("sim", "one", ""), "p1")
    job.records.made(job.plan.id, "server", f"srv-new-{job.plan.id}")
    job.step(PROTECT)
    [row] = records.line("sim", "one", f"srv-new-{job.plan.id}")
    assert (row["type"], row["old_id"]) == ("server", job.plan.machine.key[2])


def test_a_policy_that_did_not_go_over_fails_the_step_and_the_old_keeps_its_own(records: Records) -> None:
    cloud, job, root = _whole("REPLACE", records)
    job.protection.lost = {"daily"}
    assert "has not the policy daily" in job.attempt(PROTECT)
    assert cloud.volumes[root]["metadata"]["auto_snapshot"] == "true"


def test_a_new_volume_that_is_gone_fails_the_step(records: Records) -> None:
    cloud, job, root = _whole("REPLACE", records)
    del cloud.volumes[job.work(PROTECT).made(f"volume:{root}")]
    assert "is gone" in job.attempt(PROTECT)


def test_a_policy_that_was_taken_away_in_place_is_noticed(records: Records) -> None:
    scene = scenes.in_place(records)
    scene.job.run(*scene.does[:-1])
    sent = len(scene.cloud.sent)
    assert scene.job.step(PROTECT).detail == "protected as it was"
    scene.cloud.volumes[scene.root]["metadata"].clear()
    assert "has not the policy daily" in scene.job.attempt(PROTECT)
    assert len(scene.cloud.sent) == sent


def test_a_machine_without_volumes(records: Records) -> None:
    scene = scenes.image_booted(records)
    scene.job.run(*scene.does)
    assert scene.job.results[scene.job.names[PROTECT]].ok
