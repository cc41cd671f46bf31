"""The drawing half of the windowed table: repainting only the lines that changed; columns and marks."""

from __future__ import annotations

from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.table.layout import Head
from tui.table.paint import line_of
from tui.table.picture import Picture
from tui.themes.palette import Palette
from tui.widgets.guarded import Guarded

AGE_TICK = 20.0  # seconds between repaints of ages on a screen where nothing else happens


class TableView(Guarded, Picture, Widget, can_focus=True):
    """A screen of rows with a cursor. Knows nothing about where rows come from."""

    DEFAULT_CSS = "TableView { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:
        Widget.__init__(self, id=id)
        Picture.__init__(self)
        self._lines: list[Strip] = []
        self._drawing = False

    @property
    def page_rows(self) -> int:
        """Rows that fit on screen."""
        return max(1, self.size.height - 1)

    def value(self, name: str) -> object:
        """The value of the column of that name in the row under the cursor; None when there is none."""
        row = self.current
        if row is None or name not in self.buffer.columns:
            return None
        return row.values[self.buffer.columns.index(name)]

    @property
    def is_drawn(self) -> bool:
        """Whether all that is known is drawn."""
        return bool(self._lines) and not self._drawing

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
        self.hint = parts
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
        lines = [Strip(line, width) for line in self.lines(width, height)]
        old = self._lines
        self._lines = lines
        if len(old) != len(lines):
            self.refresh()
            return
        changed = [y for y, (new, before) in enumerate(zip(lines, old, strict=True)) if new != before]
        if changed:
            self.refresh(*[Region(0, y, width, 1) for y in changed])

    def render_line(self, y: int) -> Strip:
        """The drawn line; blank before the first drawing."""
        if y < len(self._lines) and self._lines[y].cell_length == self.size.width:
            return self._lines[y]
        return Strip(line_of((), self.size.width, self.palette["text"]), self.size.width)

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
