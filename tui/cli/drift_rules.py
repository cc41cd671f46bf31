"""`qdeck drift rules`, `ignore`, `window`: what drift looks for, and what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.drift.models import SEVERITIES
from tui.cli.engine_link import connected
from tui.cli.exits import NOT_FOUND, USAGE, leave, note
from tui.cli.inventory import quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_pairs, write_rows
from tui.periods import body_of

RULES = ("id", "is", "severity", "type", "field", "name", "open", "by")
ENTRIES = ("id", "what", "reason", "hides", "by", "since", "until", "is")
CRITERIA = ("name", "tag", "project", "cloud", "type", "severity", "rule", "field")


def rules(options: GlobalOptions, types: Sequence[str], output: Format) -> None:
    """Print the rules, by number."""
    wanted = {word.replace("-", "_") for word in types}
    with connected(options) as client:
        items = client.get("/q/drift/rules")["items"]
    items = [item for item in items if not wanted or item["resource_type"] in wanted]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    else:
        write_rows([_rule(item) for item in items], RULES, output)


def _rule(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "is": "on" if item["enabled"] else "off", "type": item["resource_type"], "open": item["triage"],
            "by": item["changed_by"]}  # fmt: skip


def rule(options: GlobalOptions, number: int, on: bool | None, severity: str | None, output: Format) -> None:
    """Print a rule, or change it."""
    known = (*SEVERITIES, "default")
    if severity is not None and severity not in known:
        leave(USAGE, f"a severity is one of {', '.join(known)}, not {severity!r}")
    change: dict[str, Any] = {} if on is None else {"enabled": on}
    if severity is not None:
        change["severity"] = None if severity == "default" else severity
    with connected(options) as client:
        if change:
            item = client.put(f"/q/drift/rules/{number}", json=change)
        else:
            items = client.get("/q/drift/rules")["items"]
            item = next((one for one in items if one["id"] == number), None)
    if item is None:
        leave(NOT_FOUND, f"there is no rule {number}; `qdeck drift rules` lists them")
    if change and output is Format.table:
        note(f"rule {number} {item['name']} is {'on' if item['enabled'] else 'off'}, {item['severity']}")
    else:
        write_pairs(item, output)


def add(
    options: GlobalOptions, kind: str, given: Mapping[str, Any], since: str | None, until: str | None, output: Format
) -> None:
    """Add an entry of what is ignored, or a maintenance window."""
    values = {name: value for name, value in given.items() if value is not None}
    body = body_of({**values, "since": since, "until": until}, datetime.now().astimezone())
    if isinstance(body, str):
        leave(USAGE, body)
    with connected(options) as client:
        made = client.post(f"/q/drift/{kind}", json=body)
    if output is Format.table:
        note(f"{'ignored' if kind == 'ignores' else 'planned'}: {_what(made)} ({made['id']})")
    else:
        write_pairs(made, output)


def entries(options: GlobalOptions, kind: str, remove: str | None, output: Format) -> None:
    """Print the entries, or take one back."""
    with connected(options) as client:
        if remove is not None:
            client.delete(f"/q/drift/{kind}/{quoted(remove)}")
            note("no longer ignored" if kind == "ignores" else "the window has ended; what it covered stays ignored")
            return
        items = client.get(f"/q/drift/{kind}")["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    elif items:
        columns = ENTRIES if kind == "windows" else tuple(name for name in ENTRIES if name not in ("since", "is"))
        write_rows([_entry(item) for item in items], columns, output)
    else:
        note("nothing is ignored" if kind == "ignores" else "no maintenance is planned")


def _entry(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "what": _what(item), "hides": item["events"], "by": item["created_by"],
            "is": "now" if item.get("active") else None}  # fmt: skip


def _what(item: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {item[name]}" for name in CRITERIA if item.get(name) not in (None, "")) or "everything"
