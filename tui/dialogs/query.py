"""How an answer was found: its queries, to be read and copied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tui.copilot import LONGEST
from tui.dialogs.ask_lines import paragraphs
from tui.dialogs.page import Drawn, Line, Page, rule
from tui.table.cells import clean

KINDS = {
    "sql": "SQL on the public views, as it can be run", "list": "a list of the console", "live": "asked of the cloud",
    "find": "the console's find",
}  # fmt: skip


class QueryPage(Page):
    """The queries of one answer. c copies them all, E saves them."""

    beside = True

    def __init__(
        self,
        queries: Sequence[Mapping[str, Any]],
        back: Callable[[], None],
        copy: Callable[[str], str],
        save: Callable[[str], str],
    ) -> None:
        super().__init__()
        self._queries = queries
        self._back, self._copy, self._save = back, copy, save
        self._top = self._room = 0
        self.saying = ""

    def text(self) -> str:
        """All of them, cleaned line by line."""
        return "\n\n".join("\n".join(_lines(query)) for query in self._queries)

    def keys(self) -> Sequence[tuple[str, str]]:
        """What may be pressed."""
        return (("esc", "back to the answer"), ("c", "copy"), ("E", "save"), ("j k", "scroll"))

    def take_key(self, key: str, character: str | None) -> None:
        """Scroll, copy, save, or go back."""
        self.saying = ""
        if key in ("escape", "enter") or character in ("q", "s"):
            self._back()
            return
        if character == "c":
            self.saying = self._copy(self.text())
        elif character == "E":
            self.saying = self._save(self.text())
        elif key in ("j", "down"):
            self._top += 1
        elif key in ("k", "up"):
            self._top -= 1
        elif key in ("pagedown", "space", "pageup"):
            self._top += -self._room if key == "pageup" else self._room
        self.changed()

    def draw(self, cells: int, rows: int) -> Drawn:
        """What kind of query it is, then its lines."""
        body: list[Line] = []
        for query in self._queries:
            kind = clean(query.get("kind") or "")
            body.append(([(" " + KINDS.get(kind, kind), "muted")], []))
            body += paragraphs(_lines(query), cells, "strong")
        tail: list[Line] = [([(" " + clean(self.saying), "warn")], [])] if self.saying else []
        self._room = room = max(1, rows - 1 - len(tail))
        self._top = min(max(0, self._top), max(0, len(body) - room))
        shown = body[self._top : self._top + room]
        place = f"lines {self._top + 1}-{self._top + len(shown)} of {len(body)}" if len(body) > room else ""
        title = rule([("how it was found", "strong")], cells, [(place, "key")] if place else [])
        return Drawn([title, *shown, *tail], 0)


def _lines(query: Mapping[str, Any]) -> list[str]:
    return [clean(line, LONGEST).rstrip() for line in str(query.get("text") or "")[:LONGEST].splitlines()]
