"""Keys that open views and step between them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.state import View

# Lists that a number, a link or the command bar opens with a filter: esc leads back, unless the filter was typed there.
OPENED_FILTERED = ("list", "changes", "drift", "health", "problems", "compliance", "runs", "restores")

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.panes.pane import Pane


class Opening:
    """Mixed into the app."""

    asking: Pane | None

    def action_open(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        from tui.panes.detail import DetailPane

        row = self.table.current
        if row is None:
            return
        own = getattr(self, f"open_in_{self.pane.view.kind}", None)
        if own is not None:
            own(row)
        elif (view := self.pane.enter(row)) is not None:
            asks = self.pane.asks(row) if isinstance(self.pane, DetailPane) else None
            if asks is None:
                self.open_view(view)
            elif self.asking is not self.pane:
                self.asking = self.pane
                self.in_background(self._open_asked(view, asks))

    def action_raw(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        view = self.pane.view
        if view.kind == "raw":
            other = "json" if view.format == "yaml" else "yaml"
            self.open_view(replace(view, format=other, cursor=(), line=0), instead=True)
        elif view.kind == "detail":
            self.open_view(replace(view, kind="raw", filter="", cursor=(), line=0))
        elif (row := self.table.current) is not None:
            self.open_view(replace(view, kind="raw", filter="", sort=(), subject=row.key, cursor=(), line=0))

    def action_home(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.open_view(View("dashboard", clouds=self.pane.view.clouds))

    def action_inventory(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        view = self.pane.view
        self.open_view(View("inventory", clouds=view.clouds, projects=view.projects))

    def action_collections(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.open_view(View("collections"))

    def action_add_cloud(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.open_view(View("setup"))

    def action_scope(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if self.pane.view.kind != "scope":
            self.open_view(View("scope"))

    def action_step_back(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """One step: filter, marks, view."""
        view = self.pane.view
        if self.table.marks:
            self._forget_marks()
        elif view.filter and (view.kind not in OPENED_FILTERED or self.filter_is_own):
            self.change_view(replace(view, filter=""), keep_row=True)
        else:
            self.action_previous()

    def _forget_marks(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        marks = self.table.marks
        if marks.start is not None:
            marks.start = None  # the range first, then the marks
            self.end_notice()
            self.let_in()
        else:
            marks.clear()
        self.table.redraw()
        self.show_lines()

    def action_close(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Back to the view before; at the last one the console is left."""
        if not self.go(-1):
            self.detach()

    def action_close_all(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.detach()

    def action_previous(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if not self.go(-1):
            self.notice("this is the first view; q leaves, the engine goes on")

    def action_next(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.go(1)

    def action_swap(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if not self.go(1):
            self.go(-1)
