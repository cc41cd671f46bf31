"""How fast something grows and when it is full. Pure.

A straight line by least squares through one value a day. The interval is that of the slope (80 %, by Student's t): what
the days so far allow to be said, not a promise. With few or scattered days it says so instead of a number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

LEAST_DAYS = 7  # values, and days from the first to the last
FURTHEST = 3650  # days; beyond it "not within ten years" is the honest answer
# Student's t, two-sided 80 %, by degrees of freedom; from 30 on the normal distribution's.
_T80 = (
    3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.350, 1.345, 1.341, 1.337,
    1.333, 1.330, 1.328, 1.325, 1.323, 1.321, 1.319, 1.318, 1.316, 1.315, 1.314, 1.313, 1.311, 1.310,
)  # fmt: skip

Point = tuple[date, float]


@dataclass(frozen=True, slots=True)
class Growth:
    """A line through the days. per_day with its 80 % interval; points used; reason: why there is no line ("" = is)."""

    per_day: float | None = None
    low: float | None = None
    high: float | None = None
    points: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """When a level is reached, in days from the last value.

    days  None = not foreseeable (`reason` says why); 0 = it is reached already
    soonest, latest  with the interval's steepest and flattest slope; latest None = perhaps never
    """

    days: float | None
    soonest: float | None = None
    latest: float | None = None
    reason: str = ""


def growth(points: Sequence[Point]) -> Growth:
    """The line through the points (days in any order; one value a day)."""
    ordered = sorted(points)
    if len(ordered) < LEAST_DAYS or (ordered[-1][0] - ordered[0][0]).days < LEAST_DAYS - 1:
        days = (ordered[-1][0] - ordered[0][0]).days + 1 if ordered else 0
        known = min(days, len(ordered))
        return Growth(points=len(ordered), reason=f"not enough data: {known} of {LEAST_DAYS} days")
    xs = [float((day - ordered[0][0]).days) for day, _ in ordered]
    ys = [value for _, value in ordered]
    n = len(xs)
    mean_x, mean_y = math.fsum(xs) / n, math.fsum(ys) / n
    spread = math.fsum((x - mean_x) ** 2 for x in xs)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    rest = math.fsum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    free = n - 2
    margin = _t80(free) * math.sqrt(max(0.0, rest) / free / spread)
    return Growth(slope, slope - margin, slope + margin, n)


def reach(current: float, level: float, grown: Growth) -> Reach:
    """When a value that is `current` now reaches `level`."""
    if current >= level:
        return Reach(0.0, 0.0, 0.0)
    if grown.per_day is None or grown.low is None or grown.high is None:
        return Reach(None, reason=grown.reason)
    missing = level - current
    if grown.per_day <= 0:
        soonest = missing / grown.high if grown.high > 0 else None
        return Reach(None, soonest if _near(soonest) else None, reason="it does not grow")
    days = missing / grown.per_day
    soonest = missing / grown.high
    latest = missing / grown.low if grown.low > 0 else None
    if days > FURTHEST:
        return Reach(None, soonest if _near(soonest) else None, reason="not within ten years")
    return Reach(days, soonest, latest if _near(latest) else None)


def day_of(found: Reach, last: date) -> date | None:
    """The date of a Reach."""
    return None if found.days is None else last + timedelta(days=math.ceil(found.days))


def trend(values: Sequence[float], *, better_up: bool = True, least: float = 0.1) -> str:
    """ "improving", "declining" or "stable": the slope a step against `least`; "unknown" of fewer than three values."""
    if len(values) < 3:
        return "unknown"
    mean_x, mean_y = (len(values) - 1) / 2, math.fsum(values) / len(values)
    spread = math.fsum((x - mean_x) ** 2 for x in range(len(values)))
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in enumerate(values)) / spread
    if abs(slope) < least:
        return "stable"
    return "improving" if (slope > 0) == better_up else "declining"


def _near(days: float | None) -> bool:
    return days is not None and days <= FURTHEST


def _t80(free: int) -> float:
    return _T80[free - 1] if free <= len(_T80) else 1.2816
