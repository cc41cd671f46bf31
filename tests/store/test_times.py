"""Times in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import times

CASES = [
    ("2026-02-08T09:00:00Z", datetime(2026, 2, 8, 9, tzinfo=UTC)),
    ("2026-02-08T09:00:00", datetime(2026, 2, 8, 9, tzinfo=UTC)),
    ("2026-02-08T10:00:00+01:00", datetime(2026, 2, 8, 9, tzinfo=UTC)),
    ("2026-02-08T09:00:00.250000Z", datetime(2026, 2, 8, 9, 0, 0, 250000, tzinfo=UTC)),
    (" 2026-02-08 ", datetime(2026, 2, 8, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "value"), CASES)
def test_parse(text: str, value: datetime) -> None:
    assert times.parse(text) == value
    assert times.parse(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00+10:00", None, 5])
def test_what_is_no_time_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match="2026-02-08T09:00:00Z"):
        times.parse(text)  # type: ignore[arg-type]


def test_text_shows_microseconds_only_when_there_are_any() -> None:
    assert times.text(datetime(2026, 2, 8, 9, tzinfo=UTC)) == "2026-02-08T09:00:00Z"
    assert times.text(datetime(2026, 2, 8, 9, 0, 0, 5, tzinfo=UTC)) == "2026-02-08T09:00:00.000005Z"
    assert times.text(datetime(2026, 2, 8, 10, tzinfo=timezone(timedelta(hours=1)))) == "2026-02-08T09:00:00Z"
    assert times.text(datetime(2026, 2, 8, 9)) == "2026-02-08T09:00:00Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_round_trips(value: datetime) -> None:
    assert times.parse(times.text(value)) == value
    assert times.from_micros(times.micros(value)) == value
    assert times.micros(times.naive(value)) == times.micros(value)


def test_now_is_aware() -> None:
    assert times.utcnow().utcoffset() == timedelta(0)
