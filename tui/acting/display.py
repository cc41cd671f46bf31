"""The lines around the table, notices, and the palette they are drawn with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from textual import events

from tui.showing import context_line, footer_line, hint_line, keys_line, state_line
from tui.table.cells import clean
from tui.themes.palette import PALETTES

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

NOTICE_SECONDS = 6.0
# What keys do while a line is typed, by the prompt of the bar.
TYPING = {
    ":": (("enter", "go"), ("tab", "complete"), ("↓", "choose"), ("esc", "leave")),
    "/": (("enter", "keep the filter"), ("tab", "complete"), ("↑", "earlier ones"), ("esc", "as before")),
}
ANSWERING = (("enter", "answer"), ("esc", "leave"))


class Display:
    """Mixed into the app."""

    def show_lines(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Context and state, as things are now."""
        if not self.is_running:
            return
        now = asyncio.get_running_loop().time()
        place = self.table.place
        view = self.pane.view
        if place and not view.filter:
            self.pane.total = place.total
        count = self.pane.total if not view.of else place.total if place else None
        if count is None and not view.projects and not view.of and view.kind == "list":
            count = self.world.count(view.type, view.clouds)
        self.context.show(context_line(self.pane, self.world, count, self.size.width))
        notice = self._notice if now < self._notice_until else ""
        state = state_line(self.pane, self.world, self.table, now, notice, self.paused, self.data)
        self.bar.show_state(*state)

    def show_footer(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Keys of the view, of the dialog over it, or of the line that is typed."""
        if self.dialog is not None:
            self.dialog.show_keys()
            return
        if self.bar.is_open:
            self.footer.show(keys_line(TYPING.get(self.bar.mode, ANSWERING), self.size.width))
            return
        self.footer.show(footer_line(self.pane.places, self.size.width, self.world.keymap.actions))

    def show_hint(self: QuarterdeckApp, problem: str, choices: Any) -> None:  # type: ignore[misc]
        """Under the bar, in place of the heads: what is wrong with the text, or what it could become."""
        self.table.set_hint(hint_line(problem, choices, self.size.width) if problem or choices else [])

    def explain(self: QuarterdeckApp, text: str) -> None:  # type: ignore[misc]
        """Under the bar, in place of the heads: what is asked for, or what was found."""
        self.table.set_hint([(" ", "text"), (clean(text), "accent")])

    def show_strip(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """About the row under the cursor."""
        row = self.table.current
        lines = self.pane.strip(row) if row is not None else []
        self.strip.show(*self._rule(), *[([(" ", "text"), *line], ()) for line in lines])

    def _rule(self: QuarterdeckApp) -> list[Any]:  # type: ignore[misc]
        return [([("─" * self.size.width, "rule")], ())]

    def notice(self: QuarterdeckApp, text: str, *, lasting: bool = False) -> None:  # type: ignore[misc]
        """One line for a while."""
        self._notice = clean(text)
        if not lasting:
            self.remember_said(self._notice)
        now = asyncio.get_running_loop().time()
        self._notice_until = now + (60.0 if lasting else NOTICE_SECONDS)
        self.show_lines()
        if not lasting:
            self.set_timer(NOTICE_SECONDS + 0.1, self.show_lines)

    def end_notice(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What was said is over."""
        self._notice_until = 0.0
        self.show_lines()

    def starting(self: QuarterdeckApp, text: str) -> None:  # type: ignore[misc]
        """Said by the client, on a thread, while an engine is started."""
        self.call_from_thread(self.notice, text, lasting=True)
        self._starting = text

    def end_starting(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The engine answers: what was said about its start is over. A warning stays for a moment more."""
        if self._starting and self._notice == clean(self._starting):
            self.end_notice()
        self._starting = ""

    def close_bar(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Back to the list."""
        self.bar.close()
        self.offers.show_offers(())
        self.table.set_hint([])
        self.show_lines()
        self.show_footer()

    def use_theme(self: QuarterdeckApp, name: str, *, keep: bool = True) -> None:  # type: ignore[misc]
        """Draw everything with another palette; `keep` it for the next start."""
        self._kept_theme = name if keep else ""
        self.theme_name = name
        self.theme = f"qdeck-{name}"
        palette = PALETTES[name]
        self.table.set_palette(palette)
        for lines in (self.context, self.bar, self.strip, self.footer, self.offers):
            lines.set_palette(palette)
        if self.dialog is not None:
            self.dialog.set_palette(name)
        if keep:
            self.save_soon()

    def on_resize(self: QuarterdeckApp, event: events.Resize) -> None:  # type: ignore[misc]
        """Small screens give the strip, then the keys, to the rows."""
        height = event.size.height
        self._height = height
        self.world.cells = event.size.width
        self.call_after_refresh(self.log_resized)
        self.offers.set_room(height)
        self._size_strip()
        self.footer.set_class(height < 8, "none")
        self.call_after_refresh(self._lines_again)

    def _size_strip(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.strip.set_class(self._height < 24, "small")
        self.strip.set_class(self._height < 16 or not self.pane.has_strip, "none")

    def _lines_again(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.show_lines()
        if self.dialog is not None:
            self.dialog.redraw()
        self.show_footer()
        self.show_strip()
        self._enrich()  # a strip that was too small before has room for more now
