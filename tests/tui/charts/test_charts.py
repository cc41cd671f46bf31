"""Bars, sparklines and shades: exact widths, honest ends, and nothing that only colour tells."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.charts import bars, heat, sparklines

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=32)
COURSES = st.lists(st.one_of(st.none(), NUMBERS), max_size=200)


@pytest.mark.parametrize(
    ("percent", "drawn"),
    [
        (0, "░░░░░░░░░░"),
        (0.01, "▌░░░░░░░░░"),
        (50, "█████░░░░░"),
        (71, "███████░░░"),
        (75, "███████▌░░"),
        (99.9, "█████████▌"),
        (100, "██████████"),
        (140, "██████████"),
        (-3, "░░░░░░░░░░"),
        (None, "··········"),
        (math.nan, "··········"),
    ],
)
def test_a_bar(percent: float | None, drawn: str) -> None:
    assert bars.bar(percent, 10) == drawn


@settings(deadline=None)  # others work on the machine too
@given(st.one_of(st.none(), NUMBERS), st.integers(-3, 80))
def test_a_bar_has_its_width(percent: float | None, cells: int) -> None:
    assert len(bars.bar(percent, cells)) == max(0, cells)


@pytest.mark.parametrize(
    ("percent", "level"), [(None, "none"), (0, "ok"), (70, "ok"), (70.1, "warn"), (85, "warn"), (85.1, "bad")]
)
def test_levels_of_a_bar(percent: float | None, level: str) -> None:
    assert bars.level(percent) == level


def test_numbers() -> None:
    assert [bars.number(71.4), bars.number(94.15, 1), bars.number(None), bars.number(math.nan)] == [
        "71%", "94.2%", "?", "?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "cells", "drawn"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], 8, "▁▂▃▄▅▆▇█"),
        ([5, 5, 5], 8, "▄▄▄"),
        ([0, None, 10], 3, "▁·█"),
        ([1, 1, 9, 9], 2, "▁█"),
        ([None, None], 2, ""),
        ([], 5, ""),
        ([3], 0, ""),
    ],
)
def test_a_sparkline(values: list[float | None], cells: int, drawn: str) -> None:
    assert sparklines.sparkline(values, cells) == drawn


def test_a_sparkline_with_ends_of_its_own() -> None:
    assert sparklines.sparkline([50, 50], 2, 0, 100) == "▅▅"
    assert sparklines.sparkline([-5, 500], 2, 0, 100) == "▁█"


@pytest.mark.parametrize(
    ("values", "left"), [([None, None, 1, None, 2], [1, None, 2]), ([None], []), ([], []), ([0, None], [0, None])]
)
def test_what_was_not_watched_yet_is_not_drawn(values: list[float | None], left: list[float | None]) -> None:
    assert list(sparklines.since_known(values)) == left


def test_columns_over_several_lines() -> None:
    assert sparklines.columns([0, 50, 100], 3, 2, 0, 100) == [" ▁█", "▁██"]


@settings(deadline=None)  # others work on the machine too
@given(COURSES, st.integers(0, 60), st.integers(0, 5))
def test_columns_fit(values: list[float | None], cells: int, rows: int) -> None:
    drawn = sparklines.columns(values, cells, rows)
    assert len(drawn) in (0, rows)
    assert all(len(line) == min(cells, len(values)) for line in drawn)


@settings(deadline=None)  # others work on the machine too
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=100), st.integers(1, 50))
def test_a_mean_lies_between_least_and_most(values: list[float], cells: int) -> None:
    fitted = sparklines.fitted(values, cells)
    room = 1e-6 * max(1.0, *map(abs, values))
    assert all(min(values) - room <= value <= max(values) + room for value in fitted if value is not None)


@pytest.mark.parametrize(
    ("values", "arrow"), [([1, 2], "↑"), ([2, None, 1], "↓"), ([1000, 1000.5], "→"), ([1], ""), ([], ""), ([0, 0], "→")]
)
def test_arrows(values: list[float | None], arrow: str) -> None:
    assert sparklines.arrow(values) == arrow


@pytest.mark.parametrize(
    ("percent", "shade"), [(None, "?"), (0, " "), (0.1, "░"), (25, "░"), (26, "▒"), (60, "▓"), (99, "█"), (100, "█")]
)
def test_shades(percent: float | None, shade: str) -> None:
    assert heat.shade(percent) == shade


@settings(deadline=None)  # others work on the machine too
@given(st.floats(0, 100), st.floats(0, 100))
def test_fuller_is_never_lighter(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert heat.SHADES.index(heat.shade(low)) <= heat.SHADES.index(heat.shade(high))
