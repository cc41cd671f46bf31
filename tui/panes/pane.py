"""What every pane is: a list of something for the one table, and what its keys mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from tui.state import View
from tui.table.layout import Head
from tui.table.source import LocalSource
from tui.table.spec import Anchor, Key, Place, Row, RowSource, Spec, Window
from tui.world import World

if TYPE_CHECKING:
    from tui.panes.board import BoardPane

Parts = list[tuple[str, str]]  # texts with names of styles
Rows = list[tuple[Key, list[Any]]]


class FetchedSource(LocalSource):
    """Rows in memory that are fetched anew when they were declared stale."""

    def __init__(self, columns: Sequence[str], fetch: Callable[[], Awaitable[Rows]]) -> None:
        super().__init__(columns)
        self._fetch = fetch
        self.stale = True

    async def window(self, spec: Spec, anchor: Anchor, before: int, after: int) -> Window:
        """See RowSource; raises what fetching raises."""
        if self.stale:
            self.replace(await self._fetch())
            self.stale = False
        return await super().window(spec, anchor, before, after)

    async def position(self, spec: Spec, anchor: Anchor) -> Place:
        """See RowSource."""
        return await super().position(spec, anchor)


class Pane:
    """Base of the panes. A pane belongs to one view and lives as long as it is on screen."""

    places: tuple[str, ...] = ("list",)
    topics: frozenset[str] = frozenset()  # topics of hints after which the list is read again
    noun = "row"
    has_strip = True  # whether there is more to say about a row than its columns do
    counted = False  # whether the number of rows belongs to the title

    def __init__(self, view: View, world: World) -> None:
        self.view = view
        self.world = world
        self.total: int | None = None  # rows without a filter, once counted
        self.source: RowSource = self.make_source()

    def make_source(self) -> RowSource:
        """Where the rows come from."""
        raise NotImplementedError

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """The columns to draw, for the columns that an answer holds."""
        raise NotImplementedError

    @property
    def faults(self) -> Sequence[str]:
        """Status words that mean trouble."""
        return ("error",)

    def as_board(self) -> BoardPane | None:
        """The pane, if it is drawn freely in place of heads and rows."""
        return None

    def spec(self) -> Spec:
        """The list as the table asks for it."""
        view = self.view
        return Spec(view.kind, view.filter, view.sort)

    def title(self) -> str:
        """What is shown, in a few words."""
        return self.view.kind

    def empty(self) -> str:
        """What to say when there are no rows: why, and what to do."""
        return self.filtered() or "nothing here"

    def filtered(self) -> str:
        """That a filter hides the rows, and what to do; "" when none does."""
        return f"no {self.noun} matches this filter\nesc clears it" if self.view.filter else ""

    def check_filter(self, text: str) -> str:
        """What is wrong with a filter, as one sentence; "" when it can be used."""
        return ""

    def enter(self, row: Row) -> View | None:
        """The view that `enter` opens for a row."""
        return None

    def strip(self, row: Row) -> list[Parts]:
        """Lines about the row under the cursor."""
        return []

    async def enrich(self, row: Row) -> bool:
        """Fetch what the strip shows beyond the row's own values; True when something new is there to show."""
        return False

    def tick(self) -> bool:
        """A second went by; True when rows changed by that."""
        return False

    def expire(self) -> None:
        """What is on screen may be out of date."""
        if isinstance(self.source, FetchedSource):
            self.source.stale = True
