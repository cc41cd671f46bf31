"""Drift in words, and what of a filter the engine is asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.drift.models import SEVERITIES, STATES, TRIAGE
from store.filter_rows import passes
from store.filters import parse
from tests.tui.drift_fake import SERVER, event, some_events
from tui.acting.drift import acceptance
from tui.drift import change_words, state_words, sure_words, who_words
from tui.drift_filters import next_severity, question, record_of, shown_states, term, toggled, with_term
from tui.panes.drift import grouped

BY_ID = {e["id"]: e for e in some_events()}


@pytest.mark.parametrize(
    ("id", "change", "who"),
    [
        (1, "flavor_id m1.small → m1.large", "m.levi"),
        (2, "subnet deleted", "unknown"),
        (3, "status ACTIVE → SHUTOFF", "one of 2"),
        (4, "size 10 → 20", "cinder, a service"),
        (5, "status ACTIVE → SHUTOFF", "not asked yet"),
        (6, "subnet changed and back, 2 writes", "not asked yet"),
        (8, "status ACTIVE → SHUTOFF", "root, job 118"),
        (10, "new security group rule", "not asked yet"),
    ],
)
def test_what_changed_and_who_did_it_in_words(id: int, change: str, who: str) -> None:
    assert (change_words(BY_ID[id]), who_words(BY_ID[id])) == (change, who)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"grade": "cloud", "actor": "m.levi", "source": "nova: stop"}, "m.levi, from the cloud (nova: stop)"),
        ({"grade": "certain", "actor": "root", "source": "audit: server.stop"}, "root, certain (audit: server.stop)"),
        ({"grade": "service", "actor": None}, "a service: a service of the cloud acted"),
        ({"grade": "unknown", "actor": None}, "unknown: no record says who did it"),
        ({"grade": None}, "not asked yet: enter asks the cloud"),
    ],
)
def test_how_sure_it_is_who_did_it(more: dict[str, object], words: str) -> None:
    assert sure_words(event(1, **more)).startswith(words)


def test_nobody_is_named_where_no_record_names_one() -> None:
    for grade in ("one_of", "unknown"):
        assert "anna" not in who_words(event(1, grade=grade, actor="anna"))
    assert who_words(event(1, grade="cloud", actor=None)) == "unknown"


@pytest.mark.parametrize(
    ("id", "words"),
    [
        (5, "it went back by itself, and nobody has looked"),
        (7, "acknowledged by anna: planned"),
        (8, "expected: a job of this console did it"),
        (9, "ignored: maintenance until 18:00: disks"),
        (1, "open"),
    ],
)
def test_states_in_words(id: int, words: str) -> None:
    assert state_words(BY_ID[id]) == words


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("name s, vcpus 2, ram 4", "name l, vcpus 4, ram 4", "size s → l"),
        ("name s, vcpus 2, ram 4", "name s, vcpus 4, ram 4", "size vcpus 2 → vcpus 4"),
        ("a, b", "b, c", "size a → c"),
        ("a, b", "a", "size b → none"),
        ("a", "a, b", "size none → b"),
        (None, "a, b", "size none → a, b"),
        ("a", "b", "size a → b"),
    ],
)
def test_of_values_of_many_parts_only_those_that_differ_are_said(old: str, new: str, words: str) -> None:
    assert change_words(event(1, field_changed="size", old_value=old, new_value=new)) == words


@given(st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 6)), max_size=8, unique_by=lambda t: t[0]))
def test_events_of_one_action_stand_together_and_none_is_lost(made: list[tuple[int, int | None]]) -> None:
    items = [{"id": id, "group": group} for id, group in made]
    order = [item["id"] for item in grouped(items)]
    assert sorted(order) == sorted(id for id, _ in made)
    heads = {id for id, group in made if group in (None, id)}
    for id, group in made:
        if group in heads and group != id:
            between = order[order.index(group) + 1 : order.index(id)]
            assert order.index(group) < order.index(id)
            assert all(dict(made)[other] == group for other in between)
    # Where the first of an action's events stood, there it stands: the worst first.
    firsts = [group if group in heads else id for id, group in made]
    assert [id for id in order if id in heads or dict(made)[id] not in heads] == list(dict.fromkeys(firsts))


# Filters


@pytest.mark.parametrize(
    ("filter", "states"),
    [
        ("", TRIAGE),
        ("web severity:critical", TRIAGE),
        ("state:acknowledged", ("acknowledged",)),
        ("state:triage,expected", (*TRIAGE, "expected")),
        ("state:resolved", ("resolved_unseen", "resolved")),
        ("state:nonsense", ()),
        ("state:=open", STATES),
        ("state:ignored or web", STATES),
        ("!state:open", STATES),
        ("(", TRIAGE),
    ],
)
def test_only_what_is_to_be_looked_at_is_shown_unless_a_filter_says_so(filter: str, states: tuple[str, ...]) -> None:
    assert set(shown_states(filter)) == set(states)


def test_one_key_shows_and_hides() -> None:
    shown = toggled("web", ("acknowledged",))
    assert shown == "web state:triage,acknowledged"
    both = toggled(shown, ("expected", "ignored"))
    assert both == "web state:triage,acknowledged,expected,ignored"
    assert toggled(toggled(both, ("acknowledged",)), ("expected", "ignored")) == "web"


def test_one_key_goes_through_the_severities() -> None:
    seen, filter = [], "web"
    for _ in range(4):
        filter = next_severity(filter)
        seen.append(filter)
    assert seen == ["web severity:critical", "web severity:warning", "web severity:info", "web"]
    assert next_severity("severity:warning,info") == "severity:critical"


WORDS = st.lists(
    st.sampled_from(["web", "!db", "severity:critical,info", "state:ignored", "(a or b)", "rule_id:=3", '"x y"']),
    max_size=5,
).map(" ".join)


@given(WORDS, st.sampled_from(["severity", "state"]), st.lists(st.sampled_from(SEVERITIES), unique=True, max_size=3))
def test_a_term_is_put_in_place_of_the_one_before(filter: str, column: str, values: list[str]) -> None:
    changed = with_term(filter, column, values)
    found = term(changed, column)
    assert (None if found is None else [value.text for value in found]) == (values or None)
    assert with_term(changed, column, ()) == with_term(filter, column, ())


ANY = st.lists(
    st.sampled_from(
        ["web", "status", "severity:crit", "severity:=info", "severity:warning,info", "state:acknowledged", "rule_id:2",
         "state:triage,expected", "rule_id:=1,2", "!web-3", "who:anna", "age:<5m", "age:>2m", "project:=ACME-prod",
         "severity:critical or state:ignored", "job:any", f"about:{SERVER}", f"!about:{SERVER}"]
    ),
    max_size=4,
).map(" ".join)  # fmt: skip


@given(ANY, st.sampled_from(sorted(BY_ID)))
def test_the_engine_is_asked_for_at_least_what_passes(filter: str, id: int) -> None:
    """Whatever passes a filter on screen is among what the engine was asked for."""
    item, params = BY_ID[id], question(filter)
    if "state" not in filter and item["state"] not in TRIAGE:
        return  # hidden unless asked for
    if passes(parse(filter), record_of(item), datetime.now(UTC)):
        assert item["state"] in params["state"]
        assert item["severity"] in params.get("severity", SEVERITIES)
        assert item["rule_id"] in params.get("rule", [item["rule_id"]])
        assert item["opened_at"] >= params.get("since", "")
        assert params.get("id", item["resource_id"]) in (item["resource_id"], item["owner_id"])
        assert "text" not in params


@pytest.mark.parametrize(
    ("typed", "note", "ends"),
    [("", "", False), ("planned  work", "planned work", False), ("x until:2d", "x", True), ("until:2d", "", True)],
)
def test_a_note_may_say_how_long_it_holds(typed: str, note: str, ends: bool) -> None:
    body = acceptance(typed)
    assert isinstance(body, dict)
    assert body["note"] == note
    assert ("until" in body) == ends


@pytest.mark.parametrize(("typed", "words"), [("x until:yesterday", "names no time"), ("y" * 1001, "at most 1,000")])
def test_a_note_that_cannot_be_kept_says_why(typed: str, words: str) -> None:
    assert words in str(acceptance(typed))
