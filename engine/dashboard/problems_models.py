"""Requests and answers of /q/problems."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["critical", "warning", "info"]


class ProblemAnswer(BaseModel):
    """One problem.

    rule           what kind of problem
    title, detail  what is broken, and what is behind it or why
    type, key      the broken thing: resource type and [cloud, region, id]; of several `filter` is that of their list
    opens          where it leads when it is no list of resources: "clouds" or "job:<number>"
    since          when it began, as far as the store knows (`since_exact`: it was seen to begin); first_seen by us
    count          how many things are broken; machines: how many servers it touches
    owner          who has it; note: the newest note on it; muted_until: quiet until then
    note_key       key for notes of kind "problem"
    """

    id: str
    rule: str
    severity: Severity
    title: str
    detail: str
    cloud: str | None
    region: str | None
    type: str | None
    key: list[str] | None
    filter: str | None
    opens: str | None
    project_id: str | None
    project_name: str | None
    since: str | None
    since_exact: bool
    first_seen: str | None
    age_seconds: float | None
    count: int
    machines: int
    owner: str | None
    mine: bool
    taken_at: str | None
    note: str | None
    note_by: str | None
    note_key: list[str]
    muted_until: str | None
    muted_by: str | None
    mute_reason: str | None


class Counts(BaseModel):
    """Problems that are not muted, by severity, and how many are muted."""

    critical: int
    warning: int
    info: int
    muted: int


class Problems(BaseModel):
    """The list, worst first, as it was at `at`; `problems` says what could not be judged."""

    total: int
    counts: Counts
    items: list[ProblemAnswer]
    at: str
    problems: list[str]


class Mute(BaseModel):
    """Body of POST /q/problems/{id}/mute: `until` (RFC 3339) or `minutes` from now."""

    model_config = ConfigDict(extra="forbid")

    until: str | None = Field(None, max_length=40)
    minutes: int | None = Field(None, ge=1, le=60 * 24 * 30)
    reason: str = Field("", max_length=500)
