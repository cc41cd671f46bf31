"""Stopping and parking the old machine, its volumes made safe, and the disks that move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.restore.records import Records
from engine.restore.steps import parking
from tests.engine.restore.steps import scenes_machines as scenes


def test_no_volume_goes_with_the_old_machine(records: Records) -> None:
    scene = scenes.shelved(records)
    result = scene.job.step("PRESERVE_OLD_VOLUMES")
    assert [one["delete_on_termination"] for one in scene.cloud.attachments[scene.server]] == [False] * 3
    assert list(result.more["was"].values()) == [False, True, False]
    scene.job.run("UNDO_PRESERVE")
    assert [one["delete_on_termination"] for one in scene.cloud.attachments[scene.server]] == [False, True, False]


def test_where_the_machine_stays_only_the_volume_that_comes_off_is_kept_from_it(records: Records) -> None:
    scene = scenes.shelved(records)
    rows = scene.cloud.attachments[scene.server]
    for row in rows:
        row["delete_on_termination"] = True
    comes_off = {disk.volume_id for disk in scene.job.plan.disks if disk.choice == "restore_point" and disk.source}
    scene.job.plan = replace(scene.job.plan, way="DATA_VOLUME_BACK")
    scene.job.step("PRESERVE_OLD_VOLUMES")
    stay = {row["volumeId"]: row["delete_on_termination"] for row in scene.cloud.attachments[scene.server]}
    assert comes_off and stay == {id: id not in comes_off for id in stay} and True in stay.values()


def test_a_machine_that_does_not_stop_ends_the_job_before_anything_moves(records: Records) -> None:
    scene = scenes.shelved(records)
    scene.cloud.fails.add("stop")
    before = scene.old()
    said = scene.job.attempt("STOP_OLD_MACHINE")
    assert "has not stopped within 300 s: it keeps its addresses and volumes" in said
    scene.job.run(*scene.undoes)
    assert scene.old() == before


@pytest.mark.parametrize(
    ("status", "stopped"),
    [("ACTIVE", True), ("ERROR", True), ("SHUTOFF", False), ("SHELVED_OFFLOADED", False), ("PAUSED", False)],
)
def test_only_what_runs_is_stopped(records: Records, status: str, stopped: bool) -> None:
    scene = scenes.shelved(records)
    scene.cloud.servers[scene.server]["status"] = status
    assert scene.job.step("STOP_OLD_MACHINE").more["stopped"] is stopped
    assert scene.cloud.servers[scene.server]["status"] == ("SHUTOFF" if stopped else status)


@pytest.mark.parametrize("step", ["PRESERVE_OLD_VOLUMES", "STOP_OLD_MACHINE", "PARK_OLD_MACHINE", "MOVE_VOLUMES",
                                  "MOVE_ADDRESSES"])  # fmt: skip
def test_a_machine_that_was_locked_meanwhile_is_left_alone(records: Records, step: str) -> None:
    scene = scenes.shelved(records)
    scene.cloud.servers[scene.server] |= {"locked": True, "locked_reason": "month end\x1b[2J"}
    said = scene.job.attempt(step)
    assert "was locked since the plan was made: month end [2J" in said
    assert scene.cloud.sent == []


@pytest.mark.parametrize("step", ["PRESERVE_OLD_VOLUMES", "STOP_OLD_MACHINE", "PARK_OLD_MACHINE", "MOVE_ADDRESSES"])
def test_a_machine_that_was_deleted_meanwhile(records: Records, step: str) -> None:
    scene = scenes.shelved(records)
    del scene.cloud.servers[scene.server]
    assert "is gone" in scene.job.attempt(step) and scene.cloud.sent == []


def test_it_is_offloaded_where_the_cloud_waits_with_that(records: Records) -> None:
    scene = scenes.offloaded(records)
    scene.job.run("STOP_OLD_MACHINE", "PARK_OLD_MACHINE")
    assert scene.cloud.servers[scene.server]["status"] == "SHELVED_OFFLOADED"
    assert [what.rsplit(" ")[-1] for what in scene.cloud.sent] == ["shelve", "shelveOffload"]


def test_a_shelved_machine_that_may_not_be_offloaded_gives_its_addresses_up_all_the_same(records: Records) -> None:
    scene = scenes.offloaded(records)
    scene.cloud.refuses["shelveOffload"] = 403
    before = scene.old()
    result = scene.job.step("PARK_OLD_MACHINE")
    assert result.more == {"parked": "shelve", "host": True}
    scene.job.run("MOVE_VOLUMES", "MOVE_ADDRESSES", "CREATE_PORTS")
    scene.job.run(*scene.undoes)
    assert scene.old() == before


def test_what_may_not_be_shelved_stays_stopped(records: Records) -> None:
    scene = scenes.shelved(records)
    scene.cloud.refuses["shelve"] = 403
    before = scene.old()
    result = scene.job.run(*scene.before_commit)["PARK_OLD_MACHINE"]
    assert result.more["parked"] == "stop" and "Policy" in result.detail
    assert scene.new["status"] == "ACTIVE"
    scene.job.run(*scene.undoes)
    assert scene.old() == before


def test_what_is_neither_shelved_nor_stopped_keeps_its_addresses(records: Records) -> None:
    scene = scenes.shelved(records)
    scene.cloud.refuses["shelve"] = 403
    scene.cloud.servers[scene.server]["status"] = "SUSPENDED"
    assert "its addresses cannot be moved safely" in scene.job.attempt("PARK_OLD_MACHINE")


def test_shelving_that_the_cloud_gives_up(records: Records) -> None:
    scene = scenes.shelved(records)
    scene.cloud.fails.add("shelve")
    result = scene.job.run("STOP_OLD_MACHINE", "PARK_OLD_MACHINE")["PARK_OLD_MACHINE"]
    assert result.more["parked"] == "stop" and "gave up" in result.detail


def test_a_kept_disk_that_hangs_nowhere_any_more_is_not_taken_off(records: Records) -> None:
    scene = scenes.shelved(records)
    kept = next(one.volume_id for one in scene.job.plan.disks if one.choice == "keep_current")
    scene.job.run("MOVE_VOLUMES")
    assert scene.cloud.volumes[kept]["status"] == "available"
    count = len(scene.cloud.sent)
    scene.job.run("MOVE_VOLUMES")
    assert len(scene.cloud.sent) == count


@pytest.mark.parametrize(("ran", "status"), [(True, "ACTIVE"), (False, "SHUTOFF")])
def test_it_is_started_only_if_it_ran(records: Records, ran: bool, status: str) -> None:
    scene = scenes.shelved(records)
    scene.cloud.servers[scene.server]["status"] = "SHUTOFF"
    scene.job.plan = replace(scene.job.plan, was_running=ran)
    parking.start_machine(scene.job.work("STOP_OLD_MACHINE"))
    assert scene.cloud.servers[scene.server]["status"] == status
