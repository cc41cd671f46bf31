"""What people decide: acknowledging and taking it back, rules, what is ignored, maintenance; each with its record."""

from __future__ import annotations

from typing import Any

import pytest

from engine.api.errors import BadRequest, Conflict, Forbidden, NotFound
from engine.drift import decisions as module
from engine.drift.decisions import Decisions
from engine.drift.models import EventFilter
from store import times
from tests.engine.drift.place import ADMIN, ALICE, BOB, OF_P2, Place, at, machines


def chosen(place: Place, **wanted: Any) -> list[dict[str, Any]]:
    return place.service.choose(ALICE, None, EventFilter(**wanted))[0]


def acknowledge(
    place: Place, note: str = "", minutes: float | None = None, **wanted: Any
) -> tuple[int, int, str | None]:
    until = None if minutes is None else at(place.minutes + minutes)
    return place.decisions.acknowledge(ALICE, chosen(place, **wanted), note, until)


def records(place: Place, action: str) -> list[dict[str, Any]]:
    return place.audit.page(action=action)[1]


def test_one_and_many_with_a_note(busy: Place) -> None:
    done, already, batch = acknowledge(busy, " planned ", field="status")
    assert (done, already) == (1, 0) and batch
    [event] = busy.events(field="status")
    assert (event["state"], event["acknowledged_by"], event["acknowledge_note"]) == ("acknowledged", "alice", "planned")
    assert acknowledge(busy)[:2] == (2, 1), "one of the three was accepted before"
    assert {one["state"] for one in busy.events()} == {"acknowledged"}
    newest, first = records(busy, "drift.acknowledge")
    assert first["target"] == "Server Status Change: web-1" and newest["target"] == "2 drift events"
    assert first["detail"]["note"] == "planned" and first["detail"]["cloud"] == "prod"
    assert busy.audit.verify().ok


def test_taken_back(busy: Place) -> None:
    batch = acknowledge(busy)[2]
    assert batch is not None and len(busy.decisions.of_batch(batch)) == 3
    [event] = chosen(busy, field="name")
    assert busy.decisions.undo(ALICE, [event]) == [event["id"]]
    assert [one["field_changed"] for one in busy.events(states=("open",))] == ["name"]
    [ack] = busy.decisions.acks_of(event["id"])
    assert (ack["by"], ack["undone_by"], ack["in_force"]) == ("alice", "alice", False)
    assert busy.decisions.undo(ALICE, [event]) == []
    assert len(records(busy, "drift.unacknowledge")) == 1


def test_it_runs_out(busy: Place) -> None:
    acknowledge(busy, minutes=30)
    assert busy.events(states=("triage",)) == []
    busy.minutes += 31
    assert len(busy.events(states=("triage",))) == 3
    assert busy.decisions.accepted() == []
    assert acknowledge(busy)[:2] == (3, 0)
    with pytest.raises(BadRequest, match="until is past"):
        acknowledge(busy, minutes=-1)


def test_the_next_end_is_when_states_change_by_themselves(busy: Place) -> None:
    assert busy.decisions.next_end(at(0)) is None
    acknowledge(busy, minutes=30, field="name")
    end = at(busy.minutes + 30)
    assert busy.decisions.next_end(at(0)) == end and busy.decisions.next_end(end) is None


def test_decisions_survive_the_engine(busy: Place) -> None:
    acknowledge(busy, field="name")
    busy.service.change_rule(ADMIN, 2, {"enabled": False})
    again = Decisions(busy.ops, busy.audit, clock=lambda: at(busy.minutes))
    assert len(again.accepted()) == 1 and again.decided().off == (2,)


def test_an_accepted_value_is_the_new_rule(busy: Place) -> None:
    acknowledge(busy, field="name")
    acknowledge(busy, field="status")
    busy.listed("server", machines(), 30)
    told = {(one["field_changed"], one["old_value"], one["new_value"]): one["state"] for one in busy.events()}
    assert told["name", "web-2", "db"] == "acknowledged"
    assert told["name", "db", "web-2"] == "open", "going back from what was accepted is a change"
    assert ("status", "SHUTOFF", "ACTIVE") not in told, "a state that moves by itself just comes back"


def test_a_rule_is_switched(busy: Place) -> None:
    answer = busy.service.change_rule(ADMIN, 2, {"enabled": False})
    assert (answer["enabled"], answer["changed_by"], answer["triage"]) == (False, "root", 0)
    [event] = busy.events(field="status")
    assert (event["state"], event["ignored_by"]) == ("ignored", "the rule is off")
    busy.listed("server", machines({"status": "ERROR"}), 30)
    assert len(busy.events(field="status")) == 1, "what a rule that is off sees is not told, also not later"
    busy.service.change_rule(ADMIN, 2, {"enabled": True})
    busy.minutes += 1
    busy.listed("server", machines({"status": "PAUSED"}), 40)
    assert [(one["old_value"], one["new_value"]) for one in busy.events(field="status")] == [
        ("ERROR", "PAUSED"), ("ACTIVE", "SHUTOFF")
    ]  # fmt: skip
    assert [one["detail"]["enabled"] for one in records(busy, "drift.rule")] == [True, False]


def test_a_rule_gets_another_severity(busy: Place) -> None:
    answer = busy.service.change_rule(ADMIN, 102, {"severity": "critical"})
    assert (answer["severity"], answer["default_severity"], answer["enabled"]) == ("critical", "info", True)
    assert [one["severity"] for one in busy.events(field="name")] == ["critical"]
    busy.listed("server", machines({}, {"name": "third"}), 30)
    assert {one["severity"] for one in busy.events(field="name")} == {"critical"}
    assert busy.service.change_rule(ADMIN, 102, {"severity": None})["severity"] == "info"
    assert {one["severity"] for one in busy.events(field="name")} == {"info"}


def test_what_is_no_change_of_a_rule(busy: Place) -> None:
    for number, change, error in (
        (999, {"enabled": True}, NotFound),
        (2, {}, BadRequest),
        (2, {"enabled": None}, BadRequest),
        (2, {"severity": "bad"}, BadRequest),
    ):
        with pytest.raises(error):
            busy.service.change_rule(ADMIN, number, change)
    with pytest.raises(Forbidden):
        busy.service.change_rule(OF_P2, 2, {"enabled": False})


def ignore(place: Place, **values: Any) -> dict[str, Any]:
    return place.service.add_exempt(ALICE, "ignore", {"reason": "known", **values})


IGNORED: list[tuple[dict[str, Any], set[str]]] = [
    ({"name": "web-*"}, {"status"}),
    ({"name": "WEB-?"}, {"status"}),
    ({"name": "web"}, set()),
    ({"name": "d%"}, set()),
    ({"tag": "x"}, set()),
    ({"project": "p2"}, {"status"}),
    ({"project": "Labs-Dev"}, {"status"}),
    ({"severity": "info"}, {"name", "hypervisor_hostname"}),
    ({"rule": 4}, {"hypervisor_hostname"}),
    ({"type": "servers", "field": "name"}, {"name"}),
    ({"cloud": "test"}, set()),
    ({"cloud": "prod", "name": "db", "severity": "info"}, {"name", "hypervisor_hostname"}),
    ({"name": "db", "severity": "warning"}, set()),
]


def test_ignored_by_what_fits(busy: Place) -> None:
    for values, fields in IGNORED:
        made = ignore(busy, **values)
        assert {one["field_changed"] for one in busy.events(states=("ignored",))} == fields, values
        assert made["events"] == len(fields), values
        busy.decisions.remove_exempt(ALICE, "ignore", made["id"])
    assert busy.events(states=("ignored",)) == []
    assert len(records(busy, "drift.ignore.add")) == len(records(busy, "drift.ignore.remove")) == len(IGNORED)


def test_ignored_by_a_tag(place: Place) -> None:
    place.listed("server", machines({"tags": ["lab"]}), 0)
    place.listed("server", machines({"tags": ["lab"], "name": "x"}, {"name": "y"}), 10)
    ignore(place, tag="lab")
    assert place.told(states=("ignored",)) == [("x", "name", "ignored")]


def test_an_entry_ends(busy: Place) -> None:
    made = ignore(busy, name="*", until=at(busy.minutes + 10))
    assert {one["ignored_by"] for one in busy.events()} == {"ignored: known"}
    busy.minutes += 11
    assert len(busy.events(states=("triage",))) == 3 and busy.service.exempt(ALICE, "ignore") == []
    assert busy.decisions.next_end(at(0)) == times.parse(times.text(made["until"]))


def test_what_is_no_entry(busy: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    bad: list[dict[str, Any]] = [
        {}, {"name": ""}, {"name": "x", "reason": " "}, {"rule": 999}, {"type": "nothing"},
        {"name": "x", "until": at(0)}, {"name": "\ud800"},
    ]  # fmt: skip
    for values in bad:
        with pytest.raises(BadRequest):
            ignore(busy, **values)
    with pytest.raises(Forbidden):
        busy.service.add_exempt(OF_P2, "ignore", {"reason": "x", "name": "y"})
    with pytest.raises(NotFound):
        busy.decisions.remove_exempt(ALICE, "ignore", "none")
    monkeypatch.setattr(module, "MOST_EXEMPT", 1)
    ignore(busy, name="x")
    with pytest.raises(Conflict):
        ignore(busy, name="y")


def window(place: Place, since: float, until: float, **values: Any) -> dict[str, Any]:
    given = {"reason": "upgrade", "since": at(since), "until": at(until), **values}
    return place.service.add_exempt(ALICE, "window", given)


def test_what_changes_in_a_window_is_ignored_and_stays_so(busy: Place) -> None:
    """web-1 and web-2 changed between minute 10 and 20.5."""
    for since, until, covers in ((0, 9, 0), (0, 10, 3), (12, 15, 3), (20.5, 30, 3), (21, 30, 0)):
        made = window(busy, since, until)
        assert (len(busy.events(states=("ignored",))), made["events"]) == (covers, covers), (since, until)
        with busy.ops.begin() as connection:
            connection.execute(module.drift_exceptions.delete())
        busy.decisions._moved()
    window(busy, 12, 15, name="web-*")
    busy.minutes += 1000
    [event] = busy.events(states=("ignored",))
    assert event["ignored_by"] == "maintenance: upgrade" and event["resource_name"] == "web-1"


def test_a_window_ends_early(busy: Place) -> None:
    made = window(busy, busy.minutes - 1, busy.minutes + 60)
    assert made["active"]
    busy.decisions.remove_exempt(ALICE, "window", made["id"])
    [ended] = busy.service.exempt(BOB, "window")
    assert not ended["active"] and times.naive(ended["until"]) == times.naive(at(busy.minutes))
    later = window(busy, busy.minutes + 10, busy.minutes + 20)
    assert not later["active"]
    busy.decisions.remove_exempt(ALICE, "window", later["id"])
    assert len(busy.service.exempt(BOB, "window")) == 1, "one that never began is gone"
    with pytest.raises(BadRequest, match="after the beginning"):
        window(busy, 30, 20)


def test_a_change_of_decisions_is_told(busy: Place) -> None:
    version = busy.service.version
    ignore(busy, name="x")
    acknowledge(busy, field="name")
    busy.decisions.undo(ALICE, chosen(busy, field="name"))
    assert busy.service.version == version + 3


def test_nothing_that_was_not_seen_is_acknowledged(busy: Place) -> None:
    looked = at(busy.minutes)
    busy.listed("server", machines({"status": "ERROR"}, {"name": "db"}), 30)
    found, _ = busy.service.choose(ALICE, None, EventFilter(states=("triage",)), looked)
    assert {one["rule"] for one in found} == {2, 102}, "the later change of the status was not on the screen"
    assert len(found) == 2
