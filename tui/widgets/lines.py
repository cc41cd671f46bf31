"""Single lines and small stacks of lines: context, state, strip, footer. Only lines that changed are repainted."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.table.paint import Line, Part, line_of, sided_line
from tui.themes.palette import PALETTES, Palette
from tui.widgets.guarded import Guarded


class Lines(Guarded, Widget):
    """Lines made of parts. A line is a pair (left, right): right parts stand at the right edge and are never cut."""

    DEFAULT_CSS = "Lines { width: 1fr; height: 1; }"

    def __init__(self, *, id: str, count: int = 1, fill: str = "text") -> None:
        super().__init__(id=id)
        self.palette: Palette = PALETTES["ansi"]
        self._fill = fill
        self._count = count
        self._content: list[tuple[Sequence[Part], Sequence[Part]]] = []
        self._strips: list[Strip] = []

    def set_palette(self, palette: Palette) -> None:
        """Draw with other colours."""
        self.palette = palette
        self._strips = []
        self._draw()

    def show(self, *lines: tuple[Sequence[Part], Sequence[Part]]) -> None:
        """Show these lines; texts must be cleaned."""
        self._content = list(lines)
        self._draw()

    @property
    def text(self) -> str:
        """What is drawn, for tests and for people who read logs."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)

    def _draw(self) -> None:
        cells, height = self.size
        if cells <= 0 or height <= 0:
            return
        old, new = self._strips, [self._line(n, cells) for n in range(height)]
        self._strips = new
        self._draw_changed(old, new, cells)

    def _draw_changed(self, old: Sequence[Strip], new: Sequence[Strip], cells: int) -> None:
        if len(old) != len(new):
            self.refresh()
            return
        changed = [y for y in range(len(new)) if new[y] != old[y]]
        if changed:
            self.refresh(*[Region(0, y, cells, 1) for y in changed])

    def _line(self, number: int, cells: int) -> Strip:
        palette, fill = self.palette, self.palette[self._fill]
        line: Line = line_of((), cells, fill)
        if number < len(self._content):
            line = sided_line(*self._content[number], palette, cells, fill)
        return Strip(line, cells)

    def render_line(self, y: int) -> Strip:
        """The drawn line."""
        if y < len(self._strips) and self._strips[y].cell_length == self.size.width:
            return self._strips[y]
        return Strip(line_of((), self.size.width, self.palette[self._fill]), self.size.width)

    def on_resize(self) -> None:
        """Everything is drawn anew at another size."""
        self._strips = []
        self._draw()
