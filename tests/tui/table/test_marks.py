"""Marks: single rows, all but some, ranges; what a plan is asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.table.buffer import Buffer
from tui.table.marks import Marks
from tui.table.spec import Key, Row, Spec

KEYS: list[Key] = [("c", "r", str(number)) for number in range(12)]
SPEC = Spec("server", "web", clouds=("c",))


@given(st.lists(st.one_of(st.sampled_from(KEYS), st.sampled_from(["all", "clear"]))))
def test_marks_are_what_a_plain_set_would_be(steps: list[Key | str]) -> None:
    marks, model = Marks(), set[Key]()
    for step in steps:
        if step == "all":
            marks.mark_all(SPEC, len(KEYS))
            model = set(KEYS)
        elif step == "clear":
            marks.clear()
            model = set()
        else:
            assert isinstance(step, tuple)
            marks.toggle(step)
            model ^= {step}
        assert {key for key in KEYS if marks.holds(key)} == model
        assert marks.count == len(model)


def test_all_belongs_to_its_list() -> None:
    marks = Marks()
    marks.mark_all(SPEC, 3)
    marks.leave(Spec("server", "web", (("name", True),), ("c",)))
    assert marks.of is not None  # another order has the same rows
    marks.leave(Spec("server", "db", clouds=("c",)))
    assert not marks


def test_single_marks_outlive_a_filter() -> None:
    marks = Marks({KEYS[0]})
    marks.leave(Spec("server", "db"))
    assert marks.holds(KEYS[0])


def test_targets() -> None:
    assert Marks({KEYS[1], KEYS[0]}).targets() == {"keys": [list(KEYS[0]), list(KEYS[1])]}
    marks = Marks()
    marks.mark_all(SPEC, 12)
    marks.toggle(KEYS[3])
    assert marks.targets() == {"filter": "web", "clouds": ["c"], "minus": [list(KEYS[3])]}


def test_a_range_whose_start_scrolled_away_reaches_to_the_end_of_what_is_here() -> None:
    buffer = Buffer(rows=[Row(key, []) for key in KEYS], cursor=4)
    marks = Marks()
    marks.begin(KEYS[2])
    assert list(marks.stretch(buffer)) == [2, 3, 4]
    buffer.rows, buffer.cursor = buffer.rows[3:], 3
    assert list(marks.stretch(buffer)) == [0, 1, 2, 3]
    marks.begin(KEYS[9])
    buffer.rows, buffer.cursor = [Row(key, []) for key in KEYS], 5
    assert list(marks.stretch(buffer)) == [5, 6, 7, 8, 9]
    buffer.rows = buffer.rows[:8]
    assert list(marks.stretch(buffer)) == [5, 6, 7]
