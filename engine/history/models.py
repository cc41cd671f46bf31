"""Answers of the history: what changed, when, and from what to what. Every time is RFC 3339 with Z."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

Kind = Literal["created", "discovered", "returned", "changed", "deleted", "first_seen"]


class Change(BaseModel):
    """One change of one resource.

    change_type  created; discovered: seen for the first time, but older; returned: was gone and is listed again;
                 changed; deleted; first_seen: there when the type was first listed whole
    recorded_at  when the listing that saw it began: it happened between the one before and this one
    change_hash  hash of the state that the change led to; of a deletion, of the last known one
    user         who did it, null where that is not known: no listing says who
    """

    resource_type: str
    resource_id: str
    resource_name: str | None = None
    project_id: str | None = None
    project_name: str | None = None
    domain_name: str | None = None
    cloud: str
    region: str
    change_type: Kind
    recorded_at: str
    change_hash: str
    changed_fields: list[str]
    change_description: str
    user: str | None


class RecentChanges(BaseModel):
    """The newest changes of the last `period_hours`; `total_changes` counts all of them."""

    changes: list[Change]
    total_changes: int
    period_hours: int
    limit: int


class MostChanged(BaseModel):
    """Resources by how many changes of them were recorded."""

    resources: list[dict[str, Any]]
    total_resources: int
    period_hours: int
    limit: int


class Period(BaseModel):
    """Changes of one hour or day, counted by kind and by resource type."""

    period: str
    total: int
    created: int
    discovered: int
    returned: int
    changed: int
    deleted: int
    by_type: dict[str, int] = {}


class Timeframe(BaseModel):
    """Changes by the hour for up to two days, else by the day; also the empty ones."""

    periods: list[Period]
    bucket: Literal["hour", "day"]
    since: str
    until: str
    total_changes: int
    period_hours: int


class About(BaseModel):
    """Which resource a history is about, as it was last. `exists` is false for one that is gone."""

    resource_type: str
    resource_id: str
    resource_name: str | None
    project_id: str | None
    project_name: str | None
    domain_name: str | None
    cloud: str
    region: str
    exists: bool
    total_versions: int
    known_since: str | None


class ResourceHistory(About):
    """The resource's changes, newest first."""

    history: list[dict[str, Any]]
    total_entries: int
    limit: int


class ChangeDetails(About):
    """The resource's changes, newest first, each with its place in the sequence (1 is the oldest), the state's key
    fields, and old and new value of everything that changed."""

    changes: list[dict[str, Any]]
    total_changes: int
    limit: int


class Field(BaseModel):
    """One field of two versions; `changed` is null where one of them was not shown the value."""

    field: str
    source: Literal["column", "document"]
    old_value: Any
    new_value: Any
    changed: bool | None
    volatile: bool


class Comparison(BaseModel):
    """Two versions side by side.

    current, previous  {change_hash, recorded_at, valid_to}; null where the resource was not there
    changes            [{field, old_value, new_value}] of what differs, without measurements and time stamps
    fields             all of them, changed ones first
    """

    resource_type: str
    resource_id: str
    cloud: str
    region: str
    current: dict[str, Any] | None
    previous: dict[str, Any] | None
    identical: bool
    changes: list[dict[str, Any]]
    fields: list[Field]


class TypeTimeline(BaseModel):
    """All changes of one type: counts by day, and a page of the changes themselves, newest first."""

    resource_type: str
    days: int
    since: str
    until: str
    timeline: list[Period]
    total: int
    page: int
    page_size: int
    items: list[Change] = []


class Compliance(BaseModel):
    """What changed in a period, and how completely that is known.

    status  complete; incomplete: `remarks` say what may have been missed; no_data: nothing was listed
    """

    period: dict[str, str]
    generated_at: str
    status: Literal["complete", "incomplete", "no_data"]
    summary: dict[str, int]
    by_type: list[dict[str, Any]]
    by_day: list[dict[str, Any]]
    access_changes: dict[str, Any]
    deletions: dict[str, Any]
    remarks: list[str]
