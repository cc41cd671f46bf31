"""The formulas of the dashboard's numbers; each has one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

Level = Literal["ok", "warning", "critical"]
WARNING, CRITICAL = 70.0, 85.0  # percent of hosts, machines and pools, above which they are so

# Risk of a tenant: how much each factor weighs; factors that are not known leave their weight to the others.
RISK_WEIGHTS: Mapping[str, float] = {"missing_snapshots": 0.5, "overutilization": 0.3, "cost_trend": 0.2}
RISK_HIGH, RISK_MEDIUM = 70, 40
QUOTA_HIGH = 90.0  # percent of a quota, above which it is worth a word

Source = Literal["prometheus", "nova", "allocation"]
_WORDS: Mapping[str, str] = {
    "prometheus": "measured by Prometheus",
    "nova": "measured by Nova's diagnostics: what machines use, added up by host",
    "allocation": "allocation: what machines were promised, not what they use",
}


def choose_source(
    wanted: str, configured: bool, known: Mapping[str, bool], failures: Mapping[str, str]
) -> tuple[Source, str]:
    """The source of an answer and why, in words.

    wanted      the setting: auto, prometheus, nova or allocation
    configured  whether an address of Prometheus is set
    known       source -> whether it has anything fresh; failures: source -> why its last measurement was none
    """
    allowed = {"auto": ("prometheus", "nova"), "allocation": ()}.get(wanted, (wanted,))
    missed = []
    for source in ("prometheus", "nova"):
        if source not in allowed or (source == "prometheus" and not configured):
            if source == "prometheus" and wanted == "prometheus":
                missed.append("metrics.prometheus_url is not set")
            continue
        if known.get(source):
            return source, _sentence(source, missed)
        name = "Prometheus" if source == "prometheus" else "Nova"
        missed.append(f"{name}: {failures.get(source) or 'no measurement yet'}")
    return "allocation", _sentence("allocation", missed)


def _sentence(source: str, missed: Sequence[str]) -> str:
    return f"{_WORDS[source]} ({'; '.join(missed)})" if missed else _WORDS[source]


def level(*percents: float | None) -> Level:
    """The worst of the percentages that are known."""
    known = [percent for percent in percents if percent is not None]
    worst = max(known, default=0.0)
    return "critical" if worst > CRITICAL else "warning" if worst > WARNING else "ok"


def allocation_level(memory: float | None) -> Level:
    """Of what was promised only memory is judged: vCPUs are promised several times over on purpose."""
    return level(memory)


def allocated(host: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """(CPU, memory) of a host that was promised, in percent: as the cloud counts it, else its machines added up."""
    vcpus = host["vcpus_used"] if host["vcpus_used"] is not None else host["vm_vcpus"]
    memory = host["memory_mb_used"] if host["memory_mb_used"] is not None else host["vm_ram_mb"]
    return percent(vcpus, host["vcpus"]), percent(memory, host["memory_mb"])


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


def in_words(days: float | None, reason: str) -> str:
    """When a pool is full: "45 days", "1 day", "full", or why that is not foreseeable."""
    if days is None:
        return reason
    if days <= 0:
        return "full"
    whole = max(1, round(days))
    return f"{whole} day{'' if whole == 1 else 's'}"
