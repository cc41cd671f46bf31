"""Which actions make sense now, and why the others don't: for the command bar's offers and for the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.acting.related import TIMED
from tui.panes.resources import ResourcesPane

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

_ROW = frozenset(
    {"open", "mark", "range", "note", "remove_note", "remove_view", "toggle_column", "change_setting", "decide",
     "acknowledge", "acknowledge_all", "toggle_rule", "rule_severity", "remove_entry",
     "edit_policy", "toggle_policy", "delete_policy", "why", "end_exclusion", "delete_points"}
)  # fmt: skip
_ROW_OR_SUBJECT = frozenset({"raw", "log", "related", "related_back", "changes", "copy", "tree"})
_ENGINE = frozenset({"ask", "refresh", "add_cloud", "bookmark", "note", "export"})


class Possible:
    """Mixed into the app."""

    def why_not(self: QuarterdeckApp, id: str) -> str:  # type: ignore[misc]
        """Why an action of this view can't be done now, in a few words; "" when it can."""
        own = getattr(self.pane, "why_not", None)
        if own is not None and (reason := own(id, self.table.current)):
            return str(reason)
        no_row = self.table.current is None
        view = self.pane.view
        if id in _ENGINE and self.world.offline_since is not None:
            return "no engine answers"
        if no_row and (id in _ROW or (id in _ROW_OR_SUBJECT and not view.subject)):
            return "no row is under the cursor"
        if id == "mark_all" and not self.table.buffer.rows:
            return "there is no row"
        if id in ("previous", "swap") and self.history.index <= 0 and not (id == "swap" and self._has_next):
            return "this is the first view"
        if id == "next" and not self._has_next:
            return "no view was left with esc or ["
        if id == "as_of" and view.kind not in TIMED:
            return "this page shows what is now"
        if id == "refresh" and isinstance(self.pane, ResourcesPane) and view.at:
            return "the past does not change"
        return ""

    @property
    def _has_next(self: QuarterdeckApp) -> bool:  # type: ignore[misc]
        return self.history.index < len(self.history.views) - 1
