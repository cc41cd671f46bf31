"""Answers of /dashboard; docs/dashboard.md defines every number.

    GET /dashboard/health-summary           HealthSummary
    GET /dashboard/snapshot-sla-compliance  SnapshotSla      ?days= (1 to 365)
    GET /dashboard/top-hosts-utilization    TopHosts         ?limit=10 (1 to 20) &sort=cpu|memory
    GET /dashboard/recent-changes           RecentChanges    ?hours=24 (1 to 720) &limit=20 (1 to 200)
    GET /dashboard/coverage-risks           CoverageRisks    ?limit=50 (1 to 500)
    GET /dashboard/capacity-pressure        CapacityPressure
    GET /dashboard/vm-hotspots              Hotspots         ?limit=10 (1 to 20) &sort=cpu|memory|storage
    GET /dashboard/tenant-risk-scores       TenantRisks
    GET /dashboard/compliance-drift         ComplianceDrift  ?days=7 (1 to 180)
    GET /dashboard/capacity-trends          CapacityTrends   ?days=7 (1 to 180)
    GET /dashboard/trendlines               Trendlines       ?period=7 (7, 30 or 90)

All take `cloud` and `region`; permission dashboard:read, and whoever is limited to projects sees only their share. Days
are UTC, the oldest first; the last one is today, up to now. None = not known; a number never stands for "no data".
`behind` holds, by the number's name, the list that it counts.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from engine.tenants.models import Behind

Level = Literal["ok", "warning", "critical"]
Use = Literal["prometheus", "nova", "allocation"]
Way = Literal["improving", "stable", "declining", "unknown"]


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Metrics(BaseModel):
    """Where utilisation comes from.

    source       "prometheus" and "nova" are measured, "allocation" is what was promised to machines
    sentence     for people: the source, and why it is not a better one
    last_update  the last measurement (RFC 3339); of allocation the last listing
    known, total  hosts (or machines) with a value, of all that there are
    """

    source: Use
    sentence: str
    last_update: str | None
    known: int
    total: int


class Alerts(BaseModel):
    """Problems that are not muted, as /q/problems lists them."""

    critical: int
    warning: int
    info: int


class HealthSummary(BaseModel):
    """The estate in numbers. avg_* is the mean over hosts with a value, in percent; metrics says of what kind.

    behind  total_tenants, total_vms, vms_running, vms_error, total_volumes, total_networks, total_hosts,
            total_snapshots, alerts_critical, alerts_warning, alerts_info
    """

    timestamp: str
    total_tenants: int
    total_vms: int
    vms_running: int
    vms_error: int
    total_volumes: int
    total_networks: int
    total_hosts: int
    total_snapshots: int
    avg_cpu_utilization: float | None
    avg_memory_utilization: float | None
    alerts: Alerts
    metrics_last_update: str | None
    metrics: Metrics
    behind: dict[str, Behind]


class SlaTenant(_Open):
    """A tenant's governed volumes: compliant (each policy's newest point lies within its window), warning (within twice
    the window), critical (older, or none), pending (none was due yet). total_volumes counts these; excluded and
    ungoverned the others.

    warnings  of the first 10: volume_id, volume_name, policy, last_snapshot, message, cloud, region
    behind    total_volumes, compliant, warning, critical, pending, excluded, ungoverned
    """

    cloud: str
    tenant_id: str
    tenant_name: str | None
    domain_name: str | None
    total_volumes: int
    compliant: int
    warning: int
    critical: int
    pending: int
    excluded: int
    ungoverned: int
    compliance_percentage: float | None
    warnings: list[dict[str, Any]]
    behind: dict[str, Behind]


class SnapshotSla(BaseModel):
    """overall_compliance is None when no policy governs anything; `policy` says so in words. Worst tenants first."""

    overall_compliance: float | None
    days: int | None
    policy: str
    total_volumes: int
    compliant: int
    warning: int
    critical: int
    pending: int
    excluded: int
    ungoverned: int
    tenants: list[SlaTenant]
    behind: dict[str, Behind]


class Host(_Open):
    """A host. *_percent by the source of the answer, None without a value (such hosts come last);
    allocated_*_percent is what was promised of it, whatever the source. status by the two measured percentages."""

    cloud: str
    region: str
    host_id: str
    hostname: str
    state: str | None
    cpu_percent: float | None
    memory_percent: float | None
    allocated_cpu_percent: float | None
    allocated_memory_percent: float | None
    vm_count: int
    status: Level
    behind: dict[str, Behind]


class TopHosts(BaseModel):
    """The busiest first, of all hosts (not of the first by name)."""

    hosts: list[Host]
    total_hosts: int
    sort_by: Literal["cpu", "memory"]
    timestamp: str
    metrics: Metrics
    behind: dict[str, Behind]


class ChangeAnswer(BaseModel):
    """A change. type: `vm_created`, `volume_deleted`, `vm_changed`, ...; resource_type is the console's own word.

    user   who made it where the cloud says so, else None
    key    [cloud, region, id], also of what is gone
    """

    timestamp: str
    type: str
    resource_type: str
    resource_id: str
    resource_name: str | None
    project_id: str | None
    project_name: str | None
    user: str | None
    details: str
    key: list[str]


class RecentChanges(BaseModel):
    """The newest first. total_changes counts all of the period."""

    changes: list[ChangeAnswer]
    total_changes: int
    period_hours: int


class RiskyVolume(BaseModel):
    """A volume with neither snapshot nor backup. risk_score 1 to 10."""

    cloud: str
    region: str
    volume_id: str
    volume_name: str | None
    size_gb: int | None
    tenant_id: str | None
    tenant_name: str | None
    attached: bool
    risk_score: int
    recommendation: str


class CoverageRisks(BaseModel):
    """Volumes without snapshot and backup, most at risk first; `stale`: protected, but not within a week.

    behind  total_at_risk, total_volumes, with_snapshot, with_backup, same_back_end_only, stale
    """

    total_at_risk: int
    total_volumes: int
    risk_percentage: float | None
    with_snapshot: int
    with_backup: int
    same_back_end_only: int
    stale: int
    stale_days: int
    volumes: list[RiskyVolume]
    behind: dict[str, Behind]


class Reach(BaseModel):
    """When a level is reached. days: from now, 0 = it is; None = not foreseeable, `reason` says why ("not enough data:
    3 of 7 days", "it does not grow", "not within ten years"). soonest and latest: the 80 % interval, None = open."""

    level: int
    days: float | None
    soonest: float | None
    latest: float | None
    date: str | None
    reason: str


class Forecast(BaseModel):
    """Growth of a percentage by a line through its days: per_day in percentage points, with the 80 % interval.

    per_day is None without enough days; `reason` says so. `points`: days that the line is made of.
    """

    current: float | None
    per_day: float | None
    low: float | None
    high: float | None
    points: int
    reason: str
    reaches: list[Reach]


class PoolPressure(BaseModel):
    """A storage pool. used_percent by what it says is free; provisioned_percent is what was promised of it.

    forecast_full  "45 days" until 100 %, "full", or in words why that is not foreseeable
    behind         volumes
    """

    cloud: str
    region: str
    pool_id: str
    pool_name: str
    used_percent: float | None
    provisioned_percent: float | None
    available_gb: float | None
    total_gb: float
    status: Level
    forecast_full: str
    forecast: Forecast
    behind: dict[str, Behind]


class HostPressure(BaseModel):
    """A host above 70 %: by the measured percentages, or by what was promised of it."""

    cloud: str
    region: str
    host_id: str
    hostname: str
    cpu_used_percent: float | None
    memory_used_percent: float | None
    allocated_cpu_percent: float | None
    allocated_memory_percent: float | None
    status: Level
    behind: dict[str, Behind]


class Pressed(BaseModel):
    """One resource of the whole estate: "vcpu", "ram" or "storage"."""

    resource: Literal["vcpu", "ram", "storage"]
    used: float | None
    total: float | None
    unit: str
    used_percent: float | None
    status: Level
    forecast: Forecast
    series: list[float | None]


class CapacityPressure(BaseModel):
    """Pools (all, the fullest first) and hosts (those above 70 %, worst first), and the estate as a whole with 30 days
    of `series` (percent) for a sparkline."""

    storage_pressure: list[PoolPressure]
    compute_pressure: list[HostPressure]
    estate: list[Pressed]
    thresholds: dict[str, float]
    metrics: Metrics


class Hotspot(BaseModel):
    """A running machine. cpu_percent of its vCPUs and memory_percent of its memory as measured; by "allocation" both
    are its share of its host. storage_gb is local disk and volumes."""

    cloud: str
    region: str
    vm_id: str
    vm_name: str | None
    tenant_id: str | None
    tenant_name: str | None
    host: str | None
    vcpus: int | None
    ram_mb: int | None
    cpu_percent: float | None
    memory_percent: float | None
    storage_gb: int
    status: Level


class Hotspots(BaseModel):
    """The heaviest first."""

    hotspots: list[Hotspot]
    sort_by: Literal["cpu", "memory", "storage"]
    total_vms: int
    metrics: Metrics
    behind: dict[str, Behind]


class RiskAnswer(_Open):
    """A tenant's risk. Factors are 0 to 100; None = not known, its weight goes to the others.

    missing_snapshots  100 x (volumes without snapshot and backup + half of the stale ones) / volumes
    overutilization    the fullest quota, in percent
    cost_trend         None until prices are there
    behind             missing_snapshots, stale, volumes, quota
    """

    cloud: str
    tenant_id: str
    tenant_name: str | None
    risk_score: int | None
    risk_level: Literal["low", "medium", "high", "unknown"]
    factors: dict[str, float | None]
    recommendations: list[str]
    behind: dict[str, Behind]


class TenantRisks(BaseModel):
    """The riskiest first; tenants without anything to judge last. `weights` of the factors."""

    tenants: list[RiskAnswer]
    weights: dict[str, float]


class ComplianceDay(BaseModel):
    """A day's end: share of the volumes judged (`governed`) that comply; `violations` do not. trend: up to that day.

    known_by  "recorded" that day; "metadata": of a day before that, what the volumes' metadata asked for; "now"
    behind    governed, violations; nothing of a recorded day, whose list is its nightly report
    """

    date: str
    compliance_percent: float | None
    violations: int | None
    governed: int | None
    known_by: Literal["now", "recorded", "metadata"] | None
    trend: Way
    behind: dict[str, Behind]


class ComplianceDrift(BaseModel):
    """drift_events holds the days, a documented name. `policy` as in SnapshotSla; window_days: of days by metadata."""

    period_days: int
    window_days: int
    policy: str
    drift_events: list[ComplianceDay]
    current_compliance: float | None
    trend: Way


class StorageDay(BaseModel):
    """A day's end: of all pools together; `volume_gb` is what the volumes add up to."""

    date: str
    used_percent: float | None
    available_gb: float | None
    volume_gb: float | None


class CpuDay(BaseModel):
    """A day: mean of the hosts by the source, and what was promised of them at its end."""

    date: str
    avg_utilization: float | None
    allocated_percent: float | None


class CapacityTrends(BaseModel):
    """forecast: storage_full_date and cpu_saturation_date (the days of 100 %; None = not foreseeable), and the lines
    behind them (`storage`, `cpu`), each with days until 80, 90 and 100 %."""

    period_days: int
    storage_trend: list[StorageDay]
    cpu_trend: list[CpuDay]
    forecast: dict[str, Any]
    metrics: Metrics


class Line(BaseModel):
    """How a count became another one over the period; None where the start is not known (`since`: it is from then)."""

    current: int
    start: int | None
    change: int | None
    change_percent: float | None
    velocity_per_day: float | None
    since: str | None
    series: list[int | None]
    behind: dict[str, Behind]


class Forecast30(BaseModel):
    """A count in 30 days if it goes on as in the period, with the 80 % interval; None and a reason otherwise."""

    value: int | None
    low: int | None
    high: int | None
    reason: str


class Trendlines(BaseModel):
    """metrics: "vms", "volumes", "volume_gb", "snapshots", "networks". forecast_30_days: the numbers;
    forecast_detail: with intervals."""

    period_days: int
    metrics: dict[str, Line]
    forecast_30_days: dict[str, int | None]
    forecast_detail: dict[str, Forecast30]
