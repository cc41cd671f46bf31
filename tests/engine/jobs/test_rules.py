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
