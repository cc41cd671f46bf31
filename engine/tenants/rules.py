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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["healthy", "warning", "critical"]
HEALTHY, WARNING = 80, 50
MACHINES, VOLUMES = 0.6, 0.4  # weights of the heatmap


@dataclass(frozen=True, slots=True)
class Deduction:
    """Points taken, from what, and why in words. `filter` and `type` lead to the list behind it."""

    name: str
    points: float
    reason: str
    type: str | None = None
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The score (0 to 100), its band, and the deductions that were not 0."""

    score: int
    status: Status
    deductions: tuple[Deduction, ...]


# name, points a unit, most, words for one, type and filter of the list behind it
_COUNTED: tuple[tuple[str, int, int, str, str, str], ...] = (
    ("error_servers", 10, 20, "server in ERROR", "server", "status:error"),
    ("shutoff_servers", 2, 10, "server SHUTOFF", "server", "status:shutoff"),
    ("error_volumes", 5, 15, "volume in error", "volume", "status:~^error"),
    ("error_snapshots", 5, 10, "snapshot in error", "snapshot", "status:~^error"),
    ("critical_drift_events", 5, 15, "critical drift event", "drift", "severity:critical"),
    ("warning_drift_events", 2, 10, "warning drift event", "drift", "severity:warning"),
)
_COMPLIANCE_POINT, _COMPLIANCE_MOST = 0.2, 20.0


def health(row: Mapping[str, Any]) -> Health:
    """Score of a tenant: counts by the names of the table (absent or None = not known, nothing is taken), and
    compliance_pct (None = nothing to comply with)."""
    taken: list[Deduction] = []
    for name, each, most, words, type, filter in _COUNTED:
        count = row.get(name) or 0
        points = min(most, each * count)
        if points:
            first, _, rest = words.partition(" ")
            noun = words if count == 1 else words.replace("event", "events") if "drift" in words else f"{first}s {rest}"
            capped = f", at most {most}" if each * count > most else ""
            taken.append(Deduction(name, float(points), f"{count} {noun} ({each} each{capped})", type, filter))
    compliance = row.get("compliance_pct")
    if compliance is not None and compliance < 100:
        points_ = round(min(_COMPLIANCE_MOST, _COMPLIANCE_POINT * (100 - compliance)), 2)
        taken.append(Deduction("compliance", points_, f"snapshot compliance {compliance:g} % (0.2 a point)"))
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
