"""The lines around the table, notices, and the palette they are drawn with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from textual import events
from textual.theme import BUILTIN_THEMES, Theme

from tui.showing import (
    context_line,
    footer_line,
    has_footer,
    hint_line,
    keys_line,
    row_count,
    state_line,
    strip_height,
    strip_lines,
)
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
        count = row_count(self.pane, self.world, place)
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
        actions = self.world.keymap.actions
        if getattr(self.pane, "footer_now", False):  # its footer names only what can be done to this row now
            row = self.table.current
            actions = tuple(one for one in actions if not self.pane.why_not(one.id, row))  # type: ignore[attr-defined]
        self.footer.show(footer_line(self.pane.places, self.size.width, actions))

    def show_hint(self: QuarterdeckApp, problem: str, choices: Any) -> None:  # type: ignore[misc]
        """Under the bar, in place of the heads: what is wrong with the text, or what it could become."""
        self.table.set_hint(hint_line(problem, choices, self.size.width) if problem or choices else [])

    def explain(self: QuarterdeckApp, text: str) -> None:  # type: ignore[misc]
        """Under the bar, in place of the heads: what is asked for, or what was found."""
        self.table.set_hint([(" ", "text"), (clean(text), "accent")])

    def show_strip(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """About the row under the cursor."""
        self.strip.show(*strip_lines(self.pane, self.table.current, self.size.width))
        if getattr(self.pane, "footer_now", False):
            self.show_footer()

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
        self.theme = self.known_theme(name)
        palette = PALETTES[name]
        self.table.set_palette(palette)
        for lines in (self.context, self.bar, self.strip, self.footer, self.offers):
            lines.set_palette(palette)
        if self.dialog is not None:
            self.dialog.set_palette(name)
        if keep:
            self.save_soon()

    def known_theme(self: QuarterdeckApp, name: str) -> str:  # type: ignore[misc]
        """Make a palette known to Textual; its name there."""
        own, palette = f"qdeck-{name}", PALETTES[name]
        if own not in self.available_themes:
            extra = BUILTIN_THEMES["ansi-dark"].variables if palette.native else {}
            theme = Theme(own, dark=name != "light", ansi=palette.native, variables=dict(extra), **palette.css)  # type: ignore[arg-type]
            self.register_theme(theme)
        return own

    def on_resize(self: QuarterdeckApp, event: events.Resize) -> None:  # type: ignore[misc]
        """Small screens give the strip, then the keys, to the rows."""
        height = event.size.height
        self._height = height
        self.world.cells = event.size.width
        self.call_after_refresh(self.log_resized)
        self.offers.set_room(height)
        self._size_strip()
        self.footer.set_class(not has_footer(height), "none")
        self.call_after_refresh(self._lines_again)

    def _size_strip(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        lines = strip_height(self._height, self.pane.has_strip)
        self.strip.set_class(lines < 4, "small")
        self.strip.set_class(not lines, "none")

    def _lines_again(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.show_lines()
        if self.dialog is not None:
            self.dialog.redraw()
        self.show_footer()
        self.show_strip()
        self._enrich()  # a strip that was too small before has room for more now
