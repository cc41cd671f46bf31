"""Which view is on screen: its history, and keeping it with the engine for the next start."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tui.panes.make import make_pane
from tui.showing import strip_lines
from tui.state import DEFAULT, History, View, left_long_ago, view_of_text
from tui.themes.palette import kept_theme

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.console import QuarterdeckApp
    from tui.showing import Data

SAVE_DELAY = 1.0  # seconds after the last change


class Viewing:
    """Mixed into the app."""

    touched: bool
    data: Data | None
    _save_timer: Timer | None
    _saved: Any
    _lines_taken: bool = False
    bell_on: bool
    home: View  # what is shown first when nothing was left from before

    def restore(self: QuarterdeckApp, session: Any) -> None:  # type: ignore[misc]
        self.take_lines(session)
        history = History.from_json(session)
        if history.views:
            self.history = history
            if left_long_ago(session, datetime.now(UTC)):
                self.history.open(self.home)  # what was left is one step back
            if theme := kept_theme(session, os.environ):
                self.use_theme(theme)

    def take_lines(self: QuarterdeckApp, session: Any) -> None:  # type: ignore[misc]
        """Lines that were typed on an earlier day can be called up again."""
        if not self._lines_taken and isinstance(session, dict):
            self._lines_taken = True
            self.bar.take_kept(session.get("lines"))
            self.bell_on = session.get("bell") is not False

    def _open_first(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if not self.history.views or self._first_text:
            self.open_view(self._first_view(), unasked=True)
        else:
            self.show_view(self.history.current)

    def _first_view(self: QuarterdeckApp) -> View:  # type: ignore[misc]
        if self._first_text:
            try:
                return view_of_text(self._first_text, DEFAULT)
            except (KeyError, ValueError) as error:
                self.notice(str(error.args[0] if error.args else error))
        return self.history.current if self.history.views else self.home

    def open_view(self: QuarterdeckApp, view: View, *, instead: bool = False, unasked: bool = False) -> None:  # type: ignore[misc]
        """Show a view; the one on screen stays in the history, unless `instead`. `unasked`: no key led there."""
        self.touched = self.touched or not unasked
        self._remember_cursor()
        previous = self.pane.view
        if previous.kind not in ("scope", "help"):
            self._below, self._below_places = previous, self.pane.places
        if previous.kind == "scope" and view.kind != "scope":
            instead = True  # the choice is made: going back leads to the list, not to the choice
        if view.kind == "list" and not view.columns:
            view = replace(view, columns=self.world.columns.get(view.type, ()))
        if instead:
            self.history.update(view)
        else:
            self.history.open(view)
        self.show_view(view)

    def go(self: QuarterdeckApp, delta: int) -> bool:  # type: ignore[misc]
        """Step through the history; False when there is nothing there."""
        self._remember_cursor()
        view = self.history.step(delta)
        if view is None:
            return False
        self.show_view(view)
        return True

    def change_view(self: QuarterdeckApp, view: View, *, keep_row: bool) -> None:  # type: ignore[misc]
        """The same list with another filter or order."""
        self.touched = True
        self.pane.view = view
        self.history.update(view)
        self.table.empty_text = self.pane.empty()
        self.table.respec(self.pane.spec(), keep_row=keep_row)
        self.show_lines()
        self.save_soon()

    def show_view(self: QuarterdeckApp, view: View) -> None:  # type: ignore[misc]
        self.data = None
        self.job_seen(view)
        self.problems_seen(view)
        self.pane = make_pane(view, self.world, under=self._below, places=self._below_places)
        self.table.empty_text = "reading …"
        self.table.canvas = board = self.pane.as_board()
        if board is not None:
            board.host = self
        self.table.show(
            self.pane.source,
            self.pane.heads,
            self.pane.spec(),
            faults=self.pane.faults,
            key=view.cursor,
            line=view.line,
        )
        self.strip.show(*strip_lines(self.pane, None, self.size.width))
        self._size_strip()
        self.show_lines()
        self.show_footer()
        self.save_soon()

    def _remember_cursor(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        row, view = self.table.current, self.pane.view
        if row is not None and self.history.views and self.history.current.same_place(view) and not row.gone:
            line = self.table.buffer.cursor - self.table.buffer.top
            self.history.update(replace(self.history.current, cursor=row.key, line=line))

    def save_soon(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Keep the view with the engine, a second after it last changed."""
        if self._save_timer is not None:
            self._save_timer.stop()
        self._save_timer = self.set_timer(SAVE_DELAY, lambda: self.in_background(self.save()))

    async def save(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Keep the view with the engine now, if it isn't kept already."""
        self._remember_cursor()
        if self.world.client is None or self.world.offline_since is not None:
            return
        state = self.history.to_json(self._kept_theme, self.bar.lines_kept)
        if not self.bell_on:
            state["bell"] = False
        if state != self._saved:
            await self.world.put("/q/session-view", json={**state, "at": datetime.now(UTC).isoformat()})
            self._saved = state
