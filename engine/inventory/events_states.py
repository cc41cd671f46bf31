"""From the stored versions of a resource to events: what changed between two of them, and since when it was seen.

A change is told at the listing that saw it first; it happened between that one and the one before. Nobody is named: no
listing says who.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from engine.inventory.events_rules import Event
from store import times
from store.types.declaration import Column, ResourceType

_ECHOES = {
    "vm_state": ("status",),
    "power_state": ("status",),
    "fixed_ips": ("addresses",),
    "floating_ips": ("addresses",),
    "service_host": ("host",),
}
_MOST_FIELDS = 12
_LONGEST = 80
_DEPTH = 5
_ABSENT = object()

Change = dict[str, str]


def of_versions(
    type: ResourceType,
    versions: Sequence[Mapping[str, Any]],
    about: dict[str, Any] | None = None,
    people: Mapping[str, str] | None = None,
    *,
    whole: bool = True,
) -> list[Event]:
    """Events of one resource's versions, newest first as the store gives them.

    about  says that it belongs to the resource asked about; then only changes of its states are told
    people names of users by id, for the creator
    whole  the oldest of the versions is the first there is
    """
    events: list[Event] = []
    for number, version in enumerate(versions):
        older = versions[number + 1] if number + 1 < len(versions) else None
        newer = versions[number - 1] if number else None
        if version["valid_to"] is not None and (newer is None or newer["valid_from"] > version["valid_to"]):
            events.append(_event(version["valid_to"], "gone", "not listed any more", about))
        if older is None:
            if whole and about is None:
                events.append(_seen(type, version))
        elif older["valid_to"] is not None and older["valid_to"] < version["valid_from"]:
            events.append(_event(version["valid_from"], "back", "listed again", about))
        else:
            events += _changed(type, older, version, about)
    if whole and about is None and versions:
        events += _created(versions[-1], people or {})
    return events


def _event(at: datetime, kind: str, title: str, about: dict[str, Any] | None = None, level: str = "info") -> Event:
    return Event(at.replace(tzinfo=UTC), "state", kind, title, level=level, about=about)


def _seen(type: ResourceType, version: Mapping[str, Any]) -> Event:
    states = [f"{column.name} {shown(version['row'].get(column.name))}" for column in _states(type)][:2]
    found = _event(version["valid_from"], "seen", "seen for the first time")
    found.detail = ", ".join(states)
    return found


def _created(version: Mapping[str, Any], people: Mapping[str, str]) -> list[Event]:
    """What the resource itself says of its beginning: when, and for some types who asked for it."""
    row = version["row"]
    made = row.get("created_at")
    if not isinstance(made, datetime):
        return []
    user = row.get("user_id")
    found = Event(made.replace(tzinfo=UTC), "state", "created", "created")
    if isinstance(user, str) and user:
        found.actor, found.grade = people.get(user, user), "creator"
    return [found]


def _states(type: ResourceType) -> list[Column]:
    return [column for column in type.columns if column.role == "status"]


def _changed(
    type: ResourceType, older: Mapping[str, Any], version: Mapping[str, Any], about: dict[str, Any] | None
) -> list[Event]:
    found = differences(type, older, version)
    status = {column.name for column in _states(type)}
    if about is not None:
        found = [change for change in found if change["field"] in status]
    if not found:
        return []
    found.sort(key=lambda change: change["field"] not in status)
    first, rest = found[0], found[1:_MOST_FIELDS]
    bad = any(change["field"] in status and change["to"].lower() in type.faults for change in found)
    event = _event(version["valid_from"], "changed", _words(first), about, "error" if bad else "info")
    event.detail = "; ".join(map(_words, rest))
    event.changes = found[:_MOST_FIELDS]
    return [event]


def _words(change: Change) -> str:
    return f"{change['field'].replace('_', ' ')} {change['from']} -> {change['to']}"


def differences(type: ResourceType, older: Mapping[str, Any], newer: Mapping[str, Any]) -> list[Change]:
    """[{field, from, to}]: columns that differ; where none does, the fields of the documents.

    What one of the two versions was not allowed to see is no difference, and neither are times and volatile fields.
    """
    hidden = {*older["denied"], *newer["denied"]}
    found: dict[str, Change] = {}
    for column in type.columns:
        if column.name in hidden or column.role == "time" or column.volatile or column.path in type.volatile_paths:
            continue
        before, after = older["row"].get(column.name), newer["row"].get(column.name)
        if before != after:
            found[column.name] = change(column.name, before, after)
    for name, sources in _ECHOES.items():
        if name in found and any(source in found for source in sources):
            del found[name]
    return list(found.values()) or _in_documents(type, older["doc"], newer["doc"])


def change(name: str, before: Any, after: Any) -> Change:
    """One change in words; of lists only what came and went."""
    if isinstance(before, list) and isinstance(after, list):
        gone = [item for item in before if item not in after]
        new = [item for item in after if item not in before]
        if gone or new:
            return {"field": name, "from": shown(gone), "to": shown(new)}
    return {"field": name, "from": shown(before), "to": shown(after)}


def shown(value: Any) -> str:
    """A value in at most 80 characters; "-" for nothing."""
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return times.text(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        words = ", ".join(value)
    elif isinstance(value, dict | list):
        words = orjson.dumps(value, default=str).decode()
    else:
        words = str(value)
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _in_documents(type: ResourceType, older: Any, newer: Any) -> list[Change]:
    before, after = _document(older), _document(newer)
    found: list[Change] = []
    _compare(type, (), before, after, found)
    return found[:_MOST_FIELDS]


def _document(doc: Any) -> Any:
    try:
        return orjson.loads(doc) if isinstance(doc, str | bytes) else doc or {}
    except orjson.JSONDecodeError:
        return {}


def _compare(type: ResourceType, path: tuple[str, ...], before: Any, after: Any, found: list[Change]) -> None:
    if before == after or path in type.volatile_paths or len(found) >= _MOST_FIELDS:
        return
    if isinstance(before, dict) and isinstance(after, dict) and len(path) < _DEPTH:
        for name in dict.fromkeys([*before, *after]):
            _compare(type, (*path, name), before.get(name), after.get(name), found)
        return
    found.append(change(".".join(path), before, after))
