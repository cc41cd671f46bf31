"""A form: one field a line, checked while it is filled in. What it asks for is only planned, so enter goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tui.dialogs.fields import Field
from tui.dialogs.focus import FieldsPage
from tui.dialogs.page import Drawn, Line, rule
from tui.dialogs.planlines import wrapped
from tui.panes.pane import Parts
from tui.table.cells import clean, cut_end, fit, width

WIDEST = 56  # cells of a field


class FormPage(FieldsPage):
    """Fields under a title.

    about   words beside the title: what it is done to
    intro   sentences before the fields
    submit  gets the values by name, without those that were left empty
    """

    last_field_goes = True

    def __init__(
        self,
        title: str,
        about: str,
        fields: Sequence[Field],
        submit: Callable[[dict[str, Any]], None],
        back: Callable[[], None],
        *,
        go: str = "Plan it",
        intro: Sequence[str] = (),
    ) -> None:
        super().__init__(fields, back)
        self.title, self.about, self.intro = title, about, list(intro)
        self.go_label = go
        self._submit = submit
        if self.fields:
            self.focus = self.fields[0]

    def submit(self) -> None:
        """Hand over what was filled in."""
        self._submit(self.values())

    def values(self) -> dict[str, Any]:
        """Values by name; what is empty is left out."""
        return {field.name: value for field in self.fields if (value := field.value()) is not None}

    def say(self, text: str) -> None:
        """Show a sentence."""
        self.saying = text
        self.changed()

    def keys(self) -> Sequence[tuple[str, str]]:
        """What may be pressed."""
        return (("tab", "next"), ("← →", "choose"), ("enter", "next, at the end go on"), ("esc", "cancel"))

    def draw(self, cells: int, rows: int) -> Drawn:
        """A line for each field, under the focused one what it means or what is wrong with it."""
        lines: list[Line] = [self.head(cells)]
        for text in self.intro:
            lines += [([(" " + piece, "text")], []) for piece in wrapped(clean(text), cells - 2)]
        fields, focus = self.field_lines(cells)
        focus += len(lines)
        lines += [*fields, *self.said_lines(cells)]
        if not isinstance(self.focus, Field):
            focus = len(lines)
        lines.append((self.buttons(), self._said(cells)))
        return Drawn(lines, focus)

    def head(self, cells: int) -> Line:
        """The title."""
        return rule([(clean(self.title), "strong"), ("  " * bool(self.about) + clean(self.about), "muted")], cells)

    def field_lines(self, cells: int) -> tuple[list[Line], int]:
        """The fields, and which line is the focused one's."""
        lines: list[Line] = []
        titles = max([width(field.option.title) for field in self.fields] or [1]) + 1
        focus = 0
        for field in self.fields:
            if self.focus is field:
                focus = len(lines)
            lines.append((self._field(field, titles, cells), []))
            if self.focus is field:
                lines += [([(" " * (titles + 3), "text"), *parts], []) for parts in field.below(cells - titles - 4)]
        return lines, focus

    def said_lines(self, cells: int) -> list[Line]:
        """What is said, above the buttons, where there is no room for it beside them."""
        if width(clean(self.saying)) <= self._room(cells):
            return []
        return [([(" " + piece, "warn")], []) for piece in wrapped(clean(self.saying), cells - 2)[:3]]

    def _room(self, cells: int) -> int:
        """Cells beside the buttons."""
        return max(10, cells - width(self.go_label) - 24)

    def wrong_with(self, field: Field) -> str:
        """What is wrong with a field that somebody was in, as the end of a sentence; "" when nothing is."""
        return field.problem() if field.touched else ""

    def _field(self, field: Field, titles: int, cells: int) -> Parts:
        here = self.focus is field
        wrong = self.wrong_with(field)
        star = "*" if field.option.required and field.option.default is None else ""
        room = max(8, min(WIDEST, cells - titles - 6))
        parts: Parts = [
            ("▸ " if here else "  ", "key"),
            (fit(field.option.title + star, titles), "key" if here else "muted"),
        ]
        value = field.parts(room, here)
        parts += [(" ", "text"), *value]
        rest = cells - titles - 5 - sum(width(text) for text, _ in value)
        said = wrong or (clean(field.option.help) if here else "")
        if rest > 12 and said:
            parts.append(("  " + cut_end(said, rest - 2), "warn" if wrong else "muted"))
        return parts

    def _said(self, cells: int) -> Parts:
        room = self._room(cells)
        if self.saying:
            return [] if self.said_lines(cells) else [(clean(self.saying) + " ", "warn")]
        if wrong := self.wrong_field():
            return [(cut_end(f"{wrong.option.title} {wrong.problem()}", room) + " ", "warn")]
        return [("* is required ", "muted")] if any(f.option.required for f in self.fields) else []
