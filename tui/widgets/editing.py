"""A line of text while somebody types it: no drawing, no keys that mean anything but text and its editing."""

from __future__ import annotations

from tui.table.cells import clean, width

MOST_TEXT = 1000


class LineEdit:
    """Text and cursor (an index into it, 0 to its length)."""

    def __init__(self, value: str = "", most: int = MOST_TEXT) -> None:
        self.value = value
        self.cursor = len(value)
        self.most = most

    def put(self, text: str) -> None:
        """Replace the whole text; the cursor stands behind it."""
        self.value = clean(text)[: self.most]
        self.cursor = len(self.value)

    def insert(self, text: str) -> None:
        """Put a text where the cursor is; one that doesn't fit whole is not taken."""
        text = clean(text)
        if len(self.value) + len(text) <= self.most:
            self.value = self.value[: self.cursor] + text + self.value[self.cursor :]
            self.cursor += len(text)

    def take_key(self, key: str, character: str | None) -> bool:
        """Edit; False for a key that isn't text and edits nothing."""
        if key in ("left", "right", "home", "end"):
            ends = {"left": self.cursor - 1, "right": self.cursor + 1, "home": 0, "end": len(self.value)}
            self.cursor = min(max(0, ends[key]), len(self.value))
        elif key == "backspace":
            if self.cursor:
                self.value = self.value[: self.cursor - 1] + self.value[self.cursor :]
                self.cursor -= 1
        elif key == "delete":
            self.value = self.value[: self.cursor] + self.value[self.cursor + 1 :]
        elif character is not None and character.isprintable():
            self.insert(character)
        else:
            return False
        return True

    def shown(self, cells: int) -> tuple[str, str, str]:
        """What stands before, under and behind the cursor in so many cells; the cursor is always in sight."""
        start = 0
        while start < self.cursor and width(self.value[start : self.cursor]) >= max(1, cells):
            start += 1
        return (
            self.value[start : self.cursor],
            self.value[self.cursor : self.cursor + 1] or " ",
            self._tail(start, cells),
        )

    def _tail(self, start: int, cells: int) -> str:
        room = cells - width(self.value[start : self.cursor + 1])
        tail = self.value[self.cursor + 1 :]
        while tail and width(tail) > max(0, room):
            tail = tail[:-1]
        return tail
