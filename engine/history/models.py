"""Answers of the history: what changed, when, and from what to what. Every time is RFC 3339 with Z."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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
    """Which resource a history is about, as it was last. `exists` is false for one that is gone.

    in_place_of, replaced_by  ids of those whose place it took in restores, and that took its; the nearest first
    """

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
    in_place_of: list[str] = []
    replaced_by: list[str] = []


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


class ComparedField(BaseModel):
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
    resource_name: str | None
    cloud: str
    region: str
    current: dict[str, Any] | None
    previous: dict[str, Any] | None
    identical: bool
    changes: list[dict[str, Any]]
    fields: list[ComparedField]


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


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


Text = Annotated[str, Field(max_length=255)]
Names = Annotated[list[Text], Field(max_length=1000)]


class RowAnchor(_Body):
    """The row with this key, as rows have it in `key`."""

    key: Annotated[list[Annotated[str, Field(max_length=1024)]], Field(min_length=4, max_length=6)]


class RankAnchor(_Body):
    """The row with this number, from 0."""

    rank: int = Field(ge=0, lt=2**31)


class ChangesBody(_Body):
    """A piece of a list of changes between two times, around an anchor.

    mode   net: what is different between the two times; each: every single change, the newest 20,000; most: the
           resources that changed most often
    from   24 hours before `to` when absent; `to`: now when absent
    types  of these types only; of all when absent
    """

    mode: Literal["net", "each", "most"] = "net"
    from_: str | None = Field(None, alias="from", max_length=40)
    to: str | None = Field(None, max_length=40)
    types: list[Annotated[str, Field(max_length=64)]] | None = Field(None, max_length=100)
    filter: str = Field("", max_length=2000)
    sort: list[tuple[Text, bool]] = Field(default_factory=list, max_length=8, description="(column, descending).")
    anchor: RowAnchor | RankAnchor | Literal["start", "end"] = "start"
    before: int = Field(0, ge=0, le=2000)
    after: int = Field(60, ge=0, le=2000)
    clouds: Names | None = None
    regions: Names | None = None
    projects: Names | None = None


class ChangesWindow(BaseModel):
    """Rows of a list of changes.

    columns   key, type, cloud, region, id, change (new, changed, gone, first_seen; of single changes as Change has
              them), at, name, project, what: in words, field: names of columns that differ, times, old and new: when
              the two versions began
    counts    rows that pass, by their change; `left_out`: older ones that the list does not have
    """

    columns: list[str]
    rows: list[list[Any]]
    anchor_index: int | None
    has_before: bool
    has_after: bool
    total: int
    counts: dict[str, int]
    left_out: int
    from_: str = Field(alias="from")
    to: str


class ChangesPosition(BaseModel):
    """How long the list is, and the anchor's place in it from 0; null when it has no such row."""

    total: int
    rank: int | None
