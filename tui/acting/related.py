"""Keys that lead to what hangs on a resource, and to the past."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from store.types import registry
from tui.panes.resources import ResourcesPane, resource_params, resource_path
from tui.state import OF_ONE, View, instant_of_words
from tui.table.cells import clean
from tui.table.spec import Key
from tui.times import TimeError

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

TIMED = ("list", "find", *OF_ONE)  # views that can show the past


class Related:
    """Mixed into the app."""

    def action_related(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The first list that hangs on the row; again: the next one of the same resource."""
        self._go_related(1)

    def action_related_back(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The same, the other way round."""
        self._go_related(-1)

    def _go_related(self: QuarterdeckApp, step: int) -> None:  # type: ignore[misc]
        view = self.pane.view
        if isinstance(self.pane, ResourcesPane) and view.of:
            self.in_background(self._open_related(view.of[0], view.of[1:], step, view))
        elif isinstance(self.pane, ResourcesPane) and (row := self.table.current) is not None:
            self.in_background(self._open_related(self.pane.type.name, row.key, step, None))
        elif view.kind in OF_ONE:
            self.in_background(self._open_related(view.type, view.subject, step, None))

    async def _open_related(  # type: ignore[misc]
        self: QuarterdeckApp, type_name: str, key: Key, step: int, current: View | None
    ) -> None:
        pane, at = self.pane, self.pane.view.at
        answer = await self.world.get(resource_path(type_name, key), resource_params(key, at))
        if self.pane is not pane:
            return  # somebody went elsewhere meanwhile
        views = related_views(answer, type_name, key, at)
        if not views:
            self.notice("nothing that is collected hangs on it")
            return
        row = answer.get("row") or {}
        self.world.names[type_name, *key] = clean(row.get("name") or key[-1])
        shown = None if current is None else (current.type, current.filter)
        here = next((number for number, view in enumerate(views) if (view.type, view.filter) == shown), None)
        first = 0 if step > 0 else len(views) - 1
        self.open_view(views[first if here is None else (here + step) % len(views)], instead=current is not None)

    # The past

    def action_as_of(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ask for a time, and show the view as it was then."""
        if self.pane.view.kind in TIMED:
            self.ask_line("as of (14:00, yesterday 14:00, 2h ago; empty: now)", self._show_as_of)
        else:
            self.notice("this page shows what is now; lists and resources have a past")

    def command_at(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """`:at yesterday 14:00`; `:at now`."""
        problem = self._show_as_of(argument)
        if problem:
            self.notice(problem)

    def _show_as_of(self: QuarterdeckApp, words: str) -> str | None:  # type: ignore[misc]
        view = self.pane.view
        if view.kind not in TIMED:
            return "this page shows what is now; lists and resources have a past"
        try:
            at = instant_of_words(words)
        except TimeError as error:
            return str(error)
        if at and datetime.fromisoformat(at) > datetime.now(UTC):
            return "that is still to come; what was, is known"
        if at != view.at:
            self.close_bar()
            self.open_view(replace(view, at=at))
        return None


def related_views(answer: Any, type_name: str, key: Key, at: str) -> list[View]:
    """The lists that hang on a resource, as its page names them; empty ones and those read on demand are left out."""
    views = []
    for link in answer.get("links") or ():
        if not isinstance(link, dict) or link.get("on_demand") or not link.get("count"):
            continue
        try:
            type = registry.find(str(link.get("type")))
        except KeyError:
            continue
        clouds = (key[0],) if key[0] else ()
        views.append(View("list", type.name, str(link.get("filter") or ""), clouds=clouds, at=at, of=(type_name, *key)))
    return views
