"""From what the sources know to the lines of one time line. Pure: documents in, events out; hostile documents too.

Who did something is told only where the cloud or our own audit says so. Nova's actions name a user; its services act as
users of the service project, so those name no person; Cinder, Neutron, Glance and Keystone name nobody but, here and
there, a creator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from store import times

_REQUEST = re.compile(r"req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONGEST = 4000  # characters of a text that a cloud gave
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Child:
    """A step of an event."""

    at: datetime
    title: str
    ended_at: datetime | None = None
    detail: str = ""
    level: str = "info"
    host: str = ""


@dataclass(slots=True)
class Event:
    """One event; see engine.inventory.events_models.Event."""

    at: datetime
    source: str
    kind: str
    title: str
    detail: str = ""
    actor: str | None = None
    grade: str = "unknown"
    request_id: str | None = None
    level: str = "info"
    about: dict[str, Any] | None = None
    changes: list[dict[str, str]] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)

    def as_answer(self) -> dict[str, Any]:
        """As the API answers it: times as RFC 3339."""
        found = {**asdict(self), "at": times.text(self.at)}
        for child, one in zip(found["children"], self.children, strict=True):
            child["at"] = times.text(one.at)
            child["ended_at"] = None if one.ended_at is None else times.text(one.ended_at)
        return found


@dataclass(frozen=True, slots=True)
class People:
    """Who acts: names of users by id, ids of the service projects, and who of us sent which request."""

    users: Mapping[str, str] = field(default_factory=dict)
    service_projects: frozenset[str] = frozenset()
    ours: Mapping[str, str] = field(default_factory=dict)

    def actor(self, user: str, project: str, request: str | None) -> tuple[str | None, str]:
        """(name or None, grade) of a user that the cloud names."""
        if request and request in self.ours:
            return self.ours[request], "certain"
        name = self.users.get(user, user)
        if project in self.service_projects:
            return (f"{name} (a service of the cloud)" if name else None), "service"
        return (name, "cloud") if name else (None, "unknown")


def text(value: Any, longest: int = _LONGEST) -> str:
    """A text of a document; "" for anything else."""
    if not isinstance(value, str):
        return "" if value is None or isinstance(value, dict | list) else str(value)[:longest]
    return value if len(value) <= longest else value[: longest - 1] + "…"


def moment(value: Any) -> datetime | None:
    """A time of a document; None when it is none."""
    try:
        return times.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def last_line(value: Any) -> str:
    """The last line of a traceback: the exception and its message."""
    lines = [line.strip() for line in text(value, 100_000).splitlines() if line.strip()]
    return text(lines[-1]) if lines else ""


def items(value: Any) -> list[dict[str, Any]]:
    """The objects of a list of a document."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


# Nova


def of_action(action: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], people: People) -> Event:
    """An instance action with its steps (Nova calls them events), which may not be known."""
    # Nova gives the newest first; steps of one second stay in their order.
    children = sorted((of_step(step) for step in reversed(steps)), key=lambda child: child.at)
    request = text(action.get("request_id"), 100) or None
    name = text(action.get("action"), 100) or "action"
    failed = [child for child in children if child.level == "error"]
    message = text(action.get("message"))
    level, detail = "info", ""
    if failed or message:
        level, detail = "error", next((child.detail for child in failed if child.detail), "")
        detail = detail or ("failed" if message in ("Error", "") else message)
    elif any(child.ended_at is None for child in children):
        level, detail = "warning", "not finished"
    actor, grade = people.actor(text(action.get("user_id"), 255), text(action.get("project_id"), 255), request)
    began = moment(action.get("start_time"))
    ends = [child.ended_at for child in children if child.ended_at is not None]
    if level == "info" and began and ends and (seconds := (max(ends) - began).total_seconds()) >= 1:
        detail = f"took {seconds:.0f} s"
    return Event(
        began or moment(action.get("updated_at")) or _NO_TIME,
        "nova",
        name,
        name.replace("_", " "),
        detail,
        actor,
        grade,
        request,
        level,
        children=children,
    )


def of_step(step: Mapping[str, Any]) -> Child:
    """One of Nova's steps. Administrators get a traceback, of which the last line says what happened."""
    result = text(step.get("result"), 100)
    detail = text(step.get("details")) or last_line(step.get("traceback"))
    failed = bool(result) and result.lower() != "success"
    return Child(
        moment(step.get("start_time")) or _NO_TIME,
        text(step.get("event"), 200) or "step",
        moment(step.get("finish_time")),
        detail or (result if failed else ""),
        "error" if failed else "info",
        text(step.get("host"), 255),
    )


def of_fault(fault: Any) -> list[Event]:
    """The fault of a server's document; none without one."""
    if not isinstance(fault, dict) or not (words := text(fault.get("message"))):
        return []
    code = text(fault.get("code"), 20)
    detail = last_line(fault.get("details"))
    detail = "" if words in detail else detail
    when = moment(fault.get("created"))
    return [Event(when or _NO_TIME, "fault", f"fault {code}".strip(), words, detail, level="error")]


# Cinder


def of_message(message: Mapping[str, Any], about: dict[str, Any] | None = None) -> Event:
    """A user message of Cinder. It names no user, only the request."""
    level = text(message.get("message_level"), 20).lower()
    return Event(
        moment(message.get("created_at")) or _NO_TIME,
        "cinder",
        text(message.get("event_id"), 100) or "message",
        text(message.get("user_message")),
        "",
        request_id=text(message.get("request_id"), 100) or None,
        level=level if level in ("info", "warning") else "error",
        about=about,
    )


# Our own audit


def requests_of(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """request id -> who of us sent it, from the details of audit records."""
    found: dict[str, str] = {}
    for record in records:
        for request in _REQUEST.findall(str(record.get("detail"))):
            found[request] = person(record)
    return found


def person(record: Mapping[str, Any]) -> str:
    """Who an audit record names: the login, and the user it became."""
    actor, login = str(record.get("actor") or ""), str(record.get("login_name") or "")
    return f"{login} (as {actor})" if login and login != actor else actor


def of_audit(records: Sequence[Mapping[str, Any]]) -> list[Event]:
    """Audit records, oldest first, as events: an intent and its outcome are one, told when it ended."""
    kept: list[Mapping[str, Any]] = []
    open_: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for record in records:
        place = (record.get("actor"), record.get("action"), record.get("target"))
        if record.get("outcome") == "intent":
            open_.setdefault(place, []).append(record)
        elif open_.get(place):
            intent = open_[place].pop(0)
            kept.append({**record, "detail": {**_detail(intent), **_detail(record)}})
        else:
            kept.append(record)
    kept += [record for waiting in open_.values() for record in waiting]
    return [_of_record(record) for record in kept]


def _detail(record: Mapping[str, Any]) -> dict[str, Any]:
    found = record.get("detail")
    return found if isinstance(found, dict) else {}


def _of_record(record: Mapping[str, Any]) -> Event:
    outcome, detail = str(record.get("outcome")), _detail(record)
    level = {"ok": "info", "intent": "warning"}.get(outcome, "error")
    words = "begun, no outcome was written" if outcome == "intent" else outcome
    told = [words] + [
        f"{name} {text(detail[name], 300)}" for name in ("reason", "ticket", "problem") if detail.get(name)
    ]
    requests = _REQUEST.findall(str(detail))
    action = str(record.get("action"))
    at = record["at"] if isinstance(record.get("at"), datetime) else moment(record.get("at"))
    return Event(
        _aware(at) if at is not None else _NO_TIME,
        "audit",
        action,
        action,
        "; ".join(told),
        person(record) or None,
        "certain",
        requests[-1] if requests else None,
        level,
    )


def of_note(note: Mapping[str, Any]) -> Event:
    """A note that somebody wrote on the resource."""
    at = note.get("at") or note.get("created_at")
    when = _aware(at) if isinstance(at, datetime) else moment(at)
    until = note.get("until")
    until = times.text(until) if isinstance(until, datetime) else text(until, 40)
    actor = text(note.get("by") or note.get("actor"), 255) or None
    return Event(
        when or _NO_TIME,
        "note",
        "note",
        text(note.get("text")),
        f"until {until}" if until else "",
        actor,
        "certain" if actor else "unknown",
    )


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


# All together


def merged(events: Iterable[Event], since: datetime | None, limit: int) -> tuple[list[Event], bool]:
    """(the newest `limit` events since then, newest first; whether older ones were left out)."""
    order = {source: number for number, source in enumerate(("note", "audit", "fault", "state", "cinder", "nova"))}
    found = [event for event in events if since is None or event.at >= since]
    found.sort(key=lambda event: (event.at, -order[event.source]), reverse=True)
    return found[:limit], len(found) > limit
