"""The rows of one answer of the copilot, as a table."""

from __future__ import annotations

from typing import Any

from store.types import registry
from tui import copilot
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Key, Row, RowSource


class AnswerPane(Pane):
    """Rows as they were when it was answered; `enter` opens the resource of a row. Subject: (id of the question,)."""

    places = ("list", "find")
    noun = "row"
    counted = True

    def make_source(self) -> RowSource:
        """The rows of the answer."""
        self.id = self.view.subject[0] if self.view.subject else ""
        self.kept: dict[str, Any] = self.world.answers.get(self.id) or {}
        self.gone = False
        return FetchedSource(copilot.names_of(self.answer), self._rows)

    @property
    def answer(self) -> dict[str, Any]:
        """The answer; {} while it is not known."""
        return self.kept.get("answer") or {}

    async def _rows(self) -> Rows:
        if not self.kept:
            await self._read()
        self.source.columns = copilot.names_of(self.answer)  # type: ignore[attr-defined]
        return copilot.rows_of(self.answer)

    async def _read(self) -> None:
        """An answer of an earlier session, as long as the engine still has it."""
        from urllib.parse import quote

        from tui.api.errors import ApiError

        try:
            told = await self.world.get(f"{copilot.QUESTIONS}/{quote(self.id, safe='')}")
        except ApiError as error:
            if error.status not in (404, 422):
                raise
            self.gone = True
            return
        if isinstance(told.get("answer"), dict):
            self.kept = {"question": "", "answer": told["answer"]}

    def expire(self) -> None:
        """An answer stays what it was; asked again it is another one."""

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """As the answer names them."""
        return copilot.heads_of(self.answer)

    def title(self) -> str:
        """The question."""
        return clean(self.kept.get("question") or "answer")

    def empty(self) -> str:
        """Why there is nothing."""
        if self.gone:
            return "this answer is no longer kept\n9 shows your questions, enter asks one again"
        return self.filtered() or "this answer has no rows"

    def enter(self, row: Row) -> View | None:
        """The row's resource."""
        type = row.key[3]
        known = type in registry.ALL and bool(row.key[2])
        return View("detail", type, subject=row.key[:3]) if known else None

    def resource_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """What the row is about, for keys that act on a resource."""
        if row is None or self.enter(row) is None:
            return None
        names = copilot.names_of(self.answer)
        name = row.values[names.index("name")] if "name" in names else ""
        return row.key[3], row.key[:3], str(name or "")

    def strip(self, row: Row) -> list[Parts]:
        """The answer's sentence, and what it stands on."""
        first = copilot.text_of(self.answer)[:1]
        about = self.resource_here(row)
        second: Parts = [("enter opens ", "muted"), (clean(about[2] or about[1][-1]), "text")] if about else []
        return [[(first[0] if first else "", "strong")], copilot.facts({**self.answer, "live": False}, 0), second]
