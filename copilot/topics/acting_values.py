"""What a request says besides what it is done to: a new name, a time, a size. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import tzinfo

from copilot.grammar.items import Item
from copilot.topics.requests import Request, typed

Values = tuple[tuple[str, str], ...]

_RESTORING = """
how it was to from the state of before as back version latest last newest snapshot backup its point a an in at
on time old condition most recent earlier previous good known one yesterdays restore with using was"""
_RESTORE_WORDS = frozenset(_RESTORING.split())
_TO = ("to", "into", "as")
_NUMBERS = {"vcpus": "vcpus", "ram_mb": "ram", "disk_gb": "disk", "ephemeral_gb": "ephemeral", "swap_mb": "swap"}


def values_of(request: Request, question: str, zone: tzinfo) -> tuple[Values, tuple[Item, ...]]:
    """Options of the action, and the items that say what it is done to."""
    rest = list(request.rest)
    if request.verb == "rename":
        return _renamed(rest, question)
    if request.verb == "snapshot":
        return _called(rest, question)
    if request.verb == "restore":
        return _restored(rest, zone)
    if request.verb == "lock":
        at = next((n for n, item in enumerate(rest) if item.said in ("because", "since", "reason")), len(rest))
        reason = typed(question, rest[at + 1 :]).removeprefix("of ")
        return (("reason", reason),) if reason else (), tuple(rest[:at])
    if request.verb == "reboot":
        return ((("type", request.how),) if request.how else ()), tuple(item for item in rest if item.period is None)
    return (), tuple(item for item in rest if item.period is None)


def _renamed(rest: Sequence[Item], question: str) -> tuple[Values, tuple[Item, ...]]:
    at = next((n for n in range(len(rest) - 1, 0, -1) if rest[n].said in _TO), None)
    if at is None or at == len(rest) - 1:
        return (), tuple(rest)
    return (("name", typed(question, rest[at + 1 :])),), tuple(rest[:at])


def _called(rest: Sequence[Item], question: str) -> tuple[Values, tuple[Item, ...]]:
    for at, item in enumerate(rest[:-1]):
        if at and (item.is_concept("named", "as") or item.said == "as"):
            return (("name", typed(question, rest[at + 1 :])),), tuple(rest[:at])
    return (), tuple(item for item in rest if item.period is None)


def _restored(rest: Sequence[Item], zone: tzinfo) -> tuple[Values, tuple[Item, ...]]:
    values: list[tuple[str, str]] = []
    kept: list[Item] = []
    for item in rest:
        period = item.period
        if period is not None:
            moment = period.at or period.until or period.since
            if moment is not None:
                values.append(("at", f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"))
        elif item.named and all(one.type in ("snapshot", "backup", "image") for one in item.named):
            values.append(("point", item.named[0].key[2]))
        elif item.named or item.value or not set(item.said.split()) <= _RESTORE_WORDS:
            kept.append(item)
    return tuple(values[:2]), tuple(kept)


def created(request: Request, question: str) -> tuple[str, Values, str, tuple[str, ...]]:
    """Type of what shall be made, its options, the same as a command line, and words of which nothing was made."""
    values: dict[str, str] = {}
    shown: dict[str, str] = {}
    unread: list[str] = []
    type, number = "", None
    for item in request.rest:
        if item.quantity is not None:
            number = item.quantity.value
        elif number is not None and "flavor" in item.columns and item.columns["flavor"][0] in _NUMBERS:
            values[_NUMBERS[item.columns["flavor"][0]]] = f"{number:g}"
            number = None
        elif item.named and item.named[0].type == "project" and item.typed_as != type:
            values["project"], shown["project"] = item.named[0].key[2], item.named[0].name
        elif item.entities and not type and not item.named:
            type = item.entities[0]
        elif item.named or item.value or item.senses is None:
            type = type or item.typed_as
            text = item.named[0].typed if item.named and item.typed_as == type else typed(question, (item,))
            if "name" in values:
                unread.append(text)
            values.setdefault("name", text)
        elif item.said in ("shared", "external"):
            values[item.said] = "true"
    unread += [f"{number:g}"] if number is not None else []
    options = "".join(f" --option {name}={shlex.quote(value)}" for name, value in {**values, **shown}.items())
    return type, tuple(values.items()), f"qdeck do {type}.create{options}", tuple(unread)
