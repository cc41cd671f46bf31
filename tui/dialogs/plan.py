"""The plan before anything is changed: what, to which machines, what is lost, and who takes the responsibility."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from store.types.actions import Option
from tui.dialogs import planlines
from tui.dialogs.fields import Field, PhraseField, TextField
from tui.dialogs.focus import GO, FieldsPage
from tui.dialogs.page import Drawn, Line, rule
from tui.dialogs.planlines import Plan
from tui.panes.pane import Parts
from tui.table.cells import clean, cut_end, width

MIN_ITEMS = 2  # lines of machines that are shown however small the screen is
STOP_CELLS, FAILURES = 6, "failures"
SOON = 120  # seconds before its end after which a plan's clock warns


class TicketField(TextField):
    """A ticket, checked against the cloud's pattern."""

    def __init__(self, option: Option, pattern: str | None, start: str = "") -> None:
        super().__init__(option, start)
        self.pattern = pattern or ""

    def problem(self) -> str:
        """Missing, or not as the cloud's tickets are."""
        found = super().problem()
        if found or not self.text or not self.pattern:
            return found
        try:
            return "" if re.fullmatch(self.pattern, self.text) else f"must match {clean(self.pattern)[:40]}"
        except re.error:
            return ""  # the engine decides


class PlanPage(FieldsPage):
    """Focus starts on Cancel; letters are keys while a button has the focus, and text while a field has it.

    execute(body)  sends `POST /q/plans/{id}/execute`; again() asks for the same plan anew
    copy, save     take the commands, and the plan as text
    """

    whole = True

    def __init__(
        self,
        plan: Plan,
        kept: Mapping[str, str],
        *,
        back: Callable[[], None],
        execute: Callable[[dict[str, Any]], None],
        again: Callable[[], None],
        copy: Callable[[str], None],
        save: Callable[[str], None],
    ) -> None:
        self.plan = plan
        self._execute, self._again, self._copy, self._save = execute, again, copy, save
        self.top = 0
        self.details = False
        self.sending = False
        self.over = False  # expired, changed meanwhile, or refused: it must be planned again
        self.differences: list[str] = []
        self._page = 1
        self._lines_of: tuple[int, list[Parts]] | None = None
        requires = plan.get("requires") or {}
        self.items = planlines.items_of(plan)
        self.passes = any(item.get("override") for item in self.items)
        self.pass_locks = False
        fields: list[Field] = [
            TextField(Option("reason", "reason", required=bool(requires.get("reason"))), kept.get("reason", "")),
            TicketField(
                Option("ticket", "ticket", required=bool(requires.get("ticket"))),
                requires.get("ticket_pattern"),
                kept.get("ticket", ""),
            ),
        ]
        if int(plan.get("count") or 0) > 1:
            fields.append(TextField(Option("stop_after", "stop after", "number", minimum=1)))
        super().__init__(fields, back)
        self.phrase = ""
        self._ask_phrase()
        self._label()

    def _label(self) -> None:
        """What the button does, to how many where that is not all of them."""
        going, count = self._going(), int(self.plan.get("count") or 0)
        some = 0 < going < count
        self.go_label = f"Go on with {going:,} of {count:,}" if some else str(self.plan.get("title") or "Do it")

    def _ask_phrase(self) -> None:
        """The phrase that must be typed now: to pass a lock it is another one."""
        requires = self.plan.get("requires") or {}
        self.phrase = clean(requires.get("override" if self.pass_locks else "typed") or "")
        self.fields = [field for field in self.fields if not isinstance(field, PhraseField)]
        if self.phrase:
            self.fields.append(PhraseField(Option("typed", "the phrase", required=True), self.phrase))

    def value(self, name: str) -> Any:
        """The value of a field; None when there is no such field."""
        return next((field.value() for field in self.fields if field.name == name), None)

    # Keys

    def take_key(self, key: str, character: str | None) -> None:
        """While it is being sent nothing can be taken back."""
        if not self.sending:
            super().take_key(key, character)

    def take_plain(self, key: str, character: str | None) -> None:
        """Letters, while a button has the focus."""
        steps = {"j": 1, "k": -1, "pagedown": self._page, "pageup": -self._page, "g": -(10**6), "home": -(10**6)}
        steps |= {"G": 10**6, "end": 10**6}
        if key in steps:
            self.top += steps[key]
        elif key == "d":
            self.details, self.top = not self.details, 0
        elif key == "c":
            self._copy("\n".join(clean(command) for command in self.plan.get("commands") or ()))
        elif key == "E":
            self._save(planlines.as_text(self.plan))
        elif key == "p" and (self._needs_again() or not self._going()):
            self._again()
        elif key == "o" and self.passes:
            self.pass_locks = not self.pass_locks
            self._ask_phrase()
            self._label()
        elif key == "q":
            self.back()
        else:
            super().take_plain(key, character)

    def keys(self) -> Sequence[tuple[str, str]]:
        """What is possible now."""
        if self.sending:
            return ()
        if isinstance(self.focus, Field):
            return (("tab", "next"), ("shift tab", "before"), ("enter", "next"), ("esc", "no"))
        found = [("← →", "choose"), ("enter", "press"), ("tab", "fields"), ("esc", "no")]
        if self._needs_again() or not self._going():
            found.insert(0, ("p", "plan again"))
        if self.passes:
            found.append(("o", "pass the lock"))
        found.append(("d", "short" if self.details else "details"))
        return (*found, ("j k", "scroll"), ("c", "copy"), ("E", "save"))

    def press_go(self) -> None:
        """Carry it out, if it still can be."""
        if self._needs_again():
            self.saying = "the plan can't be carried out any more; p plans again"
        elif not self._going():
            self.saying = "there is nothing to do: all of it is refused; p plans again"
        else:
            super().press_go()

    def submit(self) -> None:
        """Send it, once."""
        body = {name: self.value(name) or "" for name in ("reason", "ticket", "typed")}
        body |= {"stop_after": self.value("stop_after"), "hash": self.plan.get("hash")}
        if self.pass_locks:
            body["override"] = [list(item["key"]) for item in self.items if item.get("override") and item.get("key")]
        self.sending = True
        self._execute(body)

    def say(self, text: str) -> None:
        """Show a sentence."""
        self.saying = text
        self.changed()

    def refuse(self, text: str, *, again: bool, differences: Sequence[str] = ()) -> None:
        """The engine did not begin it. `again`: it must be planned anew."""
        self.sending, self.over, self.saying = False, self.over or again, text
        self.differences = list(differences)
        self.changed()

    def tick(self) -> bool:
        """The clock goes on."""
        return True

    def _left(self) -> int | None:
        return planlines.seconds_left(self.plan, datetime.now(UTC))

    def _needs_again(self) -> bool:
        return self.over or self._left() == 0

    def _going(self) -> int:
        passed = sum(bool(item.get("override")) for item in self.items) if self.pass_locks else 0
        return int(self.plan.get("count") or len(self.items)) - int(self.plan.get("refused") or 0) + passed

    # Drawing

    def draw(self, cells: int, rows: int) -> Drawn:
        """Title, machines as many as fit, then what is asked for; on small screens the focus is in sight."""
        head, tail, focus = self._head(cells), *self._tail(cells)
        middle = self._details(cells) if self.details else self._machines(cells)
        room = max(MIN_ITEMS, rows - len(head) - len(tail))
        self._page = max(1, room - 1)
        self.top = max(0, min(self.top, len(middle) - room))
        shown = middle[self.top : self.top + room]
        blank: list[Line] = [([], []) for _ in range(max(0, rows - len(head) - len(shown) - len(tail)))]
        return Drawn([*head, *shown, *blank, *tail], len(head) + len(shown) + len(blank) + focus)

    def _head(self, cells: int) -> list[Line]:
        left = self._left()
        words, style = planlines.DANGER.get(str(self.plan.get("danger")), ("", "text"))
        if self._needs_again():
            clock: Parts = [("EXPIRED: p plans again" if left == 0 else "p plans again", "bad")]
        elif left is None:
            clock = []
        else:
            clock = [(f"plan expires {planlines.clock(left)}", "warn" if left < SOON else "muted")]
        title: Parts = [(cut_end(clean(self.plan.get("title") or "plan"), max(10, cells - 40)), "strong")]
        if words:
            title.append((f"  {words}", style))
        places = sorted({"/".join(clean(p) for p in (item.get("key") or ("",))[:2] if p) for item in self.items})
        where = ", ".join(place for place in places[:3] if place) + (f" +{len(places) - 3}" if len(places) > 3 else "")
        second: Line = ([*planlines.summary(self.plan), (f"   {where}" if where else "", "muted")], self._scroll(cells))
        return [rule(title, cells, clock), second]

    def _scroll(self, cells: int) -> Parts:
        if self.details or len(self.items) <= self._page + 1:
            return []
        last = min(len(self.items), self.top + self._page + 1)
        return [(f"{self.top + 1:,}-{last:,} of {len(self.items):,} ", "muted")]

    def _machines(self, cells: int) -> list[Line]:
        whose = planlines.whose_of(self.items)
        columns = planlines.columns_of(self.items, cells, whose)
        lines: list[Line] = [(planlines.item_line(item, cells, columns, whose), []) for item in self.items]
        return lines

    def _details(self, cells: int) -> list[Line]:
        if self._lines_of is None or self._lines_of[0] != cells:
            self._lines_of = (cells, planlines.details(self.plan, cells))
        return [(parts, []) for parts in self._lines_of[1]]

    def _tail(self, cells: int) -> tuple[list[Line], int]:
        """What is asked for, and the line of the focus in it."""
        lines: list[Line] = [([("─" * cells, "rule")], [])]
        if self.differences:
            lines += [([(" ≠ " + clean(text), "bad")], []) for text in self.differences[:3]]
        elif not self.details:
            lines += [(parts, []) for parts in planlines.notes(self.plan)[:3]]
            if command := planlines.commands_line(self.plan, cells):
                lines.append((command, []))
        if self.passes:
            mark = "x" if self.pass_locks else " "
            lines.append(([(f" [{mark}] o passes the lock: a decision of its own, with its own phrase", "warn")], []))
        focus = 0
        for fields in self._rows_of_fields(cells):
            if self.focus in fields:
                focus = len(lines)
            lines.append(self._row(fields, cells))
        if self.phrase:
            lines.append(([(" To go on type:  ", "text"), (self.phrase, "strong")], []))
            if isinstance(self.focus, PhraseField):
                focus = len(lines)
            lines.append(([(" > ", "key"), *self._phrase_parts(cells)], []))
        if self._is_long(cells):
            lines += [([(" " + piece, "warn")], []) for piece in planlines.wrapped(clean(self.saying), cells - 2)[:3]]
        if not isinstance(self.focus, Field):
            focus = len(lines)
        lines.append((self.buttons(), self._said(cells)))
        return lines, focus

    def _room(self, cells: int) -> int:
        """Cells beside the buttons."""
        return max(10, cells - width(self.go_label) - 24)

    def _is_long(self, cells: int) -> bool:
        """Whether what is said has no room beside the buttons: then it stands above them."""
        return width(clean(self.saying)) > self._room(cells)

    def _phrase_parts(self, cells: int) -> Parts:
        field = self.fields[-1]
        return field.parts(max(10, min(cells - 4, width(self.phrase) + 6)), self.focus is field)

    def _rows_of_fields(self, cells: int) -> list[list[Field]]:
        plain = [field for field in self.fields if not isinstance(field, PhraseField)]
        return [plain] if cells >= 76 else [[field] for field in plain]

    def _row(self, fields: list[Field], cells: int) -> Line:
        parts: Parts = [(" ", "text")]
        labels = [field.option.title + ("*" if field.option.required else "") + " " for field in fields]
        fixed = sum(width(label) + 1 for label in labels) + 2
        number = any(field.name == "stop_after" for field in fields)
        text_fields = len(fields) - number
        share = (cells - fixed - (STOP_CELLS + len(FAILURES) if number else 0)) // max(1, text_fields)
        for field, label in zip(fields, labels, strict=True):
            wrong = field.touched and field.problem()
            stop = field.name == "stop_after"
            parts += [(label, "bad" if wrong else "key" if self.focus is field else "muted")]
            parts += [*field.parts(STOP_CELLS if stop else max(8, share), self.focus is field), (" ", "text")]
            if stop:
                parts.append((FAILURES, "muted"))
        return parts, []

    def _said(self, cells: int) -> Parts:
        if self.sending:
            return [("◐ handing it to the engine … ", "busy")]
        if self.saying:
            return [] if self._is_long(cells) else [(clean(self.saying) + " ", "warn")]
        if wrong := self.wrong_field():
            return [(cut_end(f"{wrong.option.title} {wrong.problem()}", self._room(cells)) + " ", "warn")]
        return [("* is required " if any(f.option.required for f in self.fields) else "", "muted")]


__all__ = ["GO", "PlanPage", "TicketField"]
