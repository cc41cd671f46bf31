"""Which steps each way has, in which order, what takes them back, and where it commits."""

from __future__ import annotations

from typing import Any

import pytest

from engine.restore.models import WAYS, Plan
from engine.restore.planning import steps
from engine.restore.planning.facts import Hosts
from engine.restore.steps import catalogue
from tests.engine.restore.planning.given import (
    DATA,
    facts,
    floating,
    image_facts,
    image_machine,
    machine,
    names,
    nic,
    plan,
    point,
)  # fmt: skip

BEGIN = ["VALIDATE_LIVE_STATE", "ENSURE_SERVICE_USER", "QUOTA_CHECK"]
SAFETY = ["SAFETY_SNAPSHOT", "WAIT_SAFETY_SNAPSHOT"]
VOLUMES = ["CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE"]
MACHINE = ["CREATE_PORTS", "CREATE_SERVER", "WAIT_SERVER_ACTIVE"]
DEAD = {"host_status": "DOWN"}
FENCED = "the old host c1 is fenced"


def test_new() -> None:
    found = plan()
    assert names(found) == [*BEGIN, *VOLUMES, *MACHINE, "PROVE_IT_ANSWERS", "PROTECT", "FINALIZE"]
    assert names(found, "undo") == ["UNDO_SERVER", "UNDO_PORTS", "UNDO_VOLUMES"]
    assert found.commit == "PROVE_IT_ANSWERS"


def test_new_of_an_image_makes_no_volume() -> None:
    found = plan(image_facts(disks=()))
    assert names(found) == [*BEGIN, *MACHINE, "PROVE_IT_ANSWERS", "PROTECT", "FINALIZE"]
    assert names(found, "undo") == ["UNDO_SERVER", "UNDO_PORTS"]
    assert found.root_image == "i1"


def test_replace() -> None:
    known = facts(nics=(nic(floating=floating()),), points={"v-root": (point("r1"),)})
    found = plan(known, way="REPLACE", ip_strategy="SAME_IPS_OR_FAIL")
    assert names(found) == [
        *BEGIN, *SAFETY, *VOLUMES, "PRESERVE_OLD_VOLUMES", "STOP_OLD_MACHINE", "PARK_OLD_MACHINE", "MOVE_VOLUMES",
        "MOVE_ADDRESSES", *MACHINE, "MOVE_FLOATING_IPS", "PROVE_IT_ANSWERS", "PROTECT", "KEEP_OLD_MACHINE",
        "FINALIZE",
    ]  # fmt: skip
    assert names(found, "undo") == [
        "UNDO_SERVER", "UNDO_PORTS", "UNDO_ADDRESSES", "UNDO_FLOATING_IPS", "UNDO_MOVE_VOLUMES", "UNDO_PARK",
        "UNDO_PRESERVE", "UNDO_VOLUMES",
    ]  # fmt: skip
    assert found.park == "shelve"
    args = {step.name: step.args for step in found.steps}
    assert args["SAFETY_SNAPSHOT"] == {"volumes": [DATA], "image": False}
    assert args["MOVE_VOLUMES"] == {"volumes": [DATA]}
    assert args["CREATE_VOLUME_FROM_SNAPSHOT"] == {"volumes": ["v-root"]}


def test_replace_moves_only_what_there_is_to_move() -> None:
    found = plan(way="REPLACE")  # both disks from their points, other addresses, no floating IP
    assert not {"MOVE_VOLUMES", "MOVE_ADDRESSES", "MOVE_FLOATING_IPS", *SAFETY} & set(names(found))
    assert not {"UNDO_MOVE_VOLUMES", "UNDO_ADDRESSES", "UNDO_FLOATING_IPS"} & set(names(found, "undo"))


@pytest.mark.parametrize(
    ("asked", "there", "not_there"),
    [
        ({"end": "delete"}, "DELETE_OLD_MACHINE", "KEEP_OLD_MACHINE"),
        ({"end": "keep"}, "KEEP_OLD_MACHINE", "DELETE_OLD_MACHINE"),
        ({"cleanup_old_storage": True}, "CLEANUP_OLD_STORAGE", "DELETE_OLD_MACHINE"),
        ({"delete_source_snapshot": True}, "CLEANUP_OLD_STORAGE", "DELETE_OLD_MACHINE"),
        ({"disks": {DATA: "keep_current"}}, "SAFETY_SNAPSHOT", "CLEANUP_OLD_STORAGE"),
        ({"disks": {DATA: "keep_current"}, "safety_snapshot": False}, "MOVE_VOLUMES", "SAFETY_SNAPSHOT"),
    ],
)
def test_what_a_replace_has_when_asked_for(asked: dict[str, Any], there: str, not_there: str) -> None:
    found = names(plan(way="REPLACE", **asked))
    assert there in found
    assert not_there not in found


def test_a_machine_on_a_dead_fenced_host_is_neither_stopped_nor_parked_nor_deleted() -> None:
    known = facts(machine=machine(**DEAD))
    found = plan(known, way="REPLACE", fenced=FENCED, end="delete", ip_strategy="SAME_IPS_OR_FAIL")
    assert found.eligible, found.problems
    assert found.park == "leave"
    assert not {"STOP_OLD_MACHINE", "PARK_OLD_MACHINE", "DELETE_OLD_MACHINE"} & set(names(found))
    assert {"MOVE_ADDRESSES", "KEEP_OLD_MACHINE"} <= set(names(found))
    assert "UNDO_PARK" not in names(found, "undo")


@pytest.mark.parametrize(
    ("changes", "park", "stops"),
    [
        ({}, "shelve", True),
        ({"machine": machine(vm_state="stopped", status="SHUTOFF")}, "shelve", True),
        ({"machine": machine(vm_state="error", status="ERROR")}, "shelve", True),  # stopping ends ERROR
        ({"machine": machine(vm_state="paused", status="PAUSED")}, "shelve", True),
        ({"machine": machine(vm_state="shelved_offloaded", status="SHELVED_OFFLOADED", host="")}, "shelve", False),
    ],
)
def test_how_a_machine_makes_room(changes: dict[str, Any], park: str, stops: bool) -> None:
    found = plan(facts(**changes), way="REPLACE")
    assert found.eligible, found.problems
    assert (found.park, "STOP_OLD_MACHINE" in names(found)) == (park, stops)


def test_a_machine_of_an_image_is_stopped_unless_only_shelving_makes_room() -> None:
    assert plan(image_facts(), way="REPLACE").park == "stop"
    paused = image_facts(machine=image_machine(vm_state="paused"))
    assert plan(paused, way="REPLACE").park == "shelve"  # what is paused cannot be stopped
    full = image_facts(machine=image_machine(group_id="g", group_policy="anti-affinity"), hosts=Hosts(3, 1, 0))
    assert plan(full, way="REPLACE").park == "shelve"


def test_no_safety_snapshot_of_disks_that_are_reserved_for_a_shelved_machine() -> None:
    shelved = facts(machine=machine(vm_state="shelved_offloaded", status="SHELVED_OFFLOADED", host=""))
    found = plan(shelved, way="REPLACE", disks={DATA: "keep_current"})
    assert found.eligible, found.problems
    assert "MOVE_VOLUMES" in names(found)
    assert "SAFETY_SNAPSHOT" not in names(found)
    assert any("Cinder makes none while the machine is shelved" in text for text in found.warnings)


def test_in_place_of_a_volume_copies_the_point_into_an_image() -> None:
    found = plan(way="IN_PLACE")
    assert names(found) == [
        *BEGIN, *SAFETY, *VOLUMES, "CREATE_IMAGE", "WAIT_IMAGE_ACTIVE", "REBUILD_SERVER", "WAIT_SERVER_REBUILT",
        "PROVE_IT_ANSWERS", "REMOVE_TEMPORARY", "PROTECT", "FINALIZE",
    ]  # fmt: skip
    assert names(found, "undo") == ["UNDO_REBUILD", "UNDO_VOLUMES"]
    assert found.steps[3].args == {"volumes": ["v-root"], "image": False}


def test_in_place_of_an_image_needs_no_copy_but_always_a_safety_image() -> None:
    found = plan(image_facts(), way="IN_PLACE", safety_snapshot=False)
    assert names(found) == [
        *BEGIN, *SAFETY, "REBUILD_SERVER", "WAIT_SERVER_REBUILT", "PROVE_IT_ANSWERS", "PROTECT", "FINALIZE",
    ]  # fmt: skip
    assert found.steps[3].args == {"volumes": [], "image": True}
    assert any("safety snapshot is made all the same" in text for text in found.warnings)


def test_disk_beside() -> None:
    found = plan(way="DISK_BESIDE")
    assert names(found) == [*BEGIN, *VOLUMES, "ATTACH_VOLUME", "FINALIZE"]
    assert names(found, "undo") == ["UNDO_ATTACH", "UNDO_VOLUMES"]
    assert found.commit == "FINALIZE"
    assert names(plan(way="DISK_BESIDE", helper="none")) == [*BEGIN, *VOLUMES, "FINALIZE"]


def test_a_root_that_is_an_image_can_be_put_beside_as_well() -> None:
    found = plan(image_facts(), way="DISK_BESIDE")
    assert found.eligible, found.problems
    (copy,) = steps.restored(found)
    assert (copy.volume_id, copy.size_gb, copy.source and copy.source.kind) == ("", 20, "image")


def test_data_volume_back() -> None:
    found = plan(way="DATA_VOLUME_BACK")
    middle = ["PRESERVE_OLD_VOLUMES", "DETACH_CURRENT_VOLUME", "ATTACH_RESTORED_VOLUME"]
    assert names(found) == [*BEGIN, *VOLUMES, *middle, "PROTECT", "KEEP_OLD_VOLUME", "FINALIZE"]
    assert found.commit == "ATTACH_RESTORED_VOLUME"
    assert names(found, "undo") == ["UNDO_DATA_VOLUME", "UNDO_PRESERVE", "UNDO_VOLUMES"]


def test_data_volume_back_with_the_machine_stopped_meanwhile() -> None:
    found = plan(way="DATA_VOLUME_BACK", stop=True)
    assert names(found)[5:] == [
        "PRESERVE_OLD_VOLUMES", "STOP_OLD_MACHINE", "DETACH_CURRENT_VOLUME", "ATTACH_RESTORED_VOLUME",
        "START_MACHINE", "PROVE_IT_ANSWERS", "PROTECT", "KEEP_OLD_VOLUME", "FINALIZE",
    ]  # fmt: skip
    assert found.commit == "PROVE_IT_ANSWERS"
    assert "UNDO_START" in names(found, "undo")
    paused = facts(machine=machine(vm_state="paused", status="PAUSED", power_state=3))
    assert not {"STOP_OLD_MACHINE", "START_MACHINE"} & set(names(plan(paused, way="DATA_VOLUME_BACK", stop=True)))
    stopped = facts(machine=machine(vm_state="stopped", status="SHUTOFF", power_state=4))
    assert "START_MACHINE" not in names(plan(stopped, way="DATA_VOLUME_BACK", stop=True))  # it stays as it was


def test_every_step_that_changes_something_is_taken_back() -> None:
    harmless = {
        *BEGIN, "WAIT_SAFETY_SNAPSHOT", "WAIT_VOLUME_AVAILABLE", "WAIT_IMAGE_ACTIVE", "WAIT_SERVER_ACTIVE",
        "WAIT_SERVER_REBUILT", "PROVE_IT_ANSWERS",
    }  # fmt: skip
    for found in (_everything(way) for way in WAYS):
        does = names(found)
        before = does[: does.index(found.commit)]
        undone = steps.undone_by(found.way)
        for name in before:
            assert name in harmless or undone[name] in names(found, "undo"), (found.way, name)


def _everything(way: Any) -> Plan:
    known = facts(nics=(nic(floating=floating()),))
    asked = {"way": way, "stop": True, "ip_strategy": "SAME_IPS_OR_FAIL" if way == "REPLACE" else "NEW_IPS"}
    disks = {DATA: "keep_current"} if way == "REPLACE" else {}
    found = plan(known, disks=disks, **asked)
    assert found.eligible, found.problems
    return found


def test_all_names_are_known() -> None:
    assert {step.name for way in WAYS for step in _everything(way).steps} <= steps.NAMES


def test_every_step_has_a_function_and_every_function_a_step() -> None:
    assert catalogue.steps().keys() == steps.NAMES
