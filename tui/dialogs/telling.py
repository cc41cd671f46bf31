"""Pages that only tell: a sentence, or that something is waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.dialogs.page import Drawn, Line, Page, rule
from tui.dialogs.planlines import wrapped
from tui.table.cells import clean


class TellPage(Page):
    """A title and sentences; enter, escape and q leave it."""

    def __init__(self, title: str, text: str, back: Callable[[], None]) -> None:
        super().__init__()
        self.title, self.text, self._back = title, text, back

    def draw(self, cells: int, rows: int) -> Drawn:
        """Whole sentences, over as many lines as they need."""
        lines: list[Line] = [rule([(clean(self.title), "strong")], cells)]
        for part in self.text.split("\n"):
            lines += [([(" " + piece, "text")], []) for piece in wrapped(clean(part), cells - 2)]
        lines.append(([(" ▸[ Close ]", "strong")], []))
        return Drawn(lines, 0)

    def keys(self) -> Sequence[tuple[str, str]]:
        """How to leave."""
        return (("enter", "close"),)

    def take_key(self, key: str, character: str | None) -> None:
        """Leave."""
        if key in ("enter", "escape", "q", "space"):
            self._back()


class WaitPage(TellPage):
    """Something takes its time; escape waits no longer."""

    def __init__(self, title: str, text: str, back: Callable[[], None]) -> None:
        super().__init__(title, text, back)
        self.seconds = 0

    def draw(self, cells: int, rows: int) -> Drawn:
        """What is waited for, and for how long already."""
        waited = f"  {self.seconds} s" if self.seconds > 1 else ""
        return Drawn([rule([(clean(self.title), "strong")], cells), ([(f" ◐ {clean(self.text)}{waited}", "busy")], [])])

    def keys(self) -> Sequence[tuple[str, str]]:
        """How to give up."""
        return (("esc", "wait no longer"),)

    def take_key(self, key: str, character: str | None) -> None:
        """Escape gives up; enter must not, it may be one too many of the page before."""
        if key in ("escape", "q"):
            self._back()

    def tick(self) -> bool:
        """The wait grows."""
        self.seconds += 1
        return True
