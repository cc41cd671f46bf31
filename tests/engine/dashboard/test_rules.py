"""The dashboard's formulas: a table of cases for each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dashboard import rules

ALLOCATION = "allocation: what machines were promised, not what they use"


@pytest.mark.parametrize(
    ("percents", "expected"),
    [((), "ok"), ((None, None), "ok"), ((70.0,), "ok"), ((70.1, 3.0), "warning"), ((85.0, None), "warning"),
     ((85.1,), "critical"), ((10.0, 99.0), "critical")],
)  # fmt: skip
def test_level(percents: tuple[float | None, ...], expected: str) -> None:
    assert rules.level(*percents) == expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(1, 3, 33.3), (0, 5, 0.0), (5, 0, None), (None, 5, None), (5, None, None), (7, 5, 140.0)],
)
def test_percent(part: float | None, whole: float | None, expected: float | None) -> None:
    assert rules.percent(part, whole) == expected


def test_mean_of_the_known_ones() -> None:
    assert (rules.mean([1.0, None, 4.0]), rules.mean([None]), rules.mean([])) == (2.5, None, None)


@pytest.mark.parametrize(
    ("volumes", "uncovered", "stale", "expected"),
    [(0, 0, 0, None), (4, 0, 0, 0.0), (4, 1, 2, 50.0), (4, 4, 0, 100.0), (3, 1, 0, 33.3)],
)
def test_missing_snapshots(volumes: int, uncovered: int, stale: int, expected: float | None) -> None:
    assert rules.missing_snapshots(volumes, uncovered, stale) == expected


@pytest.mark.parametrize(
    ("factors", "score", "level"),
    [
        ({}, None, "unknown"),
        ({"missing_snapshots": None}, None, "unknown"),
        ({"missing_snapshots": 40.0, "overutilization": None, "cost_trend": None}, 40, "medium"),
        ({"missing_snapshots": 40.0, "overutilization": 70.0, "cost_trend": 80.0}, 57, "medium"),
        ({"missing_snapshots": 100.0, "overutilization": 100.0}, 100, "high"),
        ({"missing_snapshots": 0.0, "overutilization": 100.0}, 38, "low"),
        ({"overutilization": 70.0}, 70, "high"),
    ],
)
def test_risk(factors: dict[str, float | None], score: int | None, level: str) -> None:
    assert (rules.risk_score(factors), rules.risk_level(rules.risk_score(factors))) == (score, level)


@given(st.dictionaries(st.sampled_from(sorted(rules.RISK_WEIGHTS)), st.floats(0, 100), min_size=1))
def test_risk_lies_between_its_factors(factors: dict[str, float]) -> None:
    score = rules.risk_score(factors)
    assert score is not None
    assert min(factors.values()) - 0.5 <= score <= max(factors.values()) + 0.5


@pytest.mark.parametrize(
    ("start", "current", "days", "expected"),
    [
        (138, 145, 7, {"current": 145, "start": 138, "change": 7, "change_percent": 5.1, "velocity_per_day": 1.0}),
        (0, 5, 7, {"current": 5, "start": 0, "change": 5, "change_percent": None, "velocity_per_day": 0.71}),
        (5, 5, 0, {"current": 5, "start": 5, "change": 0, "change_percent": 0.0, "velocity_per_day": None}),
        (None, 5, 7, {"current": 5, "start": None, "change": None, "change_percent": None, "velocity_per_day": None}),
    ],
)
def test_change(start: float | None, current: float, days: float, expected: dict[str, Any]) -> None:
    assert rules.change(start, current, days) == expected


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ({"total_gb": 1000.0, "free_gb": 175.0, "volume_gb": 5}, 82.5),
        ({"total_gb": 1000.0, "free_gb": None, "volume_gb": 500}, 50.0),
        ({"total_gb": 1000.0, "free_gb": 0.0, "volume_gb": 0}, 100.0),
    ],
)
def test_pool_used(pool: dict[str, Any], expected: float) -> None:
    assert rules.pool_used(pool) == expected


def host(vcpus: int | None, used: int | None, memory: int, memory_used: int | None) -> dict[str, Any]:
    """A host with machines of 16 vCPUs and 9 MiB."""
    return {"vcpus": vcpus, "vcpus_used": used, "vm_vcpus": 16, "memory_mb": memory, "memory_mb_used": memory_used,
            "vm_ram_mb": 9}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (host(64, 32, 100, 30), (50.0, 30.0)),
        (host(64, None, 100, None), (25.0, 9.0)),
        (host(None, None, 0, 0), (None, None)),
    ],
)
def test_allocated(row: dict[str, Any], expected: tuple[float | None, float | None]) -> None:
    assert rules.allocated(row) == expected


def test_promised_vcpus_alone_are_no_alarm() -> None:
    assert (rules.allocation_level(50.0), rules.allocation_level(90.0), rules.allocation_level(None)) == (
        "ok", "critical", "ok",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("days", "reason", "expected"),
    [(45.2, "", "45 days"), (0.2, "", "1 day"), (0.0, "", "full"), (None, "it does not grow", "it does not grow")],
)
def test_in_words(days: float | None, reason: str, expected: str) -> None:
    assert rules.in_words(days, reason) == expected


P, N = {"prometheus": True, "nova": True}, {"prometheus": False, "nova": False}


@pytest.mark.parametrize(
    ("wanted", "configured", "known", "failures", "source", "said"),
    [
        ("auto", True, P, {}, "prometheus", "measured by Prometheus"),
        ("auto", False, P, {}, "nova", "measured by Nova's diagnostics: what machines use, added up by host"),
        ("auto", True, {"nova": True}, {"prometheus": "it refused"}, "nova", "(Prometheus: it refused)"),
        ("auto", False, N, {}, "allocation", f"{ALLOCATION} (Nova: no measurement yet)"),
        ("auto", True, N, {"nova": "403"}, "allocation", "(Prometheus: no measurement yet; Nova: 403)"),
        ("prometheus", True, N, {"prometheus": "down"}, "allocation", f"{ALLOCATION} (Prometheus: down)"),
        ("prometheus", False, P, {}, "allocation", f"{ALLOCATION} (metrics.prometheus_url is not set)"),
        ("nova", True, P, {}, "nova", "measured by Nova's diagnostics"),
        ("allocation", True, P, {}, "allocation", ALLOCATION),
    ],
)  # fmt: skip
def test_source(
    wanted: str, configured: bool, known: dict[str, bool], failures: dict[str, str], source: str, said: str
) -> None:
    found, sentence = rules.choose_source(wanted, configured, known, failures)
    assert found == source and said in sentence
    assert sentence == said or said.startswith("(") or wanted == "nova"
