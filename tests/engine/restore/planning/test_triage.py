"""What triage finds, what it says about dead hosts, and that health is one green line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.restore.planning.facts import Event
from engine.restore.planning.triage import fence_phrase, findings, host_dead
from tests.engine.restore.planning.given import NOW, facts, machine, plan, root

OLD = NOW - timedelta(hours=2)
FRESH = NOW - timedelta(seconds=20)


@pytest.mark.parametrize(
    ("host_status", "service", "dead"),
    [
        ("UP", ("up", FRESH), False),
        ("UP", None, False),
        ("", None, False),  # may not be seen: said, but no claim
        ("MAINTENANCE", ("up", FRESH), False),
        ("DOWN", ("up", FRESH), True),  # forced down
        ("UNKNOWN", None, True),
        ("UP", ("down", OLD), True),
        ("", ("down", None), True),
        ("", ("up", OLD), True),  # silent for hours, and nobody says that it is up
        ("UP", ("up", OLD), False),  # Nova itself says that it is up
    ],
)
def test_when_a_host_is_dead(host_status: str, service: Any, dead: bool) -> None:
    known = facts(machine=machine(host_status=host_status), service=service)
    assert host_dead(known, NOW) is dead
    commands = [one.command for one in findings(known, NOW) if one.level == "problem"]
    assert commands == (["openstack server evacuate s1"] if dead else [])


def test_a_deleted_machine_has_no_host() -> None:
    assert not host_dead(facts(machine=machine(gone=True, host_status="DOWN")), NOW)
    assert not host_dead(facts(machine=machine(host="", host_status=""), service=("down", None)), NOW)


def test_a_healthy_machine_is_one_green_line() -> None:
    (found,) = findings(facts(), NOW)
    assert (found.level, found.text) == ("ok", "web-01 is ACTIVE on c1, and its host is up")


@pytest.mark.parametrize(
    ("changes", "level", "text", "command"),
    [
        ({"machine": machine(vm_state="error", status="ERROR")}, "warning", "it is in ERROR", "reboot --hard"),
        ({"machine": machine(vm_state="paused", status="PAUSED")}, "problem", "it is paused", "unpause s1"),
        ({"machine": machine(vm_state="suspended")}, "problem", "it is suspended", "resume s1"),
        ({"machine": machine(vm_state="soft-delete")}, "problem", "can still be brought back", "restore s1"),
        ({"machine": machine(vm_state="resized")}, "problem", "confirm or revert", "resize revert s1"),
        ({"machine": machine(vm_state="rescued")}, "problem", "rescue mode", "unrescue s1"),
        ({"machine": machine(task_state="rebuilding")}, "warning", "busy with it (rebuilding)", ""),
        ({"machine": machine(power_state=4)}, "warning", "its power state is shut down", "reboot --hard"),
        ({"machine": machine(power_state=6)}, "warning", "crashed", "reboot --hard"),
        ({"machine": machine(locked=True, locked_reason="month end")}, "warning", "it is locked: month end", ""),
        ({"machine": machine(host_status="MAINTENANCE")}, "warning", "is disabled, but up", ""),
        ({"service": ("up", OLD)}, "warning", "but was not heard of for 2 h", ""),
        ({"refused": {"held": "another job holds it"}}, "problem", "another job holds it", ""),
        ({"refused": {"read_only": "lab is read-only"}}, "warning", "lab is read-only", ""),
        ({"disagreements": ("Nova has v1, Cinder does not",)}, "warning", "Nova has v1", ""),
        ({"root_image_problem": "its image is deactivated"}, "warning", "deactivated", ""),
        ({"events": (Event("stop", OLD, "no valid host"),)}, "warning", "its stop of 2026-05-04 10:00 UTC failed", ""),
        ({"unread": ("its ports could not be read",)}, "warning", "its ports could not be read", ""),
        ({"events": None}, "warning", "last actions could not be read", ""),
        ({"console": ("boot", "Kernel panic - not syncing: VFS")}, "warning", "Kernel panic", ""),
        ({"machine": machine(host_status="", host=""), "service": None}, "warning", "may not be seen", ""),
    ],
)
def test_what_is_found(changes: dict[str, Any], level: str, text: str, command: str) -> None:
    (found,) = findings(facts(**changes), NOW)
    assert found.level == level
    assert text in found.text
    assert command in found.command
    assert bool(found.command) == bool(command)


def test_old_failures_and_successes_are_no_news() -> None:
    long_ago = Event("reboot", NOW - timedelta(days=30), "failed")
    assert findings(facts(events=(Event("start", OLD), long_ago)), NOW)[0].level == "ok"


def test_the_gravest_comes_first_and_losses_last() -> None:
    known = facts(machine=machine(host_status="DOWN", vm_state="error", status="ERROR"))
    found = findings(known, NOW, (root(lost_seconds=95_400),))
    assert [one.level for one in found] == ["problem", "warning", "ok"]
    assert found[-1].text == "the root disk web-root: what comes back is 26.5 h old"


def test_replacing_a_machine_on_a_dead_host_needs_the_typed_statement() -> None:
    known = facts(machine=machine(host_status="DOWN"))
    assert fence_phrase(known.machine) == "the old host c1 is fenced"
    for typed in ("", "the old host c2 is fenced", "The old host c1 is fenced", "yes"):
        found = plan(known, way="REPLACE", fenced=typed)
        assert any('type "the old host c1 is fenced"' in text for text in found.problems)
    assert plan(known, way="REPLACE", fenced="the old host c1 is fenced").eligible


def test_the_statement_does_nothing_where_the_host_is_alive() -> None:
    found = plan(way="REPLACE", fenced="the old host c1 is fenced")
    assert (found.park, found.eligible) == ("shelve", True)
