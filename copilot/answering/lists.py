"""Rows as a sentence: the first few by name and how many there are; the largest, the oldest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from copilot.answering import attributes, wording
from copilot.answering.phrases import counted, things
from copilot.answers import Field
from copilot.execution.level import relation_of
from copilot.execution.result import Result
from copilot.execution.shape import MOST_TIES
from copilot.model import registry
from copilot.query import Counted, Query

NAMED = 5  # rows that are named

# What happened is told by what it was, not by what it happened to.
_EVENTS = {"drift_event": ("what",), "audit_record": ("action", "target")}


def names(result: Result) -> list[str]:
    """What the rows are called; the id of one without a name."""
    column = result.entity.name_column
    told = _EVENTS.get(result.entity.name, ())
    found = []
    for place, row in enumerate(result.rows):
        called = " ".join(str(row[name]) for name in told if row.get(name)) or row.get(column)
        called = ", ".join(map(str, called)) if isinstance(called, list) else called
        found.append(wording.clean(str(called or _unnamed(row, result.keys[place][1][2] if result.keys else ""))))
    return found


def _unnamed(row: Mapping[str, Any], id: str) -> str:
    """What has no name: the beginning of its id, by which it is found too, and what it belongs to."""
    if row.get("group_name"):
        return f"group {row['group_name']}"
    short = f"{id[:8]}…" if len(id) > 12 else id or "(no name)"
    return f"{short} (of {row['server_name']})" if row.get("server_name") else short


def several(called: Sequence[str], total: int) -> str:
    """The first few of `total`; what is there several times is said once: "web-03 (2 times), db-01 and 7 more"."""
    counts = Counter(called)
    shown = list(counts)[:NAMED]
    left = total - sum(counts[name] for name in shown)
    said = [name if counts[name] == 1 else f"{name} ({counts[name]} times)" for name in shown]
    return wording.listed(said, len(said) + left, NAMED)


def text(query: Query, result: Result, limits: tuple[str, ...], now: datetime) -> str:
    """The first few rows by name, and how many there are."""
    if not result.rows:
        return f"There are {counted(result.total, result.entity, limits)}."
    ranked = _ranked(query, result)
    if ranked:
        return _top(query, result, limits, now, *ranked)
    shown = several(names(result), result.total)
    if query.gone is not None:
        return f"{counted(result.total, result.entity, limits)} vanished: {_gone(result, now)}."
    past, one = query.at is not None, result.total == 1
    there = ("was" if past else "is") if one else ("were" if past else "are")
    return f"There {there} {counted(result.total, result.entity, limits)}: {shown}."


def _gone(result: Result, now: datetime) -> str:
    shown = [
        f"{name} ({wording.moment(row['valid_to'], now)})" if row.get("valid_to") else name
        for name, row in zip(names(result), result.rows, strict=True)
    ]
    return wording.listed(shown, result.total, NAMED)


def _ranked(query: Query, result: Result) -> tuple[Field, bool] | None:
    """The column whose largest or smallest are asked for, and whether the largest are."""
    if not query.order or query.limit is None:
        return None
    column, descending = query.order[0]
    found = next((field for field in result.columns if field.name == column), None)
    if found is None or found.role not in ("number", "size_mb", "size_gb", "size_bytes", "time"):
        return None
    return found, descending


def _top(query: Query, result: Result, limits: tuple[str, ...], now: datetime, field: Field, descending: bool) -> str:
    entity, called = result.entity, word(query, result, field.name)
    held = [row.get(field.name) for row in result.rows]
    shown = [_value(value, field, now) for value in held]
    named = names(result)
    many = counted(result.total, entity, limits)
    if field.role == "time":
        born = field.name == entity.born
        extreme = ("newest" if descending else "oldest") if born else ("latest" if descending else "earliest")
        by = "" if born else f" by {called!r}"
        if len(named) == 1:
            only = f"the only {things(entity, limits, True)}" if result.total == 1 else f"the {extreme} of {many}{by}"
            return f"{named[0]} is {only}: {shown[0]}."
        listed = wording.listed([f"{name} ({at})" for name, at in zip(named, shown, strict=True)], len(named), 10)
        return f"The {len(named)} {extreme} of {many}{by}: {listed}."
    listed = wording.listed([f"{name} ({value})" for name, value in zip(named, shown, strict=True)], len(named), 10)
    extreme = "largest" if descending else "smallest"
    by_size = called == "size"  # of what has a size, nobody says that it has the most of it
    fewest = "fewest" if field.role == "number" and called.endswith("s") else "least"
    if result.tied:
        what = f"are the {extreme}" if by_size else f"have the {'most' if descending else fewest} {called}"
        return (
            f"{tied([*named, *names(replace(result, rows=result.tied, keys=()))])} {what} of {many}: {shown[0]} each."
        )
    if len(named) == 1:
        if result.total == 1:
            return f"{named[0]} is the only {things(entity, limits, True)}: {called} {shown[0]}."
        if by_size:
            return f"{named[0]} is the {extreme} of {many}: {shown[0]}."
        return f"{named[0]} has the {'most' if descending else fewest} {called} of {many}: {shown[0]}."
    if len(named) == result.total:
        return f"{many} by {called}: {listed}."
    if by_size:
        return f"The {len(named)} {extreme} of {many}: {listed}."
    return f"The {len(named)} of {many} with the {'most' if descending else fewest} {called}: {listed}."


def tied(named: Sequence[str]) -> str:
    """Those that are as large as the largest; where MOST_TIES were found, there may be yet others."""
    if len(named) > MOST_TIES:
        return f"{', '.join(named[:NAMED])} and others"
    return wording.listed(named, len(named), MOST_TIES)


def _value(value: Any, field: Field, now: datetime) -> str:
    return "unknown" if value is None else wording.value(value, field, now)


def word(query: Query, result: Result, name: str) -> str:
    """How a column or counted number is named."""
    if any(one.name == name for one in query.counted):
        return counted_word(query, result, name)
    known = result.entity.attributes.get(name)
    return attributes.word(known) if known is not None else name.replace("_", " ")


def counted_word(query: Query, result: Result, name: str) -> str:
    """What is counted: "servers", "size of volumes"."""
    one: Counted | None = next((one for one in query.counted if one.name == name), None)
    if one is None:
        return name.replace("_", " ")
    other = registry.entity(relation_of(result.entity, one.relation).to)
    if not one.column:
        return other.plural
    kind = {"average": "average ", "maximum": "highest ", "minimum": "lowest "}.get(one.kind, "")
    return f"{kind}{attributes.word(other.attributes[one.column])} of {other.plural}"
