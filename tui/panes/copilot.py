"""The copilot's pages: the questions that one has asked, and what can be asked."""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import Any

from tui import copilot
from tui.copilot import Chip
from tui.faults import is_expected
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Key, Row, RowSource

MOST = 200  # questions that are listed
JUDGED = {"up": "helpful", "down": "not helpful"}


class CopilotPane(Pane):
    """Earlier questions, the newest first; while there are none, what can be asked. `enter` asks again."""

    places = ("list", "copilot")
    noun = "question"
    counted = True
    footer_now = True

    def make_source(self) -> RowSource:
        """Questions as rows."""
        self.items: dict[Key, dict[str, Any]] = {}
        self.chips: dict[Key, Chip] = {}
        self.tips: list[str] = []
        self.status: dict[str, Any] = {}
        return FetchedSource(("question", "answer", "judged", "by", "at", "group"), self._rows)

    async def _rows(self) -> Rows:
        await self._learn_status()
        answer = await self.world.get(copilot.HISTORY, {"limit": MOST})
        self.items, self.chips = {}, {}
        rows: Rows = []
        for item in answer.get("items") or ():
            key = ("asked", str(item.get("id")))
            self.items[key] = item
            said = " ".join(copilot.lines_of(str(item.get("answer") or "")))
            by = clean(item.get("model") or item.get("backend_used") or "").replace("builtin", "built in")
            judged = JUDGED.get(str(item.get("feedback")), "")
            question = clean(item.get("question") or "")
            rows.append((key, [question, said, judged, by, item.get("created_at"), "asked"]))
        return rows or await self._suggested()

    async def _learn_status(self) -> None:
        try:
            self.status = await self.world.get(copilot.STATUS)
        except Exception as error:
            if not is_expected(error):
                raise

    async def _suggested(self) -> Rows:
        """What can be asked, group by group."""
        known = self.world.copilot
        if "chips" not in known:
            known["chips"] = await self.world.get(copilot.SUGGESTIONS)
        told = (known["chips"] or {}).get("suggestions") or {}
        self.tips = [clean(tip) for tip in told.get("tips") or ()]
        rows: Rows = []
        for number, chip in enumerate(copilot.chips_of(known["chips"] or {})):
            key = ("chip", str(number))
            self.chips[key] = chip
            text = chip.question.rstrip() + (" …" if chip.template else "")
            rows.append((key, [text, "", "", "", None, chip.why]))
        return rows

    @property
    def suggests(self) -> bool:
        """Whether it shows what can be asked."""
        return bool(self.chips)

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Question first; groups of what can be asked, answers of what was."""
        asked = not self.suggests
        return [
            Head("question", "QUESTION", "text", 38 if asked else 60, 0),
            Head("group", "ABOUT", "text", 24, 5, not asked, asked),
            Head("answer", "ANSWER", "text", 50, 1, asked, not asked),
            Head("at", "ASKED", "time", 5, 4, asked, not asked),
            Head("judged", "JUDGED", "text", 11, 2, asked, not asked),
            Head("by", "BY", "name", 12, 3, False, not asked),
        ]

    def title(self) -> str:
        """Which page it is."""
        return "copilot: suggestions" if self.suggests else "copilot: questions"

    def empty(self) -> str:
        """Nothing was asked."""
        return self.filtered() or "nothing was asked yet\ni asks"

    def why_not(self, id: str, row: Row | None) -> str:
        """Why a key has nothing to do on this row."""
        if id in ("answer_helpful", "answer_unhelpful") and (row is None or row.key not in self.items):
            return "no answer is under the cursor"
        return "nothing was asked" if id == "forget_questions" and not self.items else ""

    def chip(self, row: Row) -> Chip | None:
        """The question of a row."""
        item = self.items.get(row.key)
        return Chip(copilot.clean_question(item.get("question") or "")) if item else self.chips.get(row.key)

    def strip(self, row: Row) -> list[Parts]:
        """The whole answer as far as it goes, and who gave it; of what can be asked a hint how."""
        room = max(20, self.world.cells - 2)
        model: Parts = [("model: ", "muted"), (copilot.status_words(self.status), "text")]
        item = self.items.get(row.key)
        if item is None:
            tip = self.tips[int(row.key[1]) % len(self.tips)] if self.tips and row.key[1].isdigit() else ""
            does = "enter puts it into the line, to be completed" if self._is_template(row) else "enter asks it"
            return [[(does, "text")], [(tip, "muted")], model]
        said = " ".join(copilot.lines_of(str(item.get("answer") or "")))
        words = textwrap.wrap(said, room)[:2] or [""]
        last: Parts = [(copilot.when(str(item.get("created_at") or ""), datetime.now().astimezone()), "muted")]
        last.append((f" ago · {copilot.model_words(item) or 'built-in answer'}", "muted"))
        if comment := clean(item.get("comment") or ""):
            last.append((f" · {comment}", "text"))
        return [*([(line, "text")] for line in words), last]

    def _is_template(self, row: Row) -> bool:
        chip = self.chips.get(row.key)
        return chip is not None and chip.template


class SuggestionsPane(CopilotPane):
    """What can be asked, group by group."""

    async def _rows(self) -> Rows:
        await self._learn_status()
        return await self._suggested()

    @property
    def suggests(self) -> bool:
        """Always."""
        return True

    def empty(self) -> str:
        """The engine offers nothing."""
        return self.filtered() or "nothing is offered; i asks"
