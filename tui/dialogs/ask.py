"""The drawer of questions: a line to ask in, the answer under it. Letters go into the line while that has the focus,
and act on the answer while the answer has it; a question that was sent gives it the focus.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui import copilot
from tui.copilot import MOST_QUESTION, Answer, Chip
from tui.dialogs import ask_lines as lines
from tui.dialogs.page import Drawn, Line, Page, rule
from tui.table.cells import clean, cut_end
from tui.times import age
from tui.widgets.editing import LineEdit

MOST_OFFERS = 8
OLD = 10  # seconds after which an age is drawn anew


@dataclass(frozen=True, slots=True)
class Does:
    """What the console does for the drawer."""

    ask: Callable[[str], None]
    cancel: Callable[[], None]
    close: Callable[[], None]
    rows: Callable[[], None]
    query: Callable[[], None]
    copy: Callable[[], None]
    feedback: Callable[[str], None]
    propose: Callable[[Mapping[str, Any]], None]


@dataclass(slots=True)
class Known:
    """What the drawer knows beyond a question: chips and earlier questions, oldest first, and who is asked when the
    built-in engine is not sure.
    """

    chips: Sequence[Chip] = ()
    asked: Sequence[str] = ()
    model: str = ""


class AskPage(Page):
    """One question after another. `take` and `fail` bring what the engine says."""

    beside = True

    def __init__(self, does: Does) -> None:
        super().__init__()
        self._does = does
        self.known = Known()
        self.edit = LineEdit(most=MOST_QUESTION)
        self.in_answer = False
        self.selected: list[dict[str, Any]] = []
        self.selected_name = ""
        self.too_many = ""
        self.question = ""
        self.number = 0  # of the question: words of an earlier one are none of this one's
        self.answer: Answer | None = None
        self.pending = ""  # id of the question that a model works on
        self.busy = False
        self.streamed, self.tool = "", ""
        self.saying = ""
        self.helpful = ""
        self._since = self._came = time.monotonic()
        self._top = 0
        self._body_lines = self._body_room = 0
        self._offers: list[Chip] = []
        self._chosen = -1
        self._recalled = 0
        self._ticks = 0

    # What the console tells it

    def open(self, selected: list[dict[str, Any]], name: str, too_many: str) -> None:
        """Shown again: a new question about what is selected now; the last answer is still there."""
        self.selected, self.selected_name, self.too_many = selected, name, too_many
        self.in_answer, self.saying = self.busy, ""
        self._put("")

    def write(self, text: str) -> None:
        """Put a text into the line, to be gone on with."""
        self.in_answer = False
        self._put(text)
        self.changed()

    def asks(self, question: str) -> None:
        """A question is on its way."""
        self.number += 1
        self.question, self.answer, self.busy, self.pending = question, None, True, ""
        self.streamed = self.tool = self.saying = self.helpful = ""
        self.in_answer, self._top, self._since = True, 0, time.monotonic()
        self._put(question)
        self.changed()

    def take(self, told: Mapping[str, Any]) -> None:
        """What the engine says of the question: a part of the model's words, or the whole answer."""
        self.pending = str(told.get("id") or "")
        self.streamed += str(told.get("text") or "")
        self.tool = clean(told.get("tool") or "")
        answer = told.get("answer")
        self.answer = answer if isinstance(answer, dict) else self.answer
        if told.get("state") != "running":
            self.busy = False
            self.streamed = self.tool = ""
        self._came = time.monotonic()
        self.changed()

    def stop(self, why: str) -> None:
        """Nothing more comes: what is there stands."""
        self.busy, self.pending, self.streamed, self.tool = False, "", "", ""
        self.saying = why
        self.changed()

    def say(self, text: str) -> None:
        """One line under the answer."""
        self.saying = text
        self.changed()

    def learn(self, known: Known) -> None:
        """Chips and earlier questions have come."""
        self.known = known
        self._offer()
        self.changed()

    # Keys

    def take_key(self, key: str, character: str | None) -> None:
        """Escape stops the model, then closes."""
        self.saying = ""
        if key == "escape":
            self._does.cancel() if self.busy else self._does.close()
        elif self.in_answer:
            self._answer_key(key, character)
        else:
            self._input_key(key, character)
        self.changed()

    def take_paste(self, text: str) -> None:
        """Into the line, as one."""
        if self.in_answer:
            self.in_answer = False
            self._put("")
        self.edit.insert(clean(text.strip(), MOST_QUESTION))
        self._offer()
        self.changed()

    def _input_key(self, key: str, character: str | None) -> None:
        if key == "enter":
            self._enter()
        elif key == "tab" and self._offers and (self.edit.value or self._chosen >= 0):
            self._put(self._offers[max(0, self._chosen)].question)
        elif key in ("tab", "shift+tab"):
            self.in_answer = self.answer is not None
        elif key == "down":
            self._down()
        elif key == "up" and self._chosen >= 0:
            self._chosen -= 1
        elif key == "up":
            self._recall(-1)
        elif self.edit.take_key(key, character):
            self._recalled = 0
            self._offer()

    def _enter(self) -> None:
        if self._chosen >= 0:
            chip = self._offers[self._chosen]
            if chip.template:
                self._put(chip.question)
            else:
                self._does.ask(chip.question)
        elif text := self.edit.value.strip():
            self._does.ask(text)
        else:
            self.in_answer = self.answer is not None

    def _down(self) -> None:
        if self._recalled:
            self._recall(1)
        elif self._chosen + 1 < len(self._shown_offers()):
            self._chosen += 1
        elif not self._shown_offers():
            self.in_answer = self.answer is not None

    def _recall(self, step: int) -> None:
        target = self._recalled + step
        if self.known.asked and -len(self.known.asked) <= target <= 0:
            self._put(self.known.asked[target] if target < 0 else "")
            self._recalled = target

    def _put(self, text: str) -> None:
        self.edit.put(text)
        self._recalled = 0
        self._offer()

    def _offer(self) -> None:
        selected = str(self.selected[0]["type"]) if len(self.selected) == 1 else ""
        self._chosen = -1
        self._offers = copilot.offers(self.edit.value, self.known.chips, self.known.asked, selected, MOST_OFFERS)

    def _answer_key(self, key: str, character: str | None) -> None:
        if key in ("tab", "shift+tab"):
            self.in_answer = False
            self._put(self.edit.value or self.question)
            self._offers = []  # the question is there to be changed; the answer stays until that is done
        elif character == "i":
            self.in_answer = False
            self._put("")
        elif character == "q":
            self._does.close()
        elif key in ("j", "down", "k", "up", "pagedown", "pageup", "space"):
            by = 1 if key in ("j", "down", "k", "up") else max(1, self._body_room - 1)
            self._top += by if key in ("j", "down", "pagedown", "space") else -by
        elif self.answer is not None:
            self._act(self.answer, key, character)

    def _act(self, answer: Answer, key: str, character: str | None) -> None:
        choices = [clean(one) for one in answer.get("choices") or ()][:9]
        proposals = dict(copilot.proposals_of(answer))
        if character is not None and character in "123456789" and int(character) <= len(choices):
            self._does.ask(choices[int(character) - 1])
        elif key == "enter":
            self._does.rows()
        elif character == "s":
            self._does.query()
        elif character == "c":
            self._does.copy()
        elif character in ("y", "n"):
            self._does.feedback("up" if character == "y" else "down")
        elif character in proposals:
            self._does.propose(proposals[character])

    def keys(self) -> Sequence[tuple[str, str]]:
        """What may be pressed."""
        if self.busy:
            return (("esc", "stop waiting; what is known stands"),)
        if not self.in_answer:
            more = (("tab", "to the answer"),) if self.answer and not self.edit.value else (("tab", "complete"),)
            return (("enter", "ask"), *more, ("↑", "earlier"), ("↓", "choose"), ("esc", "close"))
        answer = self.answer or {}
        alone = len(copilot.proposals_of(answer)) == 1
        found = [("enter", "rows")] if copilot.opens(answer) else [("enter", "open it")] if alone else []
        found += [("1-9", "choose")] if answer.get("choices") else []
        found += [("s", "query")] if answer.get("queries") else []
        found += [("y n", "helpful")] if answer.get("history_id") else []
        return (*found, ("i", "ask"), ("c", "copy"), ("tab", "edit"), ("esc", "close"))

    def tick(self) -> bool:
        """Waits and ages grow."""
        self._ticks += 1
        return self.busy or (self.answer is not None and self._ticks % OLD == 0)

    # Drawing

    def draw(self, cells: int, rows: int) -> Drawn:
        """Title, question, answer, what it stands on, what can be done: in at most so many lines."""
        words = self.too_many or copilot.selected_words(self.selected, self.selected_name)
        title = rule([("ask", "strong")], cells, [(cut_end(words, cells // 2), "muted")] if words else [])
        head = [title, self._input(cells)]
        tail = self._tail(cells)[: max(1, rows - 3)]
        room = max(0, rows - len(head) - len(tail))
        body = self._body(cells, room)
        self._body_lines, self._body_room = len(body), room
        # Words of a model come at the end: that is what is in sight while they come.
        last = max(0, len(body) - room)
        self._top = last if self.busy and self.streamed else min(max(0, self._top), last)
        shown = body[self._top : self._top + room]
        if last and shown:
            head[0] = rule(
                [("ask", "strong")], cells, [(f"lines {self._top + 1}-{self._top + room} of {len(body)}, j k", "key")]
            )
        return Drawn([*head, *shown, *tail][: max(rows, 1)], 1)

    def _input(self, cells: int) -> Line:
        if self.in_answer:
            return [(" > ", "muted"), (cut_end(self.edit.value, cells - 4), "muted")], []
        before, at, after = self.edit.shown(cells - 4)
        return [(" > ", "key"), (before, "strong"), (at, "input"), (after, "strong")], []

    def _shown_offers(self) -> list[Chip]:
        """The offers, where they are in sight: while somebody types, and before anything was asked."""
        asking = not self.in_answer and not self.busy and (self.edit.value or self.answer is None)
        return self._offers if asking else []

    def _body(self, cells: int, room: int) -> list[Line]:
        if offers := self._shown_offers():
            return lines.offer_lines(offers[: max(1, room)], self._chosen, cells)
        if self.busy and self.streamed:
            return lines.paragraphs(copilot.lines_of(self.streamed), cells)
        answer = self.answer
        if answer is None:
            return []
        found: list[Line] = []
        understood = clean(answer.get("understood") or "")
        if understood and understood.strip(" ?.").lower() != self.question.strip(" ?.").lower():
            found += lines.paragraphs([f"understood: {understood}"], cells, "muted")
        if not self.in_answer and self.edit.value != self.question:
            found += lines.paragraphs([self.question], cells, "muted")
        found += lines.paragraphs(copilot.text_of(answer), cells)
        found += lines.choice_lines(answer, cells)
        return found + lines.preview(answer, cells, room - len(found))

    def _tail(self, cells: int) -> list[Line]:
        found: list[Line] = []
        if self.answer is not None and not self._shown_offers():
            if not self.busy:
                found += lines.fact_lines(self.answer, time.monotonic() - self._came, cells)
            found += lines.proposal_lines(self.answer, cells)
        if self.busy:
            found.append(([(" " + cut_end(self._waits(), cells - 2), "busy")], []))
        elif self.saying:
            found.append(([(" " + cut_end(clean(self.saying), cells - 2), "warn")], []))
        elif self.answer is None and self.known.model:
            found.append(([(" " + cut_end(self.known.model, cells - 2), "muted")], []))
        return found

    def _waits(self) -> str:
        waited = int(time.monotonic() - self._since)
        seconds = f"  {age(waited)}" if waited > 1 else ""
        if not self.pending:
            return f"◐ looking …{seconds}"
        doing = f": {self.tool}" if self.tool else ""
        return f"◐ asking the model ({self.known.model}){doing}{seconds}"
