"""Time words: what each form means, seen from one Wednesday afternoon."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.times import TimeError, age, parse

NOW = datetime(2026, 11, 25, 15, 30, tzinfo=UTC)  # A Wednesday.


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("now", "2026-11-25T15:30"),
        ("14:00", "2026-11-25T14:00"),
        ("16:00", "2026-11-24T16:00"),
        ("yesterday", "2026-11-24T00:00"),
        ("Yesterday  14:00", "2026-11-24T14:00"),
        ("today 9:05", "2026-11-25T09:05"),
        ("tuesday 9:30", "2026-11-24T09:30"),
        ("tue 9:30", "2026-11-24T09:30"),
        ("wednesday", "2026-11-18T00:00"),
        ("2h ago", "2026-11-25T13:30"),
        ("90m", "2026-11-25T14:00"),
        ("3 days ago", "2026-11-22T15:30"),
        ("1.5 hours", "2026-11-25T14:00"),
        ("2026-11-20", "2026-11-20T00:00"),
        ("2026-11-20T08:00:00Z", "2026-11-20T08:00"),
        ("2026-11-20T08:00:00+02:00", "2026-11-20T06:00"),
    ],
)
def test_words_name_an_instant(words: str, expected: str) -> None:
    assert parse(words, NOW) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "words", ["", "soon", "25:00", "tu", "yesterday noon", "2026-13-01", "9" * 400 + "d", "14:00:99"]
)
def test_other_words_are_refused_with_examples(words: str) -> None:
    with pytest.raises(TimeError, match="yesterday 14:00"):
        parse(words, NOW)


@given(st.text(max_size=30))
def test_any_text_is_an_instant_or_refused(words: str) -> None:
    with contextlib.suppress(TimeError):
        assert parse(words, NOW).tzinfo is not None


@given(st.integers(min_value=0, max_value=10**9))
def test_a_shown_time_reads_back(seconds: int) -> None:
    moment = NOW - timedelta(seconds=seconds)
    assert parse(moment.isoformat(), NOW) == moment


@given(st.floats(min_value=-1e6, max_value=3e9))
def test_ages_are_short(seconds: float) -> None:
    assert 2 <= len(age(seconds)) <= 4
