"""Pure rules of jobs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jobs import rules


@pytest.mark.parametrize(
    ("states", "cancelled", "state"),
    [
        (["done", "done"], False, "done"),
        (["done", "done"], True, "done"),
        (["done", "failed"], False, "partial"),
        (["done", "skipped"], True, "cancelled"),
        (["failed", "skipped"], False, "failed"),
        (["failed", "skipped"], True, "cancelled"),
    ],
)
def test_how_a_job_ended(states: list[str], cancelled: bool, state: str) -> None:
    assert rules.final_state(states, cancelled) == state  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "failed", "stops"),
    [({}, 99, False), ({"stop_after": None}, 9, False), ({"stop_after": 2}, 1, False), ({"stop_after": 2}, 2, True),
     ({"stop_after": 0}, 0, False), ({"stop_after": 0}, 1, True)],
)  # fmt: skip
def test_when_failures_stop_a_job(options: dict[str, int | None], failed: int, stops: bool) -> None:
    assert rules.stops(options, failed) is stops


@pytest.mark.parametrize(("given", "width"), [(None, 8), (0, 8), (1, 1), (500, rules.MOST_PARALLEL), (-3, 1)])
def test_how_many_run_side_by_side(given: int | None, width: int) -> None:
    assert rules.parallel({"parallel": given}) == width


@given(
    st.none() | st.integers(1, 12),
    st.integers(1, 12),
    st.lists(st.tuples(st.booleans(), st.integers(0, 50)), min_size=1, max_size=30),
)
def test_there_are_never_more_failures_than_the_limit(
    limit: int | None, width: int, ends: list[tuple[bool, int]]
) -> None:
    """Steps end in any order, as they like; as many begin as may."""
    options = {"stop_after": limit, "parallel": width}
    waiting, failed, most = list(ends), 0, 0
    running: list[tuple[bool, int]] = []
    while True:
        stopped = rules.stops(options, failed)
        begun = 0 if stopped else rules.room(options, failed, len(running))
        running += [waiting.pop(0) for _ in range(min(begun, len(waiting)))]
        most = max(most, len(running))
        if not running:
            break
        ok, _ = running.pop(running.index(min(running, key=lambda one: one[1])))
        failed += not ok
    bad = sum(not ok for ok, _ in ends)
    assert failed == (bad if limit is None else min(bad, limit))
    assert most <= width and (limit is None or most <= limit)
    assert bool(waiting) <= (limit is not None and failed == limit)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["pending", "running", "done", "failed"])), max_size=20),
    st.integers(0, 9),
    st.data(),
)
def test_next_steps_are_of_the_first_open_group(shape: list[tuple[int, str]], room: int, data: st.DataObject) -> None:
    shape = sorted(shape, key=lambda item: item[0])
    steps = [(seq, group, state) for seq, (group, state) in enumerate(shape, 1)]
    left = {seq: group for seq, group, state in steps if state in ("pending", "running")}
    busy = frozenset(data.draw(st.sets(st.sampled_from(sorted(left)))) if left else ())
    found = rules.next_steps(steps, busy, room)
    assert len(found) <= room and not set(found) & busy and set(found) <= set(left)
    assert {left[seq] for seq in found} <= ({min(left.values())} if left else set())
    first = [seq for seq, group in left.items() if group == min(left.values()) and seq not in busy]
    assert found == first[:room]
