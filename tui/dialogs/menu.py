"""The action menu: everything that can be done to a row or to the marks; what can't be done says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui.dialogs.page import Drawn, Line, Page, rule
from tui.panes.pane import Parts
from tui.table.cells import clean, cut_end, fit, width

WORDS = {"disruptive": ("interrupts", "warn"), "destructive": ("DESTROYS", "bad")}


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the menu. `reason`: why it can't be done now, "" = it can."""

    id: str
    key: str
    title: str
    danger: str = "none"
    help: str = ""
    reason: str = ""


class MenuPage(Page):
    """Letters do at once what they stand for; arrows and enter choose."""

    def __init__(
        self,
        about: str,
        choices: Sequence[Choice],
        choose: Callable[[Choice], None],
        back: Callable[[], None],
        does: str = "do it (a plan comes first)",
    ) -> None:
        super().__init__()
        self.about = about
        self.choices = list(choices)
        self._choose, self._back, self._does = choose, back, does
        self.at = next((n for n, choice in enumerate(choices) if not choice.reason), 0)
        self.saying = ""

    def take_key(self, key: str, character: str | None) -> None:
        """A letter of a line, a move, enter or escape."""
        self.saying = ""
        letters = [choice for choice in self.choices if choice.key and choice.key == character]
        if letters:
            self.at = self.choices.index(letters[0])
            self._take(letters[0])
        elif key in ("escape", "q"):
            self._back()
        elif key in ("j", "down", "tab"):
            self._move(1)
        elif key in ("k", "up", "shift+tab"):
            self._move(-1)
        elif key == "enter" and self.choices:
            self._take(self.choices[self.at])
        self.changed()

    def _move(self, delta: int) -> None:
        if self.choices:
            self.at = (self.at + delta) % len(self.choices)

    def _take(self, choice: Choice) -> None:
        if choice.reason:
            self.saying = f"{choice.title}: {choice.reason}"
        else:
            self._choose(choice)

    def keys(self) -> Sequence[tuple[str, str]]:
        """What may be pressed."""
        return (("enter", self._does), ("j k", "choose"), ("esc", "leave"))

    def draw(self, cells: int, rows: int) -> Drawn:
        """The title, a line for each action, and why one can't be done."""
        lines: list[Line] = [rule([(cut_end(clean(self.about), max(10, cells - 8)), "strong")], cells)]
        titles = max([width(choice.title) for choice in self.choices] or [1])
        for number, choice in enumerate(self.choices):
            lines.append((self._line(choice, titles, number == self.at, cells), []))
        if not self.choices:
            lines.append(([(" nothing can be done to these here", "muted")], []))
        lines.append(([(" " + cut_end(clean(self.saying), cells - 2), "warn")], []))
        return Drawn(lines, 1 + self.at)

    def _line(self, choice: Choice, titles: int, here: bool, cells: int) -> Parts:
        off = bool(choice.reason)
        words, style = WORDS.get(choice.danger, ("", "muted"))
        title = "muted" if off else "strong" if here else "text"
        parts: Parts = [
            ("▸ " if here else "  ", "key"),
            (fit(choice.key or " ", 2), "muted" if off else "key"),
            (fit(clean(choice.title), titles), title),
            (f"  {fit(words, 10)}", "muted" if off else style),
        ]
        said = clean(choice.reason or choice.help)
        parts.append(("  " + cut_end(said, max(4, cells - titles - 20)), "muted"))
        return parts
