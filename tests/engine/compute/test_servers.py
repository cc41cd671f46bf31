"""What may be done to a server in which state, and what is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compute import servers
from engine.gate.models import Operation, Target
from store import times
from store.types.actions import ACTIONS, for_type
from tests.engine.compute.operating import by_id, context, server


def operation(verb: str) -> Operation:
    return by_id(servers.operations(), f"server.{verb}")


def test_every_declared_action_has_its_operation() -> None:
    # Restore points of machines are the snapshots room's.
    declared = [action.id for action in for_type("server") if action.id != "server.snapshot"]
    assert [one.id for one in servers.operations()] == declared


HARD, SOFT = {"type": "HARD"}, {"type": "SOFT"}


@pytest.mark.parametrize(
    ("verb", "options", "target", "problem"),
    [
        ("start", {}, server("SHUTOFF"), None),
        ("start", {}, server("ACTIVE"), "web-3 is already running"),
        ("start", {}, server("ERROR"), "web-3 is in error: a hard reboot may bring it back"),
        ("start", {}, server("PAUSED"), "web-3 is paused: only a stopped machine can be started"),
        ("start", {}, server("SHELVED_OFFLOADED"), "only a stopped machine can be started"),
        ("start", {}, server("SHUTOFF", "powering-on"), "web-3 is busy (powering-on): wait until that is done"),
        ("start", {}, server("SHUTOFF", host_status="DOWN"), "whose compute service is down"),
        ("stop", {}, server("ACTIVE"), None),
        ("stop", {}, server("ERROR"), None),
        ("stop", {}, server("SHUTOFF"), "web-3 is already stopped"),
        ("stop", {}, server("SUSPENDED"), "web-3 is suspended: only a running machine can be stopped"),
        ("stop", {}, server("BUILD", "spawning"), "web-3 is busy (spawning)"),
        ("reboot", SOFT, server("ACTIVE"), None),
        ("reboot", SOFT, server("SHUTOFF"), "only a running machine can be rebooted softly; try HARD"),
        ("reboot", SOFT, server("REBOOT", "rebooting"), "web-3 is busy (rebooting)"),
        ("reboot", HARD, server("REBOOT", "rebooting"), None),
        ("reboot", HARD, server("REBOOT", "rebooting", host_status="DOWN"), "is down"),
        ("reboot", HARD, server("SHUTOFF"), None),
        ("reboot", HARD, server("ERROR"), None),
        ("reboot", HARD, server("SHELVED_OFFLOADED"), "web-3 is shelved offloaded: it cannot be rebooted"),
        ("lock", {}, server(locked=False), None),
        ("lock", {}, server(locked=True, locked_reason="month end"), "web-3 is already locked: month end"),
        ("unlock", {}, server(locked=True), None),
        ("unlock", {}, server(locked=False), "web-3 is not locked"),
        ("rename", {"name": "db-1"}, server(), None),
        ("rename", {"name": " web-3 "}, server(), "web-3 is already called that"),
        ("rename", {"name": "{name}" * 60}, server(), "would have 300 characters"),
    ],
)
def test_states(verb: str, options: dict[str, Any], target: Target, problem: str | None) -> None:
    check = operation(verb).check(context(), target, options)
    if problem is None:
        assert check.problem is None
        assert check.changes
    else:
        assert check.problem is not None
        assert problem in check.problem


def test_a_token_that_sees_no_states_goes_by_the_status() -> None:
    bare = replace(server(), doc={"id": "id-1", "status": "SHUTOFF"})
    assert operation("start").check(context(), bare, {}).problem is None
    assert operation("stop").check(context(), bare, {}).problem == "web-3 is already stopped"


@pytest.mark.parametrize(
    ("verb", "options", "method", "path", "body", "command"),
    [
        ("start", {}, "POST", "/servers/id-1/action", {"os-start": None}, ("server", "start", "id-1")),
        ("stop", {}, "POST", "/servers/id-1/action", {"os-stop": None}, ("server", "stop", "id-1")),
        (
            "reboot", HARD, "POST", "/servers/id-1/action", {"reboot": {"type": "HARD"}},
            ("server", "reboot", "--hard", "id-1"),
        ),
        (
            "lock", {"reason": "month end"}, "POST", "/servers/id-1/action",
            {"lock": {"locked_reason": "month end"}}, ("server", "lock", "--reason", "month end", "id-1"),
        ),
        ("unlock", {}, "POST", "/servers/id-1/action", {"unlock": None}, ("server", "unlock", "id-1")),
        (
            "rename", {"name": "{name}-{n}"}, "PUT", "/servers/id-1", {"server": {"name": "web-3-1"}},
            ("server", "set", "--name", "web-3-1", "id-1"),
        ),
    ],
)  # fmt: skip
def test_calls(verb: str, options: Any, method: str, path: str, body: Any, command: tuple[str, ...]) -> None:
    done = operation(verb)
    (call,) = done.calls(context(), server(), options)
    assert (call.service, call.method, call.path, call.body) == ("compute", method, path, body)
    assert (call.key, call.type, call.project_id, call.creates) == (("c", "r", "id-1"), "server", "p-1", False)
    assert done.commands is not None
    assert list(done.commands(context(), server(), options)) == [command]


def test_the_lock_carries_the_plans_reason_and_ticket() -> None:
    given_ = context(reason="disk swap", ticket="CHG1")
    (call,) = operation("lock").calls(given_, server(), {})
    assert call.body == {"lock": {"locked_reason": "CHG1: disk swap"}}
    assert call.microversion == servers.LOCK_REASON
    assert servers.locked_reason(context(ticket="CHG1"), {}) == "CHG1"
    assert servers.locked_reason(context(ticket="CHG1"), {"reason": "mine"}) == "CHG1: mine"
    assert len(servers.locked_reason(context(reason="x" * 900, ticket="CHG1"), {})) == 255


def test_only_locking_passes_locks() -> None:
    passing = {one.id for one in servers.operations() if one.passes_locks}
    assert passing == {"server.lock", "server.unlock"}


@pytest.mark.parametrize(
    ("verb", "target", "ok"),
    [
        ("start", server("SHUTOFF", "powering-on"), None),
        ("start", server("ACTIVE"), True),
        ("start", server("ERROR", fault={"message": "no\nvalid host"}), False),
        ("stop", server("ACTIVE", "powering-off"), None),
        ("stop", server("ACTIVE"), None),
        ("stop", server("SHUTOFF"), True),
        ("stop", replace(server(), doc={}), False),
        ("reboot", server("REBOOT", "rebooting"), None),
        ("reboot", server("ACTIVE", "reboot_started"), None),
        ("reboot", server("ACTIVE"), True),
        ("reboot", server("ERROR"), False),
        ("reboot", replace(server(), doc={}), False),
        ("lock", server(locked=True), True),
        ("lock", server(locked=False), None),
        ("unlock", server(locked=False), True),
        ("rename", server(), True),
        ("rename", replace(server(), doc={}), False),
    ],
)
def test_settled(verb: str, target: Target, ok: bool | None) -> None:
    done = operation(verb)
    assert done.settled is not None
    found = done.settled(context(), target, {"name": "web-3"})
    assert (None if found is None else found.ok) is ok
    assert found is None or (found.detail and "\n" not in found.detail)


@pytest.mark.parametrize(
    ("verb", "target", "done"),
    [
        ("start", server("ACTIVE"), True),
        ("start", server("SHUTOFF"), False),
        ("stop", server("SHUTOFF", "powering-on"), False),
        ("stop", server("SHUTOFF"), True),
        ("lock", server(locked=True), True),
        ("unlock", server(locked=False), True),
    ],
)
def test_already(verb: str, target: Target, done: bool) -> None:
    wanted = operation(verb)
    assert wanted.already is not None
    assert wanted.already(context(), target, {}) is done
    if done:
        # A repeated step is let through to find that out.
        assert wanted.check(context(attempt=2), target, {}).problem is None


@pytest.mark.parametrize(
    ("actions", "attempt", "begun"),
    [
        ([("reboot", 60), ("create", 9000)], 2, True),
        ([("reboot", 60)], 1, False),
        ([("reboot", 9000)], 2, False),
        ([("stop", 30), ("reboot", 60)], 2, False),
        ([], 2, False),
    ],
)
def test_a_reboot_that_was_interrupted_is_not_done_twice(
    actions: list[tuple[str, int]], attempt: int, begun: bool
) -> None:
    rows = [
        {"action": name, "start_time": (times.utcnow() - timedelta(seconds=ago)).strftime("%Y-%m-%dT%H:%M:%S.000000")}
        for name, ago in actions
    ]
    ctx = context({"/servers/id-1/os-instance-actions": {"instanceActions": rows}}, attempt=attempt)
    already = operation("reboot").already
    assert already is not None
    assert already(ctx, server(), SOFT) is begun


def test_many_machines_need_a_pattern() -> None:
    check = operation("rename").check
    assert "2 machines would all be called 'db'" in str(check(context(count=2), server(), {"name": "db"}).problem)
    assert check(context(count=2, number=2), server(), {"name": "db-{n}"}).changes[0].after == "db-2"


@given(st.text("ab{}n", min_size=1, max_size=6), st.text("ab", min_size=1, max_size=6))
def test_a_renamed_machine_is_not_renamed_again(pattern: str, name: str) -> None:
    options = {"name": pattern}
    after = servers.new_name(context(), name, options)
    already = operation("rename").already
    assert already is not None
    now = replace(server(), doc={"name": after}, name=after)
    assert already(context(attempt=2), now, options)


def test_no_option_is_unknown() -> None:
    for one in servers.operations():
        assert ACTIONS[one.id] is one.declaration
