"""Who did it, and how surely. Pure: what the records say goes in, a grade comes out; nothing is guessed.

Between the start of the last listing that showed the old value and the end of the one that showed the new one, these
are the candidates: requests of our own audit, instance actions of the server (its own, or the one it belongs to), and
records of an outside source, as far as each can have caused this field and this value.

| what there is | grade |
|---|---|
| only requests that this console sent | certain |
| one action or record of somebody else | from the cloud |
| one action of a service of the cloud | service |
| several, not all of them ours | one of |
| none | unknown |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from engine.drift import causes
from engine.drift.models import Candidate, Found, Grade
from engine.drift.requests import Record, causes_event, parse
from engine.inventory import events_rules
from engine.inventory.events_rules import People
from store.times import naive

SKEW = timedelta(seconds=2)  # that clocks may differ, and a request may take
FAR = timedelta(hours=24)  # looked back where no listing says since when
Ended = Callable[[str, int], datetime | None]  # (job, step) -> when it had settled


@dataclass(frozen=True, slots=True)
class Action:
    """An instance action of Nova. Times naive UTC; `ended`: the last that was done of it."""

    name: str
    at: datetime
    ended: datetime
    request_id: str | None
    actor: str | None
    service: bool
    failed: bool


def span(event: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """(since, until) when it must have happened; naive UTC."""
    until = event["seen_at"] or event["opened_at"]
    return (event["seen_before"] or until - FAR) - SKEW, until + SKEW


def asks_nova(event: Mapping[str, Any]) -> bool:
    """Whether Nova's actions of a server may tell."""
    return bool(event["owner_id"]) and causes.is_told(event["type"], event["field"])


def actions(documents: Iterable[Mapping[str, Any]], people: People) -> list[Action]:
    """Instance actions as Nova lists them; hostile documents too."""
    found = []
    for one in documents:
        began = events_rules.moment(one.get("start_time"))
        if began is None:
            continue
        name = events_rules.text(one.get("action"), 100)
        request = events_rules.text(one.get("request_id"), 100) or None
        project = events_rules.text(one.get("project_id"), 255)
        actor, grade = people.actor(events_rules.text(one.get("user_id"), 255), project, request)
        service = grade == "service" or (grade != "certain" and name in causes.OF_SERVICES)
        ended = events_rules.moment(one.get("updated_at")) or began
        failed = bool(one.get("message"))
        found.append(Action(name, naive(began), naive(max(began, ended)), request, actor, service, failed))
    return found


def own(records: Iterable[Mapping[str, Any]]) -> list[Record]:
    """Requests that the gate sent and the cloud took: out of the audit's records, in any order."""
    rows = list(records)
    bodies = {row["id"]: row["detail"].get("body") for row in rows if row["outcome"] == "intent"}
    found = []
    for row in rows:
        detail = row["detail"]
        call = detail.get("call")
        if row["outcome"] != "ok" or not isinstance(call, Mapping):
            continue
        body = bodies.get(detail.get("intent"))
        request = parse(
            str(detail.get("service") or ""), str(call.get("method")), str(call.get("path")),
            body if isinstance(body, Mapping) else None,
        )  # fmt: skip
        if request is None:
            continue
        ids = tuple(str(id) for id in detail.get("request_ids") or ())
        source = f"audit: {row['action']}"
        found.append(
            Record(str(detail.get("cloud")), naive(row["at"]), request, events_rules.person(row) or None, ids, source,
                   True, False, str(detail.get("job") or ""), int(detail.get("step") or 0))
        )  # fmt: skip
    return found


def direct(event: Mapping[str, Any], records: Iterable[Record], ended: Ended = lambda job, step: None) -> list[Record]:
    """The records that can have caused an event; those of an outside source too."""
    since, until = span(event)
    found = []
    for record in records:
        if record.cloud != event["cloud"] or record.at > until or not causes_event(record.request, event):
            continue
        last = record.at
        if last < since and (record.request.slow or record.request.nova):
            last = ended(record.job, record.step) or last
        if last >= since:
            found.append(record)
    return found


def judge(
    event: Mapping[str, Any],
    told: Sequence[Action] | None,
    ours: Sequence[Record],
    outside: Sequence[Record] = (),
    sent: Mapping[str, Record] | None = None,
    jobs: Mapping[str, str] | None = None,
) -> Found:
    """The grade of an event.

    told     all actions of its server; None when it has none that could tell
    ours     requests of our own audit that can have caused it (`direct`)
    outside  records of another source that can
    sent     request id -> our own request, of all that we sent
    jobs     id of a job -> its number
    """
    mine = {**(sent or {}), **{id: record for record in ours for id in record.request_ids}}
    recorded = {action.request_id for action in told or ()}
    by_us = [record for record in ours if not record.request.nova or recorded.isdisjoint(record.request_ids)]
    candidates: list[tuple[Candidate, Record | None, bool]] = [
        (Candidate(_what(one), one.at, one.actor, _first(one.request_ids), one.source), one, False) for one in by_us
    ]
    # A service of the cloud that acted upon our own request is no second cause.
    for action in _fitting(event, told or ()) if not _settled_by(event, by_us) else ():
        own_one = mine.get(action.request_id or "")
        actor = own_one.actor if own_one else action.actor
        source = own_one.source if own_one else f"nova: {action.name}"
        one = Candidate(action.name, action.at, actor, action.request_id, source)
        candidates.append((one, own_one, action.service))
    known = {id for candidate, _, _ in candidates if (id := candidate.request_id)} | set(mine)
    for record in outside:
        # Both the cloud and the source tell of one request; and of what we sent ourselves nobody need tell us.
        if known.isdisjoint(record.request_ids) and not (told and record.request.nova):
            one = Candidate(_what(record), record.at, record.actor, _first(record.request_ids), record.source)
            candidates.append((one, None, record.service))
    found = _graded(sorted(candidates, key=lambda candidate: candidate[0].at), jobs or {})
    return replace(found, expected=False) if broke(event) else found


def broke(event: Mapping[str, Any]) -> bool:
    """Whether something is broken now: whoever did it, nobody expected that."""
    return event["field"] in ("status", "vm_state") and (event["new_value"] or "").lower().startswith("error")


def _graded(candidates: list[tuple[Candidate, Record | None, bool]], jobs: Mapping[str, str]) -> Found:
    if not candidates:
        return Found("unknown")
    last, sent, service = candidates[-1]
    if all(one is not None for _, one, _ in candidates) and sent is not None:
        job = jobs.get(sent.job)
        return Found("certain", last.actor, last.source, last.request_id, expected=bool(sent.job), job=job)
    if len(candidates) > 1:
        return Found("one_of", candidates=tuple(candidate for candidate, _, _ in candidates))
    grade: Grade = "service" if service else "cloud" if last.actor else "unknown"
    return Found(grade, last.actor, last.source, last.request_id)


def _fitting(event: Mapping[str, Any], told: Iterable[Action]) -> list[Action]:
    since, until = span(event)
    return [
        one
        for one in told
        if one.at <= until
        and one.ended >= since
        and causes.explains(one.name, event["type"], event["field"], event["new_value"], failed=one.failed)
    ]


def _settled_by(event: Mapping[str, Any], ours: Sequence[Record]) -> bool:
    """Whether our own request to the resource itself, not to its server, gave it this very value."""
    return any(
        record.request.id == event["resource_id"] and record.request.values.get(event["field"]) is not None
        for record in ours
        if record.request.type == event["type"]
    )


def _what(record: Record) -> str:
    request = record.request
    return request.nova if request.nova and request.nova != "?" else f"{request.verb} {request.type}"


def _first(ids: Sequence[str]) -> str | None:
    return ids[0] if ids else None
