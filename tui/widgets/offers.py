"""The list under the command bar, over the first rows of the table: what the line could become."""

from __future__ import annotations

from collections.abc import Sequence

from tui.offers import Offer
from tui.table.cells import cut_end, fit, width
from tui.table.paint import Part
from tui.widgets.lines import Lines

MOST = 8
OTHER_LINES = 6  # context, bar, heads, a row of the list, strip, keys: lines that are never covered
LEAST_HEIGHT = 10
NAME, KEY = 20, 10  # cells for what would be typed, and for the key that does the same


class Offers(Lines):
    """Covers as many lines as it has offers; `move` puts the choice on one of them."""

    DEFAULT_CSS = """
    Offers { layer: above; display: none; width: 100%; offset: 0 3; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, fill="bar")
        self._offers: Sequence[Offer] = ()
        self._choice = -1
        self._room = MOST

    def set_room(self, height: int) -> None:
        """How high the screen is."""
        self._room = 0 if height < LEAST_HEIGHT else min(MOST, height - OTHER_LINES)
        self.show_offers(self._offers)

    def show_offers(self, offers: Sequence[Offer]) -> None:
        """Show these, none chosen; none at all hides the list."""
        self._offers, self._choice = offers[: self._room], -1
        self.display = bool(self._offers)
        if self._offers:
            self.styles.height = len(self._offers)
            self._show()

    @property
    def chosen(self) -> Offer | None:
        """The offer that enter takes."""
        return self._offers[self._choice] if 0 <= self._choice < len(self._offers) else None

    def move(self, step: int) -> bool:
        """Choose the next or the one before; False when there is none in that direction."""
        target = self._choice + step
        if not self._offers or target < -1:
            return False
        self._choice = min(target, len(self._offers) - 1)
        self._show()
        return True

    def on_resize(self) -> None:
        """Another width cuts elsewhere."""
        if self._offers:
            self._show()
        super().on_resize()

    def _show(self) -> None:
        cells = self.size.width or self.app.size.width
        self.show(*[self._offer_line(offer, n == self._choice, cells) for n, offer in enumerate(self._offers)])

    def _offer_line(self, offer: Offer, chosen: bool, cells: int) -> tuple[list[Part], list[Part]]:
        """Name, key, what it does or why not now."""
        name, key, words = ("input",) * 3 if chosen else ("bar_strong", "bar_key", "bar")
        if offer.why_not and not chosen:
            name = key = words = "bar_muted"
        room = max(0, cells - NAME - KEY - 4)
        title = f"not now: {offer.why_not}" if offer.why_not else offer.title
        # A line as it would be typed has no title and takes its room.
        column = NAME if title else NAME + KEY + room
        left: list[Part] = [
            (" ▸ " if chosen else "   ", name),
            (fit(offer.text, column) + " ", name),
        ]
        if title:
            left += [(fit(offer.key, KEY), key), (cut_end(title, room), words)]
        gap = cells - sum(width(text) for text, _ in left)
        return [*left, (" " * max(0, gap), words)], []
