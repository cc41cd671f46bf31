"""From documents to events: actors and their grades, failures, pairs of audit records, differences of versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.inventory import events_rules as rules
from engine.inventory import events_states as states
from engine.inventory.events_rules import Event, People
from store import times
from store.types import registry

REQUEST = "req-ac79598e-ff59-4d92-93a9-cb8a9853de97"
SERVER = registry.ALL["server"]
NOON = datetime(2026, 2, 8, 12, 0, tzinfo=UTC)
PEOPLE = People({"u1": "anna", "c1": "cinder"}, frozenset({"svc"}), {REQUEST: "ops"})


def action(**more: Any) -> dict[str, Any]:
    known = {"action": "stop", "request_id": "req-1", "user_id": "u1", "project_id": "p1", "message": None}
    return {**known, "start_time": "2026-02-08T12:00:00.000000", **more}


@pytest.mark.parametrize(
    ("more", "actor", "grade"),
    [
        ({}, "anna", "cloud"),
        ({"user_id": "u9"}, "u9", "cloud"),
        ({"user_id": None}, None, "unknown"),
        (
            {"user_id": "c1", "project_id": "svc", "action": "extend_volume"},
            "cinder (a service of the cloud)",
            "service",
        ),
        ({"request_id": REQUEST}, "ops", "certain"),
    ],
)
def test_who_did_it(more: dict[str, Any], actor: str | None, grade: str) -> None:
    event = rules.of_action(action(**more), [], PEOPLE)
    assert (event.actor, event.grade) == (actor, grade)


def step(result: str | None, start: str, **more: Any) -> dict[str, Any]:
    return {"event": f"step-{start[-2:]}", "start_time": start, "finish_time": start, "result": result, **more}


def test_a_failed_action_tells_what_failed() -> None:
    steps = [
        step("Error", "2026-02-08T12:00:02", traceback="Traceback ...\n  File x\nnova.NoValidHost: No valid host\n"),
        step("Success", "2026-02-08T12:00:01"),
    ]
    event = rules.of_action(action(message="Error"), steps, PEOPLE)
    assert (event.level, event.detail) == ("error", "nova.NoValidHost: No valid host")
    assert [child.title for child in event.children] == ["step-01", "step-02"]
    assert rules.of_action(action(message="Error"), [], PEOPLE).detail == "failed"
    unfinished = rules.of_action(action(), [step(None, "2026-02-08T12:00:02", finish_time=None)], PEOPLE)
    assert (unfinished.level, unfinished.detail) == ("warning", "not finished")
    assert rules.of_action(action(), [step("Success", "2026-02-08T12:00:09")], PEOPLE).detail == "took 9 s"


def record(outcome: str, minutes: int, action: str = "server.stop", **detail: Any) -> dict[str, Any]:
    at = NOON + timedelta(minutes=minutes)
    who = {"actor": "root", "login_name": "anna"}
    return {"at": at, "action": action, "target": "web-1", "outcome": outcome, "detail": detail, **who}


def test_an_intent_and_its_outcome_are_one_line() -> None:
    events = rules.of_audit(
        [
            record("intent", 0, reason="patch", ticket="CHG1"),
            record("ok", 1, request_ids=[REQUEST]),
            record("intent", 2, action="server.start"),
            record("failed", 3, action="server.lock", problem="locked by another"),
        ]
    )
    assert [(event.kind, event.level) for event in sorted(events, key=lambda event: event.at)] == [
        ("server.stop", "info"), ("server.start", "warning"), ("server.lock", "error"),
    ]  # fmt: skip
    done = next(event for event in events if event.kind == "server.stop")
    assert (done.actor, done.grade, done.request_id) == ("anna (as root)", "certain", REQUEST)
    assert done.detail == "ok; reason patch; ticket CHG1"


def test_our_requests_are_found_in_the_audit() -> None:
    assert rules.requests_of([record("ok", 0, request_ids=[REQUEST, "x"])]) == {REQUEST: "anna (as root)"}


@pytest.mark.parametrize("fault", [None, [], "x", {}, {"message": 3, "created": 5}, {"message": "m", "details": {}}])
def test_faults_of_any_shape(fault: Any) -> None:
    for event in rules.of_fault(fault):
        assert event.title and event.level == "error"


def version(at: int, until: int | None, row: dict[str, Any], doc: str = "{}", denied: tuple[str, ...] = ()) -> Any:
    naive = NOON.replace(tzinfo=None)
    ends = None if until is None else naive + timedelta(minutes=until)
    empty = {column.name: None for column in SERVER.columns}
    return {"id": "s", "valid_from": naive + timedelta(minutes=at), "valid_to": ends, "denied": denied, "doc": doc,
            "row": {**empty, **row}}  # fmt: skip


def test_versions_become_what_changed() -> None:
    made = datetime(2026, 1, 1)
    versions = [
        version(30, 40, {"status": "ACTIVE", "name": "web", "created_at": made, "user_id": "u1"}),
        version(10, 20, {"status": "ERROR", "vm_state": "error", "name": "web", "tags": ["b", "c"]}),
        version(0, 10, {"status": "ACTIVE", "vm_state": "active", "name": "web", "tags": ["a", "b"], "user_id": "u1"}),
    ]
    versions[-1]["row"]["created_at"] = made
    events = sorted(states.of_versions(SERVER, versions, None, {"u1": "anna"}), key=lambda event: event.at)
    assert [event.kind for event in events] == ["created", "seen", "changed", "gone", "back", "gone"]
    assert (events[0].actor, events[0].grade) == ("anna", "creator")
    assert (events[2].title, events[2].level) == ("status ACTIVE -> ERROR", "error")
    assert events[2].changes[1:] == [{"field": "user_id", "from": "u1", "to": "-"},
                                     {"field": "tags", "from": "a", "to": "c"}]  # fmt: skip
    assert events[2].actor is None


def test_what_one_version_could_not_see_is_no_change() -> None:
    seen = version(10, None, {"status": "ACTIVE", "host": "cmp-1"})
    blind = version(0, 10, {"status": "ACTIVE"}, denied=("host", "service_host"))
    assert states.differences(SERVER, blind, seen) == []


def test_a_change_outside_the_columns_is_found_in_the_document() -> None:
    older = version(0, 10, {}, '{"locked_reason": null, "a": {"b": 1}, "links": [1]}')
    newer = version(10, None, {}, '{"locked_reason": "audit", "a": {"b": 2}, "links": [2]}')
    assert states.differences(SERVER, older, newer) == [
        {"field": "locked_reason", "from": "-", "to": "audit"},
        {"field": "a.b", "from": "1", "to": "2"},
    ]


def test_of_related_resources_only_states_are_told() -> None:
    about = {"type": "port", "id": "p", "name": "x"}
    versions = [version(10, None, {"status": "DOWN", "name": "b"}), version(0, 10, {"status": "DOWN", "name": "a"})]
    assert states.of_versions(SERVER, versions, about) == []


def test_the_newest_are_kept() -> None:
    events = [Event(NOON + timedelta(minutes=n), "state", "changed", str(n)) for n in range(5)]
    kept, more = rules.merged(events, NOON + timedelta(minutes=1), 2)
    assert ([event.title for event in kept], more) == (["4", "3"], True)
    assert rules.merged(events, None, 9)[1] is False


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("action", "request_id", "user_id", "project_id", "message", "start_time", "updated_at", "event", "result",
          "finish_time", "details", "traceback", "host", "created_at", "event_id", "user_message",
          "message_level")  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(FIELDS), ANY), st.lists(st.dictionaries(st.sampled_from(FIELDS), ANY), max_size=2)
)
def test_hostile_documents_never_raise(document: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    for event in (rules.of_action(document, steps, PEOPLE), rules.of_message(document)):
        answer = event.as_answer()
        assert times.parse(answer["at"]) and isinstance(answer["title"], str)
