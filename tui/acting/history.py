"""Keys of the past: the history of a resource, two states side by side, what changed between two times."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.state import SPANS, View
from tui.times import TimeError

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp


class Past:
    """Mixed into the app."""

    def action_history(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The history of the resource under the cursor, else of the one that the view is about."""
        self._open_as("history")

    def action_compare(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Two states side by side: the two marked versions, else the one under the cursor and the newest; of a row of
        changes, before and after.
        """
        from tui.panes.changes import ChangesPane
        from tui.panes.history import HistoryPane

        pane, row, marks = self.pane, self.table.current, self.table.marks
        view: View | None = None
        if isinstance(pane, HistoryPane):
            if marks.keys and len(marks.keys) != 2:
                self.notice(f"mark two versions with space, {len(marks.keys)} are marked")
                return
            view = pane.between(sorted(marks.keys)) if marks.keys else pane.since(row)
        elif isinstance(pane, ChangesPane):
            view = pane.compared(row)
        if view is None:
            self.notice("no version is under the cursor")
        else:
            self.open_view(view)

    def action_mark_version(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Mark the version under the cursor; two marked ones can be compared."""
        self.table.toggle_mark()
        self.show_lines()
        if len(self.table.marks.keys) == 2:
            self.notice(f"{self.world.keymap.shown('compare')} sets the two side by side")

    def action_all_fields(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Only what differs, or every field."""
        from tui.panes.history import ComparePane

        pane = self.pane
        if isinstance(pane, ComparePane):
            self.open_view(replace(pane.view, format="yaml" if pane.whole else "all", cursor=(), line=0), instead=True)

    def action_as_then(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The resource as it was at the version or change under the cursor."""
        from tui.copying import subject_of

        pane, row = self.pane, self.table.current
        found = subject_of(pane, row)
        then = getattr(pane, "then", None)
        if found is None or then is None:
            self.notice("the line under the cursor is no resource")
            return
        view = pane.view
        self.open_view(
            View("detail", found[0], clouds=view.clouds, projects=view.projects, at=then(row), subject=found[1])
        )

    def action_changes(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What changed in the last 24 hours."""
        from tui.changes import FROM

        view = self.pane.view
        self.open_view(View("changes", clouds=view.clouds, projects=view.projects, format="net", span=(FROM, "")))

    def action_next_mode(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Differences, single changes, what changed most."""
        self._step_mode(1)

    def action_previous_mode(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The same, the other way round."""
        self._step_mode(-1)

    def _step_mode(self: QuarterdeckApp, step: int) -> None:  # type: ignore[misc]
        from tui.changes import MODE_WORDS, MODES
        from tui.panes.changes import ChangesPane

        pane = self.pane
        if isinstance(pane, ChangesPane):
            mode = MODES[(MODES.index(pane.mode) + step) % len(MODES)]
            self.open_view(replace(pane.view, format=mode, sort=(), cursor=(), line=0), instead=True)
            self.notice(MODE_WORDS[mode])

    def action_timeline(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The same times, counted by hour or day."""
        view = self.pane.view
        self.open_view(replace(view, kind="timeline", filter="", sort=(), format="yaml", cursor=(), line=0))

    def action_span(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ask for other times."""
        from tui.changes import FROM

        view = self.pane.view
        since, until = view.span or (FROM, "")
        self.ask_line("between", self._take_span, f"{since} .. {until or 'now'}")
        self.explain("two times, for example: yesterday 14:00 .. now")

    def _take_span(self: QuarterdeckApp, text: str) -> str | None:  # type: ignore[misc]
        from tui.changes import span_of_words

        try:
            span = span_of_words(text)
        except TimeError as error:
            return str(error)
        view = self.pane.view
        if view.kind in SPANS and span != view.span:
            self.close_bar()
            self.open_view(replace(view, span=span, cursor=(), line=0), instead=True)
        return None
