"""Growth and when a level is reached: cases worked out by hand, and what holds for all series."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dashboard import forecast

TODAY = date(2026, 11, 20)


def series(*values: float) -> list[forecast.Point]:
    return [(TODAY - timedelta(days=len(values) - 1 - index), value) for index, value in enumerate(values)]


def test_a_straight_line_is_certain() -> None:
    grown = forecast.growth(series(*(50.0 + 2 * n for n in range(10))))
    assert (grown.per_day, grown.points, grown.reason) == (2.0, 10, "")
    assert grown.low == pytest.approx(2.0) and grown.high == pytest.approx(2.0)
    found = forecast.reach(68.0, 80.0, grown)
    assert (found.days, found.soonest, found.latest) == pytest.approx((6.0, 6.0, 6.0))
    assert forecast.day_of(found, TODAY) == TODAY + timedelta(days=6)


def test_a_scattered_line_has_an_interval() -> None:
    # Spread 28, 5 degrees of freedom, of which t at 80 % is 1.476.
    grown = forecast.growth(series(1, 0, 3, 2, 5, 4, 7))
    assert grown.per_day == pytest.approx(1.0)
    mean = 22 / 7
    rest = sum((y - mean - (x - 3)) ** 2 for x, y in enumerate((1, 0, 3, 2, 5, 4, 7)))
    margin = 1.476 * (rest / 5 / 28) ** 0.5
    assert grown.low == pytest.approx(1 - margin) and grown.high == pytest.approx(1 + margin)
    found = forecast.reach(7, 80, grown)
    assert found.soonest is not None and found.days is not None and found.latest is not None
    assert found.soonest < found.days < found.latest


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([], "not enough data: 0 of 7 days"),
        (series(1, 2, 3), "not enough data: 3 of 7 days"),
        (series(1, 2, 3, 4, 5, 6), "not enough data: 6 of 7 days"),
        ([(TODAY - timedelta(days=20), 1.0), (TODAY, 9.0)], "not enough data: 2 of 7 days"),
    ],
)
def test_too_few_days(points: list[forecast.Point], reason: str) -> None:
    grown = forecast.growth(points)
    assert (grown.per_day, grown.reason) == (None, reason)
    assert forecast.reach(50, 80, grown) == forecast.Reach(None, reason=reason)
    assert forecast.reach(81, 80, grown).days == 0, "what is reached needs no forecast"


@pytest.mark.parametrize(
    ("values", "reason"),
    [((50.0,) * 9, "it does not grow"), (tuple(60.0 - n for n in range(9)), "it does not grow"),
     (tuple(50 + n / 1000 for n in range(9)), "not within ten years")],
)  # fmt: skip
def test_what_is_never_reached(values: tuple[float, ...], reason: str) -> None:
    found = forecast.reach(values[-1], 90, forecast.growth(series(*values)))
    assert (found.days, found.latest, found.reason) == (None, None, reason)
    assert forecast.day_of(found, TODAY) is None


VALUES = st.lists(st.floats(0, 100, allow_nan=False).map(lambda value: round(value, 2)), min_size=7, max_size=60)


@given(VALUES, st.floats(0, 120).map(lambda value: round(value, 2)), st.randoms())
def test_the_interval_holds_the_answer_whatever_the_order(values: list[float], level: float, chance: object) -> None:
    points = series(*values)
    grown = forecast.growth(points)
    shuffled = list(points)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert forecast.growth(shuffled) == grown
    assert grown.low is not None and grown.per_day is not None and grown.high is not None
    assert grown.low <= grown.per_day <= grown.high
    found = forecast.reach(values[-1], level, grown)
    if found.days is None:
        assert found.reason and found.latest is None
    elif found.days == 0:
        assert values[-1] >= level
    else:
        assert found.soonest is not None and found.soonest <= found.days
        assert found.latest is None or found.latest >= found.days


@pytest.mark.parametrize(
    ("values", "expected"),
    [((), "unknown"), ((1, 2), "unknown"), ((80, 80, 80.1), "stable"), ((80, 85, 90), "improving"),
     ((90, 85, 80), "declining")],
)  # fmt: skip
def test_trend(values: tuple[float, ...], expected: str) -> None:
    assert forecast.trend(values) == expected


def test_trend_of_what_should_be_small() -> None:
    assert forecast.trend((1, 2, 3), better_up=False) == "declining"
