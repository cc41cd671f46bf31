"""A field that names a resource: what is typed is looked for in the engine, one of what was found is taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from store.types.actions import Option
from tui.dialogs.fields import TextField
from tui.panes.pane import Parts
from tui.table.cells import clean, cut_end, cut_middle, fit

MOST = 5  # matches shown


@dataclass(frozen=True, slots=True)
class Match:
    """A resource that what is typed may mean."""

    id: str
    name: str
    more: str = ""


class ResourceField(TextField):
    """Its value is the id of the taken match; up and down go through the matches, enter or tab takes one.

    search(field, text)  begins to look; `offer` brings what was found
    """

    def __init__(
        self, option: Option, search: Callable[[ResourceField, str], None], start: Match | None = None
    ) -> None:
        super().__init__(option, start.name or start.id if start else "")
        self.taken = start
        self.matches: list[Match] = []
        self.at = 0
        self.waiting = False
        self._search = search
        self._asked = self.text if start else ""

    def value(self) -> str | None:
        """The id; what is typed while nothing is taken."""
        if self.taken is not None:
            return self.taken.id
        return self.text or None

    def problem(self) -> str:
        """A text must be one of the resources."""
        if self.text and self.taken is None:
            if self.waiting:
                return "is being looked for"
            return "is not chosen yet: ↓ and enter take one" if self.matches else f"is no {self._noun} that is known"
        return super().problem()

    @property
    def _noun(self) -> str:
        return self.option.type.replace("_", " ")

    def take_key(self, key: str, character: str | None) -> bool:
        """Choose among the matches, or edit."""
        open_matches = self.taken is None and self.matches
        if open_matches and key in ("down", "up"):
            self.at = (self.at + (1 if key == "down" else -1)) % len(self.matches)
            return True
        if open_matches and key in ("enter", "tab"):
            self.take(self.matches[self.at])
            return False  # the focus goes on
        before = self.text
        taken = super().take_key(key, character)
        self._edited(before)
        return taken

    def fill(self, text: str) -> None:
        """Looked for as if it were typed."""
        before = self.text
        super().fill(text)
        self._edited(before)

    def take_paste(self, text: str) -> str:
        """Looked for as if it were typed."""
        before = self.text
        said = super().take_paste(text)
        self._edited(before)
        return said

    def _edited(self, before: str) -> None:
        if self.text != before:
            self.taken, self.matches, self.at = None, [], 0
            self.waiting = bool(self.text)
            self._asked = self.text
            if self.text:
                self._search(self, self.text)

    def take(self, match: Match) -> None:
        """This one is meant."""
        self.taken, self.touched, self.waiting = match, True, False
        self.edit.put(match.name or match.id)
        self.changed(self)

    def offer(self, text: str, matches: Sequence[Match]) -> None:
        """What was found for a text; nothing when somebody typed on meanwhile."""
        if text != self._asked or self.taken is not None:
            return
        self.waiting, self.matches, self.at = False, list(matches[:MOST]), 0
        exact = [match for match in matches if text in (match.name, match.id)]
        if len(exact) == 1 and len(matches) == 1:
            self.take(exact[0])

    def below(self, cells: int) -> list[Parts]:
        """The matches."""
        if self.taken is not None:
            return [[(cut_middle(clean(self.taken.id), cells), "muted")]] if self.taken.name else []
        lines: list[Parts] = []
        for number, match in enumerate(self.matches):
            here = number == self.at
            words = f"{fit(clean(match.name or match.id), min(30, max(8, cells // 2)))} {clean(match.more)}"
            lines.append([("▸ " if here else "  ", "key"), (cut_end(words, cells - 2), "strong" if here else "text")])
        if not lines and self.waiting:
            return [[("◐ looking …", "busy")]]
        return lines
