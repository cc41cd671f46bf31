"""The health of a tenant: one formula, 100 less deductions, each with its reason. Pure.

| Deduction | Per unit | At most |
|---|---|---|
| servers in ERROR | 10 | 20 |
| servers SHUTOFF | 2 | 10 |
| volumes in error | 5 | 15 |
| snapshots in error | 5 | 10 |
| compliance below 100 % | 0.2 a point | 20 |
| critical drift | 5 | 15 |
| warning drift | 2 | 10 |

Everything that is counted can go back: states are those of now, compliance is the latest, drift is that of a window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["healthy", "warning", "critical"]
HEALTHY, WARNING = 80, 50
MACHINES, VOLUMES = 0.6, 0.4  # weights of the heatmap


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that is counted: points a unit and at most, in words for one and several, and the list behind it."""

    name: str
    each: int
    most: int
    one: str
    many: str
    type: str
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Deduction:
    """Points taken, from how many of what (None: no count), and why in words."""

    name: str
    count: int | None
    points: float
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """The score (0 to 100), its band, and the deductions that were not 0."""

    score: int
    status: Status
    deductions: tuple[Deduction, ...]


# A state is compared without regard to case, as the filters do.
COUNTED: tuple[Counted, ...] = (
    Counted("error_servers", 10, 20, "server in ERROR", "servers in ERROR", "server", "status:error"),
    Counted("shutoff_servers", 2, 10, "server SHUTOFF", "servers SHUTOFF", "server", "status:shutoff"),
    Counted("error_volumes", 5, 15, "volume in error", "volumes in error", "volume", "status:~^error"),
    Counted("error_snapshots", 5, 10, "snapshot in error", "snapshots in error", "snapshot", "status:~^error"),
    Counted("critical_drift_events", 5, 15, "critical drift event", "critical drift events", "drift", "critical"),
    Counted("warning_drift_events", 2, 10, "warning drift event", "warning drift events", "drift", "warning"),
)
COMPLIANCE_POINT, COMPLIANCE_MOST = 0.2, 20.0


def health(row: Mapping[str, Any]) -> Health:
    """Score of a tenant: counts by the names of COUNTED (absent or None = not known, nothing is taken), and
    compliance_pct (None = nothing to comply with)."""
    taken: list[Deduction] = []
    for counted in COUNTED:
        count = row.get(counted.name) or 0
        points = min(counted.most, counted.each * count)
        if points:
            words = counted.one if count == 1 else counted.many
            capped = f", at most {counted.most}" if counted.each * count > counted.most else ""
            taken.append(
                Deduction(counted.name, count, float(points), f"{count} {words} ({counted.each} each{capped})")
            )
    compliance = row.get("compliance_pct")
    if compliance is not None and compliance < 100:
        lost = round(min(COMPLIANCE_MOST, COMPLIANCE_POINT * (100 - compliance)), 2)
        if lost:
            taken.append(Deduction("compliance", None, lost, f"snapshot compliance {compliance:g} % (0.2 a point)"))
    score = score_of(sum(one.points for one in taken))
    return Health(score, status(score), tuple(taken))


def score_of(points: float) -> int:
    """100 less the points, rounded half up, within 0 and 100."""
    return max(0, min(100, int(100 - points + 0.5)))


def status(score: int) -> Status:
    """healthy from 80, warning from 50, else critical."""
    return "healthy" if score >= HEALTHY else "warning" if score >= WARNING else "critical"


def power_on(active: int, total: int) -> float:
    """Percent of the servers that run, to two digits; 0 without servers."""
    return round(100.0 * active / total, 2) if total else 0.0


def utilization(active: int, servers: int, in_use: int, volumes: int) -> float:
    """60 % of the share of servers that run and 40 % of the share of volumes in use; a share of none is 0."""
    machines = 100.0 * active / servers if servers else 0.0
    disks = 100.0 * in_use / volumes if volumes else 0.0
    return round(MACHINES * machines + VOLUMES * disks, 1)


def summary(scores: Iterable[int]) -> dict[str, Any]:
    """The bands counted, and the mean score to one digit."""
    known = list(scores)
    bands = [status(score) for score in known]
    return {
        "total_tenants": len(known),
        **{band: bands.count(band) for band in ("healthy", "warning", "critical")},
        "avg_health_score": round(sum(known) / len(known), 1) if known else None,
    }
