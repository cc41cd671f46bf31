"""The formulas of the dashboard's numbers; each has one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

Level = Literal["ok", "warning", "critical"]
WARNING, CRITICAL = 70.0, 85.0  # percent of hosts, machines and pools, above which they are so

# Risk of a tenant: how much each factor weighs; factors that are not known leave their weight to the others.
RISK_WEIGHTS: Mapping[str, float] = {"missing_snapshots": 0.5, "overutilization": 0.3, "cost_trend": 0.2}
RISK_HIGH, RISK_MEDIUM = 70, 40


def level(*percents: float | None) -> Level:
    """The worst of the percentages that are known."""
    known = [percent for percent in percents if percent is not None]
    worst = max(known, default=0.0)
    return "critical" if worst > CRITICAL else "warning" if worst > WARNING else "ok"


def percent(part: float | None, whole: float | None, digits: int = 1) -> float | None:
    """100 x part / whole; None when there is no whole, or one of them is not known."""
    if part is None or not whole:
        return None
    return round(100.0 * part / whole, digits)


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of the known ones, to one digit; None of none."""
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 1) if known else None


def missing_snapshots(volumes: int, uncovered: int, stale: int) -> float | None:
    """100 x (uncovered + half of the stale) / volumes, at most 100; None without volumes."""
    if not volumes:
        return None
    return round(min(100.0, 100.0 * (uncovered + 0.5 * stale) / volumes), 1)


def risk_score(factors: Mapping[str, float | None]) -> int | None:
    """The weighted mean of the known factors (0 to 100); None when none is known."""
    known = {name: value for name, value in factors.items() if value is not None}
    if not known:
        return None
    weight = sum(RISK_WEIGHTS[name] for name in known)
    return round(sum(RISK_WEIGHTS[name] * value for name, value in known.items()) / weight)


def risk_level(score: int | None) -> str:
    """low, medium from 40, high from 70."""
    if score is None:
        return "unknown"
    return "high" if score >= RISK_HIGH else "medium" if score >= RISK_MEDIUM else "low"


def sla_percent(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Share of governed volumes that keep their promise; None when nothing is governed."""
    return percent(sum(row["compliant"] for row in rows), sum(row["governed"] for row in rows))


def change(start: float | None, current: float | None, days: float) -> dict[str, Any]:
    """What became of a number: {current, start, change, change_percent, velocity_per_day}; None where not known."""
    if start is None or current is None:
        return {"current": current, "start": start, "change": None, "change_percent": None, "velocity_per_day": None}
    moved = current - start
    return {
        "current": current,
        "start": start,
        "change": moved,
        "change_percent": percent(moved, start),
        "velocity_per_day": round(moved / days, 2) if days else None,
    }


def pool_used(pool: Mapping[str, Any]) -> float | None:
    """Percent of a pool that is full: by what it says is free, else by the sizes of its volumes."""
    if pool["free_gb"] is not None:
        return percent(pool["total_gb"] - pool["free_gb"], pool["total_gb"])
    return percent(pool["volume_gb"], pool["total_gb"])
