"""The filter grammar over rows in memory."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.filter_rows import passes, problem
from store.filters import FilterError, parse

NOW = datetime(2026, 2, 8, 12, tzinfo=UTC)
ROW = {"at": "2026-02-08T09:00:00Z", "who": "Anna", "ticket": "CHG42", "status": 202, "cloud": None, "target": "web-3"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", True),
        ("anna", True),
        ("anna bob", False),
        ("anna or bob", True),
        ("!anna", False),
        ("who:ann", True),
        ("who:=ann", False),
        ("who:=anna", True),
        ("who:bob,anna", True),
        ("!who:bob (ticket:CHG1 or ticket:CHG42)", True),
        ("ticket:~^chg\\d+$", True),
        ("ticket:~(", False),
        ("cloud:none", True),
        ("cloud:any", False),
        ("ticket:any", True),
        ("status:>=200 status:<300", True),
        ("status:300..", False),
        ("status:200..202", True),
        ("age:<4h", True),
        ("age:<2h", False),
        ("age:>2h", True),
        ("age:soon", False),
        ("at:>2026-02-08T08:00:00Z", True),
        ("at:2026-02-08T08:00:00Z..2026-02-08T08:30:00Z", False),
        ("cloud:>1", False),
        ("target:>web-2", True),
    ],
)
def test_rows(text: str, wanted: bool) -> None:
    assert passes(parse(text), ROW, NOW) is wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [("", ""), ("who:x age:<2h", ""), ("(", "closed"), ("nope:1", "no column nope"), ("who:~(", "no regular")],
)
def test_problems(text: str, words: str) -> None:
    found = problem(text, tuple(ROW))
    assert (words in found) and bool(found) == bool(words)


@given(st.text(max_size=40))
def test_any_filter_that_can_be_read_is_answered(text: str) -> None:
    try:
        tree = parse(text)
    except FilterError:
        return
    assert passes(tree, ROW, NOW) in (True, False)
