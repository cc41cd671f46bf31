"""Console logs and events: opening them, following, searching, wrapping."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.state import OF_ONE, View

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.panes.log import LogPane

FOLLOW_SECONDS = 2.0


class Logs:
    """Mixed into the app."""

    def action_log(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Of a server its console log, of anything else its events; in one of the two the other."""
        view = self.pane.view
        subject = view.subject
        if view.kind not in OF_ONE:
            row = self.table.current
            if row is None:
                return
            subject = row.key
        plain = View(type=view.type, clouds=view.clouds, projects=view.projects, subject=subject)
        if view.kind == "log":
            self.open_view(replace(plain, kind="events"), instead=True)
        elif view.type != "server":
            if view.kind == "events":
                self.notice(f"a {view.type.replace('_', ' ')} has no console log")
            else:
                self.open_view(replace(plain, kind="events"))
        else:
            self.open_view(replace(plain, kind="log"), instead=view.kind == "events")

    # In a log

    def _log_pane(self: QuarterdeckApp) -> LogPane:  # type: ignore[misc]
        from tui.panes.log import LogPane

        assert isinstance(self.pane, LogPane)
        return self.pane

    def action_log_top(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._log_pane().text.tail = False
        self.table.move_to_start()

    def action_log_end(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Bottom, and follow."""
        pane = self._log_pane()
        pane.text.tail = True
        self.table.go_to("end", self.table.page_rows)
        if not pane.following:
            self._follow(pane)

    def action_follow(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        pane = self._log_pane()
        if pane.following:
            pane.following = False
            self.notice("no longer followed; f or G follows again")
        else:
            self.action_log_end()

    def _follow(self: QuarterdeckApp, pane: LogPane) -> None:  # type: ignore[misc]
        pane.following = True
        self.notice("following: asked again every 2 s while the cursor is at the end; f ends it")
        self.in_background(self._follow_once(pane))

    async def _follow_once(self: QuarterdeckApp, pane: LogPane) -> None:  # type: ignore[misc]
        """Ask for the end, if somebody stands there and looks, and come again."""
        if self.pane is not pane or not pane.following:
            pane.following = False
            return
        if self._at_end() and not self.paused and self.world.offline_since is None:
            try:
                new = await pane.poll()
            except Exception:
                pane.following = False
                self.show_lines()
                raise
            if new and self.pane is pane and self._at_end():
                self.table.go_to("end", self.table.page_rows)
        if self.is_running and self.pane is pane and pane.following:
            self.set_timer(FOLLOW_SECONDS, lambda: self.in_background(self._follow_once(pane)))

    def _at_end(self: QuarterdeckApp) -> bool:  # type: ignore[misc]
        buffer = self.table.buffer
        return not buffer.has_after and buffer.cursor >= len(buffer.rows) - 1

    def action_wrap(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        pane = self._log_pane()
        pane.wrap = not pane.wrap
        self._log_again()

    def action_log_times(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        pane = self._log_pane()
        if pane.times and not pane.has_times:
            self.notice("no line of this log begins with a time")
            return
        pane.times = not pane.times
        self._log_again()

    def log_resized(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """A screen of another width breaks lines elsewhere."""
        if self.pane.view.kind == "log" and self._log_pane().wrap and self.table.loaded:
            self._log_again()

    def _log_again(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The same lines drawn in another way, the cursor on the same one."""
        row = self.table.current
        if row is None or self._at_end():
            self.table.go_to("end", self.table.page_rows)
        else:
            self.table.go_to((row.key[0], "0"), self.table.buffer.cursor - self.table.buffer.top)

    def action_search(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.ask_line("search ", self._searched, self._log_pane().search)

    def _searched(self: QuarterdeckApp, text: str) -> str | None:  # type: ignore[misc]
        pane = self._log_pane()
        pane.search = self.table.lit = text.strip()
        self.table.redraw()
        if not pane.search:
            return None
        return self._found(pane, 1, here=True)

    def _found(self: QuarterdeckApp, pane: LogPane, step: int, *, here: bool = False) -> str | None:  # type: ignore[misc]
        """Go to the next line with the text; a sentence when there is none."""
        row = self.table.current
        key = pane.find(row.key if row is not None else None, step, here=here)
        if key is None:
            return f"no line has {pane.search!r}"
        pane.text.tail = False
        self.table.go_to(key, self.table.page_rows // 2)
        return None

    def action_search_next(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._search_again(1)

    def action_search_previous(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._search_again(-1)

    def _search_again(self: QuarterdeckApp, step: int) -> None:  # type: ignore[misc]
        pane = self._log_pane()
        if not pane.search:
            self.notice("/ looks for something first")
        elif problem := self._found(pane, step):
            self.notice(problem)
