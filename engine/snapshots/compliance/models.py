"""Answers of compliance and restore points.

    GET /snapshot/compliance            Report      ?days= &tenant_id= &project_id= &policy= &status= &volume_id=
    GET /q/snapshot/compliance          Listing     ?by=rows|volume|tenant|domain|policy &level= and the same
    GET /q/snapshot/compliance/summary  Overview
    GET /q/snapshot/coverage            Coverage    ?coverage=both|backup|snapshots|nothing &tenant_id=
    GET /q/snapshot/compliance/trend    Trend       ?days=30 (1 to 400) &policy= &tenant_id=
    GET /q/snapshot/compliance/report   a file      ?format=xlsx|csv|json &by= and the same choice
    GET /q/snapshot/points              Points      ?volume= or ?server= or ?gone=true, &policy= &grouped=true

All take `cloud` and `region`; permission snapshots:read. Whoever is limited to projects or domains sees only theirs.
Without `days` each policy is judged by its own window; with it all are judged by so many days.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Status = Literal["compliant", "missing", "pending", "quota_blocked", "excluded"]
Kind = Literal["rows", "volume", "tenant", "domain", "policy"]


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Counts(BaseModel):
    """How many of each; `judged` are compliant, missing and quota_blocked; compliance_pct is of these, None of none."""

    compliant: int
    missing: int
    pending: int
    quota_blocked: int
    excluded: int
    total: int
    judged: int
    compliance_pct: float | None


class ComplianceRow(_Open):
    """One policy on one volume; an excluded volume has one row without policy.

    retention         how many points are kept
    snapshot_count    usable points of this policy; manual_snapshots: usable snapshots that no policy made
    last_snapshot_at  the newest of this policy
    window_hours      how old it may be
    level             "late": broken, but within twice the window; "lost": older, or no point at all
    """

    cloud: str
    region: str
    volume_id: str
    volume_name: str
    volume_type: str
    tenant_id: str
    tenant_name: str
    project_id: str
    project_name: str
    vm_id: str | None
    vm_name: str | None
    policy: str | None
    retention: int | None
    snapshot_count: int
    manual_snapshots: int
    last_snapshot_at: str | None
    window_hours: float | None
    status: Status
    level: str
    reason: str


class Summary(BaseModel):
    """Of all that was chosen, not of the page: (volume, policy) pairs, and volumes by the worst of their policies."""

    rows: Counts
    volumes: Counts
    ungoverned: int
    manual_snapshots: int


class Report(_Open):
    """A page of rows: quota_blocked, missing, compliant, pending, excluded. `policy` says so where there is none."""

    total: int
    days: int | None
    policy: str
    summary: Summary


class Kept(_Open):
    """One policy on one volume in the console's words; of by=volume its worst policy, with all of them in `policies`.
    A volume that no policy takes has the status and level "no_policy".

    points, last_at  usable points of this policy, and when the newest was taken
    manual           usable snapshots that no policy made
    cover            "backup"; "same": snapshots on the volume's own back end only; "nothing"
    """

    cloud: str
    region: str
    volume_id: str
    volume_name: str
    policy: str | None
    status: str
    level: str
    points: int
    manual: int
    cover: Literal["backup", "same", "nothing"]
    reason: str


class Overview(BaseModel):
    """counts: volumes by the worst of their policies, "none" those without one. percent: of the judged ones.

    cover     volumes: backup, same (snapshots on their own back end only), nothing, total
    policies  policy, percent, the Counts of its volumes, `trend`: percent of the last 14 days, None = not recorded
    failed    runs of the last day that failed wholly or in part
    """

    counts: dict[str, int]
    percent: float | None
    cover: dict[str, int]
    policies: list[dict[str, Any]]
    failed: int


class Listing(_Open):
    """A page of Kept (by rows or volume), or of tenants, domains or policies with `rows` and `volumes` as Counts."""

    by: Kind
    total: int
    days: int | None
    summary: Summary
    items: list[dict[str, Any]]


class Covered(_Open):
    """A volume. risk "all": no copy; "back end": snapshots only, lost with the storage; "none": it has a backup."""

    cloud: str
    region: str
    volume_id: str
    coverage: Literal["both", "backup", "snapshots", "nothing"]
    risk: Literal["none", "back end", "all"]
    risk_score: int


class Coverage(_Open):
    """A page of volumes, those with the most to lose first; `summary` counts all by coverage."""

    total: int
    summary: dict[str, int]
    items: list[Covered]


class TrendDay(BaseModel):
    """A day (UTC). `recorded`: judged by policies then; else not known (None). Today is judged now."""

    date: str
    recorded: bool
    rows: Counts | None
    volumes: Counts | None


class Trend(BaseModel):
    """Day by day, the oldest first."""

    days: int
    policy: str | None
    trend: list[TrendDay]


class PointAnswer(_Open):
    """A restore point. own: this console made it, and retention may remove it.

    consistency  crash-consistent, group-consistent, quiesced, or unknown; `proof` says what showed it
    back_end     "same": lost with the volume's storage; "backup": elsewhere, `container` says where
    parts        of a machine's image, or of points made as one: their points
    """

    cloud: str
    region: str
    id: str
    kind: Literal["snapshot", "image", "backup"]
    volume_id: str
    policy: str
    own: bool
    taken_at: str | None
    usable: bool
    made_by: str
    consistency: str
    proof: str
    back_end: Literal["same", "backup"]


class Points(_Open):
    """A page of a timeline, the newest first; a group counts once."""

    total: int
    items: list[PointAnswer]
