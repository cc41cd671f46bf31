"""What a dialog shows at a time: a page. Pages know nothing of Textual: keys come in, lines go out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui.panes.pane import Parts
from tui.table.cells import width

Line = tuple[Parts, Parts]  # left and right parts, cleaned


@dataclass(frozen=True, slots=True)
class Drawn:
    """Lines of a page, and the one that must be in sight."""

    lines: list[Line]
    focus: int = 0


class Page:
    """Base of the pages.

    whole    takes all the room there is; otherwise only what its lines need, so that the list stays in sight
    beside   is drawn in the room above or below the line that it is about, however much it has to say
    changed  called when there is something new to draw; set by the screen that shows the page
    """

    whole = False
    beside = False

    def __init__(self) -> None:
        self.changed: Callable[[], None] = lambda: None

    def draw(self, cells: int, rows: int) -> Drawn:
        """The page in so many cells and at most so many rows (more lines are scrolled)."""
        raise NotImplementedError

    def keys(self) -> Sequence[tuple[str, str]]:
        """What the footer says: (key, what it does)."""
        return ()

    def take_key(self, key: str, character: str | None) -> None:
        """A key was pressed."""

    def take_paste(self, text: str) -> None:
        """A text was pasted."""

    def tick(self) -> bool:
        """A second went by; True when something is to be drawn anew."""
        return False


def rule(title: Parts, cells: int, right: Parts = []) -> Line:  # noqa: B006 - never changed
    """The first line of a page: its title in a line across the screen."""
    used = 4 + sum(width(text) for text, _ in (*title, *right)) + (2 if right else 0)
    rest = "─" * max(0, cells - used - (2 if right else 0))
    left: Parts = [("── ", "rule"), *title, (" " + rest, "rule")]
    return left, [(" ", "rule"), *right, (" ──", "rule")] if right else []
