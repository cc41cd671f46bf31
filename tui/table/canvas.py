"""Pages that are drawn freely: lines of texts with styles, one of them under the cursor, in place of heads and rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tui.table.paint import Line, line_of
from tui.table.spec import Row
from tui.themes.palette import Palette


class Canvas(Protocol):
    """What draws such a page."""

    def draw(self, width: int, height: int, key: str) -> list[list[tuple[str, str, bool]]]:
        """Lines of (cleaned text, name of a style, under the cursor), not wider than the screen."""
        ...

    def go_at(self, cell: int, line: int) -> bool:
        """A click there; True when what lies there is under the cursor already."""
        ...


def canvas_lines(
    canvas: Canvas, row: Row | None, palette: Palette, width: int, height: int, hint: Sequence[tuple[str, str]]
) -> list[Line]:
    """The page as lines of the screen; a hint takes the place of the first one."""
    fill = palette["text"]
    lines = canvas.draw(width, height, row.key[0] if row is not None else "")
    drawn = [
        line_of([(text, (palette.cursor if here else palette.plain)[name]) for text, name, here in line], width, fill)
        for line in lines[:height]
    ]
    drawn += [line_of((), width, fill)] * (height - len(drawn))
    if hint:
        drawn[:1] = [line_of([(text, palette[name]) for text, name in hint], width, fill)]
    return drawn
