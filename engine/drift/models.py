"""The words of drift, for every room and for the client. Standard library only.

Routes (bodies and answers: engine/drift/messages.py; permission drift:read to look, drift:write to decide):

    GET    /q/drift/events                  EventPage: newest first; see PARAMETERS
    GET    /q/drift/events/{id}             EventDetail; asks the cloud who did it unless known (`ask=false`: not)
    GET    /q/drift/summary                 Summary: counts by state and severity, by type, cloud, project and rule
    POST   /q/drift/acknowledge             AckBody -> Acked: one or many, by ids or by a filter, with note and end
    POST   /q/drift/unacknowledge           UndoBody -> Undone: by ids, or by the batch that Acked told
    GET    /q/drift/rules                   Rules: all of them, with counts of what is in triage
    PUT    /q/drift/rules/{number}          RuleChange -> RuleAnswer: on or off, another severity
    GET    /q/drift/ignores                 Ignores
    POST   /q/drift/ignores                 IgnoreAdd -> IgnoreAnswer
    DELETE /q/drift/ignores/{id}            204
    GET    /q/drift/windows                 Windows: maintenance
    POST   /q/drift/windows                 WindowAdd -> WindowAnswer
    DELETE /q/drift/windows/{id}            204; one that has begun ends now and keeps what it covered
    GET    /drift/summary, /drift/events, /drift/events/{id}, /drift/rules
    PUT    /drift/events/{id}/acknowledge, /drift/events/bulk-acknowledge, /drift/rules/{rule_id}: as documented

Whatever moves an event, or what people decided on it, is a hint {"topic": "drift", "version": n} of `GET /q/changes`.

An event is in one state at a time, the first that fits:

    acknowledged     somebody accepted it, and that has neither been undone nor run out
    expected         a job of this console did it, and nothing broke
    ignored          its rule is off, an ignore entry fits it, or it lay in a maintenance window (`ignored_by` says)
    open             the value still deviates
    resolved_unseen  it went back by itself and nobody has looked; of severity warning or critical
    resolved         it went back by itself; of severity info, or a change was followed by another that is told

`open` and `resolved_unseen` are what is to be looked at: the triage. An event counts how often it opened; `flapping`
is true when it did so three times within a day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[str, ...] = ("critical", "warning", "info")  # worst first

State = Literal["open", "resolved_unseen", "acknowledged", "expected", "ignored", "resolved"]
STATES: tuple[str, ...] = ("open", "resolved_unseen", "acknowledged", "expected", "ignored", "resolved")
TRIAGE: tuple[str, ...] = ("open", "resolved_unseen")
STATE_WORDS: dict[str, str] = {
    "open": "open",
    "resolved_unseen": "resolved, not seen",
    "acknowledged": "acknowledged",
    "expected": "expected",
    "ignored": "ignored",
    "resolved": "resolved",
}

Kind = Literal["changed", "created", "deleted", "unseen"]
KINDS: tuple[str, ...] = ("changed", "created", "deleted", "unseen")

Grade = Literal["certain", "cloud", "one_of", "service", "unknown"]
GRADES: tuple[str, ...] = ("certain", "cloud", "one_of", "service", "unknown")
GRADE_WORDS: dict[str, str] = {
    "certain": "certain",
    "cloud": "from the cloud",
    "one_of": "one of",
    "service": "service",
    "unknown": "unknown",
}
GRADE_MEANING: dict[str, str] = {
    "certain": "the request is in this console's own audit",
    "cloud": "the cloud recorded exactly one action that can cause it between the two listings",
    "one_of": "several actions can have caused it; all are listed",
    "service": "a service of the cloud acted; for whom, no record says",
    "unknown": "no record says who did it",
}
NOT_ASKED = "not asked yet"  # a grade of null: opening the event asks

# Query parameters of GET /q/drift/events; those marked * may be repeated, and then one of them must fit.
PARAMETERS: dict[str, str] = {
    "state": "* a state, or `triage` for what is to be looked at; all states unless given",
    "severity": "* severity",
    "type": "* resource type, like server or security_group_rule",
    "cloud": "* cloud",
    "region": "* region",
    "project": "* id or name of a project",
    "rule": "* number of a rule",
    "field": "the field that changed",
    "id": "id of the resource, or of the server that it belongs to",
    "text": "looked for in names, ids, values, field, project and actor; capitals do not matter",
    "grade": "* grade, or `not_asked`",
    "flapping": "only those that opened three times within a day",
    "since": "opened since then (RFC 3339)",
    "until": "opened before then",
    "sort_by": "one of SORTS; newest first unless given",
    "sort_dir": "asc or desc",
    "page, page_size, limit, offset": "as everywhere",
}
SORTS: tuple[str, ...] = (
    "opened_at", "detected_at", "severity", "state", "resource_type", "resource_name", "project_name", "cloud",
    "field_changed", "rule_id", "count", "grade", "actor",
)  # fmt: skip

MOST_IDS = 10_000  # events that are acknowledged at once
MOST_NOTE = 1000


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; an empty choice is none, different choices must all fit. See PARAMETERS."""

    states: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    clouds: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    rules: tuple[int, ...] = ()
    grades: tuple[str, ...] = ()
    field: str = ""
    id: str = ""
    text: str = ""
    flapping: bool | None = None
    acknowledged: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """How events are sorted: a column of SORTS, then the newest first."""

    column: str = "opened_at"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Candidate:
    """An action that may have caused an event: what, when, who (None: no name is known), and its request."""

    action: str
    at: datetime
    actor: str | None = None
    request_id: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Who did it: see GRADES. `source` says which record tells it ("nova: stop", "audit: server.stop")."""

    grade: Grade
    actor: str | None = None
    source: str | None = None
    request_id: str | None = None
    candidates: tuple[Candidate, ...] = field(default=())
    expected: bool = False
    job: str | None = None
