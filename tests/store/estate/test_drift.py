"""Drift events out of versions: one deviation is told once, goes away by itself, and is the same when derived again."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.estate import drift
from store.estate.drift_models import Derived, TypeWatch, Watch
from store.estate.estate import Estate
from tests.store.estate.cloud import MEMBER, at, collect, hidden, open_estate, rows, thing
from tests.store.estate.drift_model import DriftModel, Rule, Told

LISTED = ("cloud", "one", "thing")
NAME, HOST, SIZE = (
    Watch(1, "changed", "name", "warning", "v.name"),
    Watch(2, "changed", "host", "critical", "v.host", guarded=("host",)),
    Watch(3, "changed", "size", "info", "v.size::VARCHAR", state=True),
)
CAME, WENT = Watch(4, "created", "existence", "warning"), Watch(5, "deleted", "existence", "warning")
STATE = Watch(6, "changed", "name", "warning", "v.name", passing=("moving",), alarming=("broken",), state=True)
TAGS = Watch(7, "changed", "tags", "info", "nullif(array_to_string(list_sort(v.tags), ','), '')", first=True)
Accepted = Sequence[tuple[int, datetime]]


def watch(*watches: Watch) -> TypeWatch:
    return TypeWatch("thing", watches, project="v.project_id", tags="v.tags")


def derive(estate: Estate, *watches: Watch, accepted: Accepted = ()) -> Derived:
    return estate.write(lambda c: drift.derive(c, LISTED, watch(*watches), accepted)).result()


def events(estate: Estate, columns: str = "resource_id, rule, old_value, new_value, state, count, moved") -> list[Any]:
    return rows(estate, f"SELECT {columns} FROM drift_events ORDER BY first_at, resource_id, rule")


def test_first_listing_is_the_baseline(estate: Estate) -> None:
    collect(estate, 0, [thing(n) for n in range(50)])
    assert derive(estate, NAME, HOST, SIZE, CAME, WENT) == Derived(listings=1)
    assert events(estate) == []


def test_an_account_that_sees_more_is_a_baseline_too(estate: Estate) -> None:
    collect(estate, 0, [thing(1)], visibility=MEMBER)
    collect(estate, 1, [thing(n) for n in range(50)])
    derive(estate, CAME)
    assert events(estate) == []
    collect(estate, 2, [thing(n) for n in range(51)])
    derive(estate, CAME)
    assert events(estate) == [("id-50", 4, "absent", "present", "open", 1, False)]


@pytest.mark.parametrize(
    ("watched", "states", "told"),
    [
        pytest.param(NAME, ["a", "b"], [("a", "b", "open", 1)], id="changed"),
        pytest.param(NAME, ["a", "a"], [], id="same"),
        pytest.param(NAME, ["a", "b", "b", "b"], [("a", "b", "open", 1)], id="told once"),
        pytest.param(NAME, ["a", "b", "a"], [("a", "b", "resolved", 1)], id="came back"),
        pytest.param(NAME, ["a", "b", "c", "a"], [("a", "b", "resolved", 1), ("b", "c", "resolved", 1)], id="all back"),
        pytest.param(
            NAME, ["a", "b", "c", "b"], [("a", "b", "open", 1), ("b", "c", "resolved", 1)], id="one step back"
        ),
        pytest.param(NAME, ["a", "b", "a", "b"], [("a", "b", "open", 2)], id="again"),
        pytest.param(NAME, ["a", "b", "a", "b", "a", "b"], [("a", "b", "open", 3)], id="flapping"),
        pytest.param(NAME, [None, "b"], [], id="first assignment"),
        pytest.param(NAME, ["a", None], [("a", None, "open", 1)], id="value lost"),
        pytest.param(NAME, ["a", None, "a"], [("a", None, "resolved", 1)], id="lost and back"),
        pytest.param(
            NAME, ["a", None, "b"], [("a", None, "open", 1), (None, "b", "open", 1)], id="another one by way of none"
        ),
        pytest.param(STATE, ["a", "moving", "a"], [], id="passing"),
        pytest.param(STATE, ["a", "moving", "b"], [("a", "b", "open", 1)], id="by way of passing"),
        pytest.param(STATE, ["moving", "a"], [], id="only arrives"),
        pytest.param(STATE, ["moving", "broken"], [("moving", "broken", "open", 1)], id="breaks on its way"),
        pytest.param(replace(NAME, first=True), [None, "b"], [(None, "b", "open", 1)], id="first is told"),
        pytest.param(replace(NAME, unseen=True), ["a", None, "a"], [], id="null is not to be had"),
        pytest.param(
            replace(NAME, unseen=True), ["a", None, "b"], [("a", "b", "open", 1)], id="over what was not seen"
        ),
        pytest.param(replace(NAME, enabled=False), ["a", "b"], [], id="switched off"),
        pytest.param(
            replace(NAME, enabled_at=at(1.5)), ["a", "b", "c"], [("b", "c", "open", 1)], id="switched on later"
        ),
        pytest.param(replace(NAME, only_if="v.size > 5"), ["a", "b"], [], id="not looked at"),
    ],
)
@pytest.mark.parametrize("at_once", [False, True])
def test_one_value(estate: Estate, watched: Watch, states: list[str | None], told: list[Any], at_once: bool) -> None:
    """Also when all listings are taken in together, as after a crash."""
    for minute, state in enumerate(states):
        collect(estate, minute, [thing(1, name=state)])
        if not at_once:
            derive(estate, watched)
    derive(estate, watched)
    assert events(estate, "old_value, new_value, state, count") == told


def test_a_day_later_it_is_another_event(estate: Estate) -> None:
    for minute, name in [(0, "a"), (1, "b"), (2, "a"), (1450, "b"), (1451, "a"), (1452, "b")]:
        collect(estate, minute, [thing(1, name=name)])
        derive(estate, NAME)
    assert events(estate, "state, count") == [("resolved", 1), ("open", 2)]


def test_what_is_hidden_is_no_drift(estate: Estate) -> None:
    collect(estate, 0, [thing(1)])
    collect(estate, 1, [hidden(thing(1, size=7))], visibility=MEMBER, scope="p1")
    collect(estate, 2, [thing(1, size=8)])
    derive(estate, HOST)
    assert events(estate) == []
    collect(estate, 3, [hidden(thing(1, size=9))], visibility=MEMBER, scope="p1")
    collect(estate, 4, [thing(1, size=10, host="h2")])
    derive(estate, HOST)
    assert events(estate, "old_value, new_value, severity") == [("h1", "h2", "critical")]


def test_order_of_a_list_means_nothing(estate: Estate) -> None:
    for minute, tags in enumerate([["a", "b"], ["b", "a"], ["b"], [], ["a", "b"]]):
        collect(estate, minute, [thing(1, tags=tags, size=minute)])
    derive(estate, TAGS)
    assert events(estate, "old_value, new_value, state") == [("a,b", "b", "resolved"), ("b", None, "resolved")]


def test_gone_and_back(estate: Estate) -> None:
    for minute, docs in enumerate([[thing(1), thing(2)], [thing(2)], [thing(1), thing(2)]]):
        collect(estate, minute, docs)
        derive(estate, CAME, WENT, NAME)
    assert events(estate) == [
        ("id-1", 5, "present", "deleted", "resolved", 1, False),
        ("id-1", 4, "absent", "present", "open", 1, False),
    ]


def test_what_deviated_of_something_that_is_gone_does_so_no_more(estate: Estate) -> None:
    """Also where nothing was there before, and whoever comes back with the value is not told again."""
    for minute, docs in enumerate([[thing(1)], [thing(1, name="new", tags=["x"])], [], [thing(1, name="new")]]):
        collect(estate, minute, docs)
        derive(estate, NAME, TAGS, WENT)
    assert events(estate, "rule, old_value, new_value, state, moved") == [
        (1, "thing 1", "new", "resolved", True),
        (7, None, "x", "resolved", True),
        (5, "present", "deleted", "resolved", False),
        (7, "x", None, "open", False),
    ]


def test_compared_with_the_last_version_over_a_gap(estate: Estate) -> None:
    for minute, docs in enumerate([[thing(1)], [], [thing(1, name="other")]]):
        collect(estate, minute, docs)
    derive(estate, NAME)
    assert events(estate, "old_value, new_value") == [("thing 1", "other")]


def test_an_accepted_value_is_the_new_rule(estate: Estate) -> None:
    """Going back from it is a change; a state that moves by itself just comes back."""
    collect(estate, 0, [thing(1)])
    collect(estate, 1, [thing(1, name="new", size=9)])
    derive(estate, NAME, SIZE)
    accepted = [(id, at(1.5)) for (id,) in events(estate, "id")]
    collect(estate, 2, [thing(1)])
    derive(estate, NAME, SIZE, accepted=accepted)
    assert events(estate, "rule, old_value, new_value, state, moved") == [
        (1, "thing 1", "new", "resolved", True),
        (3, "1", "9", "resolved", False),
        (1, "new", "thing 1", "open", False),
    ]


def test_what_an_event_says(estate: Estate) -> None:
    collect(estate, 0, [thing(1, tags=["x"])])
    collect(estate, 1, [thing(1, tags=["x"])])
    collect(estate, 2, [thing(1, tags=["x"], name="new")])
    derive(estate, replace(NAME, grave="v.size = 1"))
    columns = "cloud, region, type, resource_name, project_id, tags, severity, first_at, seen_before, seen_at"
    [event] = events(estate, columns)
    naive = [time.replace(tzinfo=None) for time in (at(2), at(1), at(2.5))]
    assert event == ("cloud", "one", "thing", "new", "p1", ["x"], "critical", *naive)


def test_derived_again_it_is_the_same(estate: Estate) -> None:
    for minute in range(6):
        docs = [thing(n, name=f"{(minute * n) % 3}", size=minute % n) for n in range(1, 6) if (n + minute) % 5]
        collect(estate, minute, docs)
        derive(estate, NAME, SIZE, CAME, WENT)
    columns = "id, resource_id, rule, old_value, new_value, state, count, times"
    first = events(estate, columns)
    assert len(first) > 8
    estate.write(lambda c: c.execute("UPDATE listings SET derived = false")).result()
    derive(estate, NAME, SIZE, CAME, WENT)
    assert events(estate, columns) == first
    estate.write(lambda c: (c.execute("DELETE FROM drift_events"), c.execute("UPDATE listings SET derived = false")))
    derive(estate, NAME, SIZE, CAME, WENT)
    assert events(estate, columns) == first


def test_history_put_behind_is_derived_from_its_beginning(estate: Estate) -> None:
    """A demo's past arrives the newest part first: events that it explains keep their ids and who did them."""
    collect(estate, 10, [thing(1, name="b")])
    collect(estate, 11, [thing(1, name="c")])
    derive(estate, NAME)
    [(id, opened)] = events(estate, "id, opened_at")
    found = {"id": id, "opened_at": opened, "asked_at": opened, "grade": "cloud", "actor": "ann", "source": "x",
             "request_id": None, "candidates": None, "expected": False, "job": None}  # fmt: skip
    assert estate.write(lambda c: drift.attribute(c, [found])).result() == 1
    estate.write(
        lambda c: (
            c.execute("INSERT INTO thing_versions BY NAME SELECT * REPLACE ('a' AS name, valid_from - INTERVAL 5 MINUTE"
                      " AS valid_from, valid_from AS valid_to) FROM thing_versions WHERE name = 'b'"),
            c.execute("INSERT INTO listings BY NAME SELECT * REPLACE (started_at - INTERVAL 5 MINUTE AS started_at,"
                      " ended_at - INTERVAL 5 MINUTE AS ended_at, false AS derived) FROM listings"),
        )
    ).result()  # fmt: skip
    derive(estate, NAME)
    assert events(estate, "old_value, new_value, actor") == [("a", "b", None), ("b", "c", "ann")]
    assert events(estate, "id")[1] == (id,)


def test_a_broken_listing_still_tells_what_it_saw(estate: Estate) -> None:
    collect(estate, 0, [thing(1), thing(2)])
    collect(estate, 1, [thing(1, name="new")], broken="partial")
    derive(estate, NAME, WENT)
    assert events(estate, "rule, new_value") == [(1, "new")]


VALUES = st.sampled_from(["a", "b", "c", "moving"])
DOC = st.fixed_dictionaries({"name": st.one_of(VALUES, st.none()), "size": st.sampled_from([1, 2])})
STATES = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["id-1", "id-2"]), DOC, max_size=2),
        st.sampled_from([1, 30, 1500]),  # minutes since the one before
        st.booleans(),  # whether it is taken in at once
        st.booleans(),  # whether somebody accepts what is there
    ),
    max_size=7,
)
MODEL_RULES = (
    Rule(1, "name"),
    Rule(3, "size", state=True),
    Rule(4, "existence", "created"),
    Rule(5, "existence", "deleted"),
    Rule(6, "name", state=True, passing=("moving",)),
)


@settings(max_examples=25, deadline=None)
@given(states=STATES)
def test_equal_to_a_naive_model(states: list[tuple[dict[str, Any], int, bool, bool]]) -> None:
    watches = (NAME, SIZE, CAME, WENT, replace(STATE, alarming=()))
    model = DriftModel(MODEL_RULES)
    accepted: dict[int, datetime] = {}
    with tempfile.TemporaryDirectory() as folder, open_estate(Path(folder)) as estate:
        minute = 0.0
        for docs, pause, at_once, accepts in states:
            minute += pause
            collect(estate, minute, [{"id": id, "project_id": "p", **doc} for id, doc in docs.items()])
            seen = {id: {**doc, "size": str(doc["size"])} for id, doc in docs.items()}
            model.listing(seen, at(minute))
            if at_once or accepts:
                derive(estate, *watches, accepted=list(accepted.items()))
            if accepts:
                now = at(minute + 0.7)
                model.accept(model.events, now)
                for (id,) in events(estate, "id"):
                    accepted.setdefault(id, now)
        derive(estate, *watches, accepted=list(accepted.items()))
        assert sorted(events(estate), key=repr) == sorted((_row(event) for event in model.events), key=repr)
        assert len({id for (id,) in events(estate, "id")}) == len(model.events)


def _row(event: Told) -> tuple[Any, ...]:
    return event.row


def test_what_is_over_is_kept_as_long_as_history(estate: Estate) -> None:
    """An open event stays however old, but for what our own jobs did."""
    collect(estate, 0, [thing(1), thing(2), thing(3)])
    collect(estate, 1, [thing(1, name="a"), thing(2, name="b"), thing(3, name="c")])
    collect(estate, 2, [thing(1), thing(2, name="b"), thing(3, name="c")])
    derive(estate, NAME)
    estate.write(lambda c: c.execute("UPDATE drift_events SET expected = true WHERE new_value = 'b'") and None).result()
    estate.retain(at(1))
    assert len(events(estate)) == 3
    estate.retain(at(10))
    assert events(estate, "new_value, state") == [("c", "open")]
