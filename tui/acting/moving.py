"""Keys that move in the list, and change how it is drawn and ordered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.panes.resources import ResourcesPane

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp


class Moving:
    """Mixed into the app."""

    def action_down(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_rows(1)

    def action_up(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_rows(-1)

    def action_page_down(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_pages(1)

    def action_page_up(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_pages(-1)

    def action_half_down(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_pages(0.5)

    def action_half_up(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_pages(-0.5)

    def action_top(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_to_start()

    def action_end(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_to_end()

    def action_column_left(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_column(-1)

    def action_column_right(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        last = self.table.column >= len(self.table.heads) - 1
        if last and isinstance(self.pane, ResourcesPane) and not self.pane.all_columns and self.table.loaded:
            self.pane.all_columns = True  # the columns behind are read when somebody goes there
            self.table.respec(self.pane.spec(), keep_row=True)
        self.table.move_column(1)

    def action_wide(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.toggle_wide()

    def action_sort(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ascending, descending, the list's own order."""
        head = self.table.column_head
        if head is None:
            return
        state = dict(self.pane.view.sort).get(head.name)
        sort = {None: ((head.name, False),), False: ((head.name, True),), True: ()}[state]
        self.change_view(replace(self.pane.view, sort=sort), keep_row=False)
