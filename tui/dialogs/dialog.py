"""An open dialog: one page after another on the console's sheet, keys in its footer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.dialogs.page import Drawn, Line, Page
from tui.showing import keys_line
from tui.themes.palette import PALETTES

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

ABOVE = 1  # lines that stay in sight above every page: where we are, and whether it may be written
ENOUGH = 11  # lines for a page beside a row: with as many below it, the page lies there


class Dialog:
    """Shows one page after another; keys come from the app at once, so that none is lost between two queues.

    line  line of the screen that must not be covered by a page that is about it; None = none
    """

    def __init__(self, app: QuarterdeckApp, page: Page, line: int | None = None) -> None:
        self._app, self._line = app, line
        self.sheet = app.sheet
        self.page = page
        self.set_palette(app.theme_name)
        self.show(page)

    def set_palette(self, name: str) -> None:
        """Draw with other colours."""
        self.sheet.forget()
        self.sheet.set_palette(PALETTES[name])
        self.redraw()

    def show(self, page: Page) -> None:
        """Show another page in place of this one."""
        self.page.changed = lambda: None
        self.page = page
        page.changed = self.redraw
        self.redraw()

    def close(self) -> None:
        """The list is in sight again."""
        self.page.changed = lambda: None
        self.sheet.take_away()

    def tick(self) -> None:
        """A second went by."""
        if self.page.tick():
            self.redraw()

    def redraw(self) -> None:
        """Draw the page as it is now."""
        cells, height = self._app.size
        foot = 0 if height < 8 else 1
        room = max(1, height - ABOVE - foot)
        if self.page.beside:
            room = _beside(self._line, room)
        drawn = self.page.draw(cells, room)
        lines = _in_sight(drawn, room)
        rows = room if self.page.whole else min(room, len(lines))
        top = height - foot - rows
        if not self.page.whole and self._line is not None and self._line >= top:
            if rows < room:
                lines, rows = [*lines, ([("─" * cells, "rule")], [])], rows + 1
            top = max(ABOVE, min(ABOVE + 1, self._line - rows))
        self.sheet.put(top, rows, cells, lines)
        self.show_keys()

    def show_keys(self) -> None:
        """The keys of the page, where those of the list are otherwise."""
        self._app.footer.show(keys_line(self.page.keys(), self._app.size.width))


def _beside(line: int | None, room: int) -> int:
    """Lines above or below the line of the screen that a page is about; all of them where neither is enough."""
    if line is None:
        return room
    above, below = line - ABOVE, room - (line - ABOVE) - 1
    best = below if below >= ENOUGH else max(above, below)
    return best if best >= 4 else room


def _in_sight(drawn: Drawn, room: int) -> list[Line]:
    """As many lines as there is room for: the title, and those around the focus."""
    lines = drawn.lines
    if len(lines) <= room:
        return lines
    if room < 3:
        return lines[drawn.focus : drawn.focus + room]
    start = min(max(1, drawn.focus - (room - 2)), len(lines) - room + 1)
    return [lines[0], *lines[start : start + room - 1]]
