"""What a list looks like: the rows on screen, columns, cursor and marks as lines. Pure: no Textual, no waiting.

The table's widget is one of these that repaints itself; the first frame is one that is painted once (tui.frame).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import wrap

from tui.table.buffer import Buffer
from tui.table.canvas import Canvas, canvas_lines
from tui.table.cells import width as text_width
from tui.table.layout import Head, Placed, place
from tui.table.lit import lit
from tui.table.marks import Marks
from tui.table.paint import Line, head_line, line_of, row_line, texts_of
from tui.table.spec import Place, Row, Spec
from tui.themes.palette import PALETTES, Palette

WIDE = 120  # cells of screen from which columns are set apart by two


class Picture:
    """A screen of rows with a cursor. Knows nothing about where rows come from.

    canvas         draws the whole screen instead of heads and rows
    lit            a text that was looked for
    hint           texts with names of styles, shown in place of the heads
    place          rank and number of rows, once known
    waiting_since  loop time of the oldest open question, None = nothing is waited for
    """

    def __init__(self) -> None:
        self.buffer = Buffer()
        self.spec = Spec("")
        self.heads: list[Head] = []
        self.faults: Sequence[str] = ("error",)
        self.column = 0
        self.left = 0
        self.wide_columns = False
        self.marks = Marks()
        self.palette: Palette = PALETTES["ansi"]
        self.empty_text = ""
        self.canvas: Canvas | None = None
        self.lit = ""
        self.hint: list[tuple[str, str]] = []
        self.place: Place | None = None
        self.waiting_since: float | None = None
        self._needs: dict[str, int] = {}

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.buffer.current

    @property
    def column_head(self) -> Head | None:
        """The column under the column cursor."""
        return self.heads[self.column] if self.column < len(self.heads) else None

    def lines(self, width: int, height: int) -> list[Line]:
        """All lines of the table on a screen of that size."""
        if self.canvas is not None:
            return canvas_lines(self.canvas, self.current, self.palette, width, height, self.hint)
        rows = self.buffer.visible(height - 1)
        now = datetime.now(UTC)
        texts = [texts_of(row, self.heads, now) for row in rows]
        placed = self._place(width, texts)
        status = next((h for h in self.heads if h.role == "status"), None)
        sort = dict(self.spec.sort)
        column = self.column_head.name if self.column_head else ""
        lines = [head_line(placed, self.palette, width, sort, column, self.left > 0)]
        if self.hint:
            lines = [line_of([(text, self.palette[name]) for text, name in self.hint], width, self.palette["text"])]
        names = [h.name for h in self.heads]
        between = self.marks.stretch(self.buffer)
        for number, row in enumerate(rows):
            cursor = self.buffer.top + number == self.buffer.cursor
            line = row_line(
                row, dict(zip(names, texts[number], strict=True)), placed, self.palette, width, cursor=cursor,
                marked=self.marks.holds(row.key) or self.buffer.top + number in between,
                status=status, faults=self.faults,
            )  # fmt: skip
            lines.append(lit(line, self.lit, (self.palette.cursor if cursor else self.palette.plain)["mark"]))
        text = self.palette["text"]
        if not rows and self.empty_text:
            said = [line for part in self.empty_text.split("\n") for line in wrap(part, max(8, width - 3)) or [""]]
            lines += [line_of([("  " + line, self.palette["muted"])], width, text) for line in said]
        lines += [line_of((), width, text)] * (height - len(lines))
        return lines[:height]

    def _place(self, width: int, texts: Sequence[Sequence[str]]) -> list[Placed]:
        # Widths follow what is on screen and only ever grow within one list, so that scrolling doesn't make
        # columns dance.
        needs = self._needs
        sorted_by = {name for name, _ in self.spec.sort}
        for index, head in enumerate(self.heads):
            need = max((text_width(row[index]) for row in texts), default=0)
            if need > needs.get(head.name, 0):
                needs[head.name] = need
            if head.name in sorted_by:
                needs[head.name] = max(needs.get(head.name, 0), text_width(head.title) + 1)
        start = 3 if any(h.role == "status" for h in self.heads) else 2
        gap = 2 if width >= WIDE else 1
        column = self.column_head.name if self.column_head else ""
        placed = place(self.heads, needs, start, width - 1, gap, self.left, self.wide_columns, column)
        # The column under the cursor is always on screen: scroll columns away until it is.
        if self.column == 0:
            if self.left:
                self.left = 0
                placed = place(self.heads, needs, start, width - 1, gap, 0, self.wide_columns, column)
        elif self.column_head and self.column <= self.left:
            self.left = self.column - 1
            placed = place(self.heads, needs, start, width - 1, gap, self.left, self.wide_columns, column)
        elif self.column_head:
            while all(spot.head is not self.column_head for spot in placed) and self.left < self.column - 1:
                self.left += 1
                placed = place(self.heads, needs, start, width - 1, gap, self.left, self.wide_columns, column)
        return placed
