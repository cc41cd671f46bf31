"""When a cloud is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.inventory.schedule import due, last_collected

NOW = datetime(2026, 2, 8, 9, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


CASES: list[tuple[str, dict[str, datetime], dict[str, datetime], bool]] = [
    ("never collected", {}, {}, True),
    ("an hour ago", {"c": minutes(-60)}, {}, True),
    ("a minute ago", {"c": minutes(-1)}, {}, False),
    ("planned for later", {}, {"c": minutes(3)}, False),
    ("planned for now", {}, {"c": minutes(0)}, True),
    ("the clock was set back", {"c": minutes(600)}, {}, True),
    ("the interval was shortened", {"c": minutes(-20)}, {"c": minutes(200)}, True),
]


@pytest.mark.parametrize(("name", "last", "planned", "now"), CASES, ids=[case[0] for case in CASES])
def test_due(name: str, last: dict[str, datetime], planned: dict[str, datetime], now: bool) -> None:
    found = due(["c"], last, planned, NOW, QUARTER)
    assert (found.now == ("c",)) is now
    assert found.next["c"] > NOW


def test_the_next_time_is_spread_around_the_interval() -> None:
    early = due(["c"], {}, {}, NOW, QUARTER, spread=lambda: 0.0).next["c"]
    late = due(["c"], {}, {}, NOW, QUARTER, spread=lambda: 1.0).next["c"]
    assert (early, late) == (minutes(13.5), minutes(16.5))


def test_a_cloud_that_is_gone_is_not_planned() -> None:
    assert due([], {"c": minutes(-60)}, {"c": minutes(1)}, NOW, QUARTER) == due([], {}, {}, NOW, QUARTER)


def test_the_stalest_list_counts() -> None:
    states = [
        {"cloud": "a", "ended_at": minutes(-5)},
        {"cloud": "a", "ended_at": minutes(-50)},
        {"cloud": "b", "ended_at": None},
    ]
    assert last_collected(states) == {"a": minutes(-50)}
