"""Requests and answers of the drift room, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from engine.drift.models import MOST_IDS, MOST_NOTE, Grade, Kind, Severity, State

Word = Annotated[str, Field(max_length=255)]
Time = Annotated[str | None, Field(max_length=40, description="RFC 3339, like 2026-02-08T09:00:00Z.")]
Minutes = Annotated[int | None, Field(ge=1, le=60 * 24 * 365)]
MAX_YEAR = 365


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CandidateAnswer(BaseModel):
    """An action that may have caused the event."""

    action: str
    at: str
    actor: str | None
    request_id: str | None
    source: str


class EventAnswer(BaseModel):
    """One event.

    key            [cloud, region, id] of the resource; `owner_id`: the server it belongs to, else null
    field_changed  what changed; `old_value` and `new_value` are texts or null (no value); `old_name` and `new_name` are
                   the names of resources whose ids the values are
    description    the change in words; `rule_description` what the rule looks for
    state          see engine.drift.models; `ignored_by` says why it is ignored
    count          openings, one after the other within a day; `times` the last three
    detected_at    of the last opening (`opened_at`): start of the listing that showed it
    seen_before    start of the last listing that showed the old value: it happened between that and `seen_at`
    grade          who did it, how sure; null = not asked yet. `actor` is null where nobody is named
    source         which record says so; `candidates` are several that can have done it
    job            number of the job of this console that did it
    group          id of the event under which it is grouped: what one action of a server did to it and its parts
    """

    id: int
    rule_id: int
    rule_name: str
    rule_description: str
    kind: Kind
    severity: Severity
    state: State
    ignored_by: str | None
    cloud: str
    region: str
    key: list[str]
    resource_type: str
    resource_id: str
    resource_name: str | None
    owner_id: str | None
    project_id: str | None
    project_name: str | None
    domain_id: str | None
    domain_name: str | None
    field_changed: str
    old_value: str | None
    new_value: str | None
    old_name: str | None
    new_name: str | None
    description: str
    count: int
    times: list[str]
    flapping: bool
    first_at: str
    detected_at: str
    opened_at: str
    resolved_at: str | None
    last_at: str
    seen_before: str | None
    seen_at: str | None
    acknowledged: bool
    acknowledged_by: str | None
    acknowledged_at: str | None
    acknowledge_note: str | None
    acknowledged_until: str | None
    grade: Grade | None
    grade_words: str
    actor: str | None
    source: str | None
    request_id: str | None
    candidates: list[CandidateAnswer]
    expected: bool
    job: str | None
    group: int | None


class EventDetail(EventAnswer):
    """One event with all that is known.

    rule         its rule
    created_by   who made the resource, where no record says who changed it; null when that is not known either
    problem      why the cloud could not be asked who did it
    related      other events of the same resource and those of its group, newest first
    acks         every acknowledgement, also those undone or run out, newest first
    """

    rule: RuleAnswer
    created_by: str | None
    problem: str | None
    related: list[EventAnswer]
    acks: list[AckAnswer]


class EventPage(BaseModel):
    """A page of events. `version` moves whenever an event or a decision on one does."""

    total: int
    page: int
    page_size: int
    version: int
    items: list[EventAnswer]


class AckAnswer(BaseModel):
    """One acknowledgement. `in_force`: neither undone nor run out."""

    at: str
    by: str
    note: str
    until: str | None
    undone_at: str | None
    undone_by: str | None
    in_force: bool


class Severities(BaseModel):
    """Numbers by severity."""

    critical: int
    warning: int
    info: int
    total: int


class Named(BaseModel):
    """Events in triage of one thing."""

    key: str
    name: str | None
    cloud: str | None = None
    counts: Severities


class Summary(BaseModel):
    """Counts.

    triage     what is to be looked at: open, and resolved without being seen
    by_state   all events, by state
    by_type, by_cloud, by_project, by_rule   of the triage, the most first
    flapping   of the triage, those that go back and forth
    not_asked  of the triage, those of which it was not asked who did it
    problems   why drift is not whole just now: sentences
    """

    version: int
    at: str
    triage: Severities
    by_state: dict[State, Severities]
    by_type: list[Named]
    by_cloud: list[Named]
    by_project: list[Named]
    by_rule: list[Named]
    flapping: int
    not_asked: int
    problems: list[str]


class DaySummary(BaseModel):
    """Events opened on one day (UTC)."""

    date: str
    critical: int
    warning: int
    info: int
    total: int


class DocumentedSummary(BaseModel):
    """The documented answer. `by_severity` and `by_resource_type` count the triage; `days`: the last seven."""

    total: int
    acknowledged: int
    unacknowledged: int
    by_severity: dict[Severity, int]
    by_resource_type: dict[str, int]
    by_acknowledgement: dict[str, int]
    days: list[DaySummary]


class FilterBody(_Body):
    """A choice of events, as the parameters of GET /q/drift/events."""

    state: list[Word] = []
    severity: list[Severity] = []
    type: list[Word] = []
    cloud: list[Word] = []
    region: list[Word] = []
    project: list[Word] = []
    rule: list[int] = []
    grade: list[Word] = []
    field: Word = ""
    id: Word = ""
    text: Word = ""
    flapping: bool | None = None
    since: Time = None
    until: Time = None


class AckBody(_Body):
    """Acknowledge events: `ids`, or all that pass `filter` and had their last change up to `seen` (RFC 3339: when the
    list was read, so that nothing is acknowledged that nobody has seen). It holds until `until`, or for `minutes`, or
    for good.
    """

    ids: list[int] | None = Field(None, max_length=MOST_IDS)
    filter: FilterBody | None = None
    seen: Time = None
    note: str = Field("", max_length=MOST_NOTE)
    until: Time = None
    minutes: Minutes = None

    @model_validator(mode="after")
    def _one(self) -> AckBody:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give one of ids and filter")
        if self.until is not None and self.minutes is not None:
            raise ValueError("give one of until and minutes, or none")
        return self


class Acked(BaseModel):
    """What acknowledging did: `acknowledged` now, `already` before, `missing`: ids that are no events of the caller's.
    `batch` undoes it as a whole."""

    acknowledged: int
    already: int
    missing: list[int]
    batch: str | None
    until: str | None


class UndoBody(_Body):
    """Undo acknowledgements: those of the events `ids`, or of one `batch`."""

    ids: list[int] | None = Field(None, max_length=MOST_IDS)
    batch: str | None = Field(None, max_length=36)

    @model_validator(mode="after")
    def _one(self) -> UndoBody:
        if (self.ids is None) == (self.batch is None):
            raise ValueError("give one of ids and batch")
        return self


class Undone(BaseModel):
    """How many acknowledgements were undone, and of which events."""

    undone: int
    ids: list[int]


class DocumentedAck(BaseModel):
    """Body of PUT /drift/events/{id}/acknowledge; `note` and `until` may be left out."""

    note: str = Field("", max_length=MOST_NOTE)
    until: Time = None


class DocumentedBulkAck(DocumentedAck):
    """Body of PUT /drift/events/bulk-acknowledge."""

    event_ids: list[int] = Field(min_length=1, max_length=MOST_IDS)


class BulkAcked(BaseModel):
    """Answer to it."""

    acknowledged: int
    already_acknowledged: int
    not_found: list[int]


class RuleAnswer(BaseModel):
    """One rule. `documented`: one of the 24; `severity` as it is now, `default_severity` as shipped; `triage`: its
    events that are to be looked at."""

    id: int
    resource_type: str
    field: str
    kind: Kind
    name: str
    description: str
    severity: Severity
    default_severity: Severity
    enabled: bool
    documented: bool
    triage: int
    changed_at: str | None
    changed_by: str | None


class Rules(BaseModel):
    """All rules, by number."""

    total: int
    items: list[RuleAnswer]


class RuleChange(_Body):
    """On or off, and another severity; what is left out stays, a severity of null is the shipped one."""

    enabled: bool | None = None
    severity: Severity | None = None


class _Criteria(_Body):
    """Which resources; what is left out fits everything, and all that is given must fit.

    name      the resource's name; `*` and `?` stand for more, capitals do not matter
    tag       a tag it has; project: id or name of its project; cloud, type: where and what
    """

    name: Word | None = None
    tag: Word | None = None
    project: Word | None = None
    cloud: Word | None = None
    type: Word | None = None


class IgnoreAdd(_Criteria):
    """Ignore events, old ones too, for as long as the entry is there: at least one criterion. `until`: RFC 3339."""

    severity: Severity | None = None
    rule: int | None = None
    field: Word | None = None
    reason: str = Field(min_length=1, max_length=MOST_NOTE)
    until: Time = None


class IgnoreAnswer(IgnoreAdd):
    """An entry; `id` takes it back, `events`: how many events it hides of those that would be in triage."""

    id: str
    created_at: str
    created_by: str
    events: int


class Ignores(BaseModel):
    """All entries, the newest first."""

    items: list[IgnoreAnswer]


class WindowAdd(_Criteria):
    """Maintenance: what changes between `since` (now unless given) and `until` is ignored, and stays so. Without a
    criterion it covers everything."""

    reason: str = Field(min_length=1, max_length=MOST_NOTE)
    since: Time = None
    until: Time = None
    minutes: Minutes = None

    @model_validator(mode="after")
    def _end(self) -> WindowAdd:
        if (self.until is None) == (self.minutes is None):
            raise ValueError("give one of until and minutes")
        return self


class WindowAnswer(BaseModel):
    """A window. `active`: it is now; `events`: how many events it hides."""

    id: str
    name: str | None
    tag: str | None
    project: str | None
    cloud: str | None
    type: str | None
    reason: str
    since: str
    until: str
    active: bool
    created_at: str
    created_by: str
    events: int


class Windows(BaseModel):
    """All windows, the newest first."""

    items: list[WindowAnswer]


class RecordBody(_Body):
    """Records of requests to a cloud's services, as a forwarder reads them: lines of API access logs, or notifications
    as JSON. See docs/drift.md."""

    cloud: str = Field(min_length=1, max_length=63)
    lines: list[str | dict[str, Any]] = Field(max_length=10_000)


class RecordsTaken(BaseModel):
    """How many lines were records of a change, and how many were not (or were known already)."""

    taken: int
    passed_over: int


EventDetail.model_rebuild()
