"""Drift follows the listings by itself, says so when it cannot, and takes its time while history arrives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from engine.drift import deriving
from engine.drift.deriving import Deriver
from store.estate import drift
from store.estate.errors import EstateClosed
from store.estate.models import Listing
from store.ids import uuid7
from tests.engine.drift.place import ALICE, Place, at, machines
from tests.engine.inventory.reading import SEEN


def listing(place: Place, minutes: float, documents: list[dict[str, Any]]) -> None:
    """A listing that nobody derives."""
    writer = place.estate.begin(Listing(uuid7(), "prod", "one", "server", "full", "all", SEEN, at(minutes)))
    builder = writer.builder()
    for document in documents:
        builder.add(document)
    writer.add(builder.take())
    writer.finish(ended_at=at(minutes + 0.5))
    place.minutes = minutes + 1


def running(place: Place, moved: Callable[[], Any], holding: Callable[[], bool] = lambda: False) -> Deriver:
    made = Deriver(place.estate, place.decisions, moved, holding, clock=lambda: at(place.minutes))
    made.begin()
    return made


def test_it_follows_each_listing(place: Place) -> None:
    told = threading.Event()
    deriver = running(place, told.set)
    listing(place, 0, machines())
    listing(place, 10, machines({"name": "x"}))
    assert told.wait(20)
    deriver.close()
    assert [one["new_value"] for one in place.events()] == ["x"]


def test_what_runs_out_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deriving, "TICK_SECONDS", 0.01)
    place.listed("server", machines(), 0)
    place.listed("server", machines({"name": "x"}), 10)
    found, _ = place.service.choose(ALICE, [one["id"] for one in place.events()], None)
    place.decisions.acknowledge(ALICE, found, "", at(place.minutes + 5))
    told = threading.Event()
    deriver = running(place, told.set)
    place.minutes += 6
    assert told.wait(20)
    deriver.close()


def test_what_fails_is_said_and_tried_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deriving, "AGAIN_SECONDS", 0.01)
    place.listed("server", machines(), 0)
    broken, failed, told = drift.pending, threading.Event(), threading.Event()

    def fails(connection: Any) -> Any:
        failed.set()
        raise EstateClosed("the store is gone")

    monkeypatch.setattr(drift, "pending", fails)
    place.room.deriver = running(place, told.set)
    assert failed.wait(20)
    while not place.room.deriver.problem:
        assert not told.wait(0.01)
    assert place.service.summary(ALICE)["problems"] == ["drift of the newest listings is missing: the store is gone"]
    monkeypatch.setattr(drift, "pending", broken)
    listing(place, 10, machines({"name": "x"}))
    assert told.wait(20)
    place.room.deriver.close()
    assert place.room.deriver.problem == ""


def test_while_history_arrives_it_derives_seldom(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deriving, "TICK_SECONDS", 0.01)
    looked: list[int] = []
    arriving, enough = [True], threading.Event()
    pending = drift.pending

    def counts(connection: Any) -> Any:
        looked.append(1)
        return pending(connection)

    def holding() -> bool:
        if len(holding_asked) > 20:
            enough.set()
        holding_asked.append(1)
        return arriving[0]

    holding_asked: list[int] = []
    monkeypatch.setattr(drift, "pending", counts)
    told = threading.Event()
    deriver = running(place, told.set, holding)
    assert enough.wait(20)
    assert len(looked) == 1
    arriving[0] = False
    listing(place, 0, machines())
    listing(place, 10, machines({"name": "x"}))
    assert told.wait(20)
    deriver.close()


def test_what_was_accepted_long_ago_is_forgotten(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the history, and not before; what nobody accepted stays."""
    monkeypatch.setattr(deriving, "TICK_SECONDS", 0.01)
    place.listed("server", machines(), 0)
    place.listed("server", machines({"name": "x"}, {"name": "y"}), 10)
    found, _ = place.service.choose(ALICE, [place.events(text="x")[0]["id"]], None)
    place.decisions.acknowledge(ALICE, found, "", None)
    place.minutes += 89 * 1440
    told = threading.Event()
    deriver = running(place, told.set)
    deriver.close()
    assert len(place.events()) == 2
    place.minutes += 2 * 1440
    deriver = running(place, told.set)
    assert told.wait(20)
    deriver.close()
    assert [one["new_value"] for one in place.events()] == ["y"]
