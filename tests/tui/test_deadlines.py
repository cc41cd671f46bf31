"""Words for times to come."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.deadlines import parse
from tui.times import TimeError

NOW = datetime(2026, 11, 24, 14, 30, tzinfo=timezone(timedelta(hours=1)))  # a Tuesday


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("2h", NOW + timedelta(hours=2)),
        ("in 90m", NOW + timedelta(minutes=90)),
        ("1.5d", NOW + timedelta(hours=36)),
        ("18:00", NOW.replace(hour=18, minute=0)),
        ("9:00", NOW.replace(day=25, hour=9, minute=0)),
        ("today 15:00", NOW.replace(hour=15, minute=0)),
        ("Tomorrow", NOW.replace(day=25, hour=9, minute=0)),
        ("tomorrow 7:15", NOW.replace(day=25, hour=7, minute=15)),
        ("friday", NOW.replace(day=27, hour=9, minute=0)),
        ("tue 8:00", NOW + timedelta(days=7) - timedelta(hours=6, minutes=30)),
        ("2026-12-01T00:00Z", datetime.fromisoformat("2026-12-01T00:00+00:00")),
        ("2026-12-01", datetime(2026, 12, 1, tzinfo=NOW.tzinfo)),
    ],
)
def test_times(words: str, expected: datetime) -> None:
    assert parse(words, NOW) == expected


@pytest.mark.parametrize("words", ["", "soon", "25:00", "today 14:00", "2020-01-01", "0h", "tomorrow noon", "999999w"])
def test_what_is_no_time_to_come_is_refused(words: str) -> None:
    with pytest.raises(TimeError):
        parse(words, NOW)


@given(st.text(max_size=20))
def test_any_text_is_a_time_to_come_or_refused(words: str) -> None:
    with contextlib.suppress(TimeError):
        assert parse(words, NOW) > NOW
