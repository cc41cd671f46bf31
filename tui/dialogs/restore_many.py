"""The review of restores of many machines: a line for each, what all of them need, and who answers for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from store.types.actions import Option
from tui import restore, restore_many
from tui.dialogs.fields import Field, PhraseField, TextField
from tui.dialogs.focus import CANCEL, GO, FieldsPage
from tui.dialogs.page import Drawn, Line, rule
from tui.dialogs.plan import SOON, TicketField
from tui.dialogs.planlines import clock, seconds_left, wrapped
from tui.panes.pane import Parts
from tui.table.cells import clean, fit, width

BODY = "body"
NAME = 22  # cells of a machine's name


@dataclass(frozen=True, slots=True)
class Does:
    """What the page has done by the console: `execute` sends the body, `again` plans the same anew."""

    back: Callable[[], None]
    execute: Callable[[dict[str, Any]], None]
    again: Callable[[], None]


class ManyPage(FieldsPage):
    """Focus starts on the machines, where letters are keys: space leaves one out, or takes it in again."""

    whole = True

    def __init__(self, plan: Mapping[str, Any], kept: Mapping[str, str], does: Does) -> None:
        self.plan, self.does = plan, does
        self.lines = restore_many.machines_of(plan)
        self.out: set[tuple[str, str, str]] = set()
        self.sending = self.over = False
        self.at = self.top = 0
        requires = plan.get("requires") or {}
        fields: list[Field] = [
            TextField(Option("reason", "reason", required=bool(requires.get("reason"))), kept.get("reason", "")),
            TicketField(Option("ticket", "ticket", required=bool(requires.get("ticket"))),
                        requires.get("ticket_pattern"), kept.get("ticket", "")),
        ]  # fmt: skip
        super().__init__(fields, does.back)
        self.focus = BODY
        self._settle()

    def _settle(self) -> None:
        """The phrase and the button, for those that are in it."""
        self.phrase = restore_many.phrase_for(self.plan, len(self.out))
        self.fields = [field for field in self.fields if not isinstance(field, PhraseField)]
        if self.phrase and self.chosen:
            self.fields.append(PhraseField(Option("typed", "the phrase", required=True), self.phrase))
        count = len(self.chosen)
        word = restore.WAY_WORDS.get(str(self.plan.get("way")), "")
        can = count and not self.plan.get("refused")
        self.go_label = (
            f"{word} {count} {'machine' if count == 1 else 'machines'}" if can else "it can't be carried out"
        )

    @property
    def chosen(self) -> list[Mapping[str, Any]]:
        """The machines that would be restored."""
        return [one for one in self.lines if one.get("eligible") and restore_many.key_of(one) not in self.out]

    @property
    def ring(self) -> list[Field | str]:
        """What tab goes through, in order."""
        return [BODY, *self.fields, GO, CANCEL]

    def value(self, name: str) -> Any:
        """The value of a field; None when there is no such field."""
        return next((field.value() for field in self.fields if field.name == name), None)

    # Keys

    def keys(self) -> Sequence[tuple[str, str]]:
        """What may be pressed."""
        return (("space", "leave out"), ("p", "plan again"), ("enter", "go on"), ("esc", "back"))

    def take_key(self, key: str, character: str | None) -> None:
        """While it is being sent nothing can be taken back; the page's own keys; else those of fields and buttons."""
        if self.sending:
            return
        if self.focus == BODY and key not in ("tab", "shift+tab", "enter", "escape"):
            self.saying = ""
            self._body_key(key)
            self.changed()
        else:
            super().take_key(key, character)

    def _body_key(self, key: str) -> None:
        moves = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10, "g": -MANY, "G": MANY}
        if key in moves:
            self.at = max(0, min(len(self.lines) - 1, self.at + moves[key]))
        elif key == "p":
            self.does.again()
        elif key == "q":
            self.back()
        elif key == "space" and self.lines:
            self._leave_out(self.lines[self.at])

    def _leave_out(self, line: Mapping[str, Any]) -> None:
        if not line.get("eligible"):
            self.saying = "it can't be restored so; it is left out anyway"
            return
        self.out ^= {restore_many.key_of(line)}
        self._settle()

    def press_go(self) -> None:
        """Only what can be carried out."""
        if self.over or seconds_left(self.plan, datetime.now(UTC)) == 0:
            self.saying = "this plan is of no use any more: p plans again"
        elif refused := self.plan.get("refused"):
            self.saying = clean(refused)
        elif not self.chosen:
            self.saying = "none of these machines can be restored so"
        else:
            super().press_go()

    def submit(self) -> None:
        """Send it, once."""
        body = {name: self.value(name) or "" for name in ("reason", "ticket", "typed")}
        self.sending = True
        self.does.execute({**body, "hash": self.plan.get("hash"), "leave_out": [list(key) for key in sorted(self.out)]})

    def refuse(self, text: str, *, again: bool = False) -> None:
        """The engine did not begin it."""
        self.sending, self.over, self.saying = False, self.over or again, text
        if again:
            self.focus = BODY
        self.changed()

    def tick(self) -> bool:
        """The clock goes on."""
        return True

    # Drawing

    def draw(self, cells: int, rows: int) -> Drawn:
        """What all of it is; the machines; what is asked for."""
        head, (tail, focus) = self._head(cells), self._tail(cells)
        about = self._about(cells)
        tail, focus = [*about, *tail], focus + len(about)
        room = max(3, rows - len(head) - len(tail))
        if self.at < self.top or self.at >= self.top + room:
            self.top = max(0, self.at - room + 1 if self.at >= self.top else self.at)
        now = datetime.now(UTC)
        here = list(enumerate(self.lines))[self.top : self.top + room]
        shown: list[Line] = [(self._line(number, one, cells, now), []) for number, one in here]
        blank: list[Line] = [([], [])] * max(0, rows - len(head) - len(shown) - len(tail))
        lines = [*head, *shown, *blank, *tail]
        if self.focus == BODY:
            return Drawn(lines, len(head) + self.at - self.top)
        return Drawn(lines, len(head) + len(shown) + len(blank) + focus)

    def _head(self, cells: int) -> list[Line]:
        left = seconds_left(self.plan, datetime.now(UTC))
        style = "warn" if left is not None and left < SOON else "muted"
        told: Parts = [] if left is None else [(f"plan expires {clock(left)}", style)]
        if left == 0 or self.over:
            told = [("p plans again", "bad")]
        way = restore.WAY_WORDS.get(str(self.plan.get("way")), "")
        found = [rule([(f"RESTORE {len(self.chosen)} of {len(self.lines)} machines: {way}", "strong")], cells, told)]
        at = restore.told(self.plan.get("at"))
        words = f"points not after {at}" if at else "from the newest points"
        limits = self.plan.get("limits") or {}
        words += f"; {limits.get('parallel', '?')} at once, {limits.get('per_backend', '?')} a back end"
        words += f", {limits.get('per_project', '?')} a project; stops after {limits.get('stop_after', '?')} failures"
        takes = restore.whole(self.plan.get("seconds"))
        words += f"; takes about {restore.span(takes)}" if takes is not None else ""
        found += [([(" " + piece, "text")], []) for piece in wrapped(words, cells - 2)[:2]]
        for text in restore_many.tight(self.plan)[:2]:
            found.append(([(" ✖ " + fit(text, cells - 4).rstrip(), "bad")], []))
        return found

    def _line(self, number: int, line: Mapping[str, Any], cells: int, now: datetime) -> Parts:
        mark = "▸ " if number == self.at and self.focus == BODY else "  "
        out = restore_many.key_of(line) in self.out
        sign, style = ("✖", "bad") if not line.get("eligible") else ("○", "muted") if out else ("●", "ok")
        group = f"{restore.whole(line.get('group')) or 0}"
        text = "left out" if out else restore_many.about_line(line, now, str(self.plan.get("way")))
        name = fit(restore_many.name_of(line), min(NAME, cells // 3))
        rest = max(4, cells - width(name) - 10)
        return [
            (mark, "key"), (f"{sign} ", style), (fit(group, 3, right=True) + " ", "muted"),
            (name + " ", "muted" if out else "strong"), (fit(text, rest), "bad" if style == "bad" else "text"),
        ]  # fmt: skip

    def _about(self, cells: int) -> list[Line]:
        """What the plan of the machine under the cursor says, at most three lines of it."""
        if self.focus != BODY or not self.lines:
            return []
        told = restore_many.more_of(self.lines[self.at])
        pieces = [piece for text in told for piece in wrapped(text, cells - 4)]
        more = f" (+{len(pieces) - 3})" if len(pieces) > 3 else ""
        return [
            ([("   " + piece + (more if number == 2 else ""), "muted")], []) for number, piece in enumerate(pieces[:3])
        ]

    def _tail(self, cells: int) -> tuple[list[Line], int]:
        """What is asked for, and the line of the focus in it."""
        lines: list[Line] = [([("─" * cells, "rule")], [])]
        focus = 0
        for field in self.fields:
            if isinstance(field, PhraseField):
                lines.append(([(" To go on type:  ", "text"), (self.phrase, "strong")], []))
            focus = len(lines) if self.focus is field else focus
            label = field.option.title + ("*" if field.option.required else "")
            parts = field.parts(max(8, cells - width(label) - 3), self.focus is field)
            lines.append(([(f" {label} ", "key" if self.focus is field else "muted"), *parts], []))
        wrong = self.wrong_field()
        said = self.saying or (f"{wrong.option.title} {wrong.problem()}" if wrong else "")
        said = "being begun …" if self.sending else said
        lines += [([(" " + piece, "warn")], []) for piece in wrapped(clean(said), cells - 2)[:2] if said]
        focus = len(lines) if self.focus in (GO, CANCEL) else focus
        lines.append((self.buttons(), []))
        return lines, focus


MANY = 10**6
