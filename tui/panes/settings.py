"""Settings: what each one is, where that comes from, and which can be changed from here."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Row, RowSource


class SettingsPane(Pane):
    """Keys as rows; `enter` asks for another value of those that may be changed in the app."""

    places = ("list", "settings")
    topics = frozenset({"engine"})
    noun = "setting"
    counted = True

    def make_source(self) -> RowSource:
        """Settings as rows."""
        self.items: dict[str, dict[str, Any]] = {}
        self.file = ""
        return FetchedSource(("key", "value", "default", "source"), self._rows)

    async def _rows(self) -> Rows:
        answer = await self.world.get("/q/settings")
        self.file = clean(answer.get("file") or "")
        self.items = {str(item["key"]): item for item in answer.get("items") or () if isinstance(item, dict)}
        return [((key,), [key, shown(item["value"]), shown(item["default"]), source(item)])
                for key, item in self.items.items()]  # fmt: skip

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """The value in force, then what it would be."""
        return [
            Head("key", "SETTING", "name", 34, 0),
            Head("value", "VALUE", "text", 14, 1),
            Head("default", "DEFAULT", "text", 10, 2),
            Head("source", "FROM", "text", 12, 3),
        ]

    def title(self) -> str:
        """What it is."""
        return "settings"

    def why_not(self, id: str, row: Row | None) -> str:
        """Why a setting can't be changed here."""
        if id not in ("open", "reset_setting") or row is None:
            return ""
        item = self.items.get(row.key[0]) or {}
        if item.get("locked"):
            return f"it is set in {self.file}, which wins; change it there"
        if not item.get("changeable"):
            return "only the configuration file qdeck.toml may set it"
        if id == "reset_setting" and item.get("source") != "app":
            return "it has its default"
        return ""

    def strip(self, row: Row) -> list[Parts]:
        """What it does, what is allowed, what enter does."""
        item = self.items.get(row.key[0])
        if item is None:
            return []
        reason = self.why_not("open", row)
        last: Parts = [(reason, "warn")] if reason else [("enter changes it", "muted")]
        if item.get("source") == "app":
            by = clean(item.get("updated_by") or "somebody")
            last += [(f"   changed by {by}, delete goes back to {shown(item['default'])}", "muted")]
        words = textwrap.wrap(clean(item.get("description") or ""), max(20, self.world.cells - 2)) or [""]
        allowed: Parts = [("allowed: ", "muted"), (clean(item.get("allowed") or "").replace("`", ""), "text")]
        first: list[Parts] = [[(line, "text")] for line in words[:2]]
        return [*first, [*allowed, ("   ", "text"), *last]] if len(first) > 1 else [*first, allowed, last]


def source(item: dict[str, Any]) -> str:
    """Where a value comes from, in words."""
    if item.get("locked"):
        return "file, locked"
    found = str(item.get("source") or "")
    return found if item.get("changeable") or found != "default" else "default, file only"


def shown(value: Any) -> str:
    """A value as a person would write it."""
    if value is None or value == {} or value == []:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return clean(", ".join(value))
    return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def value_of(text: str, before: Any) -> Any:
    """What a typed text is as JSON, of the kind the setting has now; the engine judges it."""
    words = text.strip()
    if isinstance(before, list):
        return [word.strip() for word in words.split(",") if word.strip()]
    if words.lower() in ("true", "false", "yes", "no", "on", "off") and isinstance(before, bool):
        return words.lower() in ("true", "yes", "on")
    if isinstance(before, str):
        return words
    try:
        return json.loads(words)
    except ValueError:
        return words
