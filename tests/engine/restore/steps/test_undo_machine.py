"""Taking back: only what is the job's own goes, and the old machine is as it was, whatever stands against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.restore.models import MARK
from engine.restore.records import Records
from engine.restore.steps.failing import Failed
from tests.engine.restore.steps import scenes_machines as scenes
from tests.engine.restore.steps.cloud_base import Crash
from tests.engine.restore.steps.scenes_machines import Scene


def _upto(scene: Scene, name: str) -> Scene:
    """That step, and all before it."""
    scene.job.run(*scene.does[: scene.does.index(name) + 1])
    return scene


# What is the job's own


def test_a_look_alike_of_the_new_machine_is_never_deleted(records: Records) -> None:
    scene = _upto(scenes.shelved(records), "WAIT_SERVER_ACTIVE")
    own = scene.new
    scene.cloud.servers["theirs"] = {**own, "id": "theirs", "created_at": "later"}
    scene.cloud.attachments["theirs"], scene.cloud.actions["theirs"] = [], []
    scene.job.run("UNDO_SERVER")
    scene.cloud.settle()
    assert set(scene.cloud.servers) == {scene.server, "theirs"}


def test_what_was_asked_for_and_never_seen_is_found_by_its_mark(records: Records) -> None:
    scene = _upto(scenes.shelved(records), "CREATE_PORTS")
    scene.cloud.fault("crash_after", "POST compute/servers server")
    with pytest.raises(Crash):
        scene.job.once("CREATE_SERVER")
    assert ("server", "begun") in scene.rows() and MARK in scene.new["metadata"]
    scene.job.run(*scene.undoes)
    assert set(scene.cloud.servers) == {scene.server} and ("server", "removed") in scene.rows()


def test_a_kept_volume_is_not_deleted_with_the_new_machine(records: Records) -> None:
    scene = _upto(scenes.shelved(records), "WAIT_SERVER_ACTIVE")
    # Somebody switched it on.
    for one in scene.cloud.attachments[scene.new["id"]]:
        one["delete_on_termination"] = True
    before = set(scene.cloud.volumes)
    scene.job.run("UNDO_SERVER")
    scene.cloud.settle()
    assert set(scene.cloud.volumes) == before


def test_nothing_is_taken_back_that_was_not_begun(records: Records) -> None:
    scene = scenes.shelved(records)
    before = scene.old()
    said = scene.job.run(*scene.undoes)
    assert scene.old() == before
    assert said["UNDO_SERVER"].detail == "there is no new machine"
    # Only what was found not to be as it was is asked for: nothing.
    assert scene.cloud.sent == []


# The old machine as it was


@pytest.mark.parametrize("ran", [True, False])
def test_it_runs_or_is_off_as_before(records: Records, ran: bool) -> None:
    scene = scenes.shelved(records) if ran else scenes.offloaded(records)
    _upto(scene, "MOVE_ADDRESSES")
    scene.job.run(*scene.undoes)
    assert scene.cloud.servers[scene.server]["status"] == ("ACTIVE" if ran else "SHUTOFF")


@pytest.mark.parametrize("status", ["SHELVED", "SHELVED_OFFLOADED", "PAUSED", "SUSPENDED", "ERROR"])
def test_what_was_in_another_state_and_was_not_touched_stays_there(records: Records, status: str) -> None:
    scene = scenes.shelved(records)
    scene.cloud.servers[scene.server]["status"] = status
    ran = status in ("PAUSED", "ERROR")
    scene.job.plan = replace(scene.job.plan, was_running=ran, machine=replace(scene.job.plan.machine, status=status))
    scene.job.run("UNDO_PARK")
    assert scene.cloud.servers[scene.server]["status"] == status and scene.cloud.sent == []


def test_unshelving_is_tried_again_until_there_is_room(records: Records) -> None:
    scene = _upto(scenes.shelved(records), "PARK_OLD_MACHINE")
    scene.cloud.room = 0
    asked = 0

    def told(text: str) -> None:
        nonlocal asked
        asked += "tried again" in text
        if asked == 3:
            scene.cloud.room = None

    work = scene.job.work("UNDO_PARK")
    object.__setattr__(work.context, "progress", told)
    from engine.restore.steps import undo_machine

    assert undo_machine.undo_park(work).detail == "web is ACTIVE, as it was"
    assert asked == 3


def test_a_machine_that_cannot_be_unshelved_says_why_and_what_to_do(records: Records) -> None:
    scene = _upto(scenes.shelved(records), "PARK_OLD_MACHINE")
    scene.cloud.room = 0
    said = scene.job.attempt("UNDO_PARK")
    assert "could not be brought back (unshelve): No valid host was found." in said
    assert f"openstack server unshelve {scene.server}" in said
    assert scene.job.clock.now > 1800  # it was tried for long


@pytest.mark.parametrize("step", ["UNDO_PARK", "UNDO_PRESERVE"])
def test_a_machine_that_is_gone_is_said(records: Records, step: str) -> None:
    scene = scenes.shelved(records)
    del scene.cloud.servers[scene.server]
    assert "is gone: somebody deleted it" in scene.job.attempt(step)


def test_a_lost_tag_is_said(records: Records) -> None:
    scene = _upto(scenes.shelved(records), "MOVE_VOLUMES")
    said = scene.job.step("UNDO_MOVE_VOLUMES").detail
    assert "db back on web; without the tag database" in said


def test_the_tag_is_back_where_the_machine_is_not_shelved(records: Records) -> None:
    scene = scenes.shelved(records)
    scene.cloud.refuses["shelve"] = 403
    _upto(scene, "MOVE_VOLUMES")
    assert "tag" not in scene.job.step("UNDO_MOVE_VOLUMES").detail
    scene.cloud.settle()
    assert "database" in {one["tag"] for one in scene.cloud.attachments[scene.server]}


def test_all_the_rest_comes_back_when_one_thing_cannot(records: Records) -> None:
    scene = _upto(scenes.shelved(records), "WAIT_SERVER_ACTIVE")
    first = scene.job.plan.nics[0]
    # The address was taken by somebody the moment it was free.
    said: dict[str, str] = {}
    for name in scene.undoes:
        if name == "UNDO_ADDRESSES":
            thief: dict[str, Any] = {**scene.cloud.ports[first.port_id], "id": "thief", "mac_address": "fa:16:3e:9:9:9"}
            thief["fixed_ips"] = [{"subnet_id": first.fixed[0].subnet_id, "ip_address": "10.0.0.5"}]
            scene.cloud.ports["thief"] = thief
        try:
            scene.job.step(name)
        except Failed as problem:
            said[name] = problem.detail
    assert set(said) == {"UNDO_ADDRESSES", "UNDO_FLOATING_IPS"}
    assert "already allocated" in said["UNDO_ADDRESSES"] and "1 ports of web have their addresses" in said[
        "UNDO_ADDRESSES"]  # fmt: skip
    assert scene.cloud.servers[scene.server]["status"] == "ACTIVE"
    second = scene.cloud.ports[scene.job.plan.nics[1].port_id]
    assert {one["ip_address"] for one in second["fixed_ips"]} == {"10.1.0.5", "10.1.0.6"}
