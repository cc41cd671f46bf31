"""What two versions of a resource differ in, in fields and in words; and how changes are put into periods. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from engine.inventory.events_states import differences, shown
from store import times
from store.estate.reading.changes import KINDS
from store.estate.reading.changes_counts import Count
from store.types.declaration import ResourceType

Bucket = Literal["hour", "day"]
MOST_NAMED = 3  # differences that a sentence tells
DEEPEST = 8
MOST_FIELDS = 2000
LONG_BY_THE_HOUR = timedelta(hours=48)
HIDDEN = "not visible to the account that listed it"
NOTHING: Mapping[str, Any] = {"row": {}, "denied": (), "doc": None}

Field = dict[str, Any]


def summary(type: ResourceType, older: Mapping[str, Any], newer: Mapping[str, Any]) -> list[dict[str, str]]:
    """[{field, from, to}] in short words, states first; without times, measurements and what follows from others."""
    found = differences(type, older, newer)
    states = {column.name for column in type.columns if column.role == "status"}
    return sorted(found, key=lambda change: change["field"] not in states)


def sentence(kind: str, changes: Iterable[Mapping[str, str]]) -> str:
    """One event in words: "status ACTIVE -> ERROR; name a -> b; and 2 more"."""
    if kind != "changed":
        return {
            "created": "new",
            "first_seen": "there when the first collection looked",
            "discovered": "seen for the first time; it is older",
            "returned": "listed again",
            "deleted": "gone",
        }[kind]
    told = [f"{change['field'].replace('_', ' ')} {change['from']} -> {change['to']}" for change in changes]
    if not told:
        return "changed, but nothing that may be seen here"
    more = len(told) - MOST_NAMED
    return "; ".join(told[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def fields(type: ResourceType, older: Mapping[str, Any] | None, newer: Mapping[str, Any] | None) -> list[Field]:
    """Every field of two versions: [{field, source, old_value, new_value, changed, volatile}]; what changed first.

    source    "column" of the type, or "document": a path in the cloud's answer that no column is made from
    changed   the two values differ; None where one of the two versions was not shown the value
    volatile  a measurement or time stamp that makes no version by itself
    Documents are looked into where a version brings its own. None is a resource that was not there.
    """
    older, newer = older or NOTHING, newer or NOTHING
    hidden = {*older["denied"], *newer["denied"]}
    found: list[Field] = []
    covered: set[tuple[str, ...]] = set()
    for column in type.columns:
        covered.add(column.path)
        volatile = column.volatile or column.path in type.volatile_paths
        old, new = older["row"].get(column.name), newer["row"].get(column.name)
        one = _field(column.name, "column", old, new, volatile=volatile)
        if column.name in hidden:
            one["changed"] = None
            for side, version in (("old_value", older), ("new_value", newer)):
                one[side] = HIDDEN if column.name in version["denied"] else one[side]
        found.append(one)
    before, after = leaves(older.get("doc")), leaves(newer.get("doc"))
    if before or after:
        for path in dict.fromkeys([*before, *after]):
            if path not in covered:
                old, new = before.get(path), after.get(path)
                found.append(_field(".".join(path), "document", old, new, volatile=_is_volatile(type, path)))
    found.sort(key=lambda one: (not one["changed"], one["volatile"], one["source"] == "document"))
    return found[:MOST_FIELDS]


def _field(name: str, source: str, old: Any, new: Any, *, volatile: bool) -> Field:
    changed = old != new
    return {
        "field": name,
        "source": source,
        "old_value": plain(old),
        "new_value": plain(new),
        "changed": changed,
        "volatile": volatile,
    }


def changes(compared: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """[{field, old_value, new_value}] of the fields that differ, measurements and time stamps left out.

    A path of the document stands for itself only where no column tells the change.
    """
    differing = [one for one in compared if one["changed"] and not one["volatile"]]
    columns = [one for one in differing if one["source"] == "column"]
    return [{name: one[name] for name in ("field", "old_value", "new_value")} for one in columns or differing]


def plain(value: Any) -> Any:
    """The value as JSON has it; times with Z."""
    return times.text(value) if isinstance(value, datetime) else value


def leaves(doc: Any) -> dict[tuple[str, ...], Any]:
    """Path -> value of a document, given as JSON text or as a dict; lists are values."""
    if isinstance(doc, str | bytes):
        try:
            doc = orjson.loads(doc)
        except orjson.JSONDecodeError:
            return {}
    found: dict[tuple[str, ...], Any] = {}
    if isinstance(doc, dict):
        _walk(doc, (), found)
    return found


def _walk(value: dict[str, Any], path: tuple[str, ...], found: dict[tuple[str, ...], Any]) -> None:
    for name, item in value.items():
        place = (*path, str(name))
        if isinstance(item, dict) and item and len(place) < DEEPEST:
            _walk(item, place, found)
        elif len(found) < MOST_FIELDS:
            found[place] = item


def _is_volatile(type: ResourceType, path: tuple[str, ...]) -> bool:
    return any(path[: len(other)] == other for other in type.volatile_paths)


def key_fields(type: ResourceType, version: Mapping[str, Any]) -> dict[str, Any]:
    """What a version says first: its name, states, and the columns that lists of the type show."""
    stored = {column.name: column.role for column in type.columns}
    names = ["name", *(name for name, role in stored.items() if role == "status"), *type.default_columns]
    hidden = set(version["denied"])
    return {
        name: plain(version["row"].get(name)) for name in dict.fromkeys(names) if name in stored and name not in hidden
    }


def gone(type: ResourceType, version: Mapping[str, Any]) -> str:
    """What was deleted, as it was last: "gone; was ACTIVE, flavor name m1.small"."""
    was = state(type, version)
    return f"{sentence('deleted', ())}; was {was}" if was else sentence("deleted", ())


def state(type: ResourceType, version: Mapping[str, Any]) -> str:
    """A version's states and a few of the columns that lists show, in words: "ACTIVE, flavor name m1.small"."""
    states = {column.name for column in type.columns if column.role == "status"}
    roles = {column.name: column.role for column in type.columns}
    told: list[str] = []
    for name, value in key_fields(type, version).items():
        if value in (None, "", []) or name == "name" or roles[name] in ("id", "time"):
            continue
        told.append(shown(value) if name in states else f"{name.replace('_', ' ')} {shown(value)}")
    return ", ".join(told[:MOST_NAMED])


def bucket_for(span: timedelta) -> Bucket:
    """Hours for up to two days, else days."""
    return "hour" if span <= LONG_BY_THE_HOUR else "day"


def start_of(bucket: Bucket, at: datetime) -> datetime:
    """When the bucket that the time lies in begins."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour if bucket == "hour" else hour.replace(hour=0)


def periods(
    counts: Mapping[str, Iterable[Count]], since: datetime, until: datetime, bucket: Bucket
) -> list[dict[str, Any]]:
    """[{period, total, created, …, by_type}] of every bucket from the one that `since` lies in, also of empty ones."""
    step = timedelta(hours=1) if bucket == "hour" else timedelta(days=1)
    found: dict[datetime, dict[str, Any]] = {}
    begin = start_of(bucket, since)
    while begin <= until:
        found[begin] = {"period": begin, "total": 0, **dict.fromkeys(KINDS, 0), "by_type": {}}
        begin += step
    for type, of_type in counts.items():
        for count in of_type:
            one = found.get(start_of(bucket, count.hour))
            if one is not None:
                one["total"] += count.number
                one[count.kind] += count.number
                one["by_type"][type] = one["by_type"].get(type, 0) + count.number
    return list(found.values())


def totals(counts: Iterable[Count]) -> dict[str, int]:
    """Kind -> number, and their `total`."""
    found = {"total": 0, **dict.fromkeys(KINDS, 0)}
    for count in counts:
        found[count.kind] += count.number
        found["total"] += count.number
    return found
