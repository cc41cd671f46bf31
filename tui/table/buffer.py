"""The rows a table holds: those on screen and a margin, with the cursor among them. Pure logic, no drawing, no
waiting.

The cursor holds a row's key. Data may change under it at any moment: the row stays under the cursor, at the same
line of the screen;
if it is gone it stays, marked as gone, until the cursor moves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.table.spec import Key, Row, Window

KEEP_PAGES = 8  # pages kept on each side of the screen; more is forgotten and read again when needed


@dataclass(slots=True)
class Buffer:
    """A stretch of a list. `top` is the index of the first row on screen, `cursor` that of the row under the
    cursor."""

    rows: list[Row] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    has_before: bool = False
    has_after: bool = False
    top: int = 0
    cursor: int = 0

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    def visible(self, height: int) -> list[Row]:
        """The rows on a screen of that height."""
        return self.rows[self.top : self.top + height]

    def missing_after(self, height: int, margin: int) -> bool:
        """Whether rows behind the screen should be fetched."""
        return self.has_after and len(self.rows) - (self.top + height) < margin

    def missing_before(self, margin: int) -> bool:
        """Whether rows before the screen should be fetched."""
        return self.has_before and self.top < margin

    def move(self, delta: int, height: int) -> int:
        """Move the cursor by rows; the rest that could not be moved because those rows aren't here yet is
        returned."""
        if not self.rows:
            return 0
        self._drop_gone(delta)
        target = self.cursor + delta
        clamped = min(max(target, 0), len(self.rows) - 1)
        self.cursor = clamped
        self.scroll_to_cursor(height)
        rest = target - clamped
        if (rest > 0 and self.has_after) or (rest < 0 and self.has_before):
            return rest
        return 0

    def page(self, delta: int, height: int) -> int:
        """Move cursor and screen together by `delta` rows, as page keys do; returns the rest as `move` does."""
        line = self.cursor - self.top
        rest = self.move(delta, height)
        self.top = min(max(0, self.cursor - line), max(0, len(self.rows) - height))
        self.scroll_to_cursor(height)
        return rest

    def go(self, index: int, height: int) -> None:
        """Put the cursor on a row that is here."""
        self.move(index - self.cursor, height)

    def scroll_to_cursor(self, height: int) -> None:
        """Scroll as little as needed to have the cursor on screen."""
        height = max(1, height)
        self.top = min(max(self.top, self.cursor - height + 1), self.cursor)
        if not self.has_after:
            self.top = min(self.top, max(0, len(self.rows) - height))
        self.top = max(0, self.top)

    def replace(self, window: Window, height: int, *, key: Key | None, line: int) -> None:
        """Take a new stretch of the list with the cursor on `key`, kept at that line of the screen.

        When the window lacks the key and the cursor's own row was asked for, that row is gone: it is kept, struck
        through.
        Without a key the cursor goes to the window's anchor.
        """
        old = self.current
        rows = list(window.rows)
        cursor = window.anchor_index or 0
        if key is not None:
            found = next((i for i, row in enumerate(rows) if row.key == key), None)
            if found is None and old is not None and old.key == key:
                found = self._keep_gone(old, rows)
            cursor = cursor if found is None else found
        self.rows, self.columns = rows, window.columns
        self.has_before, self.has_after = window.has_before, window.has_after
        self.cursor = min(cursor, max(0, len(rows) - 1))
        self.top = max(0, self.cursor - max(0, line))
        self.scroll_to_cursor(height)

    def _keep_gone(self, old: Row, rows: list[Row]) -> int:
        """Put the row that is gone where it was: behind its nearest former predecessor that is still there."""
        places = {row.key: i for i, row in enumerate(rows)}
        place = 0
        for row in reversed(self.rows[: self.cursor]):
            if row.key in places:
                place = places[row.key] + 1
                break
        else:
            after = (places[row.key] for row in self.rows[self.cursor + 1 :] if row.key in places)
            place = next(after, 0)
        rows.insert(place, Row(old.key, old.values, gone=True))
        return place

    def _drop_gone(self, delta: int) -> None:
        if delta and (row := self.current) is not None and row.gone and len(self.rows) > 1:
            del self.rows[self.cursor]
            if delta < 0 or self.cursor >= len(self.rows):
                # The next row took the gone one's place: going up starts from there, going down ends there.
                return
            self.cursor -= 1

    def extend_after(self, window: Window) -> int:
        """Append the rows that follow; returns how many were new."""
        have = {row.key for row in self.rows}
        new = [row for row in window.rows if row.key not in have]
        self.rows.extend(new)
        self.has_after = window.has_after
        return len(new)

    def extend_before(self, window: Window) -> int:
        """Put the rows before in front, screen and cursor stay where they are; returns how many were new."""
        have = {row.key for row in self.rows}
        new = [row for row in window.rows if row.key not in have]
        self.rows[:0] = new
        self.top += len(new)
        self.cursor += len(new)
        self.has_before = window.has_before
        return len(new)

    def trim(self, height: int) -> None:
        """Forget rows far from the screen."""
        margin = max(height, 10) * KEEP_PAGES
        low = min(self.top, self.cursor) - margin
        high = max(self.top + height, self.cursor) + margin
        if high < len(self.rows):
            del self.rows[high:]
            self.has_after = True
        if low > 0:
            del self.rows[:low]
            self.top -= low
            self.cursor -= low
            self.has_before = True
