"""Plans as a whole: names, phrases, what a request may not say, and what people are told before they say yes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.restore.kept import plan_of, to_json
from engine.restore.models import WAYS
from engine.restore.planning.facts import Rights
from engine.restore.planning.planner import Limits, make_plan
from tests.engine.restore.planning.given import DATA, NOW, data, facts, image_facts, machine, nic, plan, request, root

HELPER = machine(key=("lab", "R1", "s9"), name="helper")
GONE = machine(gone=True, status="DELETED", vm_state="deleted", host="", host_status="")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("known", [facts(), image_facts()])
def test_every_way_of_a_healthy_machine_is_eligible(known: Any, way: Any) -> None:
    found = plan(known, way=way)
    assert found.eligible, found.problems
    assert (found.id, found.created_at, found.expires_at) == ("plan-1", NOW, NOW + timedelta(minutes=30))
    assert plan_of(json.loads(json.dumps(to_json(found)))) == found


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({}, "web-01-restored-20260504-1200"),
        ({"new_name": "web-02"}, "web-02"),
        ({"way": "REPLACE"}, "web-01"),
        ({"way": "REPLACE", "new_name": "web-02"}, "web-02"),
        ({"way": "IN_PLACE"}, ""),
        ({"way": "DISK_BESIDE"}, ""),
    ],
)
def test_what_the_new_machine_is_called(asked: dict[str, Any], name: str) -> None:
    assert plan(**asked).new_name == name


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("web-01", "DELETE AND RESTORE web-01"),
        ("my machine", "DELETE AND RESTORE my machine"),
        ("übung", "DELETE AND RESTORE s1"),  # what cannot be typed everywhere, or lies, is called by its id
        ("a\u202eb", "DELETE AND RESTORE s1"),
    ],
)
def test_what_must_be_typed_for_a_replace(name: str, phrase: str) -> None:
    assert plan(facts(machine=machine(name=name)), way="REPLACE").phrase == phrase


@pytest.mark.parametrize("way", ["NEW", "REPLACE"])
def test_what_a_machine_is_called_is_a_name(way: Any) -> None:
    made = plan(facts(machine=machine(name="\N{FIRE} prod \N{WOMAN}\u200d\N{GIRL}")), way=way)
    assert made.eligible and made.new_name.startswith("\N{FIRE} prod")


@pytest.mark.parametrize("way", ["NEW", "IN_PLACE", "DISK_BESIDE", "DATA_VOLUME_BACK"])
def test_nothing_must_be_typed_for_the_others(way: Any) -> None:
    assert plan(way=way).phrase is None


@pytest.mark.parametrize(
    ("known", "asked", "problem"),
    [
        (facts(), {"project_id": "p2"}, "does not belong to the project 'p2'"),
        (facts(), {"server_id": "s2"}, "of another machine"),
        (facts(), {"keep_days": -1}, "0 to 365 days"),
        (facts(), {"keep_days": 999}, "0 to 365 days"),
        (facts(), {"new_name": " "}, "is no name for a machine"),
        (facts(), {"new_name": "a\nb"}, "is no name for a machine"),
        (facts(), {"new_name": "x" * 256}, "is no name for a machine"),
        (facts(rights=Rights(admin=False)), {"user_data": True}, "user data cannot be read"),
        (facts(), {"way": "DISK_BESIDE", "helper": "s9"}, "the helper machine 's9' is not there"),
        (
            facts(helper=replace(HELPER, project_id="p2")), {"way": "DISK_BESIDE", "helper": "s9"},
            "the helper machine is in another project",
        ),
        (
            facts(helper=replace(HELPER, key=("lab", "R2", "s9"))), {"way": "DISK_BESIDE", "helper": "s9"},
            "the helper machine is in another project or region",
        ),
        (facts(helper=replace(HELPER, locked=True)), {"way": "DISK_BESIDE", "helper": "s9"}, "helper is locked"),
        (facts(machine=machine(locked=True)), {"way": "DISK_BESIDE"}, "the copy cannot be attached: web-01 is locked"),
        (facts(machine=machine(host_status="DOWN")), {"way": "DISK_BESIDE"}, "the host of web-01 is dead"),
        (facts(machine=machine(vm_state="rescued")), {"way": "DISK_BESIDE"}, "web-01 is rescued"),
        (facts(machine=machine(task_state="x")), {"way": "DISK_BESIDE"}, "Nova is busy with web-01"),
    ],
)  # fmt: skip
def test_what_a_request_may_not_say(known: Any, asked: dict[str, Any], problem: str) -> None:
    found = plan(known, **asked)
    assert any(problem in text for text in found.problems), found.problems
    assert (found.eligible, found.steps, found.commit, found.commands) == (False, (), "", ())


@pytest.mark.parametrize(
    ("state", "stop", "said"), [("active", False, True), ("active", True, False), ("stopped", False, False)]
)
def test_a_disk_that_changes_under_a_running_machine_is_said(state: str, stop: bool, said: bool) -> None:
    made = plan(facts(machine=machine(vm_state=state)), way="DATA_VOLUME_BACK", stop=stop)
    assert any("unmount the disk in it first" in text for text in made.warnings) is said


def test_a_copy_may_go_to_a_helper_or_nowhere_while_the_machine_is_locked() -> None:
    locked = {"machine": machine(locked=True)}
    assert plan(facts(**locked), way="DISK_BESIDE", helper="none").eligible
    found = plan(facts(**locked, helper=HELPER), way="DISK_BESIDE", helper="s9")
    assert found.eligible, found.problems
    assert (found.helper, found.helper_name) == (HELPER.key, "helper")


def test_the_copy_of_a_deleted_machines_disk_is_attached_to_nothing() -> None:
    found = plan(facts(machine=GONE, nics=()), way="DISK_BESIDE")
    assert found.eligible, found.problems
    assert "ATTACH_VOLUME" not in [step.name for step in found.steps]


@pytest.mark.parametrize(
    ("known", "asked", "warning"),
    [
        (facts(refused={"read_only": "lab is read-only until 13:00"}), {}, "read-only"),
        (facts(machine=machine(vm_state="stopped", status="SHUTOFF")), {"way": "IN_PLACE"}, "is stopped and stays so"),
        (facts(), {"way": "REPLACE"}, "a roll-back unshelves the old machine"),
        (
            facts(), {"way": "REPLACE", "disks": {DATA: "keep_current"}, "safety_snapshot": False},
            "no safety snapshot",
        ),
        (
            facts(disks=(root(), data(tag="db"))), {"way": "REPLACE", "disks": {DATA: "keep_current"}},
            "after a roll-back the disk web-data may be without its device tag",
        ),
        (facts(machine=machine(vm_state="paused")), {"way": "REPLACE"}, "leaves it running"),
        (facts(unread=("its load balancers could not be read",)), {}, "its load balancers could not be read"),
        (facts(machine=machine(locked=True)), {}, "the old machine is locked; it is not touched"),
        (facts(nics=(nic(allowed_address_pairs=({"ip_address": "10.0.0.99"},)),)), {}, "claim 10.0.0.99"),
        (facts(machine=machine(config_drive=True)), {}, "cloud-init may run its first-boot steps again"),
        (facts(), {"user_data": True}, "cloud-init may run its first-boot steps again"),
        (facts(), {"way": "DISK_BESIDE"}, "same LVM and filesystem UUIDs"),
        (facts(nics=(nic(vnic_type="direct"),)), {}, "never tried with restores"),
        (
            facts(machine=machine(host_status="DOWN")),
            {"way": "REPLACE", "fenced": "the old host c1 is fenced", "end": "delete"},
            "not deleted while its host is dead",
        ),
    ],
)  # fmt: skip
def test_what_people_are_told(known: Any, asked: dict[str, Any], warning: str) -> None:
    found = plan(known, **asked)
    assert found.eligible, found.problems
    assert any(warning in text for text in found.warnings), found.warnings


@pytest.mark.parametrize(
    ("vm_state", "ran"), [("active", True), ("error", True), ("stopped", False), ("shelved_offloaded", False)]
)
def test_whether_the_machine_runs_again_after_a_roll_back(vm_state: str, ran: bool) -> None:
    assert plan(facts(machine=machine(vm_state=vm_state)), way="REPLACE").was_running is ran


def test_how_the_engine_acts_is_in_the_plan() -> None:
    lent = Rights(admin=True, access="lend", user_data=True)
    assert plan(facts(rights=lent)).access == "lend"
    none = Rights(access="none", access_problem="no role in shop", access_command="openstack role add member")
    refused = plan(facts(rights=none))
    assert not refused.eligible
    assert (refused.access, refused.access_command) == ("none", "openstack role add member")


def test_settings_limit_a_plan() -> None:
    found = make_plan(facts(), request(keep_days=30), NOW, Limits(minutes=5, most_days=14), id="p")
    assert found.expires_at == NOW + timedelta(minutes=5)
    assert any("0 to 14 days, not for 30" in text for text in found.problems)


def test_a_retry_keeps_what_was_made() -> None:
    found = make_plan(facts(), request(), NOW, id="p2", reused={"v-root": "made"}, retry_of="p1")
    assert (found.retry_of, found.reused) == ("p1", {"v-root": "made"})
