"""Order, limits, sums and ends of restores of many machines: tables of cases, and what must hold whatever comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.restore.bulk import rules
from engine.restore.bulk.models import Decision, Limits, Standing, State
from engine.restore.models import Fit, Request
from tests.engine.restore.small_cloud import plan

P1, P2 = ("lab", "one", "p1"), ("lab", "one", "p2")
WIDE = Limits(100, 100, 100, 1)


def machines(*told: tuple[int, State], back_end: str = "ceph") -> list[Standing]:
    return [Standing(seq, place, P1, (back_end,), state) for seq, (place, state) in enumerate(told)]


# Before it begins


@pytest.mark.parametrize(
    ("name", "order", "place"),
    [
        ("db-1", ["db-*", "app-*"], 0),
        ("app-7", ["db-*", "app-*"], 1),
        ("web-1", ["db-*", "app-*"], 2),
        ("mq-1", ["db-*, mq-?"], 0),
        ("mq-10", ["db-* mq-?"], 1),
        ("DB-1", ["db-*"], 1),
        ("db-1", [], 0),
        ("a", [" , "], 1),
    ],
)
def test_groups_are_globs(name: str, order: list[str], place: int) -> None:
    assert rules.place_of(name, order) == place


@pytest.mark.parametrize(
    ("way", "count", "production", "phrase"),
    [
        ("REPLACE", 40, [], "DELETE AND RESTORE 40 MACHINES"),
        ("REPLACE", 1, [], "DELETE AND RESTORE 1 MACHINE"),
        ("REPLACE", 2, ["b", "a", "b"], "a b DELETE AND RESTORE 2 MACHINES"),
        ("NEW", 2, ["b"], "b"),
        ("NEW", 40, [], None),
        ("IN_PLACE", 3, [], None),
    ],
)
def test_the_phrase_says_how_many(way: str, count: int, production: list[str], phrase: str | None) -> None:
    assert rules.phrase(way, count, production) == phrase  # type: ignore[arg-type]


def test_a_successor_takes_the_addresses_over_unless_said() -> None:
    assert rules.strategy("REPLACE", None) == "SAME_IPS_OR_FAIL"
    assert rules.strategy("NEW", None) == "NEW_IPS"
    assert rules.strategy("REPLACE", "NEW_IPS") == "NEW_IPS"


def test_quotas_are_looked_at_for_the_sum_of_a_project() -> None:
    flavor = {"name": "m1", "vcpus": 2, "ram": 1024}
    one = plan("NEW", fits=(Fit("cores", True, "so", 2, 5, 10), Fit("instances", True, "so", 1, 2, -1)))
    one = replace(one, machine=replace(one.machine, flavor=flavor), nics=())
    for count, ok in ((1, True), (2, True), (3, False)):
        found = {each.what: each for each in rules.sums([one] * count)}
        assert (found["cores"].need, found["cores"].ok) == (2 * count, ok)
        assert found["instances"].ok and "no limit" in found["instances"].text
    assert rules.sums([one] * 3)[0].what == "cores"  # what is too small comes first
    assert "6 needed by all of them, 5 of 10 used" in rules.sums([one] * 3)[0].text
    fresh = {P1: (Fit("cores", True, "so", 2, 0, 10),)}
    assert all(each.ok for each in rules.sums([one] * 3, fresh))
    other = replace(one, machine=replace(one.machine, project_id="p2"))
    assert all(each.ok for each in rules.sums([one, one, other, other]))


def test_a_plan_that_would_lose_something_else_is_another_one() -> None:
    was = rules.shape(plan("REPLACE"))
    assert rules.changed(was, rules.shape(plan("REPLACE"))) is None
    assert "another way" in str(rules.changed(was, rules.shape(plan("NEW"))))
    moved = plan("REPLACE")
    disks = tuple(replace(disk, choice="leave_out", source=None) for disk in moved.disks)
    assert "another loss" in str(rules.changed(was, rules.shape(replace(moved, disks=disks))))
    assert "addresses" in str(rules.changed(was, rules.shape(replace(moved, strategy="TRY_SAME_IPS"))))
    kept = replace(moved, request=Request("p1", "old", end="delete"))
    assert rules.changed(was, rules.shape(kept)) is not None


@pytest.mark.parametrize(
    ("parallel", "places", "seconds"),
    [(10, [0, 0, 0], 100), (1, [0, 0, 0], 300), (2, [0, 0, 0], 200), (10, [0, 1, 2], 300), (10, [0, 0, 5], 200)],
)
def test_the_estimate_goes_by_limits_and_order(parallel: int, places: list[int], seconds: int) -> None:
    told = machines(*((place, "FAILED") for place in places))
    lasting = dict.fromkeys(range(len(places)), 100)
    assert rules.seconds(told, lasting, Limits(parallel, 100, 100, 1)) == seconds


def test_what_is_not_known_is_guessed() -> None:
    assert rules.seconds(machines((0, "WAITING")), {0: None}, WIDE) == rules.GUESS_SECONDS
    assert rules.seconds([], {}, WIDE) == 0


# While it goes on

W, R, S, F, C, K = "WAITING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"


@pytest.mark.parametrize(
    ("told", "decision"),
    [
        ([(0, W), (0, W)], Decision((0, 1))),
        ([(0, W), (1, W)], Decision((0,))),
        ([(0, R), (1, W)], Decision()),
        ([(0, S), (1, W)], Decision((1,))),
        ([(0, S), (1, R), (1, W)], Decision((2,))),
        ([(0, S), (0, S)], Decision(over=True)),
        ([(0, S), (0, R)], Decision()),
        ([], Decision(over=True)),
        ([(0, "LEFT_OUT"), (0, "NOT_POSSIBLE"), (1, W)], Decision((2,))),
        ([(0, F)], Decision(over=True)),
    ],
)
def test_what_begins_now(told: list[tuple[int, State]], decision: Decision) -> None:
    assert rules.decide(machines(*told), WIDE) == decision


@pytest.mark.parametrize("state", [F, C, K])
def test_the_next_group_waits_for_one_that_did_not_end_well(state: State) -> None:
    told = machines((0, state), (1, W))
    many = replace(WIDE, stop_after=5)
    assert "the next group does not begin" in rules.decide(told, many).pause
    assert rules.decide(told, many, passed=0).begin == (1,)
    assert rules.resumed(told)[0] == 0


def test_no_further_one_begins_after_so_many_failures() -> None:
    told = machines((0, F), (0, F), (0, R), (0, W))
    assert rules.decide(told, replace(WIDE, stop_after=3)).begin == (3,)
    assert "2 restores have failed" in rules.decide(told, replace(WIDE, stop_after=2)).pause
    passed, forgiven = rules.resumed(told)
    assert rules.decide(told, replace(WIDE, stop_after=2), passed=passed, forgiven=forgiven).begin == (3,)


def test_back_ends_and_projects_bear_so_many() -> None:
    limits = Limits(100, 2, 3, 1)
    told = [Standing(n, 0, P1 if n % 2 else P2, ("ceph" if n < 4 else "lvm",)) for n in range(8)]
    assert rules.decide(told, limits).begin == (0, 1, 4, 5)
    busy = [Standing(9, 0, P2, ("lvm",), R)]
    assert rules.decide(told, limits, elsewhere=busy).begin == (0, 1, 4)
    assert rules.decide(told, replace(limits, parallel=1), elsewhere=busy).begin == (0,)
    both = [Standing(n, 0, P1, ("ceph", "lvm")) for n in range(3)]
    assert rules.decide(both, limits, elsewhere=busy).begin == (0,)


def test_one_that_rests_holds_up_nobody_of_its_group() -> None:
    told = [Standing(0, 0, P1, rests=True), Standing(1, 0, P1), Standing(2, 1, P1)]
    assert rules.decide(told, WIDE) == Decision((1,))
    told[1] = replace(told[1], state=S)
    assert rules.decide(told, WIDE) == Decision()


@pytest.mark.parametrize(
    ("states", "cancelled", "status", "said"),
    [
        ([S, S], False, "SUCCEEDED", "2 of 2 machines restored"),
        ([S, F, K], False, "PARTIAL", "1 of 3 machines restored, 1 failed, 1 skipped"),
        ([F, "LEFT_OUT", "NOT_POSSIBLE"], False, "FAILED", "0 of 1 machines restored, 1 failed"),
        ([S, "NOT_BEGUN"], True, "CANCELED", "1 of 2 machines restored, 1 not begun"),
        ([S], True, "SUCCEEDED", "1 of 1 machines restored"),
    ],
)
def test_how_it_went(states: list[State], cancelled: bool, status: str, said: str) -> None:
    assert rules.outcome(states, cancelled) == (status, said)


# Whatever comes

limit = st.integers(1, 4)
several = st.lists(
    st.builds(
        Standing, seq=st.just(0), place=st.integers(0, 3), project=st.sampled_from([P1, P2]),
        back_ends=st.lists(st.sampled_from(["ceph", "lvm", "nfs"]), max_size=2, unique=True).map(tuple),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


def within(running: Sequence[Standing], limits: Limits) -> bool:
    back_ends = Counter(name for one in running for name in one.back_ends)
    projects = Counter(one.project for one in running)
    return (
        len(running) <= limits.parallel
        and max(back_ends.values(), default=0) <= limits.per_backend
        and max(projects.values(), default=0) <= limits.per_project
    )


@given(several, st.builds(Limits, limit, limit, limit, limit), st.data())
def test_limits_order_and_ends_hold(told: list[Standing], limits: Limits, data: st.DataObject) -> None:
    """Restores end well or not in any order; people resume or give up."""
    now = {n: replace(one, seq=n) for n, one in enumerate(told)}
    begun: Counter[int] = Counter()
    passed, forgiven = -1, 0
    while True:
        states = list(now.values())
        decision = rules.decide(states, limits, passed=passed, forgiven=forgiven)
        running = [one for one in states if one.state == R]
        if decision.over:
            break
        failures = sum(one.state == F for one in states) - forgiven
        if decision.begin:
            assert not decision.pause and failures < limits.stop_after
        for seq in decision.begin:
            one = now[seq]
            earlier = [other for other in states if other.place < one.place]
            assert one.state == W
            assert all(other.state not in (W, R) for other in earlier), "the group before has ended"
            assert all(other.state == S or other.place <= passed for other in earlier), "and ended well"
            now[seq] = replace(one, state=R)
            begun[seq] += 1
        running = [one for one in now.values() if one.state == R]
        assert within(running, limits)
        if not running:
            assert decision.pause, "something always goes on, or says why not"
        if decision.pause and not running:
            assert failures >= limits.stop_after or any(one.state != S for one in states if one.state != W)
            if data.draw(st.booleans()):
                break
            passed, forgiven = rules.resumed(states)
            continue
        ended = data.draw(st.sampled_from([one.seq for one in running]))
        now[ended] = replace(now[ended], state=data.draw(st.sampled_from([S, S, S, F, C, K])))
    assert set(begun.values()) <= {1}
    if rules.decide(list(now.values()), limits, passed=passed, forgiven=forgiven).over:
        assert set(begun) == set(now), "none is forgotten"
