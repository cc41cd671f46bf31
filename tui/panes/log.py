"""A machine's console log: opened at its end, followed while one stands there, searched, wrapped."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tui.logtext import has_times, matching, new_lines, pieces, without_time
from tui.panes.pane import FetchedSource, Pane, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Anchor, Key, RowSource, Spec, Window
from tui.world import World

LINES = 1000  # asked for at once
LONGEST = 4000
MARGIN = 3  # cells of a row that hold no text: the cursor's mark, a gap, the edge


class LogSource(FetchedSource):
    """Lines as rows; while `tail` is set the list begins at its end. Rows are made anew when the width changes."""

    def __init__(self, pane: LogPane) -> None:
        super().__init__(("line",), pane.rows)
        self.tail = True
        self._pane = pane
        self._shape: Any = None

    async def window(self, spec: Spec, anchor: Anchor, before: int, after: int) -> Window:
        """See RowSource; raises what fetching raises."""
        if not self.stale and self._shape != self._pane.shape:
            self.replace(self._pane.shown_rows())
        self._shape = self._pane.shape
        if anchor == "start" and self.tail:
            return await super().window(spec, "end", max(before, after), 0)
        return await super().window(spec, anchor, before, after)


class LogPane(Pane):
    """One server's console log."""

    places = ("log",)
    has_strip = False
    noun = "line"

    def __init__(self, view: View, world: World) -> None:
        self.following = False
        self.wrap = True
        self.times = True
        self.search = ""
        self.name = view.subject[-1] if view.subject else ""
        self.truncated = False
        self._lines: list[str] = []
        self._first = 0  # number of the first line: goes on when newer lines push older ones out
        self._places: list[int] = []  # of every row, the line it belongs to
        super().__init__(view, world)

    def make_source(self) -> RowSource:
        """Lines as rows."""
        self.text = LogSource(self)
        return self.text

    @property
    def shape(self) -> tuple[Any, ...]:
        """What the rows are made from besides the lines."""
        return self.wrap, self.times, self.world.cells if self.wrap else 0

    async def fetch(self) -> bool:
        """Read the log's end again; whether it has changed. Raises what asking the engine raises."""
        cloud, region, id = self.view.subject
        path = f"/q/servers/{quote(id, safe='')}/console-log"
        answer = await self.world.get(path, {"cloud": cloud, "region": region, "length": LINES})
        text = str(answer.get("text") or "") if answer.get("lines") else ""
        lines = [clean(line, LONGEST) for line in text.split("\n")] if text else []
        self.name = clean(answer.get("name") or id)
        self.truncated = bool(answer.get("truncated"))
        if lines == self._lines:
            return False
        new = new_lines(self._lines, lines)
        self._first += len(self._lines) - (len(lines) - new)
        self._lines = lines
        return True

    async def rows(self) -> Rows:
        """What the source fetches."""
        await self.fetch()
        return self.shown_rows()

    async def poll(self) -> bool:
        """Read the end again and take it; whether anything is new."""
        changed = await self.fetch()
        if changed:
            self.text.replace(self.shown_rows())
        return changed

    def shown_rows(self) -> Rows:
        """The lines as they are shown now. A row's key is its line's number and its piece's."""
        rows: Rows = []
        self._places = []
        for place, line in enumerate(self._lines):
            shown = line if self.times else without_time(line)
            for part, piece in enumerate(pieces(shown, self.world.cells - MARGIN) if self.wrap else [shown]):
                # A blank in place of nothing, which a list would show as "-".
                rows.append(((str(self._first + place), str(part)), [piece or " "]))
                self._places.append(place)
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """One column of text."""
        return [Head("line", "CONSOLE LOG", "text", LONGEST, 0)]

    def title(self) -> str:
        """Whose log, and whether it is followed."""
        return f"log {self.name}{' · following' if self.following else ''}"

    def empty(self) -> str:
        """Nothing was written, or nothing is here yet."""
        if self.text.stale:
            return "reading …"
        return "this machine has written nothing to its console\nl shows its events"

    @property
    def lines(self) -> list[str]:
        """All lines that are here, as they are shown: cleaned, and with or without their times."""
        return [line if self.times else without_time(line) for line in self._lines]

    @property
    def has_times(self) -> bool:
        """Whether lines begin with times, which `t` can take away."""
        return has_times(self._lines)

    def find(self, key: Key | None, step: int, *, here: bool = False) -> Key | None:
        """Key of the next row in that direction whose line has the text looked for; None when no line has it."""
        if not self._lines or not self.search:
            return None
        number = int(key[0]) - self._first if key else 0
        start = number if here else number + step
        place = matching(self._lines, self.search, start % len(self._lines), step)
        return None if place is None else (str(self._first + place), "0")

    def expire(self) -> None:
        """`r`: read it again."""
        self.text.stale = True
