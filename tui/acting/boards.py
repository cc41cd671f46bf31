"""Boards: what the dashboard and its like need of the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.state import View

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.panes.board import BoardPane


class Boards:
    """Mixed into the app."""

    def board_changed(self: QuarterdeckApp, pane: BoardPane) -> None:  # type: ignore[misc]
        """There is something new to draw."""
        if pane is self.pane:
            self.table.reload()
            self.table.redraw()
            self.show_lines()

    def board_go(self: QuarterdeckApp, key: str) -> None:  # type: ignore[misc]
        """Put the cursor on the row of a spot."""
        rows = self.table.buffer.rows
        index = next((number for number, row in enumerate(rows) if row.key == (key,)), None)
        if index is None:
            self.table.go_to((key,), 0)
        else:
            self.table.move_rows(index - self.table.buffer.cursor)

    def open_in_dashboard(self: QuarterdeckApp, row: object) -> None:  # type: ignore[misc]
        """The list behind what is under the cursor; a sentence where there is none."""
        view = self.pane.enter(row)  # type: ignore[arg-type]
        if view is None:
            self.notice("there is no list behind this")
        else:
            self.filter_is_own = False
            self.open_view(view)

    open_in_tenant = open_in_heatmap = open_in_protection = open_in_dashboard

    def action_heatmap(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Tenants as a heatmap, or as a list again."""
        other = "health" if self.pane.view.kind == "heatmap" else "heatmap"
        self.open_view(View(other, clouds=self.pane.view.clouds))

    def action_quota(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ask the cloud for the tenant's quota."""
        from tui.panes.tenant import TenantPane

        if isinstance(self.pane, TenantPane):
            self.pane.ask_quota()

    def _on_board(self: QuarterdeckApp, down: int, right: int) -> None:  # type: ignore[misc]
        if (board := self.pane.as_board()) is not None:
            board.move(down, right)

    def action_board_down(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._on_board(1, 0)

    def action_board_up(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._on_board(-1, 0)

    def action_board_right(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._on_board(0, 1)

    def action_board_left(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._on_board(0, -1)

    def action_board_next(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if (board := self.pane.as_board()) is not None:
            board.step(1)

    def action_board_previous(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if (board := self.pane.as_board()) is not None:
            board.step(-1)

    def action_board_top(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if (board := self.pane.as_board()) is not None:
            board.go_to_end(False)

    def action_board_end(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if (board := self.pane.as_board()) is not None:
            board.go_to_end(True)

    def action_clouds(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """How each cloud is doing."""
        self.open_view(View("clouds"))

    def action_health(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Tenants and how healthy they are."""
        self.open_view(View("health", clouds=self.pane.view.clouds))
