"""What an engine answers for the dashboard and for tenant health, for tests of the client."""

from __future__ import annotations

import math
from typing import Any

from tests.tui.fake import FakeClient
from tests.tui.troubles import HOSTILE, USUAL

METRICS = {
    "source": "allocation", "sentence": "What is promised to machines: no metrics source is configured.",
    "last_update": "2026-02-08T09:00:00Z", "known": 118, "total": 120,
}  # fmt: skip


def behind(type: str, filter: str = "", count: int | None = None, **query: str) -> dict[str, Any]:
    """The list behind a number."""
    return {"type": type, "filter": filter, "query": query, "at": None, "count": count}


def reach(level: int, days: float | None, reason: str = "") -> dict[str, Any]:
    """When a level is reached, with an interval around it."""
    around = (None, None) if days is None else (days * 0.8, days * 1.5)
    return {"level": level, "days": days, "soonest": around[0], "latest": around[1], "date": None, "reason": reason}


def forecast(percent: float, days: float | None, reason: str = "") -> dict[str, Any]:
    """Growth that reaches 90 % in so many days; none, with the reason."""
    reaches = [reach(level, None if days is None else days * (level - 60) / 30, reason) for level in (80, 90, 100)]
    per_day = None if days is None else (90 - percent) / days
    return {"current": percent, "per_day": per_day, "low": None if per_day is None else per_day * 0.7,
            "high": None if per_day is None else per_day * 1.4, "points": 30 if days else 3, "reason": reason,
            "reaches": reaches}  # fmt: skip


def pressed(
    resource: str, used: float, total: float, unit: str, days: float | None, reason: str = ""
) -> dict[str, Any]:
    """One resource of the estate with 30 days behind it."""
    percent = 100 * used / total
    series = [round(percent - 12 + 0.4 * day + 2 * math.sin(day), 1) for day in range(30)]
    level = "critical" if percent > 85 else "warning" if percent > 70 else "ok"
    return {
        "resource": resource, "used": used, "total": total, "unit": unit, "used_percent": round(percent, 1),
        "status": level, "forecast": forecast(percent, days, reason), "series": series if days else series[:3],
    }  # fmt: skip


SUMMARY = {
    "timestamp": "2026-02-08T09:00:00Z", "total_tenants": 41, "total_vms": 12408, "vms_running": 11903, "vms_error": 7,
    "total_volumes": 34120, "total_networks": 812, "total_hosts": 120, "total_snapshots": 9021,
    "avg_cpu_utilization": 71.4, "avg_memory_utilization": 88.2,
    "alerts": {"critical": 1, "warning": 4, "info": 1}, "metrics_last_update": None, "metrics": METRICS,
    "behind": {
        "total_vms": behind("server", count=12408), "vms_running": behind("server", "status:active"),
        "vms_error": behind("server", "status:error", 7), "total_volumes": behind("volume"),
        "total_networks": behind("network"), "total_hosts": behind("hypervisor"), "total_tenants": behind("project"),
        "total_snapshots": behind("snapshot"),
    },
}  # fmt: skip
PRESSURE = {
    "storage_pressure": [], "compute_pressure": [],
    "estate": [
        pressed("vcpu", 5110, 7200, "vCPU", 41.0),
        pressed("ram", 15_900_000, 18_000_000, "MB", 5.0),
        pressed("storage", 63_000, 100_000, "GB", None, "not enough data: 3 of 7 days"),
    ],
    "thresholds": {"warning": 70, "critical": 85}, "metrics": METRICS,
}  # fmt: skip
COVERAGE = {
    "total_at_risk": 2013, "total_volumes": 34120, "risk_percentage": 5.9, "with_snapshot": 32000, "with_backup": 4094,
    "same_back_end_only": 28013,
    "stale": 311, "stale_days": 7, "volumes": [],
    "behind": {"total_at_risk": behind("volume", "protected:no", 2013), "total_volumes": behind("volume"),
               "stale": behind("volume", "protected:yes protected_at:>7d", 311)},
}  # fmt: skip
COMPLIANCE = {
    "period_days": 14, "window_days": 2, "policy": "auto_snapshot of the volumes", "current_compliance": 94.1,
    "trend": "improving",
    "drift_events": [
        {"date": f"2026-01-{25 + day:02}", "compliance_percent": 80.0 + day, "violations": 20 - day, "governed": 100,
         "known_by": "now" if day == 13 else "recorded" if day > 6 else "metadata",
         "trend": "improving", "behind": {"violations": behind("volume", "kept:no")}}
        for day in range(14)
    ],
}  # fmt: skip
DRIFT = {
    "version": 3, "at": "2026-02-08T09:00:00Z", "triage": {"critical": 2, "warning": 9, "info": 31}, "by_state": {},
    "by_type": [], "by_cloud": [], "by_project": [], "by_rule": [], "flapping": 1, "not_asked": 5,
}  # fmt: skip
DRIFT_DAYS = {"days": [{"date": "x", "critical": 0, "warning": day, "info": 0, "total": day} for day in range(7)]}


def line(current: int, per_day: int) -> dict[str, Any]:
    """A count that grew for 30 days."""
    return {"current": current, "start": current - 30 * per_day, "change": 30 * per_day, "change_percent": 1.0,
            "velocity_per_day": float(per_day), "since": None, "behind": {},
            "series": [current - per_day * (29 - day) for day in range(30)]}  # fmt: skip


LINES = {"period_days": 30, "forecast_30_days": {}, "forecast_detail": {},
         "metrics": {"vms": line(12408, 12), "volumes": line(34120, 40), "snapshots": line(9021, -3),
                     "networks": line(812, 0)}}  # fmt: skip


def taken(points: float, reason: str, type: str = "server", filter: str = "status:error") -> dict[str, Any]:
    """Points that a tenant lost."""
    return {"name": "error_servers", "count": 2, "points": points, "reason": reason, "behind": behind(type, filter)}


def tenant(name: str, score: int, *deductions: dict[str, Any], servers: int = 10, **more: Any) -> dict[str, Any]:
    """One tenant of the overview."""
    band = "healthy" if score >= 80 else "warning" if score >= 50 else "critical"
    return {
        "cloud": "prod-eu", "project_id": f"id-{name[:20]}", "project_name": name, "domain_id": "d",
        "domain_name": "acme", "health_score": score, "health_status": band, "deductions": list(deductions),
        "compliance_pct": None, "policy": {"state": "no policy", "source": "snapshot policies", "governed": 0,
                                           "compliant": 0, "broken": 0, "pending": 0},
        "total_drift_events": 3, "critical_drift_events": 1, "warning_drift_events": 2,
        "total_servers": servers, "active_servers": servers * 7 // 10, "total_volumes": 2 * servers,
        "in_use_volumes": servers, "total_floating_ips": 1, "utilization_score": 62.0, "behind": {}, **more,
    }  # fmt: skip


TENANTS = {
    "summary": {"total_tenants": 41, "healthy": 36, "warning": 3, "critical": 2, "avg_health_score": 87.4},
    "rules": {},
    "tenants": [
        tenant("acme-prod", 46, taken(20, "2 servers in ERROR (10 each)"),
               taken(10, "7 servers SHUTOFF", filter="status:shutoff"), servers=310),
        tenant("retail", 49, taken(15, "3 critical drift events", "drift", ""), servers=80),
        tenant(HOSTILE, 71, taken(10, HOSTILE)),
        *(tenant(f"lab-{n:02}", 74 + n, servers=40 - n, utilization_score=3.0 * n) for n in range(26)),
    ],
}  # fmt: skip
HOSTS = {
    "hosts": [
        {"cloud": "prod-eu", "region": "eu-1", "host_id": f"h{n}", "hostname": f"cmp-{n:03}", "state": "up",
         "cpu_percent": 95.0 - 6 * n, "memory_percent": None if n == 3 else 90.0 - 4 * n,
         "allocated_cpu_percent": 80.0, "allocated_memory_percent": 90.0, "vm_count": 40 - n,
         "status": "critical" if n < 2 else "warning" if n < 4 else "ok", "behind": {}}
        for n in range(10)
    ],
    "total_hosts": 120, "sort_by": "cpu", "timestamp": "2026-02-08T09:00:00Z", "metrics": METRICS, "behind": {},
}  # fmt: skip
DETAIL = {
    **tenant("acme-prod", 46, taken(20, "2 servers in ERROR (10 each)"), taken(10, HOSTILE, "drift", ""), servers=310),
    "behind": {"error_servers": behind("server", "status:error project_id:=id-acme-prod", 2)},
    "resources": {
        "servers": {"total": 310, "active": 217, "shutoff": 80, "error": 2, "other": 11},
        "volumes": {"total": 620, "available": 300, "in_use": 310, "error": 10, "other": 0},
        "snapshots": {"total": 44, "available": 44, "error": 0}, "networks": {"total": 3}, "floating_ips": {"total": 1},
    },
    "top_volumes": [{"volume_id": f"v{n}", "volume_name": f"data-{n}" if n else HOSTILE, "size_gb": 2000 - n,
                     "status": "in-use", "attached_to": "db-1", "region": "eu-1"} for n in range(10)],
    "recent_drift_events": [{"id": 7, "resource_type": "server", "resource_id": "x", "resource_name": "web-1",
                             "field_name": "status", "old_value": "ACTIVE", "new_value": HOSTILE,
                             "severity": "critical", "detected_at": "2026-02-08T09:00:00Z"}],
}  # fmt: skip
TRENDS = {
    "cloud": "prod-eu", "project_id": "id-acme-prod", "project_name": "acme-prod", "period_days": 30,
    "trends": [{"date": f"day {day}", "drift_events": day % 4, "critical_drift_events": 0, "warning_drift_events": 0,
                "snapshots_created": 2, "compliance_pct": None, "health_score": None if day > 25 else 46 + day}
               for day in range(30)],
}  # fmt: skip
QUOTA = {
    "available": True,
    "compute": {"instances": {"limit": 400, "in_use": 310, "reserved": 0},
                "cores": {"limit": 1000, "in_use": 950, "reserved": 10},
                "ram_mb": {"limit": -1, "in_use": 1_000_000, "reserved": 0}},
    "storage": {"volumes": {"limit": 700, "in_use": 620, "reserved": 0},
                "gigabytes": {"limit": 0, "in_use": 5, "reserved": 0}},
}  # fmt: skip
ANSWERS = {
    "/dashboard/health-summary": SUMMARY, "/dashboard/capacity-pressure": PRESSURE,
    "/dashboard/coverage-risks": COVERAGE, "/dashboard/compliance-drift": COMPLIANCE, "/q/drift/summary": DRIFT,
    "/drift/summary": DRIFT_DAYS, "/dashboard/trendlines": LINES, "/tenant-health/overview": TENANTS,
    "/dashboard/top-hosts-utilization": HOSTS, "/tenant-health/id-acme-prod": DETAIL,
    "/tenant-health/trends/id-acme-prod": TRENDS, "/tenant-health/quota/id-acme-prod": QUOTA,
}  # fmt: skip


def watched(*problems: dict[str, Any]) -> FakeClient:
    """An engine with an estate of 12,408 machines and these problems."""
    client = FakeClient(12_408)
    client.problem_items = [dict(item) for item in problems or USUAL]
    client.answers = dict(ANSWERS)
    return client
