"""The drawing half of the windowed table: lines from rows, repainting only those that changed; columns and marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import wrap

from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.table.buffer import Buffer
from tui.table.canvas import Canvas, canvas_strips
from tui.table.cells import width as text_width
from tui.table.layout import Head, Placed, place
from tui.table.lit import lit
from tui.table.marks import Marks
from tui.table.paint import head_strip, row_strip, strip_of, texts_of
from tui.table.spec import Row, Spec
from tui.themes.palette import PALETTES, Palette
from tui.widgets.guarded import Guarded

WIDE = 120  # cells of screen from which columns are set apart by two
AGE_TICK = 20.0  # seconds between repaints of ages on a screen where nothing else happens


class TableView(Guarded, Widget, can_focus=True):
    """A screen of rows with a cursor. Knows nothing about where rows come from."""

    DEFAULT_CSS = "TableView { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
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
        self.canvas: Canvas | None = None  # draws the whole screen instead of heads and rows
        self.lit = ""  # a text that was looked for
        self._hint: list[tuple[str, str]] = []
        self._needs: dict[str, int] = {}
        self._lines: list[Strip] = []
        self._drawing = False

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.buffer.current

    @property
    def page_rows(self) -> int:
        """Rows that fit on screen."""
        return max(1, self.size.height - 1)

    @property
    def column_head(self) -> Head | None:
        """The column under the column cursor."""
        return self.heads[self.column] if self.column < len(self.heads) else None

    def value(self, name: str) -> object:
        """The value of the column of that name in the row under the cursor; None when there is none."""
        row = self.current
        if row is None or name not in self.buffer.columns:
            return None
        return row.values[self.buffer.columns.index(name)]

    def on_mount(self) -> None:
        """Ages grow while nobody touches anything."""
        self.set_interval(AGE_TICK, self.redraw)

    def set_palette(self, palette: Palette) -> None:
        """Draw with other colours."""
        self.palette = palette
        self._lines = []
        self.redraw()

    def set_hint(self, parts: list[tuple[str, str]]) -> None:
        """Texts with names of styles, shown in place of the heads; none shows the heads."""
        self._hint = parts
        self.redraw()

    # Drawing

    def redraw(self) -> None:
        """Draw what changed, once, after the messages that are already waiting."""
        if not self._drawing and self.is_attached:
            self._drawing = True
            self.call_later(self._draw)

    def _draw(self) -> None:
        self._drawing = False
        width, height = self.size
        if width <= 0 or height <= 0:
            return
        lines = self._compose_lines(width, height)
        old = self._lines
        self._lines = lines
        if len(old) != len(lines):
            self.refresh()
            return
        changed = [y for y, (new, before) in enumerate(zip(lines, old, strict=True)) if new != before]
        if changed:
            self.refresh(*[Region(0, y, width, 1) for y in changed])

    def _compose_lines(self, width: int, height: int) -> list[Strip]:
        if self.canvas is not None:
            return canvas_strips(self.canvas, self.current, self.palette, width, height, self._hint)
        rows = self.buffer.visible(height - 1)
        now = datetime.now(UTC)
        texts = [texts_of(row, self.heads, now) for row in rows]
        placed = self._place(width, texts)
        status = next((h for h in self.heads if h.role == "status"), None)
        sort = dict(self.spec.sort)
        column = self.column_head.name if self.column_head else ""
        lines = [head_strip(placed, self.palette, width, sort, column, self.left > 0)]
        if self._hint:
            lines = [strip_of([(text, self.palette[name]) for text, name in self._hint], width, self.palette["text"])]
        names = [h.name for h in self.heads]
        between = self.marks.stretch(self.buffer)
        for number, row in enumerate(rows):
            cursor = self.buffer.top + number == self.buffer.cursor
            line = row_strip(
                row, dict(zip(names, texts[number], strict=True)), placed, self.palette, width, cursor=cursor,
                marked=self.marks.holds(row.key) or self.buffer.top + number in between,
                status=status, faults=self.faults,
            )  # fmt: skip
            lines.append(lit(line, self.lit, (self.palette.cursor if cursor else self.palette.plain)["mark"]))
        text = self.palette["text"]
        if not rows and self.empty_text:
            said = [line for part in self.empty_text.split("\n") for line in wrap(part, max(8, width - 3)) or [""]]
            lines += [strip_of([("  " + line, self.palette["muted"])], width, text) for line in said]
        lines += [strip_of((), width, text)] * (height - len(lines))
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

    def render_line(self, y: int) -> Strip:
        """The drawn line; blank before the first drawing."""
        if y < len(self._lines) and self._lines[y].cell_length == self.size.width:
            return self._lines[y]
        return strip_of((), self.size.width, self.palette["text"])

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """All there is."""
        return container.width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """All there is."""
        return container.height

    def on_resize(self, event: events.Resize) -> None:
        """Everything is drawn anew at another size."""
        self._lines = []
        self.buffer.scroll_to_cursor(self.page_rows)
        self.redraw()

    # Columns and marks

    def set_heads(self, heads: list[Head]) -> None:
        """Other columns; the column cursor stays on its column."""
        name = self.column_head.name if self.column_head else ""
        self.heads = heads
        self.column = next((i for i, head in enumerate(heads) if head.name == name), 0)
        self.redraw()

    def move_column(self, delta: int) -> None:
        """Move the column cursor, scrolling columns so that it is on screen."""
        if self.heads:
            self.column = min(max(0, self.column + delta), len(self.heads) - 1)
            self.redraw()

    def toggle_wide(self) -> None:
        """Columns as wide as their texts, or as wide as declared."""
        self.wide_columns = not self.wide_columns
        self.redraw()

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        row = self.current
        if row is not None:
            self.marks.toggle(row.key)
            self.redraw()
