"""What drift looks for and what it leaves out: rules, ignores, maintenance windows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tui.drift import LEVELS, when
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.table.layout import Head
from tui.table.spec import Key, Row, RowSource

RULES, IGNORES, WINDOWS = "/q/drift/rules", "/q/drift/ignores", "/q/drift/windows"
CRITERIA = ("name", "tag", "project", "cloud", "type", "severity", "rule", "field")
_SWITCH = {"on": "ok", "off": "idle"}
_ACTIVE = {"now": "warn", "over": "idle", "to come": "none"}


class _Kept(Pane):
    """What the three have in common: items by key, read anew when drift moves."""

    topics = frozenset({"drift"})
    counted = True
    columns: tuple[str, ...] = ()
    path = ""

    def make_source(self) -> RowSource:
        """Items as rows."""
        self.items: dict[Key, dict[str, Any]] = {}
        return FetchedSource(self.columns, self._rows)

    async def _rows(self) -> Rows:
        answer = await self.world.get(self.path)
        self.items = {(str(i.get("id")),): i for i in answer.get("items") or () if isinstance(i, dict)}
        return [(key, self.values(item)) for key, item in self.items.items()]

    def values(self, item: Mapping[str, Any]) -> list[Any]:
        """A row's values."""
        raise NotImplementedError


class RulesPane(_Kept):
    """Rules by number; `enter` opens the events of one."""

    places = ("list", "rules")
    noun = "rule"
    columns = ("number", "on", "severity", "type", "field", "name", "triage", "by")
    path = RULES

    def values(self, item: Mapping[str, Any]) -> list[Any]:
        """A row's values."""
        own = item.get("severity") != item.get("default_severity")
        return [
            item.get("id"), "on" if item.get("enabled") else "off", item.get("severity"),
            clean(item.get("resource_type") or "").replace("_", " "), item.get("field"), item.get("name"),
            item.get("triage"), item.get("changed_by") if own or not item.get("enabled") else None,
        ]  # fmt: skip

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Whether it is on is the glyph."""
        return [
            Head("name", "RULE", "name", 30, 5),
            Head("on", "IS", "status", 3, 1, levels=_SWITCH),
            Head("severity", "SEVERITY", "status", 8, 2, levels=LEVELS),
            Head("triage", "OPEN", "number", 5, 6),
            Head("type", "TYPE", "text", 10, 3),
            Head("field", "FIELD", "text", 12, 4),
            Head("number", "NO", "number", 4, 0),
            Head("by", "CHANGED BY", "name", 10, 7, False),
        ]

    def title(self) -> str:
        """What they are."""
        return "drift rules"

    def empty(self) -> str:
        """There are always some."""
        return "no rule passes this filter\nesc clears it" if self.view.filter else "reading the rules …"

    def enter(self, row: Row) -> View | None:
        """Its events that are to be looked at."""
        return View("drift", filter=f"rule_id:={row.key[0]}")

    def strip(self, row: Row) -> list[Parts]:
        """What it looks for, and how it was shipped."""
        item = self.items.get(row.key)
        if item is None:
            return []
        shipped = "as shipped" if item["severity"] == item.get("default_severity") else (
            f"shipped as {item.get('default_severity')}"
        )  # fmt: skip
        last: Parts = [(f"{item.get('severity')}, {shipped}", "text")]
        if item.get("changed_by"):
            last.append((f"  changed by {clean(item['changed_by'])} {when(item.get('changed_at'))}", "muted"))
        first: Parts = [(clean(item.get("name") or ""), "strong"), ("" if item.get("enabled") else "  is off", "warn")]
        return [first, [(clean(item.get("description") or ""), "text")], last]


class IgnoresPane(_Kept):
    """Entries, the newest first; `enter` opens the events that are ignored."""

    places = ("list", "ignores")
    noun = "entry"
    columns = ("what", "reason", "events", "by", "at", "until")
    path = IGNORES

    def values(self, item: Mapping[str, Any]) -> list[Any]:
        """A row's values."""
        until = when(item["until"]) if item.get("until") else None
        return [criteria_words(item), item.get("reason"), item.get("events"), item.get("created_by"),
                item.get("created_at"), until]  # fmt: skip

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What is left out, and why."""
        return [
            Head("what", "IGNORED", "name", 32, 0),
            Head("reason", "WHY", "text", 22, 1),
            Head("events", "HIDES", "number", 5, 2),
            Head("by", "WHO", "name", 8, 3),
            Head("at", "AGE", "time", 4, 4),
            Head("until", "UNTIL", "text", 16, 5, False),
        ]

    def title(self) -> str:
        """What they are."""
        return "ignored drift"

    def empty(self) -> str:
        """None, and how to make one."""
        return "no entry passes this filter\nesc clears it" if self.view.filter else (
            "nothing is ignored\n+ adds an entry; in the drift (2) it begins with the event under the cursor"
        )  # fmt: skip

    def enter(self, row: Row) -> View | None:
        """What is ignored now."""
        return View("drift", filter="state:ignored")

    def strip(self, row: Row) -> list[Parts]:
        """The whole entry."""
        item = self.items.get(row.key)
        if item is None:
            return []
        hides = int(item.get("events") or 0)
        last: Parts = [(f"hides {hides:,} event{'' if hides == 1 else 's'}  ", "text")]
        last.append((f"by {clean(item.get('created_by') or '?')} {when(item.get('created_at'))}", "muted"))
        if item.get("until"):
            last.append((f"  until {when(item['until'])}", "muted"))
        return [[(criteria_words(item), "strong")], [(clean(item.get("reason") or ""), "text")], last]


class WindowsPane(_Kept):
    """Maintenance windows, the newest first."""

    places = ("list", "windows")
    noun = "window"
    columns = ("what", "is", "from", "until", "reason", "events", "by")
    path = WINDOWS

    def values(self, item: Mapping[str, Any]) -> list[Any]:
        """A row's values."""
        return [criteria_words(item), window_state(item), when(item.get("since")), when(item.get("until")),
                item.get("reason"), item.get("events"), item.get("created_by")]  # fmt: skip

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What it covers and when."""
        return [
            Head("what", "COVERS", "name", 22, 0),
            Head("is", "IS", "status", 7, 1, levels=_ACTIVE),
            Head("from", "FROM", "text", 16, 2),
            Head("until", "UNTIL", "text", 16, 3),
            Head("reason", "WHY", "text", 16, 4),
            Head("events", "HIDES", "number", 5, 5),
            Head("by", "WHO", "name", 8, 6, False),
        ]

    def title(self) -> str:
        """What they are."""
        return "maintenance windows"

    def empty(self) -> str:
        """None, and how to make one."""
        return "no window passes this filter\nesc clears it" if self.view.filter else (
            "no maintenance is planned\n+ adds a window: what changes in it is ignored"
        )  # fmt: skip

    def enter(self, row: Row) -> View | None:
        """What is ignored now."""
        return View("drift", filter="state:ignored")

    def strip(self, row: Row) -> list[Parts]:
        """The whole window."""
        item = self.items.get(row.key)
        if item is None:
            return []
        times: Parts = [(f"from {when(item.get('since'))} until {when(item.get('until'))}", "text")]
        times.append((f"  by {clean(item.get('created_by') or '?')}", "muted"))
        first: Parts = [(criteria_words(item), "strong"), (f"  {window_state(item)}", "warn")]
        return [first, [(clean(item.get("reason") or ""), "text")], times]


def window_state(item: Mapping[str, Any]) -> str:
    """now, over, or to come."""
    if item.get("active"):
        return "now"
    until = moment_of(str(item.get("until") or ""))
    return "over" if until is not None and until <= datetime.now(UTC) else "to come"


def criteria_words(item: Mapping[str, Any]) -> str:
    """Which resources an entry or window is about: type volume, name web-*; "everything" without a criterion."""
    found = [f"{name} {clean(item[name])}" for name in CRITERIA if item.get(name) not in (None, "")]
    return ", ".join(found) or "everything"
