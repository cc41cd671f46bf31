"""While the terminal shows the first frame already (tui.takeover), Textual paints nothing until it has the same.

Keys wait as long: they mean the rows that are on screen, and those are not in the table yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App
from textual.geometry import Region

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.takeover import Takeover

HOLD_SECONDS = 2.0  # the longest that the first frame stays


class Holding(App[int], inherit_bindings=False):
    """Mixed into the app."""

    taken: Takeover | None
    holds: bool  # whether the first frame is on the terminal, and nothing of Textual's
    _typed: list[events.Key | events.Paste]

    def hold(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Keep the first frame on the terminal if one is there."""
        if self.holds:
            self.set_timer(HOLD_SECONDS, self.let_go)

    def _display(self, screen: Any, renderable: Any) -> None:
        if not self.holds:
            super()._display(screen, renderable)

    def waits_with(self: QuarterdeckApp, event: events.Event) -> bool:  # type: ignore[misc]
        """Keep what was typed for later; False when it is to be done now."""
        if self.holds and isinstance(event, events.Key | events.Paste):
            self._typed.append(event)
            return True
        return False

    def let_go_when_shown(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Something was loaded: paint as soon as it is drawn, with all that was read early."""
        if self.holds:
            self.call_after_refresh(self._let_go_if_shown)

    def _let_go_if_shown(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if not self.holds or self.world.first_answers or not self.table.settled:
            return  # what is still to come is loaded, too, and leads here again
        if self.table.is_drawn:
            self.let_go()
        else:
            self.let_go_when_shown()

    def _paint_others(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Paint the lines that are not on the terminal yet as they are to be; those that are need not be sent again.

        Each by its widget: Textual forgets what widgets wait for when the screen itself is to be painted in part.
        """
        width, height = self.size
        taken = self.taken
        painted = taken.lines if taken is not None and not taken.resized else ()
        if len(painted) != height or sum(part.cell_length for part in painted[0]) != width:
            self.screen.refresh()
            return
        shown = self.screen._compositor.render_strips()
        lines = {y for y in range(height) if painted[y] != list(shown[y])}
        for widget in (self.context, self.bar, self.table, self.strip, self.footer):
            top = widget.region.y
            if mine := lines.intersection(range(top, top + widget.region.height)):
                widget.refresh(*(Region(0, y - top, width, 1) for y in sorted(mine)))

    def let_go(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Textual paints from now on; what was typed meanwhile is done, in order."""
        if not self.holds:
            return
        self.holds = False
        self._paint_others()
        typed, self._typed = self._typed, []
        for event in typed:
            if not self.take_event(event):
                self.post_message(event)
