"""The windowed table: every list of the console is drawn by this widget.

It holds the rows on screen and a margin, asks an async source for more, and never waits for an answer: keys move
the cursor at
once, answers arrive as messages, and an answer to a question that is no longer asked is dropped by its generation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from textual import events
from textual.message import Message
from textual.timer import Timer

from tui.table.buffer import Buffer
from tui.table.layout import Head
from tui.table.marks import Marks
from tui.table.spec import Anchor, Key, Place, Row, RowSource, Spec, Window
from tui.table.view import TableView

Purpose = Literal["open", "refresh", "after", "before", "jump"]
POSITION_DELAY = 0.12  # seconds without movement before the cursor's rank is asked for
PREFETCH_PAGES = 2  # pages beyond the screen that should be here
LEAST_MARGIN = 40  # rows
REST_LIMIT = 20  # pages that keys may run ahead of the engine


@dataclass(frozen=True, slots=True)
class Question:
    """A request on its way: what it is for, and which state of the table asked it."""

    purpose: Purpose
    generation: int
    anchor: Anchor
    key: Key | None = None
    line: int = 0


class ResourceTable(TableView):
    """A list of any length. `show` gives it a source, `respec` another filter or order, `reload` newer data."""

    class Moved(Message):
        """The cursor stands on another row, or on none."""

    class Loaded(Message):
        """A window arrived and is shown; `waited` in seconds."""

        def __init__(self, window: Window, waited: float) -> None:
            super().__init__()
            self.window, self.waited = window, waited

    class Counted(Message):
        """The number of rows, and the cursor's rank, are known."""

    class Failed(Message):
        """A window couldn't be read; what is on screen stays."""

        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

    class Chosen(Message):
        """The row under the cursor was clicked."""

    class Arrived(Message):
        """An answer to a question of this table, for this table."""

        def __init__(self, question: Question, answer: Window | Exception, waited: float) -> None:
            super().__init__()
            self.question, self.answer, self.waited = question, answer, waited

    class Positioned(Message):
        """Rank and total, for this table."""

        def __init__(self, generation: int, key: Key | None, answer: Place | Exception) -> None:
            super().__init__()
            self.generation, self.key, self.answer = generation, key, answer

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.loaded = False
        self._source: RowSource | None = None
        self._heads_of: Callable[[tuple[str, ...]], list[Head]] = lambda columns: []
        self._generation = 0
        self._asked: set[Purpose] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._rest = 0
        self._touched = False
        self._respecified = False
        self._reload_again = False
        self._position_timer: Timer | None = None

    @property
    def settled(self) -> bool:
        """Whether the newest rows that were asked for are here."""
        return self.loaded and not self._asked & {"open", "refresh", "jump"}

    # What is shown

    def show(
        self,
        source: RowSource,
        heads_of: Callable[[tuple[str, ...]], list[Head]],
        spec: Spec,
        *,
        faults: Sequence[str] = ("error",),
        key: Key | None = None,
        line: int = 0,
    ) -> None:
        """Show another list; the cursor goes to `key`, at that line of the screen, when it is in the list."""
        self._source, self._heads_of, self.spec, self.faults = source, heads_of, spec, faults
        self.buffer = Buffer()
        self.heads, self._needs = [], {}
        self.column = self.left = 0
        self.marks = Marks()
        self.lit = ""
        self.loaded = self._respecified = False
        self._restart(key or "start", key or None, line)
        self.redraw()

    def respec(self, spec: Spec, *, keep_row: bool = False) -> None:
        """The same list with another filter or order. What is on screen stays until the answer is here."""
        if (spec.filter, spec.clouds, spec.projects) != (self.spec.filter, self.spec.clouds, self.spec.projects):
            self._needs = {}
        self.marks.leave(spec)
        self.spec = spec
        self._respecified = True  # while a filter is typed nobody counts: the next key's page would wait for it
        row = self.current if keep_row else None
        key = None if row is None or row.gone else row.key
        self._restart(key or "start", key, self.buffer.cursor - self.buffer.top if key else 0)
        self.redraw()

    def _restart(self, anchor: Anchor, key: Key | None, line: int) -> None:
        self._generation += 1
        self._asked.clear()
        self._rest = 0
        self._touched = key is not None
        self._reload_again = False
        self.place = None
        self._ask(Question("open", self._generation, anchor, key, line))

    def reload(self) -> None:
        """Read the window again: the data changed. Cursor and scroll stay; at most one such question is on its
        way."""
        if self._source is None:
            return
        if "refresh" in self._asked or "open" in self._asked:
            self._reload_again = True
            return
        row = self.current
        line = self.buffer.cursor - self.buffer.top
        if row is None or not self._touched:
            self._ask(Question("refresh", self._generation, "start"))
        elif row.gone:
            neighbour = next((r for r in self.buffer.visible(self.page_rows) if not r.gone), None)
            anchor: Anchor = neighbour.key if neighbour else "start"
            self._ask(Question("refresh", self._generation, anchor, row.key, line))
        else:
            self._ask(Question("refresh", self._generation, row.key, row.key, line))

    # Asking and answers

    def _margin(self) -> int:
        return max(LEAST_MARGIN, PREFETCH_PAGES * self.page_rows)

    def _ask(self, question: Question) -> None:
        source, spec = self._source, self.spec
        if source is None or not self.is_attached:
            return
        self._asked.add(question.purpose)
        if self.waiting_since is None:
            self.waiting_since = asyncio.get_running_loop().time()
        page, margin = self.page_rows, self._margin()
        before, after = {
            "open": (margin if question.key else 0, page + margin),
            "refresh": (margin + question.line, page + margin),
            "jump": (page + margin, page + margin),
            "after": (0, margin * 2),
            "before": (margin * 2, 0),
        }[question.purpose]

        async def fetch() -> None:
            clock = asyncio.get_running_loop().time
            started = clock()
            answer: Window | Exception
            try:
                answer = await source.window(spec, question.anchor, before, after)
            except Exception as error:  # whatever it is, the handler shows it; nothing here may end the app
                answer = error
            self.post_message(self.Arrived(question, answer, clock() - started))

        self._keep(asyncio.create_task(fetch()))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def on_unmount(self) -> None:
        """Answers that nobody waits for are not read."""
        for task in self._tasks:
            task.cancel()

    def on_resource_table_arrived(self, message: Arrived) -> None:
        """Take an answer, unless the question is no longer asked."""
        message.stop()
        question, answer = message.question, message.answer
        if question.generation != self._generation:
            return
        self._asked.discard(question.purpose)
        if not self._asked:
            self.waiting_since = None
        if isinstance(answer, Exception):
            self._rest = 0
            self.post_message(self.Failed(answer))
            return
        if answer.columns and answer.columns != self.buffer.columns:
            if question.purpose in ("after", "before"):
                self.reload()
                return
            self.set_heads(self._heads_of(answer.columns))
            self.buffer.columns = answer.columns
        if not self._take(question, answer):
            return
        self.loaded = True
        self.buffer.trim(self.page_rows)
        if self._rest and question.purpose in ("after", "before"):
            rest, self._rest = self._rest, 0
            self._rest = self.buffer.page(rest, self.page_rows)
        self._prefetch()
        self.redraw()
        self.post_message(self.Loaded(answer, message.waited))
        if question.purpose not in ("after", "before"):
            self.post_message(self.Moved())
            self._ask_position()
        if self._reload_again and question.purpose in ("open", "refresh"):
            self._reload_again = False
            self.reload()

    def _take(self, question: Question, window: Window) -> bool:
        """Put an answer's rows in place; False when it can't be used and another question was asked instead."""
        buffer, height = self.buffer, self.page_rows
        if question.purpose == "after":
            buffer.extend_after(window)
        elif question.purpose == "before":
            buffer.extend_before(window)
        elif question.purpose == "refresh" and buffer.current is not None and question.key is not None:
            return self._refreshed(question, window)
        elif question.purpose == "open" and question.key and window.anchor_index is None:
            # The row to come back to is gone: the list is opened at its start.
            self._restart("start", None, 0)
            return False
        else:
            buffer.replace(window, height, key=question.key, line=question.line)
        return True

    def _refreshed(self, question: Question, window: Window) -> bool:
        buffer, height = self.buffer, self.page_rows
        row = buffer.current
        assert row is not None
        line = buffer.cursor - buffer.top
        if any(r.key == row.key for r in window.rows):
            buffer.replace(window, height, key=row.key, line=line)
            return True
        anchored_here = question.anchor == row.key
        if anchored_here and window.anchor_index is None and window.rows:
            # The row under the cursor is gone. Its neighbours may not be in this answer: read around the nearest
            # that is left.
            places = {r.key for r in window.rows}
            near = [*reversed(buffer.rows[: buffer.cursor]), *buffer.rows[buffer.cursor + 1 :]]
            beside = near[:1]
            if beside and beside[0].key not in places:
                self._ask(Question("refresh", self._generation, beside[0].key, row.key, line))
                return False
        if anchored_here or question.key == row.key:
            buffer.replace(window, height, key=row.key, line=line)
            return True
        # The cursor moved out of the answer while it was on its way.
        self.reload()
        return False

    def _prefetch(self) -> None:
        buffer, margin = self.buffer, self._margin()
        if not buffer.rows or "open" in self._asked or "jump" in self._asked:
            return
        last = next((row for row in reversed(buffer.rows) if not row.gone), None)
        first = next((row for row in buffer.rows if not row.gone), None)
        if last and buffer.missing_after(self.page_rows, margin) and "after" not in self._asked:
            self._ask(Question("after", self._generation, last.key))
        if first and buffer.missing_before(margin) and "before" not in self._asked:
            self._ask(Question("before", self._generation, first.key))

    def _ask_position(self) -> None:
        if self._position_timer is not None:
            self._position_timer.stop()
            self._position_timer = None
        if self.place is None and not self._respecified:
            self._position()
        else:
            self._position_timer = self.set_timer(POSITION_DELAY, self._position)

    def _position(self) -> None:
        source, spec, generation = self._source, self.spec, self._generation
        row = self.current
        key = None if row is None or row.gone else row.key
        if source is None:
            return

        async def fetch() -> None:
            answer: Place | Exception
            try:
                answer = await source.position(spec, key or "start")
            except Exception as error:  # the window's own failure is what people see
                answer = error
            self.post_message(self.Positioned(generation, key, answer))

        self._keep(asyncio.create_task(fetch()))

    def on_resource_table_positioned(self, message: Positioned) -> None:
        """Take rank and total, if they still belong to what is shown."""
        message.stop()
        if message.generation != self._generation or isinstance(message.answer, Exception):
            return
        row = self.current
        moved = row is not None and not row.gone and message.key != row.key
        self.place = replace(message.answer, rank=None) if moved else message.answer
        if moved:
            self._ask_position()
        if self.marks.of is not None:
            self.marks.total = message.answer.total
        self.post_message(self.Counted())

    # Moving

    def _moved(self, before: int, row: Row | None) -> None:
        self._touched = True
        if self.current is not row or self._rest:
            if self.place is not None and self.place.rank is not None:
                known = row is not None and not row.gone
                rank = max(0, self.place.rank + self.buffer.cursor - before) if known else None
                self.place = replace(self.place, rank=rank)
            self.redraw()
            self.post_message(self.Moved())
            self._ask_position()
        self._prefetch()

    def move_rows(self, delta: int) -> None:
        """Move the cursor by rows."""
        before, row = self.buffer.cursor, self.current
        self._run_ahead(self.buffer.move(delta, self.page_rows))
        self._moved(before, row)

    def move_pages(self, pages: float) -> None:
        """Move cursor and screen by pages (0.5: half a page)."""
        before, row = self.buffer.cursor, self.current
        rows = max(1, int(self.page_rows * abs(pages)))
        self._run_ahead(self.buffer.page(rows if pages > 0 else -rows, self.page_rows))
        self._moved(before, row)

    def _run_ahead(self, rest: int) -> None:
        # What couldn't be moved yet is done when the rows arrive; a key held down doesn't run away for ever.
        limit = REST_LIMIT * self.page_rows
        self._rest = max(-limit, min(limit, self._rest + rest)) if rest else 0

    def move_to_start(self) -> None:
        """Go to the first row of the list."""
        self._jump("start")

    def move_to_end(self) -> None:
        """Go to the last row of the list."""
        self._jump("end")

    def _jump(self, end: Literal["start", "end"]) -> None:
        buffer = self.buffer
        before, row = buffer.cursor, buffer.current
        self._rest = 0
        self.marks.below = end == "end"
        if buffer.has_before if end == "start" else buffer.has_after:
            self._generation += 1
            self._asked.clear()
            if self.place is not None:
                self.place = replace(self.place, rank=None)
            self._touched = True
            self._ask(Question("jump", self._generation, end, None, 0 if end == "start" else self.page_rows))
            return
        buffer.go(0 if end == "start" else len(buffer.rows) - 1, self.page_rows)
        self._moved(before, row)
        self._touched = end == "end"

    def go_to(self, anchor: Anchor, line: int) -> None:
        """Read the list again around a row or an end of it, and put the cursor there, at that line of the screen."""
        self._generation += 1
        self._asked.clear()
        self._rest = 0
        self._touched = True
        if self.place is not None:
            self.place = replace(self.place, rank=None)
        self._ask(Question("jump", self._generation, anchor, anchor if isinstance(anchor, tuple) else None, line))

    def on_resize(self, event: events.Resize) -> None:
        """A larger screen may need more rows."""
        super().on_resize(event)
        self._prefetch()

    # Mouse (only where it is on)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on a row; a click on the row under the cursor opens it."""
        if self.canvas is not None:
            if self.canvas.go_at(event.x, event.y):
                self.post_message(self.Chosen())
            return
        index = self.buffer.top + event.y - 1
        if event.y >= 1 and index < len(self.buffer.rows):
            if index == self.buffer.cursor:
                self.post_message(self.Chosen())
            else:
                self.move_rows(index - self.buffer.cursor)

    def on_mouse_scroll_down(self) -> None:
        """Three rows a notch."""
        self.move_rows(3)

    def on_mouse_scroll_up(self) -> None:
        """Three rows a notch."""
        self.move_rows(-3)
