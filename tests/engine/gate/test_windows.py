"""Read-only mode, lifted for a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.gate.refusals import Refused
from engine.gate.windows import WriteWindows
from store import times
from tests.engine.gate.fakes import OPS, OTHER, START, Room, room


@pytest.fixture
def east(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path) as made:
        yield made


def state(east: Room) -> dict[str, Any]:
    (item,) = east.gate.writes(OPS)
    return item


def test_every_cloud_is_read_only_until_somebody_lifts_it(east: Room) -> None:
    assert (state(east)["writable"], state(east)["until"]) == (False, None)
    item = east.gate.lift(OPS, "east", None, "disk full", "")
    assert item["writable"] and item["until"] == START + timedelta(minutes=60)
    east.later(59)
    assert state(east)["writable"]
    east.later(1)
    assert (state(east)["writable"], state(east)["until"]) == (False, None)
    (record,) = east.records("writes.lift")
    assert record["target"] == "east" and record["detail"]["reason"] == "disk full"
    assert record["detail"]["until"] == "2026-03-02T10:00:00Z"


def test_it_is_ended_by_hand_and_told(east: Room) -> None:
    before = east.feed.seq
    east.gate.lift(OPS, "east", 5, "", "")
    assert east.gate.end(OTHER, "east")["writable"] is False
    east.gate.end(OTHER, "east")
    assert [record["actor"] for record in east.records("writes.end")] == ["anna"]
    assert east.feed.seq - before == 2


def test_lifting_again_sets_a_new_end(east: Room) -> None:
    east.gate.lift(OPS, "east", 5, "", "")
    east.later(4)
    assert east.gate.lift(OPS, "east", 5, "", "")["until"] == START + timedelta(minutes=9)


@pytest.mark.parametrize(
    ("rules", "given", "code"),
    [
        ({}, ("", ""), None),
        ({"production": True}, ("", ""), "typed"),
        ({"production": True}, ("", "EAST"), "typed"),
        ({"production": True}, ("", "east"), None),
        ({"reason_required": True}, (" ", ""), "reason"),
        ({"reason_required": True}, ("why", ""), None),
    ],
)
def test_what_lifting_asks_for(east: Room, rules: dict[str, Any], given: tuple[str, str], code: str | None) -> None:
    east.rules(**rules, write_minutes=7)
    if code is None:
        assert east.gate.lift(OPS, "east", None, *given)["until"] == START + timedelta(minutes=7)
        return
    with pytest.raises(Refused) as refused:
        east.gate.lift(OPS, "east", None, *given)
    assert refused.value.code == code and not state(east)["writable"]


def test_clouds_that_one_may_not_see(east: Room) -> None:
    limited = replace(OPS, clouds=("west",))
    assert east.gate.writes(limited) == []
    for cloud, caller in (("east", limited), ("nowhere", OPS)):
        with pytest.raises(Refused) as refused:
            east.gate.lift(caller, cloud, 5, "", "")
        assert refused.value.status == 404
        with pytest.raises(Refused):
            east.gate.end(caller, cloud)


def test_the_demo_has_no_read_only_mode(east: Room) -> None:
    east.cloud.writable.add("east")
    assert (state(east)["writable"], state(east)["demo"], state(east)["until"]) == (True, True, None)
    assert east.gate.lift(OPS, "east", 5, "", "")["until"] is None
    assert east.records("writes.lift") == []


def test_a_cloud_that_is_removed_comes_back_read_only(east: Room) -> None:
    east.lift()
    east.gate.windows.forget("east")
    assert not state(east)["writable"]


def test_marks_that_are_over_are_not_shown(east: Room) -> None:
    marks = [
        {"reason": "over", "until": "2026-03-01T00:00:00Z"},
        {"reason": "now", "names": ["web-*"]},
        {"reason": "soon", "since": "2026-04-01T00:00:00Z"},
    ]
    east.rules(hands_off=marks)
    assert [(mark["reason"], mark["in_force"]) for mark in state(east)["hands_off"]] == [("now", True), ("soon", False)]


def test_the_end_is_told_by_itself(tmp_path: Path) -> None:
    """Nobody asks: the clients are told, and the audit says that it ended; also what ended while no engine ran."""
    with room(tmp_path) as east:
        east.lift()
        east.gate.windows.close()
        ops, told = east.audit._ops, threading.Event()
        east.feed.publish = lambda topic, **more: told.set()  # type: ignore[method-assign,assignment]
        late = START + timedelta(days=1)
        settings = east.settings[0]
        windows = WriteWindows(ops, lambda: settings, east.audit, east.feed, east.cloud, lambda: late)
        assert told.wait(10)
        windows.close()
        (record,) = east.records("writes.expire")
        assert record["actor"] == "engine" and record["target"] == "east"


def test_times_are_utc_when_they_come_back(east: Room) -> None:
    east.gate.lift(OPS, "east", 5, "", "")
    assert times.text(state(east)["until"]) == "2026-03-02T09:05:00Z"
