"""Pages with fields and two buttons: which one has the focus, and what keys do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.dialogs.fields import Field
from tui.dialogs.page import Page
from tui.panes.pane import Parts
from tui.table.cells import clean

CANCEL, GO = "cancel", "go"


class FieldsPage(Page):
    """A ring of fields, `Cancel` and the button that goes on.

    back    called by escape and Cancel
    saying  one line about what is wrong
    """

    go_label = "Go on"
    last_field_goes = False  # enter in the last field is the button

    def __init__(self, fields: Sequence[Field], back: Callable[[], None]) -> None:
        super().__init__()
        self.fields = list(fields)
        self.back = back
        self.focus: Field | str = CANCEL
        self.saying = ""

    @property
    def ring(self) -> list[Field | str]:
        """What tab goes through, in order."""
        return [*self.fields, GO, CANCEL]

    def submit(self) -> None:
        """The button was pressed and no field has a problem."""
        raise NotImplementedError

    def step(self, delta: int) -> None:
        """The next, or the one before."""
        ring = self.ring
        at = ring.index(self.focus) if self.focus in ring else len(ring) - 1
        if isinstance(self.focus, Field):
            self.focus.touched = True
        self.focus = ring[(at + delta) % len(ring)]

    def first_problem(self) -> Field | None:
        """The first field that something is wrong with."""
        return next((field for field in self.fields if field.problem()), None)

    def wrong_field(self) -> Field | None:
        """The field whose problem is to be said: the focused one, else the first one that somebody was in."""
        said = [field for field in self.fields if field.touched and field.problem() and not field.going_well()]
        return next((field for field in said if field is self.focus), said[0] if said else None)

    def press_go(self) -> None:
        """Go on, or to the field that keeps from it."""
        wrong = self.first_problem()
        if wrong is None:
            self.saying = ""
            self.submit()
            return
        wrong.touched = True
        self.focus = wrong
        self.saying = f"{wrong.option.title} {wrong.problem()}"

    def take_key(self, key: str, character: str | None) -> None:
        """Tab and enter go on, escape goes back; everything else is the field's."""
        self.saying = ""
        if key == "escape":
            self.back()
        elif isinstance(self.focus, Field) and self.focus.take_key(key, character):
            pass
        elif key in ("tab", "down"):
            self.step(1)
        elif key in ("shift+tab", "up"):
            self.step(-1)
        elif key == "enter":
            self._enter()
        elif not isinstance(self.focus, Field):
            self.take_plain(key, character)
        self.changed()

    def take_plain(self, key: str, character: str | None) -> None:
        """A key while a button has the focus."""
        if key in ("left", "right"):
            self.focus = GO if self.focus == CANCEL else CANCEL

    def take_paste(self, text: str) -> None:
        """Into the field that has the focus."""
        if isinstance(self.focus, Field):
            self.saying = self.focus.take_paste(text)
            self.changed()

    def _enter(self) -> None:
        if self.focus == CANCEL:
            self.back()
        elif self.focus == GO or (self.last_field_goes and self.fields and self.focus is self.fields[-1]):
            self.press_go()
        else:
            self.step(1)

    def buttons(self) -> Parts:
        """Both, as words between brackets; the focused one stands out without colour, too."""
        parts: Parts = [(" ", "text")]
        for what, label in ((CANCEL, "Cancel"), (GO, clean(self.go_label))):
            on = self.focus == what
            parts += [(f"{'▸' if on else ' '}[ {label} ]", "input" if on else "strong"), ("  ", "text")]
        return parts
