"""Keys that choose columns and put them in order; the choice is kept for each type."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui.panes.resources import ResourcesPane
from tui.state import View

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp


class Columns:
    """Mixed into the app."""

    def take_columns(self: QuarterdeckApp, answer: Any) -> None:  # type: ignore[misc]
        """Remember what was chosen on an earlier day, as `GET /q/columns` tells it."""
        for choice in answer.get("items") or ():
            if isinstance(choice, dict) and choice.get("chosen", True) and isinstance(choice.get("columns"), list):
                self.world.columns[str(choice.get("type"))] = tuple(map(str, choice["columns"]))
        self._columns_again()

    def action_columns(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Open the chooser for the list on screen."""
        if isinstance(self.pane, ResourcesPane):
            self.open_view(View("columns", self.pane.type.name))

    def action_toggle_column(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Show or hide the column under the cursor of the chooser."""
        from tui.panes.columns import ColumnsPane, toggled

        if isinstance(self.pane, ColumnsPane) and (row := self.table.current) is not None:
            self._choose(toggled(self.pane.chosen, row.key[0]))

    def action_column_earlier(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Move the column one place to the left."""
        self._move_column(-1)

    def action_column_later(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Move the column one place to the right."""
        self._move_column(1)

    def action_declared_columns(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Back to the columns that the type declares."""
        from tui.panes.columns import ColumnsPane

        if isinstance(self.pane, ColumnsPane):
            self.pane.sort_again()
        self._choose(())

    def _move_column(self: QuarterdeckApp, delta: int) -> None:  # type: ignore[misc]
        from tui.panes.columns import ColumnsPane, moved

        if isinstance(self.pane, ColumnsPane):
            name = self.table.current.key[0] if self.table.current else ""
            chosen = self.pane.chosen
        elif isinstance(self.pane, ResourcesPane) and self.table.column_head is not None:
            name, chosen = self.table.column_head.name, self.pane.shown_columns
        else:
            return
        order = moved(chosen, name, delta)
        if order != tuple(chosen):
            if isinstance(self.pane, ColumnsPane):
                self.pane.sort_again()
            self._choose(order)
        elif name not in chosen:
            self.notice(f"{name} is not among the shown columns; | chooses them")

    def _choose(self: QuarterdeckApp, columns: tuple[str, ...]) -> None:  # type: ignore[misc]
        from tui.panes.columns import ColumnsPane

        pane = self.pane
        assert isinstance(pane, ColumnsPane | ResourcesPane)
        name = pane.type.name
        if columns:
            self.world.columns[name] = columns
            self.in_background(self._put_columns(name, list(columns)))
        else:
            self.world.columns.pop(name, None)
            self.in_background(self._drop_columns(name))
        self._columns_again()
        if isinstance(pane, ColumnsPane):
            pane.expire()
            self.table.reload()

    async def _put_columns(self: QuarterdeckApp, name: str, columns: list[str]) -> None:  # type: ignore[misc]
        await self.world.put(f"/q/columns/{name}", json={"columns": columns})

    async def _drop_columns(self: QuarterdeckApp, name: str) -> None:  # type: ignore[misc]
        await self.world.delete(f"/q/columns/{name}")

    def _columns_again(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Lists that were opened before show what is chosen now; the one on screen at once."""
        for index, view in enumerate(self.history.views):
            if view.kind == "list":
                self.history.views[index] = replace(view, columns=self.world.columns.get(view.type, ()))
        pane = self.pane
        if isinstance(pane, ResourcesPane):
            columns = self.world.columns.get(pane.type.name, ())
            if columns != pane.view.columns:
                pane.view = replace(pane.view, columns=columns)
                if self.table.loaded:
                    self.table.set_heads(pane.heads(self.table.buffer.columns))
                self.table.respec(pane.spec(), keep_row=True)
        self.save_soon()
