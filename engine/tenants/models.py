"""Answers of /tenant-health.

    GET /tenant-health/overview             Overview   ?domain_id= &search= &sort_by= &sort_dir=
    GET /tenant-health/{project_id}         Detail
    GET /tenant-health/trends/{project_id}  Trends     ?days=30 (1 to 365), the newest day first
    GET /tenant-health/heatmap              Heatmap    ?domain_id=, most servers first
    GET /tenant-health/quota/{project_id}   Quota      ?region= where there are several

All take `cloud`; permission tenant_health:read. A project id that is in several clouds needs `cloud` (409).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Tenant = tuple[str, str]  # (cloud, project id)
Band = Literal["healthy", "warning", "critical"]


class Behind(BaseModel):
    """The list behind a number: it has as many rows as the number says.

    type    resource type ("volume"), "drift" (rows of /q/drift/events), "problem" (of /q/problems) or "compliance" (of
            /q/snapshot/compliance)
    filter  of a resource type: the filter's text, cloud and project included; "" = all
    query   of the last three: the parameters of that route; a list is a repeated one
    at      RFC 3339; the list as it was then. None = now
    count   the number, None where it is no count of rows
    """

    type: str
    filter: str = ""
    query: dict[str, str | list[str]] = {}
    at: str | None = None
    count: int | None = None


class DeductionAnswer(BaseModel):
    """Points taken from 100: `name` of what is counted, `count` of it, and why in words."""

    name: str
    count: int | None
    points: float
    reason: str
    behind: Behind | None


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Policy(BaseModel):
    """What compliance is judged by: `state` is "no policy" where nothing governs the tenant's volumes.

    governed  volumes that policies take: `compliant` by each policy's own window, `broken`, or `pending` (none was due)
    """

    state: Literal["no policy", "judged", "off"]
    source: str
    governed: int
    compliant: int
    broken: int
    pending: int


class TenantAnswer(_Open):
    """One tenant: score, why, and the counts it is made of. None = not known (drift before it was ever derived).

    total_servers, active_, shutoff_, error_, other_servers; total_vcpus, total_ram_mb, total_flavor_disk_gb, active_*;
    hypervisor_count; power_on_pct; total_, available_, in_use_, error_, other_volumes, total_volume_gb;
    total_, available_, error_snapshots; total_networks; total_floating_ips; utilization_score.
    total_drift_events counts critical, warning and info ones within the window of the settings.
    """

    cloud: str
    project_id: str
    project_name: str | None
    domain_id: str | None
    domain_name: str | None
    health_score: int
    health_status: Band
    deductions: list[DeductionAnswer]
    compliance_pct: float | None
    policy: Policy
    total_drift_events: int | None
    critical_drift_events: int | None
    warning_drift_events: int | None
    behind: dict[str, Behind]


class Summary(BaseModel):
    """How many tenants are in which band; the mean score, None without tenants."""

    total_tenants: int
    healthy: int
    warning: int
    critical: int
    avg_health_score: float | None


class Overview(BaseModel):
    """All tenants within the caller's limits; `rules` says in words what the score looked at (window, policies)."""

    summary: Summary
    tenants: list[TenantAnswer]
    rules: dict[str, Any]


class Detail(TenantAnswer):
    """One tenant: also states of its resources, its ten largest volumes, and drift of the last 30 days (20 at most).

    resources  {"servers": {"total", "active", "shutoff", "error", "other"}, "volumes": {"total", "available", "in_use",
               "error", "other"}, "snapshots": {"total", "available", "error"}, "networks": {"total"},
               "floating_ips": {"total"}}
    top_volumes          volume_id, volume_name, size_gb, status, attached_to, region
    recent_drift_events  id, resource_type, resource_id, resource_name, field_name, old_value, new_value, severity,
                         detected_at
    """

    resources: dict[str, dict[str, int]]
    top_volumes: list[dict[str, Any]]
    recent_drift_events: list[dict[str, Any]]


class Trend(BaseModel):
    """A tenant's day (UTC): as it was at the day's end, by the formula and settings of now. None = not known then."""

    date: str
    drift_events: int | None
    critical_drift_events: int | None
    warning_drift_events: int | None
    snapshots_created: int
    compliance_pct: float | None
    health_score: int | None


class Trends(BaseModel):
    """Day by day, the newest first; today up to now."""

    cloud: str
    project_id: str
    project_name: str | None
    period_days: int
    trends: list[Trend]


class Heat(_Open):
    """A tenant of the heatmap; the counts of TenantAnswer. utilization_score = 60 % of the share of servers that run
    and 40 % of the share of volumes in use. critical_drift as in critical_drift_events."""

    cloud: str
    project_id: str
    project_name: str | None
    domain_name: str | None
    health_score: int
    health_status: Band
    utilization_score: float
    compliance_pct: float | None
    total_drift_events: int | None
    critical_drift: int | None
    behind: dict[str, Behind]


class Heatmap(BaseModel):
    """Tenants with servers, volumes or floating IPs, most servers first."""

    tenants: list[Heat]


class Quota(_Open):
    """Live quota: `compute` (instances, cores, ram_mb) and `storage` (volumes, gigabytes, snapshots), each with limit
    (-1 = none), in_use and reserved; or available False and the `reason`."""

    available: bool
