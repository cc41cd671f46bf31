"""What the gate decides from what it was told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.gate import rules
from engine.gate.models import Call, Target
from engine.settings.cloud_rules import CloudRules
from store.types.actions import ACTIONS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TARGET = Target("server", ("east", "r1", "s1"), "web-3", project_id="p1", project_name="shop", host="cmp-7")


def call(method: Any = "POST", path: str = "/servers/s1/action", body: Any = None, **more: Any) -> Call:
    return Call("east", "r1", more.pop("service", "compute"), method, path, body, **more)


@pytest.mark.parametrize(
    ("asked", "only_asks"),
    [
        (call("GET", "/servers/s1"), True),
        (call(body={"os-getConsoleOutput": {"length": 50}}), True),
        (call(body={"os-stop": None}), False),
        (call(body={"os-getConsoleOutput": {}, "os-stop": None}), False),
        (call(body={}), False),
        (call(), False),
        (call(path="/servers/s1/action/../../s2/action", body={"os-getConsoleOutput": {}}), False),
        (call(path="/servers", body={"os-getConsoleOutput": {}}), False),
        (call(body={"os-getConsoleOutput": {}}, service="network"), False),
        (call("PUT", body={"os-getConsoleOutput": {}}), False),
        (call("DELETE", "/servers/s1"), False),
        (call("PATCH", "/images/i"), False),
    ],
)
def test_what_only_asks(asked: Call, only_asks: bool) -> None:
    assert rules.is_ask(asked) is only_asks


@pytest.mark.parametrize(
    ("path", "fine"),
    [
        ("/servers/s1", True),
        ("/os-volumes/a.b/c", True),
        ("servers/s1", False),
        ("/servers/../flavors/x", False),
        ("/servers/./x", False),
        ("/servers//x", False),
        ("/servers/x?all=1", False),
        ("/servers/x#y", False),
        ("/servers/%2e%2e/x", False),
        ("/servers/a b", False),
        ("/servers/a\nb", False),
        ("/servers/a\\b", False),
        ("/servers/é", False),
        ("", False),
    ],
)
def test_paths_that_could_lead_elsewhere(path: str, fine: bool) -> None:
    assert (rules.path_problem(path) is None) is fine


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ({"projects": ["shop"]}, "the project shop"),
        ({"projects": ["p1"]}, "the project p1"),
        ({"projects": ["sh*"]}, "the project shop"),
        ({"projects": ["bank"], "hosts": ["cmp-?"]}, "the host cmp-7"),
        ({"names": ["web-*"]}, "what is named web-3"),
        ({"names": ["WEB-*"]}, None),
        ({"hosts": ["cmp-8"]}, None),
        ({}, "the cloud east"),
        ({"since": "2026-03-02T08:00:00Z", "until": "2026-03-02T09:00:01Z"}, "the cloud east"),
        ({"until": "2026-03-02T09:00:00Z"}, None),
        ({"since": "2026-03-02T09:00:01Z"}, None),
    ],
)
def test_hands_off(entry: dict[str, Any], word: str | None) -> None:
    own = CloudRules.model_validate({"hands_off": [{"reason": "month end", **entry}]})
    said = rules.hands_off_problem(own, TARGET, NOW)
    if word is None:
        assert said is None
    else:
        assert said is not None and word in said and "month end" in said


@pytest.mark.parametrize(
    ("doc", "said"),
    [
        ({}, None),
        ({"locked": False}, None),
        ({"locked": "yes"}, None),
        ({"locked": True}, "web-3 is locked (no reason was given)"),
        ({"locked": True, "locked_reason": "month end"}, "web-3 is locked: month end"),
    ],
)
def test_locks(doc: dict[str, Any], said: str | None) -> None:
    assert rules.lock_problem(doc, "web-3") == said


@pytest.mark.parametrize(
    ("made", "token", "wrong"),
    [
        (call(creates=True, project_id="p1"), "p1", False),
        (call(creates=True, project_id="p1"), "admin", True),
        # Nova does not look at a project in the body.
        (call(body={"server": {"project_id": "p1"}}, creates=True, project_id="p1"), "admin", True),
        (call(service="block-storage", creates=True, project_id="p1"), "admin", True),
        (
            call(service="network", body={"network": {"project_id": "p1"}}, creates=True, project_id="p1"),
            "admin",
            False,
        ),
        (call(service="network", body={"network": {"tenant_id": "p1"}}, creates=True, project_id="p1"), "admin", False),
        (call(service="network", body={"network": {}}, creates=True, project_id="p1"), "admin", True),
        (call(service="network", body={"network": {}}, creates=True, project_id="p1"), "p1", False),
        (call(creates=True), "admin", False),  # a flavor belongs to nobody
        (call(project_id="p1"), "admin", False),  # an action creates nothing
    ],
)
def test_whose_a_new_resource_would_be(made: Call, token: str, wrong: bool) -> None:
    assert (rules.project_problem(made, token) is not None) is wrong


@pytest.mark.parametrize(
    ("action", "names", "production", "phrase"),
    [
        ("server.stop", ["web-3"], [], None),
        ("server.stop", ["web-3"], ["east"], "east"),
        ("network.delete", ["net-a"], [], "net-a"),
        ("network.delete", ["net-a", "net-b"], [], "DELETE 2 NETWORKS"),
        ("network.delete", ["net-a"], ["east"], "east net-a"),
        ("network.delete", ["net-a", "net-b"], ["west", "east"], "east west DELETE 2 NETWORKS"),
        ("network.delete", [], [], None),
    ],
)
def test_what_has_to_be_typed(action: str, names: list[str], production: list[str], phrase: str | None) -> None:
    declaration = ACTIONS[action]
    plural = {"server": "servers", "network": "networks"}[declaration.type]
    assert rules.phrase(declaration, names, production, plural) == phrase


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("web-3", "web-3"),
        ("two words", "two words"),
        ("", "0123abcd"),
        (" leading", "0123abcd"),
        ("trailing ", "0123abcd"),
        ("größe", "0123abcd"),
        ("web\u202e3", "0123abcd"),
        ("a\x1b[2J", "0123abcd"),
        ("x" * 61, "0123abcd"),
    ],
)
def test_names_that_nobody_can_type(name: str, typed: str) -> None:
    assert rules.typable(name, "0123abcd-ffff") == typed


@given(st.text(max_size=80))
def test_what_is_to_be_typed_is_seen_as_it_is(name: str) -> None:
    typed = rules.typable(name, "0123abcd-ffff")
    assert typed.isascii() and typed.isprintable() and typed == typed.strip() and typed
    assert rules.same_phrase(f" {typed} ", typed)


@pytest.mark.parametrize(
    ("own", "ticket", "problem"),
    [
        ({}, "", False),
        ({}, "whatever", False),
        ({"ticket_required": True}, "", True),
        ({"ticket_required": True}, "x", False),
        ({"ticket_pattern": r"CHG\d+"}, "", False),
        ({"ticket_pattern": r"CHG\d+"}, "CHG1", False),
        ({"ticket_pattern": r"CHG\d+"}, "CHG1 or so", True),
        ({"ticket_pattern": r"CHG\d+"}, "chg1", True),
        ({"ticket_pattern": r"CHG\d+", "ticket_required": True}, "", True),
    ],
)
def test_tickets(own: dict[str, Any], ticket: str, problem: bool) -> None:
    assert (rules.ticket_problem(CloudRules.model_validate(own), "east", ticket) is not None) is problem


@pytest.mark.parametrize(
    ("required", "reason", "problem"), [(False, "", False), (True, "", True), (True, "  ", True), (True, "why", False)]
)
def test_reasons(required: bool, reason: str, problem: bool) -> None:
    own = CloudRules(reason_required=required)
    assert (rules.reason_problem(own, "east", reason) is not None) is problem


def test_what_a_plan_relies_on_is_what_is_there() -> None:
    doc = {"name": "web-3", "status": "ACTIVE", "updated": "later", "locked": False}
    assert rules.relied(doc, (), {"ports": 2}) == {"name": "web-3", "status": "ACTIVE", "locked": False, "ports": 2}
    assert rules.relied(doc, ("updated",), {}) == {"updated": "later"}


def test_differences_name_the_field() -> None:
    was, now = {"status": "ACTIVE", "name": "web-3"}, {"status": "SHUTOFF", "name": "web-3", "locked": True}
    found = rules.differences(TARGET.key, "web-3", was, now)
    assert [(one["field"], one["from"], one["to"]) for one in found] == [
        ("locked", None, True),
        ("status", "ACTIVE", "SHUTOFF"),
    ]
    assert rules.differences(TARGET.key, "web-3", was, dict(was)) == []


@pytest.mark.parametrize(
    ("headers", "ids"),
    [
        ({}, ()),
        ({"x-openstack-request-id": "req-1"}, ("req-1",)),
        ({"x-openstack-request-id": "req-1, req-2", "x-compute-request-id": "req-1"}, ("req-1", "req-2")),
        ({"x-openstack-request-id": "req-1\x1b[2J"}, ()),
        ({"x-openstack-request-id": "a" * 81}, ()),
        ({"x-openstack-request-id": ",".join(f"req-{n}" for n in range(50))}, tuple(f"req-{n}" for n in range(10))),
    ],
)
def test_request_ids(headers: dict[str, str], ids: tuple[str, ...]) -> None:
    assert rules.request_ids(headers) == ids


def test_a_plan_has_another_hash_when_anything_is_different() -> None:
    one = rules.sealed(["server.stop", {}, [{"key": ["east", "r1", "s1"]}]])
    assert one == rules.sealed(["server.stop", {}, [{"key": ["east", "r1", "s1"]}]])
    assert one != rules.sealed(["server.stop", {}, [{"key": ["east", "r1", "s2"]}]])
