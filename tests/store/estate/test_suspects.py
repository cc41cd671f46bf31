"""Deletion is earned: the rule as a table, and the stories that it is for, in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store.estate import decisions
from store.estate.estate import Estate
from store.estate.suspects import Absence, judge
from tests.store.estate.cloud import ADMIN, MEMBER, at, collect, current, hidden, rows, thing, versions

RULE = [
    # covered, blocked, kept, fresh, repeated[, arrived], relation -> state, close
    ((100, 0, 0, 0, 0), "same", "ok", True),
    ((100, 0, 0, 0, 0), "narrower", "ok", True),
    ((100, 0, 0, 20, 0), "same", "ok", True),
    ((100, 0, 0, 21, 0), "same", "suspect", False),
    ((100, 0, 0, 21, 0), None, "suspect", False),
    ((9, 0, 0, 9, 0), "same", "ok", True),
    ((10, 0, 0, 10, 0), "same", "suspect", False),
    ((49, 0, 0, 10, 0), "same", "suspect", False),
    ((50, 0, 0, 10, 0), "same", "ok", True),
    ((100, 0, 0, 0, 90), "same", "ok", True),
    ((100, 0, 0, 20, 60), "same", "ok", True),
    ((100, 0, 0, 21, 60), "same", "suspect", False),
    # arrived: what new rows stand for did not vanish
    ((100, 0, 0, 40, 0, 40), "same", "ok", True),
    ((100, 0, 0, 60, 0, 39), "same", "suspect", False),
    ((100, 0, 0, 30, 0, 20), "same", "ok", True),
    ((100, 0, 0, 1, 0, 50), "narrower", "suspect", False),
    ((100, 0, 0, 1, 0), "narrower", "suspect", False),
    ((100, 0, 0, 1, 0), "wider", "suspect", False),
    ((100, 0, 0, 0, 1), "different", "suspect", False),
    ((100, 50, 0, 2, 0), "same", "suspect", True),
    ((100, 0, 5, 0, 0), "same", "degraded", True),
    ((100, 0, 5, 0, 0), "narrower", "degraded", True),
    ((100, 3, 5, 0, 0), "same", "suspect", True),
]


@pytest.mark.parametrize(("absence", "relation", "state", "close"), RULE)
def test_rule(absence: tuple[int, ...], relation: str | None, state: str, close: bool) -> None:
    verdict = judge(Absence(*absence), relation)  # type: ignore[arg-type]
    assert (verdict.state, verdict.close) == (state, close)
    assert bool(verdict.reason) == (state != "ok")


@pytest.mark.parametrize(("rotates", "state", "gone"), [(True, "ok", 20), (False, "suspect", 0)])
def test_a_list_that_turns_over(estate: Estate, rotates: bool, state: str, gone: int) -> None:
    """Retention of snapshots takes away as many as a night makes; so many rows of other types are suspect."""
    type = estate.types["thing"]
    estate.types["thing"] = replace(type, listing=replace(type.listing, rotates=rotates))
    docs = [thing(n) for n in range(40)]
    collect(estate, 0, docs)
    outcome = collect(estate, 1, [*docs[20:], *(thing(n) for n in range(100, 120))])
    assert (outcome.new, outcome.state, outcome.gone) == (20, state, gone)


def test_a_role_taken_away_and_given_back(estate: Estate) -> None:
    """The same call answers 200 with fewer rows: nothing is deleted, nothing changes, and nothing is new afterwards."""
    docs = [thing(n) for n in range(64)]
    collect(estate, 0, docs)
    weak = replace(ADMIN, roles=("member",), all_projects=False)
    for minute in (1, 2, 3):
        outcome = collect(estate, minute, [hidden(doc) for doc in docs[:2]], visibility=weak)
        assert (outcome.new, outcome.changed, outcome.gone, outcome.suspect) == (0, 0, 0, True)
    assert len(current(estate, "id")) == 64
    assert estate.states()[0]["missing"] == 62
    back = collect(estate, 4, docs)
    assert (back.new, back.changed, back.gone, back.state) == (0, 0, 0, "ok")
    assert versions(estate) == 64
    assert estate.states()[0]["missing"] == 0


def test_with_fewer_rights_what_it_sees_itself_still_comes_and_goes(estate: Estate) -> None:
    docs = [thing(n) for n in range(64)]
    collect(estate, 0, docs)
    weak = replace(ADMIN, roles=("member",), all_projects=False)
    seen = [hidden(doc) for doc in docs[:5]]
    collect(estate, 1, seen, visibility=weak)
    outcome = collect(estate, 2, [hidden(thing(0, size=7)), *seen[1:4]], visibility=weak)
    assert (outcome.changed, outcome.gone, outcome.state) == (1, 1, "suspect")
    assert "59 of 64" in outcome.reason


def test_many_gone_at_once_are_believed_the_second_time(estate: Estate) -> None:
    collect(estate, 0, [thing(n) for n in range(40)])
    assert collect(estate, 1, [thing(n) for n in range(20)]).suspect
    assert len(current(estate, "id")) == 40
    second = collect(estate, 2, [thing(n) for n in range(20)])
    assert (second.gone, second.state) == (20, "ok")
    assert rows(estate, "SELECT DISTINCT valid_to FROM thing_versions WHERE valid_to IS NOT NULL")[0][0] is not None


def test_many_more_gone_the_second_time_are_suspect_again(estate: Estate) -> None:
    collect(estate, 0, [thing(n) for n in range(40)])
    collect(estate, 1, [thing(n) for n in range(28)])
    outcome = collect(estate, 2, [thing(n) for n in range(8)])
    assert outcome.suspect and outcome.gone == 0
    assert collect(estate, 3, [thing(n) for n in range(8)]).gone == 32


def test_a_delta_that_sees_a_missing_row_clears_it(estate: Estate) -> None:
    collect(estate, 0, [thing(n) for n in range(40)])
    collect(estate, 1, [thing(n) for n in range(20)])
    delta = collect(estate, 2, [thing(30)], kind="delta")
    assert delta.state == "suspect"
    outcome = collect(estate, 3, [thing(n) for n in range(20)])
    # One row is absent for the first time, nineteen for the second: few enough to believe all of it.
    assert outcome.gone == 20


def test_a_person_accepts(estate: Estate) -> None:
    collect(estate, 0, [thing(n) for n in range(40)])
    collect(estate, 1, [hidden(thing(1))], visibility=MEMBER)
    decision = estate.decide("cloud", "one", "thing", True)
    assert decision == {"rows": 39, "closed": 39, "state": "ok"}
    assert len(current(estate, "id")) == 1
    ends = rows(estate, "SELECT DISTINCT valid_to FROM thing_versions WHERE valid_to IS NOT NULL")
    assert [end.isoformat() for (end,) in ends] == [at(1).replace(tzinfo=None).isoformat()]
    with pytest.raises(KeyError, match="wait for a decision"):
        estate.decide("cloud", "one", "thing", True)


def test_a_person_rejects_for_good(estate: Estate) -> None:
    collect(estate, 0, [thing(n) for n in range(40)])
    collect(estate, 1, [thing(n) for n in range(20)])
    assert estate.decide("cloud", "one", "thing", False)["state"] == "degraded"
    for minute in (2, 3, 4):
        outcome = collect(estate, minute, [thing(n) for n in range(20)])
        assert (outcome.gone, outcome.state) == (0, "degraded")
    assert "20 of 40" in outcome.reason
    assert collect(estate, 5, [thing(n) for n in range(40)]).state == "ok"


def test_a_project_listing_closes_only_its_own(estate: Estate) -> None:
    collect(estate, 0, [thing(n) for n in range(12)])
    outcome = collect(estate, 1, [thing(1)], scope="p1")
    assert outcome.gone == 3  # 4, 7 and 10 are of the same project
    assert len(current(estate, "id")) == 9


def test_what_a_project_sees_of_others_goes_when_it_no_longer_sees_it(estate: Estate) -> None:
    shared = [hidden(thing(1)), hidden(thing(2))]
    collect(estate, 0, shared, visibility=MEMBER, scope="p1")
    assert collect(estate, 1, shared[:1], visibility=MEMBER, scope="p1").gone == 1
    # What an administrator saw last stays, however often the project does not list it.
    collect(estate, 2, [thing(1), thing(2)])
    assert collect(estate, 3, shared[:1], visibility=MEMBER, scope="p1").gone == 0


def test_fields_hidden_from_the_token_are_denied_not_null(estate: Estate) -> None:
    collect(estate, 0, [hidden(thing(1))], visibility=MEMBER)
    assert current(estate, "host", "denied") == [(None, ["host"])]
    outcome = collect(estate, 1, [thing(1)])
    assert (outcome.changed, outcome.filled, outcome.moved) == (0, 1, True)
    assert current(estate, "host", "denied") == [("h1", [])]
    assert collect(estate, 2, [hidden(thing(1))], visibility=MEMBER, scope="p1").changed == 0
    assert current(estate, "host", "denied") == [("h1", [])]
    # A change seen with fewer rights: the new version does not know the host.
    assert collect(estate, 3, [hidden(thing(1, size=9))], visibility=MEMBER, scope="p1").changed == 1
    assert current(estate, "host", "size", "denied") == [(None, 9, ["host"])]


def test_a_guarded_field_that_goes_under_the_same_rights_is_a_change(estate: Estate) -> None:
    collect(estate, 0, [thing(1)])
    assert collect(estate, 1, [thing(1, host=None)]).changed == 1
    assert current(estate, "host", "denied") == [(None, [])]


def test_a_list_of_all_that_went_well_ends_what_lists_of_single_projects_said(estate: Estate) -> None:
    def said() -> list[tuple[str, str]]:
        return [(state["scope"], state["state"]) for state in decisions.in_force(estate.states())]

    collect(estate, 0, [thing(1), thing(2)])
    collect(estate, 5, scope="p1", visibility=MEMBER, broken="failed")
    assert said() == [("all", "ok"), ("p1", "failed")]
    collect(estate, 10, [thing(1)], broken="partial")
    assert said() == [("all", "partial"), ("p1", "failed")]
    collect(estate, 15, [thing(1), thing(2)])
    assert said() == [("all", "ok")]
    collect(estate, 17, broken="failed")
    assert said() == [("all", "failed")]
    collect(estate, 20, scope="p1", visibility=MEMBER, broken="failed")
    assert said() == [("all", "failed"), ("p1", "failed")]
