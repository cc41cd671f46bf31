"""A sheet over a part of the list, on which dialogs are drawn: only what it covers is painted, so opening costs little.

It lies on the console's own screen: a screen of its own would have everything painted again when it opens or closes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from textual.events import Resize
from textual.geometry import Region

from tui.table.paint import Part
from tui.widgets.lines import Lines

Line = tuple[Sequence[Part], Sequence[Part]]


class Sheet(Lines):
    """Lines at a place on the screen, drawn before they are laid out: nothing blank is painted first."""

    DEFAULT_CSS = """
    Sheet { layer: above; width: 100%; height: 0; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._place = (0, 0, 0)

    def put(self, top: int, rows: int, cells: int, lines: Sequence[Line]) -> None:
        """Cover so many rows from line `top` on with these lines."""
        old, self._content = self._strips, list(lines)
        self._strips = [self._line(number, cells) for number in range(rows)]
        if self._place != (top, rows, cells):
            self._place = (top, rows, cells)
            self.styles.height, self.styles.offset = rows, (0, top)
            # What another size needs is painted when it is laid out. A size that was another one only between two
            # frames is none.
            if self.size == (cells, rows):
                self.refresh()
        elif self._strips != old:
            self._draw_changed(old, self._strips, cells)

    def take_away(self) -> None:
        """Cover nothing. Hiding the widget would have the whole screen painted again."""
        self.forget()
        self.styles.height = 0

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Laying out paints what has another size: it is not painted a second time for that."""
        return super().refresh(*regions, repaint=repaint and not layout, layout=layout, recompose=recompose)

    def forget(self) -> None:
        """Another palette: all lines are drawn anew by the next `put`."""
        self._strips, self._place = [], (0, 0, 0)

    def on_resize(self, event: Resize) -> None:  # type: ignore[override]
        """What is to be seen at this size was drawn before; the dialog puts it anew at another size of the screen."""
        event.prevent_default()
