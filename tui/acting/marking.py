"""Keys that mark rows: one, a range, all that pass the filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.table.spec import Key

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

MOST_RANGE = 10_000  # rows of a range; more is what "all that pass" is for
RANGE_PAGE = 1_000


class Marking:
    """Mixed into the app."""

    def action_mark(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Mark the row and go on to the next."""
        self.table.toggle_mark()
        self.table.move_rows(1)
        self.show_lines()

    def action_mark_all(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """All rows that pass the filter, on screen or not; again: none."""
        marks = self.table.marks
        if marks.of is not None and not marks.keys:
            marks.clear()
        else:
            marks.mark_all(self.table.spec, self.table.place.total if self.table.place else None)
        self.table.redraw()
        self.show_lines()

    def action_range(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Begin a range at the cursor; again: mark what lies between."""
        marks, row = self.table.marks, self.table.current
        if row is None:
            return
        if marks.start is None:
            marks.begin(row.key)
            self.table.redraw()
            self.notice("move to the other end, v marks what lies between, esc forgets the range")
            return
        if any(r.key == marks.start for r in self.table.buffer.rows):
            keys = [self.table.buffer.rows[index].key for index in marks.stretch(self.table.buffer)]
            self._mark_range(keys)
        else:
            self.in_background(self._fetch_range(marks.start, row.key, below=marks.below))

    def _mark_range(self: QuarterdeckApp, keys: list[Key]) -> None:  # type: ignore[misc]
        marks = self.table.marks
        marks.add(keys)
        marks.start = None
        self.end_notice()
        self.let_in()
        self.table.redraw()
        self.show_lines()

    async def _fetch_range(self: QuarterdeckApp, start: Key, end: Key, *, below: bool) -> None:  # type: ignore[misc]
        """The keys from where the range began, long scrolled away, to the cursor."""
        spec, marks, source = self.table.spec, self.table.marks, self.pane.source
        keys, at = [start], start
        while len(keys) < MOST_RANGE:
            window = await source.window(spec, at, 0 if below else RANGE_PAGE, RANGE_PAGE if below else 0)
            index = window.anchor_index
            beyond = window.rows if index is None else window.rows[index + 1 :] if below else window.rows[:index][::-1]
            for row in beyond:
                keys.append(row.key)
                if row.key == end:
                    if self.table.marks is marks and marks.start == start:
                        self._mark_range(keys)
                    return
            if not beyond:
                break
            at = beyond[-1].key
        self.notice(
            f"the range has more than {MOST_RANGE:,} rows or its ends are gone; filter, then * marks all that pass"
        )
