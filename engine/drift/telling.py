"""Events in words: from a row of the store to an EventAnswer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from engine.access.models import Caller
from engine.drift.models import GRADE_WORDS, NOT_ASKED
from engine.drift.rules import RULES, Rule
from store.types import registry

Row = Mapping[str, Any]
Names = Mapping[tuple[str, str, str], str]  # (type, cloud, id) -> name
Heads = Mapping[tuple[str, str, str], int]
OURS = "audit"  # how a source begins that is this console's own audit
ANOTHER = "somebody else at this console"
_SAME = ("kind", "severity", "cloud", "region", "resource_id", "resource_name", "owner_id", "project_id",
         "project_name", "domain_id", "domain_name", "old_value", "new_value", "count", "times", "flapping", "first_at",
         "opened_at", "resolved_at", "last_at", "seen_before", "seen_at", "grade", "source", "request_id", "expected",
         "job", "ignored_by")  # fmt: skip
_LONGEST = 120  # characters of a value within a sentence


def answer(row: Row, caller: Caller, names: Names, heads: Heads) -> dict[str, Any]:
    """An EventAnswer. Whoever is limited to a part of the clouds is not told who else works at this console."""
    rule = RULES.get(row["rule"])
    actor = for_caller(caller, row["actor"], row["source"])
    candidates = orjson.loads(row["candidates"]) if row["candidates"] else []
    candidates = [{**one, "actor": for_caller(caller, one["actor"], one["source"])} for one in candidates]
    old_name, new_name = (_named(rule, row, row[side], names) for side in ("old_value", "new_value"))
    return {
        **{name: row[name] for name in _SAME},
        "id": row["id"],
        "rule_id": row["rule"],
        "rule_name": rule.name if rule else f"rule {row['rule']}",
        "rule_description": rule.description if rule else "",
        "state": row["told"],
        "key": [row["cloud"], row["region"], row["resource_id"]],
        "resource_type": row["type"],
        "field_changed": row["field"],
        "old_name": old_name,
        "new_name": new_name,
        "description": sentence(row, old_name, new_name),
        "detected_at": row["opened_at"],
        "acknowledged": row["ack_at"] is not None,
        "acknowledged_by": row["ack_by"],
        "acknowledged_at": row["ack_at"],
        "acknowledge_note": row["ack_note"],
        "acknowledged_until": row["ack_until"],
        "grade_words": GRADE_WORDS.get(row["grade"] or "", NOT_ASKED),
        "actor": actor,
        "candidates": candidates,
        "group": heads.get((row["cloud"], row["owner_id"] or "", row["request_id"] or "")),
    }


def for_caller(caller: Caller, actor: str | None, source: str | None) -> str | None:
    """The actor as this caller may know him."""
    if not caller.limited or actor is None or not (source or "").startswith(OURS):
        return actor
    return actor if actor in (caller.name, caller.login_name) else ANOTHER


def sentence(row: Row, old_name: str | None, new_name: str | None) -> str:
    """The change in words: "server web-1: status ACTIVE -> SHUTOFF"."""
    type = registry.ALL.get(row["type"])
    what = f"{type.name.replace('_', ' ') if type else row['type']} {row['resource_name'] or row['resource_id']}"
    if row["kind"] == "deleted":
        return f"{what} is gone" if row["state"] == "open" else f"{what} was gone and is back"
    if row["kind"] == "created":
        return f"{what} is new" if row["state"] == "open" else f"{what} was new and is gone"
    if row["kind"] == "unseen":
        number = _writes(row["old_value"], row["new_value"])
        writes = f"{number} write{'' if number == 1 else 's'}" if number else "written"
        return f"{what} was changed and changed back ({writes})"
    field = row["field"].replace("_", " ")
    return f"{what}: {field} {_said(row['old_value'], old_name)} -> {_said(row['new_value'], new_name)}"


def _writes(old: str | None, new: str | None) -> int:
    try:
        return int(new or 0) - int(old or 0)
    except ValueError:
        return 0


def _said(value: str | None, name: str | None) -> str:
    words = name or value
    if words is None:
        return "none"
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def references(rows: Iterable[Row]) -> dict[tuple[str, str], set[str]]:
    """(type, cloud) -> ids that stand in the rows' values, where a rule says that they are ids."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        rule = RULES.get(row["rule"])
        if rule is not None and rule.names:
            for value in (row["old_value"], row["new_value"]):
                if value:
                    found.setdefault((rule.names, row["cloud"]), set()).update(value.split(", "))
    return found


def _named(rule: Rule | None, row: Row, value: str | None, names: Names) -> str | None:
    if rule is None or not rule.names or not value:
        return None
    parts = [(id, names.get((rule.names, row["cloud"], id))) for id in value.split(", ")]
    return ", ".join(name or id for id, name in parts) if any(name for _, name in parts) else None
