"""Who did it: what can cause what, what a request changes, and the grades, as tables of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.drift import causes, grading
from engine.drift.grading import Action
from engine.drift.models import GRADES
from engine.drift.requests import Record, Request, parse
from engine.drift.rules import RULES
from engine.inventory.events_rules import People

NOON = datetime(2026, 11, 20, 12)
ID = "5e000000-0000-4000-8000-000000000001"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def event(type: str = "server", field: str = "status", new: str | None = "SHUTOFF", **more: Any) -> dict[str, Any]:
    """Seen between 0 and 10 minutes past noon."""
    owner = ID if type in causes.TOLD_BY_NOVA else None
    kind = "deleted" if new == "deleted" else "changed"
    return {
        "type": type, "field": field, "new_value": new, "old_value": "x", "kind": kind, "cloud": "prod",
        "resource_id": ID if type == "server" else f"{type}-1", "owner_id": owner, "seen_before": at(0),
        "seen_at": at(10), "opened_at": at(9), **more,
    }  # fmt: skip


def act(name: str, minutes: float = 5, **more: Any) -> Action:
    values: dict[str, Any] = {"ended": at(minutes), "request_id": f"req-{name}-{minutes}", "actor": "ann",
                              "service": False, "failed": False}  # fmt: skip
    return Action(name, at(minutes), **(values | more))


@pytest.mark.parametrize(
    ("name", "type", "field", "new", "can"),
    [
        ("stop", "server", "status", "SHUTOFF", True),
        ("stop", "server", "status", "ACTIVE", False),
        ("stop", "server", "vm_state", "stopped", True),
        ("stop", "port", "status", "DOWN", True),
        ("stop", "server", "status", "ERROR", True),
        ("start", "server", "status", "ACTIVE", True),
        ("reboot", "server", "hypervisor_hostname", "b", False),
        ("resize", "server", "flavor_id", "any", True),
        ("resize", "server", "status", "VERIFY_RESIZE", True),
        ("live-migration", "server", "hypervisor_hostname", "b", True),
        ("live-migration", "server", "flavor_id", "b", False),
        ("evacuate", "server", "host_id", "b", True),
        ("extend_volume", "volume", "size", "20", True),
        ("detach_volume", "volume", "server_id", None, True),
        ("detach_volume", "volume", "status", "available", True),
        ("attach_volume", "volume", "status", "available", False),
        ("delete", "server", "existence", "deleted", True),
        ("delete", "floating_ip", "port_id", None, True),
        ("lock", "server", "status", "SHUTOFF", False),
        ("changePassword", "server", "name", "x", False),
        ("rebuild", "server", "metadata", "x", False),
        ("nonsense", "server", "status", "ERROR", False),
    ],
)
def test_what_an_action_can_cause(name: str, type: str, field: str, new: str | None, can: bool) -> None:
    assert causes.explains(name, type, field, new) is can


def test_what_failed_explains_a_broken_machine_only() -> None:
    assert causes.explains("resize", "server", "status", "ERROR", failed=True)
    assert not causes.explains("resize", "server", "flavor_id", "big", failed=True)


def test_every_effect_is_a_field_of_a_rule() -> None:
    watched = {(rule.type, rule.field) for rule in RULES.values()}
    assert {effect[:2] for effects in causes.NOVA.values() for effect in effects} <= watched
    for type, key in causes.SETS:
        assert any((type, field) in watched for field in causes.set_by(type, key)), (type, key)


@pytest.mark.parametrize(
    ("field", "asked"),
    [("status", True), ("existence", True), ("name", False), ("metadata", False)],
)
def test_nova_is_asked_only_about_what_it_records(field: str, asked: bool) -> None:
    assert grading.asks_nova(event(field=field)) is asked
    assert not grading.asks_nova(event("subnet", "enable_dhcp", "false"))


@pytest.mark.parametrize(
    ("service", "method", "path", "body", "told"),
    [
        ("network", "PUT", "/subnets/s1", {"subnet": {"enable_dhcp": False}},
         Request("subnet", "s1", "update", fields=frozenset({"enable_dhcp"}), values={"enable_dhcp": False})),
        ("network", "PUT", "/v2.0/subnets/s1", None, Request("subnet", "s1", "update")),
        ("", "PUT", "/networking/v2.0/subnets/s1?x=y", None, Request("subnet", "s1", "update")),
        ("", "DELETE", "/v2.1/servers/m1", None, Request("server", "m1", "delete", "delete")),
        ("", "DELETE", f"/v3/{'a' * 32}/volumes/v1", None, Request("volume", "v1", "delete")),
        ("compute", "POST", "/servers/m1/action", {"os-stop": None},
         Request("server", "m1", "action", "stop", frozenset())),
        ("compute", "POST", "/servers/m1/os-volume_attachments", {"volumeAttachment": {"volumeId": "v1"}},
         Request("server", "m1", "action", "attach_volume", part=("volume", "v1"))),
        ("compute", "DELETE", "/servers/m1/os-volume_attachments/v1", None,
         Request("server", "m1", "action", "detach_volume", part=("volume", "v1"))),
        ("compute", "PUT", "/servers/m1", {"server": {"name": "db"}},
         Request("server", "m1", "update", fields=frozenset({"name"}), values={"name": "db"})),
        ("compute", "POST", "/servers/m1/metadata", {"metadata": {}},
         Request("server", "m1", "update", fields=frozenset({"metadata"}))),
        ("block-storage", "POST", "/volumes/v1/action", {"os-extend": {"new_size": 20}},
         Request("volume", "v1", "update", fields=frozenset({"size", "status"}), values={"size": 20}, slow=True)),
        ("network", "PUT", "/quotas/p1", {"quota": {"network": 5}},
         Request("quota", "p1", "update", fields=frozenset({"networks_limit"}), values={"networks_limit": 5})),
        ("network", "POST", "/subnets", {"subnet": {}}, None),
        ("network", "GET", "/subnets/s1", None, None),
        ("network", "PUT", "/agents/a1", {}, None),
        ("network", "PUT", "/subnets/" + "%2e" * 3, {}, None),
        ("", "PUT", "/", None, None),
        ("", "DELETE", "/evil/evil/evil/evil/servers/m1", None, None),
    ],
)  # fmt: skip
def test_what_a_request_changes(
    service: str, method: str, path: str, body: dict[str, Any] | None, told: Request | None
) -> None:
    assert parse(service, method, path, body) == told


_ANY = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@given(st.sampled_from(["", "compute", "network"]), st.text(max_size=40), st.text(max_size=60), _ANY)
def test_any_request_is_read_without_an_error(service: str, method: str, path: str, body: Any) -> None:
    for verb in (method, "PUT", "POST"):
        parse(service, verb, f"/servers/{path}", body if isinstance(body, dict) else None)


def put(type: str, id: str, body: dict[str, Any], minutes: float = 5, **more: Any) -> Record:
    service, collection = {"subnet": ("network", "subnets"), "port": ("network", "ports")}[type]
    request = parse(service, "PUT", f"/{collection}/{id}", {type: body} if body else None)
    assert request is not None
    values: dict[str, Any] = {"actor": "eve", "request_ids": (f"req-{minutes}",), "source": "access log"}
    return Record("prod", at(minutes), request, **(values | more))


def stopped(minutes: float = 5, **more: Any) -> Record:
    request = parse("compute", "POST", f"/servers/{ID}/action", {"os-stop": None})
    assert request is not None
    values: dict[str, Any] = {"actor": "alice", "request_ids": (f"req-stop-{minutes}",), "source": "audit: server.stop",
                              "ours": True, "job": "job-1", "step": 0}  # fmt: skip
    return Record("prod", at(minutes), request, **(values | more))


DHCP = event("subnet", "enable_dhcp", "false")
OURS = {"ours": True, "job": "job-1", "actor": "alice", "source": "audit: subnet.update"}
GRADED: list[tuple[str, dict[str, Any], list[Action] | None, list[Record], tuple[Any, ...]]] = [
    # what, event, Nova's actions, records, (grade, actor, number of candidates, expected)
    ("one action", event(), [act("stop")], [], ("cloud", "ann", 0, False)),
    ("before the last sight of the old value", event(), [act("stop", -1)], [], ("unknown", None, 0, False)),
    ("begun before it, ended after", event(), [act("stop", -1, ended=at(1))], [], ("cloud", "ann", 0, False)),
    ("after the listing", event(), [act("stop", 11)], [], ("unknown", None, 0, False)),
    ("cannot cause it", event(), [act("start"), act("lock")], [], ("unknown", None, 0, False)),
    ("one can, another cannot", event(), [act("start"), act("stop", 6)], [], ("cloud", "ann", 0, False)),
    ("several", event(), [act("stop"), act("stop", 7, actor="bob")], [], ("one_of", None, 2, False)),
    ("several of one person", event(), [act("stop"), act("stop", 7)], [], ("one_of", None, 2, False)),
    ("failed", event(), [act("stop", failed=True)], [], ("unknown", None, 0, False)),
    ("failed and broke it", event(new="ERROR"), [act("resize", failed=True)], [], ("cloud", "ann", 0, False)),
    ("a service", event("volume", "size", "20"), [act("extend_volume", service=True, actor="nova")], [],
     ("service", "nova", 0, False)),
    ("nameless", event(), [act("stop", actor=None)], [], ("unknown", None, 0, False)),
    ("no server", event("subnet", "gateway_ip", None), None, [], ("unknown", None, 0, False)),
    ("our own job", event(), [act("stop", request_id="req-stop-5")], [stopped()], ("certain", "alice", 0, True)),
    ("our own job broke it", event(new="ERROR"), [act("stop", request_id="req-stop-5")], [stopped()],
     ("certain", "alice", 0, False)),
    ("ours and a stranger's", event(), [act("stop", request_id="req-stop-5"), act("stop", 7, actor="bob")], [stopped()],
     ("one_of", None, 2, False)),
    ("ours twice", event(), [act("stop", request_id="req-stop-5"), act("stop", 7, request_id="req-stop-7")],
     [stopped(), stopped(7)], ("certain", "alice", 0, True)),
    ("ours, and its records are gone", event(), [], [stopped()], ("certain", "alice", 0, True)),
    ("ours on another resource", DHCP, None, [put("subnet", "other", {"enable_dhcp": False}, **OURS)],
     ("unknown", None, 0, False)),
    ("ours gave this value", DHCP, None, [put("subnet", "subnet-1", {"enable_dhcp": False}, **OURS)],
     ("certain", "alice", 0, True)),
    ("ours gave another value", DHCP, None, [put("subnet", "subnet-1", {"enable_dhcp": True}, **OURS)],
     ("unknown", None, 0, False)),
    ("ours set another field", DHCP, None, [put("subnet", "subnet-1", {"name": "x"}, **OURS)],
     ("unknown", None, 0, False)),
    ("ours was before the old value was seen last", DHCP, None,
     [put("subnet", "subnet-1", {"enable_dhcp": False}, -1, **OURS)], ("unknown", None, 0, False)),
    ("a log line", DHCP, None, [put("subnet", "subnet-1", {})], ("cloud", "eve", 0, False)),
    ("two log lines", DHCP, None, [put("subnet", "subnet-1", {}), put("subnet", "subnet-1", {}, 6)],
     ("one_of", None, 2, False)),
    ("a log line of what we sent", DHCP, None,
     [put("subnet", "subnet-1", {"enable_dhcp": False}, **OURS), put("subnet", "subnet-1", {})],
     ("certain", "alice", 0, True)),
    ("a log line of a state", event("port", "status", "DOWN", owner_id=None), None, [put("port", "port-1", {})],
     ("unknown", None, 0, False)),
    ("a log line of a service", DHCP, None, [put("subnet", "subnet-1", {}, service=True)],
     ("service", "eve", 0, False)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "of", "told", "records", "found"), GRADED, ids=[case[0] for case in GRADED])
def test_grades(what: str, of: dict[str, Any], told: list[Action] | None, records: list[Record], found: Any) -> None:
    ours = grading.direct(of, [one for one in records if one.ours])
    others = grading.direct(of, [one for one in records if not one.ours])
    sent = {id: one for one in records if one.ours for id in one.request_ids}
    answer = grading.judge(of, told, ours, others, sent, {"job-1": "7"})
    assert (answer.grade, answer.actor, len(answer.candidates), answer.expected) == found
    assert answer.job == ("7" if answer.grade == "certain" else None)
    assert answer.grade in GRADES


def test_what_takes_long_counts_until_it_had_settled() -> None:
    request = parse("block-storage", "POST", "/volumes/volume-1/action", {"os-extend": {"new_size": 20}})
    assert request is not None
    record = Record("prod", at(-3), request, "alice", ("req-1",), "audit: volume.extend", True, False, "job-1", 2)
    of = event("volume", "size", "20")
    assert grading.direct(of, [record]) == []
    assert grading.direct(of, [record], lambda job, step: at(1) if (job, step) == ("job-1", 2) else None) == [record]


def test_actions_of_hostile_documents() -> None:
    people = People({"u1": "ann"}, frozenset({"p9"}), {"req-1": "alice"})
    documents: list[dict[str, Any]] = [
        {"action": "stop", "start_time": "2026-11-20T12:05:00", "user_id": "u1", "project_id": "p1"},
        {"action": "extend_volume", "start_time": "2026-11-20T12:05:00", "user_id": "u2", "project_id": "p9"},
        {"action": "extend_volume", "start_time": "2026-11-20T12:05:00", "user_id": "u2", "project_id": "other"},
        {"action": ["x"], "start_time": 7}, {}, {"start_time": "never"},
        {"action": {"x": 1}, "start_time": "2026-11-20T12:05:00Z", "updated_at": "2020-01-01T00:00:00Z"},
    ]  # fmt: skip
    found = grading.actions(documents, people)
    assert [(one.name, one.actor, one.service) for one in found] == [
        ("stop", "ann", False),
        ("extend_volume", "u2 (a service of the cloud)", True),
        ("extend_volume", "u2", True),
        ("", None, False),
    ]
    assert all(one.ended >= one.at for one in found)


def test_own_requests_out_of_the_audit() -> None:
    detail = {"cloud": "prod", "service": "network", "call": {"method": "PUT", "path": "/subnets/s1"}, "job": "job-1",
              "step": 3}  # fmt: skip
    base = {"at": NOON.replace(tzinfo=UTC), "actor": "root", "login_name": "alice", "action": "subnet.update"}
    records = [
        {**base, "id": "1", "outcome": "intent", "detail": {**detail, "body": {"subnet": {"enable_dhcp": False}}}},
        {**base, "id": "2", "outcome": "ok", "detail": {**detail, "intent": "1", "request_ids": ["req-1"]}},
        {**base, "id": "3", "outcome": "failed", "detail": {**detail, "intent": "1"}},
        {**base, "id": "4", "outcome": "ok", "detail": {"name": "x"}},
    ]
    [found] = grading.own(records)
    assert found.request.values == {"enable_dhcp": False} and found.request_ids == ("req-1",)
    assert (found.actor, found.job, found.step, found.source) == (
        "alice (as root)", "job-1", 3, "audit: subnet.update"
    )  # fmt: skip
