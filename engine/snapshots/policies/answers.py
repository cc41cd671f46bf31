"""What the API of policies answers: rows as documents, and their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from engine.jobs.models import JobAnswer
from engine.snapshots.models import Method, Policy
from engine.snapshots.policies import schedule
from engine.snapshots.policies.matching import about
from engine.snapshots.policies.rules import PolicySet

Row = Mapping[str, Any]


class PolicyAnswer(BaseModel):
    """A policy. `known` false: nobody made it, volumes or sets just name it; then nobody changed it either.

    schedule        cron line; `words` says it with zone and number
    window          hours that the newest restore point may be old; `window_hours`: where somebody set it
    next_at         the next occurrence, without jitter
    volumes         that have it, among those the caller may see; `sets`: names of the sets that name it
    """

    name: str
    schedule: str
    timezone: str
    words: str
    keep: int
    jitter_minutes: int
    catch_up_hours: float | None
    window_hours: float | None
    window: float
    method: Method
    group_type: str
    enabled: bool
    known: bool
    description: str
    next_at: str | None
    volumes: int
    sets: list[str]
    created_at: str | None
    created_by: str | None
    updated_at: str | None
    updated_by: str | None


class Policies(BaseModel):
    """Policies by name; `version` moves with every change."""

    total: int
    version: int
    items: list[PolicyAnswer]


class SetAnswer(BaseModel):
    """A policy set. `names`: what it names, which makes it specific; `volumes`: for which it decides."""

    id: int
    name: str
    description: str
    is_global: bool
    tenant_id: str | None
    tenant_name: str | None
    cloud: str | None
    region: str | None
    match: dict[str, Any]
    policies: list[str]
    retention_map: dict[str, int]
    priority: int
    is_active: bool
    names: str
    volumes: int
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str


class Sets(BaseModel):
    """Policy sets, in the order in which they decide: the most specific first."""

    total: int
    page: int
    page_size: int
    limit: int | None = None
    offset: int | None = None
    items: list[SetAnswer]


class SetGone(BaseModel):
    """A set that was removed, and how many assignments went with it."""

    status: Literal["deleted"]
    id: int
    assignments_removed: int


class AssignmentAnswer(BaseModel):
    """What one volume was given: a set, or one policy (`keep`: how many are kept, null for what the policy says)."""

    id: int
    cloud: str
    region: str
    volume_id: str
    volume_name: str
    tenant_id: str
    tenant_name: str
    policy_set_id: int | None
    policy_set_name: str | None
    policies: list[str]
    retention_map: dict[str, int]
    keep: int | None
    reason: str
    assignment_source: Literal["manual"]
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str


class Assignments(BaseModel):
    """Assignments, the oldest first."""

    total: int
    page: int
    page_size: int
    limit: int | None = None
    offset: int | None = None
    items: list[AssignmentAnswer]


class Assigned(BaseModel):
    """What was assigned: `created` new ones, `updated` that were there."""

    created: int
    updated: int
    items: list[AssignmentAnswer]


class Gone(BaseModel):
    """What was removed."""

    status: Literal["deleted"]
    id: int


class PolicyGone(BaseModel):
    """A policy that was removed; `now`: what its name means from now on, for volumes that still have it."""

    status: Literal["deleted"]
    name: str
    now: str


class ExclusionAnswer(BaseModel):
    """What no policy takes. Null stands for any; `in_force` false: it has ended."""

    id: int
    cloud: str | None
    region: str | None
    volume_id: str | None
    volume_name: str | None
    tenant_id: str | None
    tenant_name: str | None
    match: dict[str, Any]
    reason: str
    source: str
    expires_at: str | None
    in_force: bool
    created_at: str
    created_by: str


class OwnersNo(BaseModel):
    """A volume whose owner wants no automatic snapshots."""

    cloud: str
    region: str
    volume_id: str
    volume_name: str
    tenant_id: str
    tenant_name: str


class Exclusions(BaseModel):
    """Exclusions; `owners`: volumes whose own metadata say no (source metadata-tag), where asked for, 1000 at most of
    the `owners_total` that there are.
    """

    total: int
    items: list[ExclusionAnswer]
    owners: list[OwnersNo] | None
    owners_total: int | None


class HeldAnswer(BaseModel):
    """A policy that a volume has, and where it comes from."""

    policy: str
    keep: int
    kind: str
    source: str
    source_id: str
    schedule: str
    method: Method
    known: bool
    next_at: str | None


class ReasonAnswer(BaseModel):
    """Something that speaks for or against policies. `applies`: it decides; `text` says why, or what wins over it."""

    kind: Literal["exclusion", "metadata", "assignment", "set", "none"]
    id: str
    name: str
    specificity: int
    applies: bool
    text: str
    policies: dict[str, int | None]


class Why(BaseModel):
    """Why a volume has its policies: reasons that decide first. `metadata`: those of its entries that are about
    policies; `metadata_written_here`: they only say what was decided here."""

    cloud: str
    region: str
    volume_id: str
    volume_name: str
    tenant_id: str
    tenant_name: str
    domain_name: str
    excluded: str | None
    policies: list[HeldAnswer]
    reasons: list[ReasonAnswer]
    metadata: dict[str, str]
    metadata_written_here: bool


class DueAnswer(BaseModel):
    """A policy in one region of a cloud. `due_at`: the occurrence that should be made now; `taken_at`: the newest one
    that a run took up, `run_id` which; `next_at`: the next, and `begins_at` with jitter."""

    cloud: str
    region: str
    policy: str
    words: str
    enabled: bool
    known: bool
    volumes: int
    due_at: str | None
    taken_at: str | None
    run_id: str | None
    next_at: str | None
    begins_at: str | None


class Due(BaseModel):
    """What is due, and what comes next; by time."""

    now: str
    items: list[DueAnswer]


class TypeCost(BaseModel):
    """What is added of one volume type."""

    snapshots: int
    gigabytes: int


class ProjectCost(BaseModel):
    """What it costs one project at steady state: `snapshots` and `gigabytes` altogether (every volume with as many
    points as are kept), of which `existing_snapshots` are there and `more_...` are added; the latter by volume type.
    `quota`: what is left there, null where it was not asked for."""

    cloud: str
    region: str
    tenant_id: str
    tenant_name: str
    domain_name: str
    volumes: int
    new: int
    size_gb: int
    snapshots: int
    gigabytes: int
    existing_snapshots: int
    more_snapshots: int
    more_gigabytes: int
    types: dict[str, TypeCost]
    quota: dict[str, Any] | None


class Taken(BaseModel):
    """A volume that it takes: its policies afterwards and `before`, with how many are kept."""

    cloud: str
    region: str
    volume_id: str
    volume_name: str
    tenant_name: str
    size_gb: int
    volume_type: str
    policies: dict[str, int]
    before: dict[str, int]


class Preview(BaseModel):
    """What a set or assignment would do: the sums of `projects`; `items` are 500 volumes at most.

    new         volumes that have no policy now
    overridden  it matches them, but something more specific decides; `excluded`: an exclusion does
    lost        volumes that it has now and would have no more
    existing_known  whether own restore points that there are were taken into account
    """

    name: str
    policies: list[str]
    volumes: int
    new: int
    size_gb: int
    snapshots: int
    gigabytes: int
    existing_snapshots: int
    more_snapshots: int
    more_gigabytes: int
    overridden: int
    excluded: int
    lost: int
    existing_known: bool
    projects: list[ProjectCost]
    items: list[Taken]


class Writing(BaseModel):
    """The jobs that write it, one for each cloud and region: GET /q/jobs/{id} says what became of each volume."""

    jobs: list[JobAnswer]


def policy(one: Policy, row: Row | None, now: datetime, volumes: int, sets: list[str]) -> dict[str, Any]:
    """A PolicyAnswer."""
    names = ("name", "timezone", "keep", "jitter_minutes", "catch_up_hours", "window_hours", "method", "group_type",
             "enabled", "known", "description")  # fmt: skip
    who = ("created_at", "created_by", "updated_at", "updated_by")
    return {
        **{name: getattr(one, name) for name in names},
        "schedule": one.cron,
        "words": schedule.words(one),
        "window": round(schedule.window(one, now).total_seconds() / 3600, 2),
        "next_at": schedule.next_occurrence(one, now),
        "volumes": volumes,
        "sets": sets,
        **{name: None if row is None else row[name] for name in who},
    }


def a_set(row: Row, one: PolicySet, volumes: int) -> dict[str, Any]:
    """A SetAnswer."""
    named = {name: row[name] or None for name in ("tenant_id", "tenant_name", "cloud", "region")}
    matches = about(one.specificity) if one.matches_something else "nothing: it is there to be assigned"
    return {**row, **named, "names": matches, "volumes": volumes}


def assignment(row: Row, sets: Mapping[int, Row]) -> dict[str, Any]:
    """An AssignmentAnswer."""
    names = ("id", "cloud", "region", "volume_id", "volume_name", "tenant_id", "tenant_name", "keep", "reason",
             "created_at", "created_by", "updated_at", "updated_by")  # fmt: skip
    given = sets.get(row["policy_set_id"])
    own = {row["policy"]: row["keep"]} if row["policy"] and row["keep"] else {}
    return {
        **{name: row[name] for name in names},
        "policy_set_id": row["policy_set_id"] or None,
        "policy_set_name": given["name"] if given else None,
        "policies": list(given["policies"]) if given else [row["policy"]],
        "retention_map": dict(given["retention_map"]) if given else own,
        "assignment_source": "manual",
    }


def exclusion(row: Row) -> dict[str, Any]:
    """An ExclusionAnswer."""
    named = ("cloud", "region", "volume_id", "volume_name", "tenant_id", "tenant_name")
    return {**row, **{name: row[name] or None for name in named}}
