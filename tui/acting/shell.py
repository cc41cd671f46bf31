"""What the console says of itself: keys that could not be used, settings, what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.state import View
from tui.table.cells import clean

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp


class Shell:
    """Mixed into the app."""

    def say_of_keys(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What of the operator's own keys can't be used, once at the start."""
        keymap = self.world.keymap
        problems = keymap.problems
        if problems:
            more = f" (+{len(problems) - 1} more)" if len(problems) > 1 else ""
            first = problems[0].removeprefix(f"{keymap.file.parent}/" if keymap.file else "")
            self.notice(f":keys shows what is not used: {first}{more}")

    def action_help(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The keys that work here; those that make no sense now with the reason."""
        if self.pane.view.kind != "help":
            self.world.why_not = {action.id: clean(self.why_not(action.id)) for action in self.world.keymap.actions}
            self.open_view(View("help"))
