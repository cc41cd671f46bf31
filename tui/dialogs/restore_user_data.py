"""The choice whether user data is passed on: its first lines are shown under it, and forgotten with the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from store.types.actions import Option
from tui import restore
from tui.dialogs.fields import ChoiceField
from tui.dialogs.planlines import wrapped
from tui.panes.pane import Parts
from tui.table.cells import clean, cut_end


class UserDataField(ChoiceField):
    """Yes or no; choosing yes asks the engine for the first lines. They may hold passwords: nothing else has them."""

    def __init__(self, title: str, help: str, start: bool, look: Callable[[UserDataField], None]) -> None:
        """`look(field)`: ask the engine, then call `tell` or `refuse`."""
        super().__init__(Option("user_data", title, "bool", help=help), ((True, "yes"), (False, "no")), start)
        self._look = look
        self._told: Mapping[str, Any] | None = None
        self._problem = ""
        self._asked = False

    def tell(self, answer: Mapping[str, Any]) -> None:
        """The engine's answer; of no use any more when no was chosen meanwhile."""
        if self.value():
            self._told = answer

    def refuse(self, text: str) -> None:
        """Why there are no lines."""
        self._problem = text

    def _go(self, at: int) -> None:
        super()._go(at)
        if not self.value():
            self._told, self._problem, self._asked = None, "", False
        elif not self._asked:
            self._asked, self._problem = True, ""
            self._look(self)

    def below(self, cells: int) -> list[Parts]:
        """What is known of the lines, while yes is chosen."""
        if not self.value():
            return []
        if self._problem:
            return [[(piece, "warn")] for piece in wrapped(f"not shown: {clean(self._problem)}", cells)]
        if self._told is None:
            return [[("◐ reading its first lines …", "busy") if self._asked else ("y shows its first lines", "muted")]]
        lines: list[Parts] = [[(cut_end(restore.user_data_words(self._told), cells), "muted")]]
        shown = [cut_end(clean(line), max(1, cells - 2)) for line in self._told.get("lines") or ()]
        lines += [[("│ ", "rule"), (line, "text")] for line in shown]
        return lines
