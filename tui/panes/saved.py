"""Saved views: one's own, then those that somebody shares with everybody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui.commands import CommandError, understand
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import KINDS, View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Key, Row, RowSource


class SavedPane(Pane):
    """Names and texts; `enter` opens one."""

    places = ("list", "saved")
    topics = frozenset({"views"})
    noun = "view"
    counted = True

    def make_source(self) -> RowSource:
        """Views as rows."""
        self.items: dict[Key, dict[str, Any]] = {}
        return FetchedSource(("name", "text", "shared", "by", "updated_at"), self._rows)

    async def _rows(self) -> Rows:
        answer = await self.world.get("/q/views")
        self.items = {}
        rows: Rows = []
        for item in answer.get("items") or ():
            key = ("shared" if item.get("shared") else "own", str(item.get("name")))
            self.items[key] = item
            whose = f"shared by {clean(item.get('by') or '')}" if item.get("shared") else "yours"
            rows.append((key, [item.get("name"), item.get("text"), whose, item.get("by"), item.get("updated_at")]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Name and text."""
        return [
            Head("name", "VIEW", "name", 20, 0),
            Head("text", "SHOWS", "text", 50, 1),
            Head("shared", "WHOSE", "text", 18, 2),
            Head("updated_at", "SAVED", "time", 5, 4, False),
        ]

    def title(self) -> str:
        """What it is."""
        return "saved views"

    def empty(self) -> str:
        """None, and how to make one."""
        if self.view.filter:
            return "no saved view matches this filter\nesc clears it"
        return "no saved views\nb keeps the view on screen under a name; :view share NAME keeps it for everybody"

    def enter(self, row: Row) -> View | None:
        """What its text means now."""
        view, _ = self._meant(row)
        return view

    def _meant(self, row: Row) -> tuple[View | None, str]:
        """The view of a text; or why it has none any more."""
        item = self.items.get(row.key) or {}
        try:
            command = understand(str(item.get("text") or ""), View("list", "server"))
        except CommandError as error:
            return None, str(error)
        page = {"home": "clouds", "inventory": "inventory"}.get(command.action, "")
        columns = tuple(map(str, item.get("columns") or ()))
        if command.view is not None and command.view.kind == "list":
            return replace(command.view, columns=columns), ""
        view = command.view or (View(page) if page else None) or (View(command.verb) if command.verb in KINDS else None)
        return view, "" if view is not None else "its text leads nowhere in this release"

    def strip(self, row: Row) -> list[Parts]:
        """The whole text; what enter and delete do."""
        item = self.items.get(row.key)
        if item is None:
            return []
        _, problem = self._meant(row)
        last: Parts = [(f"can't be opened: {clean(problem)}", "warn")] if problem else [("enter opens it", "muted")]
        return [[(clean(item.get("text") or ""), "text")], [*last, ("  delete takes it away", "muted")]]
