"""The hand-over: one page of what the next shift has to know, section by section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.told import local
from tui.problems import view_of
from tui.state import View
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.table.layout import Head
from tui.table.paint import SECTION
from tui.table.spec import Key, Row, RowSource
from tui.world import World

TIMES = ("at", "since", "until", "ended_at")


class HandoverPane(Pane):
    """A line for each section, its rows below it; `enter` opens what a row is about. The subject: (since,) or ()."""

    places = ("list", "handover")
    topics = frozenset({"jobs", "notes", "writes", "data"})
    noun = "line"

    def __init__(self, view: View, world: World) -> None:
        self.page: dict[str, Any] = {}
        self._rows_of: dict[Key, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        super().__init__(view, world)

    def make_source(self) -> RowSource:
        """Lines as rows."""
        return FetchedSource(("line",), self._rows)

    async def _rows(self) -> Rows:
        since = self.view.subject[0] if self.view.subject and moment_of(self.view.subject[0]) else ""
        self.page = await self.world.get("/q/handover", {"since": since} if since else None)
        self._rows_of = {}
        rows: Rows = []
        for section in self.page.get("sections") or ():
            name, total = str(section.get("name")), int(section.get("total") or 0)
            rows.append(
                ((SECTION, name), [f"{clean(section.get('title') or name).upper()}{f'  {total}' if total else ''}"])
            )
            if section.get("problem"):
                rows.append(((name, "problem"), [f"   not known: {clean(section['problem'])}"]))
            elif not section.get("rows"):
                rows.append(((name, "none"), [f"   {clean(section.get('none') or 'none')}"]))
            for number, row in enumerate(section.get("rows") or ()):
                key = (name, str(number))
                self._rows_of[key] = (section, row)
                rows.append((key, ["   " + _line(section, row)]))
            left = total - len(section.get("rows") or ())
            if left > 0 and section.get("rows"):
                rows.append(((name, "more"), [f"   {left} more are not on this page"]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """From when to when."""
        return [Head("line", f"SINCE {local(self.page.get('since'))}", "text", 400, 0)]

    def title(self) -> str:
        """Whose, and since when."""
        mark = self.page.get("mark")
        return "hand-over since shift start" if mark else "hand-over of the last 12 hours" if self.page else "hand-over"

    def empty(self) -> str:
        """Being made, or filtered away."""
        return "no line matches this filter\nesc clears it" if self.view.filter else "making the page …"

    def enter(self, row: Row) -> View | None:
        """A record of the audit, the clouds, the notes."""
        section, values = self._rows_of.get(row.key, ({}, {}))
        name = section.get("name")
        if name == "changes" and values.get("seq"):
            return View("record", subject=(str(values["seq"]),))
        if name == "problems":
            found = view_of(values) if values.get("key") else None
            return found or View("problems")
        return View("notes") if name == "notes" else None

    def strip(self, row: Row) -> list[Parts]:
        """All columns of the row, with their heads."""
        section, values = self._rows_of.get(row.key, ({}, {}))
        if not values:
            mark = self.page.get("mark") or {}
            said = f"your shift began {local(mark.get('at'))} {clean(mark.get('note') or '')}" if mark else ""
            return [[(said or "a shift begins with :shift start", "muted")], _KEYS]
        lines: list[Parts] = [[], [], []]
        used, line = 0, 0
        for column in section.get("columns") or ():
            value = _value(column["name"], values.get(column["name"]))
            if not value:
                continue
            need = len(value) + len(str(column["title"])) + 3
            if used and used + need > max(40, self.world.cells - 2) and line < 2:
                used, line = 0, line + 1
            lines[line] += [(f"{clean(column['title']).lower()} ", "muted"), (value + "  ", "text")]
            used += need
        return lines


_KEYS: Parts = [(":handover markdown FILE, :handover csv FILE write it; `qdeck handover` prints it", "muted")]


def _line(section: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    values = (_value(column["name"], row.get(column["name"])) for column in section.get("columns") or ())
    return "  ".join(value for value in values if value)


def _value(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return name.replace("_", " ") if value else ""
    if name in TIMES and isinstance(value, str) and (moment := moment_of(value)):
        return moment.astimezone().strftime("%m-%d %H:%M")
    return clean(value)
