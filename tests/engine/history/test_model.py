"""For random sequences of states the past equals a naive model's: lists as of any time, events, differences, histories.

The model keeps the whole list after every listing and compares lists with each other; it knows nothing of versions.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.history.lists import Asked, ChangeLists
from engine.history.versions import ResourceHistory
from store.estate.reading import changes_counts
from store.estate.reading.changes import Span
from store.estate.reading.models import Scope, Window
from store.times import naive
from store.types import registry
from tests.engine.api.furniture import ADMIN
from tests.engine.history.estates import Past, at, volume

VOLUME = registry.ALL["volume"]
SIZE = 7  # fewer than can look like an outage
STEP = 0.25  # hours between two listings
clouds = itertools.count()

State = tuple[str, str, str]  # status, name, project
Listed = Mapping[str, State]
states = st.tuples(
    st.sampled_from(["available", "in-use", "error"]), st.sampled_from(["a", "b"]), st.sampled_from(["p1", "p1", "p2"])
)
cells = st.one_of(st.none(), states, states)
steps = st.tuples(st.sampled_from(["full", "full", "delta"]), st.dictionaries(st.integers(0, SIZE - 1), cells))


@dataclass
class Model:
    """The list after every listing: [(when it began, {id: state})]."""

    lists: list[tuple[datetime, Listed]] = field(default_factory=list)
    ground: datetime | None = None  # the first whole listing

    def take(self, when: datetime, kind: str, listed: Listed) -> None:
        if kind == "full" and self.ground is None:
            self.ground = when
        self.lists.append((when, listed))

    def as_of(self, when: datetime, project: str | None = None) -> Listed:
        found = [listed for start, listed in self.lists if start <= when]
        last = found[-1] if found else {}
        return {id: state for id, state in last.items() if project in (None, state[2])}

    def events(self, since: datetime, until: datetime) -> list[tuple[str, datetime, str]]:
        found: list[tuple[str, datetime, str]] = []
        ever: set[str] = set()
        before: Listed = {}
        for when, listed in self.lists:
            for id in {*before, *listed}:
                kind = ""
                if id not in listed:
                    kind = "deleted"
                elif id in before:
                    kind = "changed" if listed[id] != before[id] else ""
                elif id in ever:
                    kind = "returned"
                elif self.ground is not None and when > self.ground:
                    kind = "created"
                if kind and since < when <= until:
                    found.append((id, when, kind))
            ever.update(listed)
            before = listed
        return sorted(found)

    def net(self, since: datetime, until: datetime, project: str | None = None) -> dict[str, str]:
        old, new = self.as_of(since, project), self.as_of(until, project)
        found = {}
        for id in {*old, *new}:
            if old.get(id) != new.get(id):
                found[id] = "changed" if id in old and id in new else "gone" if id in old else "new"
        return found


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """One file for all examples; each is a cloud of its own in it."""
    made = Past(tmp_path_factory.mktemp("model"))
    yield made
    made.close()


def play(past: Past, sequence: list[tuple[str, dict[int, State | None]]]) -> tuple[str, Model]:
    """Take the listings into the store and the model; (cloud, model)."""
    cloud, model = f"c{next(clouds)}", Model()
    listed: dict[str, State] = {}
    for number, (kind, cell) in enumerate(sequence):
        when = naive(at(number * STEP))
        touched = {f"v{n}": state for n, state in cell.items()}
        if kind == "full":
            listed = {id: state for id, state in {**listed, **touched}.items() if state is not None}
            documents = [document(id, state) for id, state in listed.items()]
            gone: tuple[str, ...] = ()
        else:
            # A delta names what it has seen before as deleted; of what it never saw it knows nothing.
            documents = [document(id, state or listed[id]) for id, state in touched.items() if state or id in listed]
            gone = tuple(id for id, state in touched.items() if state is None and id in listed)
            listed = {id: state for id, state in {**listed, **touched}.items() if state is not None}
        past.list(number * STEP, "volume", documents, cloud=cloud, kind=kind, gone=gone)  # type: ignore[arg-type]
        model.take(when, kind, dict(listed))
    return cloud, model


def document(id: str, state: State) -> dict[str, Any]:
    status, name, project = state
    return volume(int(id[1:]), project, status=status, name=name)


def as_of(past: Past, cloud: str, when: datetime, project: str | None = None) -> Listed:
    scope = Scope(in_clouds=(cloud,), projects=(project,) if project else None)
    window = Window("volume", ("id", "status", "name", "project_id"), at=when, scope=scope)
    _, columns, rows = past.reads.page(window, 0, 100)
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return {row["id"]: (row["status"], row["name"], row["project_id"]) for row in found}


def entries(past: Past, cloud: str, mode: Any, span: Span, project: str | None = None) -> list[dict[str, Any]]:
    scope = Scope(in_clouds=(cloud,), projects=(project,) if project else None)
    asked = Asked(mode, span, False, ("volume",), scope)
    answer = ChangeLists(past.history).window(asked, "", (), "start", 0, 1000)
    assert answer["total"] == len(answer["rows"]) and answer["left_out"] == 0
    return [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(steps, min_size=1, max_size=7),
    st.lists(st.tuples(st.integers(-1, 8), st.integers(-1, 8)), min_size=1, max_size=3),
)
def test_the_past_equals_a_naive_models(
    past: Past, sequence: list[tuple[str, dict[int, State | None]]], pairs: list[tuple[int, int]]
) -> None:
    cloud, model = play(past, sequence)
    for one, other in pairs:
        first, last = sorted((one, other))
        # Ends that lie on listings, and between them.
        since, until = naive(at(first * STEP)), naive(at(last * STEP)) + timedelta(minutes=5)
        span = Span(since, until)
        for project in (None, "p1"):
            assert as_of(past, cloud, at(first * STEP), project) == model.as_of(since, project)
            net = entries(past, cloud, "net", span, project)
            told = {row["id"]: "new" if row["change"] == "first_seen" else row["change"] for row in net}
            assert told == model.net(since, until, project)
        events = entries(past, cloud, "each", span)
        assert sorted((row["id"], row["at"], row["change"]) for row in events) == model.events(since, until)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=1, max_size=7))
def test_histories_and_counts_equal_a_naive_models(
    past: Past, sequence: list[tuple[str, dict[int, State | None]]]
) -> None:
    cloud, model = play(past, sequence)
    whole = Span(naive(at(-1)), naive(at(100)))
    events = model.events(whole.since, whole.until)
    with past.estate.reader() as connection:
        counted = changes_counts.count(connection, VOLUME, whole, Scope(in_clouds=(cloud,)))
    assert sum(count.number for count in counted) == len(events)
    assert {count.hour for count in counted} == {changes_counts.hour_of(when) for _, when, _ in events}
    for id in {id for _, listed in model.lists for id in listed}:
        about, items = ResourceHistory(past.history).of(ADMIN, VOLUME, (cloud, "RegionOne", id), Scope(), 1000)
        found = sorted((id, item["recorded_at"], item["change_type"]) for item in items)
        assert [item for item in found if item[2] != "first_seen"] == [event for event in events if event[0] == id]
        assert about["exists"] == (id in model.lists[-1][1])
