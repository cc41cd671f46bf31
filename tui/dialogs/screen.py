"""The screen over the list on which dialogs are drawn, page after page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.screen import ModalScreen

from tui.dialogs.page import Drawn, Page
from tui.showing import keys_line
from tui.themes.palette import PALETTES
from tui.widgets.guarded import Guarded
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

ABOVE = 1  # lines that stay in sight above a page that takes all the room: where we are, and whether it may be written


class DialogScreen(Guarded, ModalScreen[None]):
    """Shows one page; keys come from the app at once, so that none is lost between two queues.

    line  line of the screen that must not be covered by a page that is about it; None = none
    """

    DEFAULT_CSS = """
    DialogScreen { overflow: hidden; }
    DialogScreen > Lines { height: 1; }
    """

    def __init__(self, page: Page, line: int | None = None) -> None:
        super().__init__()
        self.styles.background = "transparent"  # the list stays in sight; stronger than the console's own style
        self.sheet = Lines(id="sheet")
        self.foot = Lines(id="dialog-keys")
        self._line = line
        self.page = page
        self.show(page)

    def compose(self) -> ComposeResult:
        """The sheet, and its keys in place of the list's."""
        yield self.sheet
        yield self.foot

    def on_mount(self) -> None:
        """Draw as the list is drawn."""
        app: QuarterdeckApp = self.app  # type: ignore[assignment]
        self.set_palette(app.theme_name)
        self.call_after_refresh(self.redraw)
        self.redraw()

    def set_palette(self, name: str) -> None:
        """Draw with other colours."""
        for lines in (self.sheet, self.foot):
            lines.set_palette(PALETTES[name])

    def show(self, page: Page) -> None:
        """Show another page in place of this one."""
        self.page.changed = lambda: None
        self.page = page
        page.changed = self.redraw
        self.redraw()

    def on_resize(self) -> None:
        """Anew at another size."""
        self.redraw()

    def tick(self) -> None:
        """A second went by."""
        if self.page.tick():
            self.redraw()

    def redraw(self) -> None:
        """Draw the page as it is now."""
        if not self.is_mounted:
            return
        cells, height = self.app.size
        foot = 0 if height < 8 else 1
        room = max(1, height - ABOVE - foot)
        drawn = self.page.draw(cells, room)
        lines = _in_sight(drawn, room)
        rows = room if self.page.whole else min(room, len(lines))
        top = height - foot - rows
        if not self.page.whole and self._line is not None and self._line >= top:
            if rows < room:
                lines, rows = [*lines, ([("─" * cells, "rule")], [])], rows + 1
            top = max(ABOVE, min(ABOVE + 1, self._line - rows))
        sheet, keys = self.sheet.styles, self.foot.styles
        sheet.height, sheet.offset = rows, (0, top)
        keys.height, keys.offset = foot or 1, (0, height - rows - 1)
        self.foot.display = bool(foot)
        self.sheet.show(*lines)
        self.foot.show(keys_line(self.page.keys(), cells))


def _in_sight(drawn: Drawn, room: int) -> list[tuple[list[tuple[str, str]], list[tuple[str, str]]]]:
    """As many lines as there is room for: the title, and those around the focus."""
    lines = drawn.lines
    if len(lines) <= room:
        return lines
    if room < 3:
        return lines[drawn.focus : drawn.focus + room]
    start = min(max(1, drawn.focus - (room - 2)), len(lines) - room + 1)
    return [lines[0], *lines[start : start + room - 1]]
