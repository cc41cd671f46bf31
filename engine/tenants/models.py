"""Answers of /tenant-health, and what the room asks of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from store.estate.reading.models import Scope

Tenant = tuple[str, str]  # (cloud, project id)


class Drift(Protocol):
    """Drift events by tenant, as far as the scope goes. Times aware; severities critical, warning, info."""

    def counts(self, scope: Scope, since: datetime, *, open_only: bool) -> Mapping[Tenant, Mapping[str, int]]:
        """Events seen since then, by severity; `open_only`: neither resolved nor acknowledged."""
        ...

    def recent(self, tenant: Tenant, scope: Scope, since: datetime, limit: int) -> list[dict[str, Any]]:
        """The newest: id, resource_type, resource_name, field_name, old_value, new_value, severity, detected_at."""
        ...

    def daily(self, tenant: Tenant | None, scope: Scope, days: Sequence[date]) -> list[Mapping[str, int]]:
        """Events of each day by severity."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """Compliance of one tenant: volumes that a policy governs, and of these those that comply."""

    governed: int
    compliant: int


class Compliance(Protocol):
    """The latest judgement on snapshot policies."""

    name: str  # who says so

    def latest(self, scope: Scope) -> Mapping[Tenant, Judged]:
        """By tenant; one with nothing to comply with may be left out."""
        ...

    def daily(self, tenant: Tenant, scope: Scope, days: Sequence[date]) -> list[float | None]:
        """Percent at the end of each day; None where not known."""
        ...


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class DeductionAnswer(BaseModel):
    """Points taken from 100, and why."""

    name: str
    points: float
    reason: str
    type: str | None
    filter: str | None


class TenantAnswer(_Open):
    """One tenant with its score and counts; the documented fields, and more by the same names as the lists."""

    cloud: str
    project_id: str
    project_name: str | None
    domain_id: str | None
    domain_name: str | None
    health_score: int
    health_status: str
    deductions: list[DeductionAnswer]
    compliance_pct: float | None
    total_drift_events: int | None
    critical_drift_events: int | None
    warning_drift_events: int | None


class Summary(BaseModel):
    """How many tenants are in which band; the mean score, None without tenants."""

    total_tenants: int
    healthy: int
    warning: int
    critical: int
    avg_health_score: float | None


class Overview(BaseModel):
    """All tenants. `sources` says where drift and compliance come from, or that they are not known."""

    summary: Summary
    tenants: list[TenantAnswer]
    sources: dict[str, str]


class Detail(_Open):
    """One tenant: states of its resources, largest volumes, drift of the last 30 days."""

    cloud: str
    project_id: str
    health_score: int
    health_status: str
    deductions: list[DeductionAnswer]
    resources: dict[str, dict[str, int]]
    compliance_pct: float | None
    top_volumes: list[dict[str, Any]]
    recent_drift_events: list[dict[str, Any]]
    sources: dict[str, str]


class Trends(BaseModel):
    """Day by day, the newest first; None where a day is not known."""

    project_id: str
    project_name: str | None
    cloud: str
    period_days: int
    trends: list[dict[str, Any]]


class Heatmap(BaseModel):
    """Tenants with servers, volumes or floating IPs, most servers first."""

    tenants: list[dict[str, Any]]


class Quota(_Open):
    """Live quota, or why there is none."""

    available: bool
