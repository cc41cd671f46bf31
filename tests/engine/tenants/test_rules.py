"""The score: a table of cases for every deduction, and what holds for all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tenants import rules

FULL: dict[str, Any] = {
    "error_servers": 99, "shutoff_servers": 99, "error_volumes": 99, "error_snapshots": 99,
    "critical_drift_events": 99, "warning_drift_events": 99, "compliance_pct": 0.0,
}  # fmt: skip
CASES: list[tuple[dict[str, Any], int, str]] = [
    ({}, 100, "healthy"),
    ({"compliance_pct": None}, 100, "healthy"),
    ({"compliance_pct": 100.0}, 100, "healthy"),
    ({"error_servers": 1}, 90, "healthy"),
    ({"error_servers": 2}, 80, "healthy"),
    ({"error_servers": 3}, 80, "healthy"),
    ({"shutoff_servers": 4}, 92, "healthy"),
    ({"shutoff_servers": 6}, 90, "healthy"),
    ({"error_volumes": 2}, 90, "healthy"),
    ({"error_volumes": 4}, 85, "healthy"),
    ({"error_snapshots": 1}, 95, "healthy"),
    ({"error_snapshots": 3}, 90, "healthy"),
    ({"critical_drift_events": 2}, 90, "healthy"),
    ({"critical_drift_events": 4}, 85, "healthy"),
    ({"warning_drift_events": 3}, 94, "healthy"),
    ({"warning_drift_events": 9}, 90, "healthy"),
    ({"compliance_pct": 97.5}, 100, "healthy"),  # half a point goes to the tenant
    ({"compliance_pct": 97.4}, 99, "healthy"),
    ({"compliance_pct": 87.5}, 98, "healthy"),
    ({"compliance_pct": 0.0}, 80, "healthy"),
    ({"error_servers": 2, "warning_drift_events": 1}, 78, "warning"),
    ({"error_servers": 2, "error_volumes": 3, "error_snapshots": 2, "warning_drift_events": 2}, 51, "warning"),
    ({"error_servers": 2, "error_volumes": 3, "critical_drift_events": 3}, 50, "warning"),
    ({"compliance_pct": 99.9999}, 100, "healthy"),
    ({"error_servers": 2, "error_volumes": 3, "critical_drift_events": 3, "compliance_pct": 95.0}, 49, "critical"),
    (FULL, 0, "critical"),
]


@pytest.mark.parametrize(("row", "score", "band"), CASES, ids=str)
def test_score(row: dict[str, Any], score: int, band: str) -> None:
    found = rules.health(row)
    assert (found.score, found.status) == (score, band)
    assert rules.score_of(sum(one.points for one in found.deductions)) == score


def test_every_deduction_says_why() -> None:
    row = {"error_servers": 3, "shutoff_servers": 1, "critical_drift_events": 2, "compliance_pct": 87.5}
    assert [(one.name, one.count, one.points, one.reason) for one in rules.health(row).deductions] == [
        ("error_servers", 3, 20.0, "3 servers in ERROR (10 each, at most 20)"),
        ("shutoff_servers", 1, 2.0, "1 server SHUTOFF (2 each)"),
        ("critical_drift_events", 2, 10.0, "2 critical drift events (5 each)"),
        ("compliance", None, 2.5, "snapshot compliance 87.5 % (0.2 a point)"),
    ]


COUNTS = st.fixed_dictionaries(
    {one.name: st.integers(0, 40) for one in rules.COUNTED}
    | {"compliance_pct": st.one_of(st.none(), st.floats(0, 100, allow_nan=False))}
)


@given(COUNTS, st.sampled_from(rules.COUNTED))
def test_more_of_what_is_wrong_is_never_better_and_less_recovers(row: dict[str, Any], counted: rules.Counted) -> None:
    before = rules.health(row)
    worse = rules.health({**row, counted.name: row[counted.name] + 1})
    assert 0 <= worse.score <= before.score <= 100
    assert all(one.points > 0 for one in before.deductions)
    recovered = rules.health({**dict.fromkeys(row, 0), "compliance_pct": None})
    assert (recovered.score, recovered.deductions) == (100, ())


@pytest.mark.parametrize(
    ("active", "servers", "in_use", "volumes", "expected"),
    [(0, 0, 0, 0, 0.0), (8, 10, 15, 15, 88.0), (10, 10, 0, 0, 60.0), (0, 0, 3, 3, 40.0), (1, 3, 1, 3, 33.3),
     (10, 10, 10, 10, 100.0)],
)  # fmt: skip
def test_utilization(active: int, servers: int, in_use: int, volumes: int, expected: float) -> None:
    assert rules.utilization(active, servers, in_use, volumes) == expected


def test_power_on_and_summary() -> None:
    assert (rules.power_on(22, 24), rules.power_on(0, 0)) == (91.67, 0.0)
    assert rules.summary([100, 80, 79, 50, 49]) == {
        "total_tenants": 5, "healthy": 2, "warning": 2, "critical": 1, "avg_health_score": 71.6,
    }  # fmt: skip
    assert rules.summary([])["avg_health_score"] is None
