"""Boards: pages that are drawn freely, whose numbers and lines are the rows of the table's cursor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from tui.board.layout import Board, marked
from tui.board.pieces import Spot
from tui.faults import is_expected, sentence
from tui.panes.pane import Pane, Parts, Rows
from tui.state import View
from tui.table.layout import Head
from tui.table.source import LocalSource
from tui.table.spec import Anchor, Row, RowSource, Spec, Window
from tui.world import World

if TYPE_CHECKING:
    import asyncio  # needed to read: the first frame is painted without a loop

Asked = tuple[str, Mapping[str, Any]]  # path and parameters
SHARE = 20  # a part is asked for during at most one part in so many of the time
MOST_KEPT = 10  # boards
GAP = 5.0  # seconds between two questions for the same part


class Host(Protocol):
    """What a board needs of the console."""

    def board_changed(self, pane: BoardPane) -> None:
        """There is something new to draw."""
        ...

    def board_go(self, key: str) -> None:
        """Put the cursor on the row of a spot."""
        ...


class BoardSource(LocalSource):
    """The spots as rows. Never waits: what is not known yet is drawn as such, and read meanwhile."""

    def __init__(self, pane: BoardPane) -> None:
        super().__init__(("spot",))
        self._pane = pane

    async def window(self, spec: Spec, anchor: Anchor, before: int, after: int) -> Window:
        """See RowSource."""
        self._pane.read()
        self.replace(self._pane.rows())
        return await super().window(spec, anchor, before, after)


class BoardPane(Pane):
    """Base of the boards: reads its parts side by side, draws what it has, moves over what can be opened."""

    places: tuple[str, ...] = ("board",)
    noun = "number"
    gaps: Mapping[str, float] = {}  # other gaps than GAP, by part

    def __init__(self, view: View, world: World) -> None:
        self.facts = _kept(view, world)  # answers by the name of the part
        self.faults_of: dict[str, str] = {}  # why a part is not known
        self.board = Board()
        self.host: Host | None = None
        self._size = (0, 0)
        self._asked_at: dict[str, float] = {}
        self._took: dict[str, float] = {}  # seconds
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stale = True
        self._key = ""
        self._top = 0
        super().__init__(view, world)

    # What subclasses say

    def parts(self) -> Mapping[str, Asked]:
        """What is asked of the engine, by name."""
        raise NotImplementedError

    def lay_out(self, width: int, height: int) -> Board:
        """The board for a screen of that size, from what is known."""
        raise NotImplementedError

    def as_board(self) -> BoardPane:
        """Itself."""
        return self

    # Reading

    def make_source(self) -> RowSource:
        """The spots."""
        return BoardSource(self)

    def expire(self) -> None:
        """Every part may be out of date."""
        self._stale = True

    def read(self) -> None:
        """Ask for every part that is out of date and was not asked for a moment ago."""
        if not self._stale:
            return
        import asyncio

        now = asyncio.get_running_loop().time()
        waiting = False
        for name, asked in self.parts().items():
            if name in self._tasks or now - self._asked_at.get(name, float("-inf")) < self._gap(name):
                waiting = True
            else:
                self._asked_at[name] = now
                self._tasks[name] = asyncio.create_task(self._read(name, asked))
        self._stale = waiting

    def _gap(self, name: str) -> float:
        """Seconds from one question for a part to the next: longer where the answer costs the engine much."""
        return max(self.gaps.get(name, GAP), SHARE * self._took.get(name, 0.0))

    async def _read(self, name: str, asked: Asked) -> None:
        import asyncio

        began = asyncio.get_running_loop().time()
        try:
            self.facts[name] = await self.world.get(asked[0], dict(asked[1]) or None)
            self.faults_of.pop(name, None)
        except Exception as error:
            if not is_expected(error):
                self.faults_of[name] = "the answer can't be read"
            elif name not in self.facts:  # what is on screen stays; the state line says that the engine is away
                self.faults_of[name] = sentence(error)
        finally:
            self._took[name] = asyncio.get_running_loop().time() - began
            self._tasks.pop(name, None)
        self.lay_out_again()
        if self.host is not None:
            self.host.board_changed(self)

    def tick(self) -> bool:
        """A second went by: what had to wait is asked for now."""
        return self._stale

    # Drawing

    def lay_out_again(self) -> None:
        """Put the blocks in place with what is known now."""
        width, height = self._size if self._size[0] else (self.world.cells, 18)
        self.board = self.lay_out(width, height)

    def rows(self) -> Rows:
        """The spots in reading order."""
        if not self.board.spots:
            self.lay_out_again()
        return [((key,), [key]) for key in self.board.spots]

    def draw(self, width: int, height: int, key: str) -> list[list[tuple[str, str, bool]]]:
        """Lines of (text, style, under the cursor) for the screen."""
        if self._size != (width, height):
            self._size = (width, height)
            before = list(self.board.spots)
            self.lay_out_again()
            if before != list(self.board.spots) and self.host is not None:
                self.host.board_changed(self)
        self._key = key if key in self.board.spots else next(iter(self.board.spots), "")
        self._top, lines = self.board.window(height, self._key)
        return [marked(line, self._key) for line in lines]

    def spot(self, row: Row | None) -> Spot | None:
        """What the cursor stands on: the first one where its own is no longer drawn."""
        key = row.key[0] if row is not None and row.key[0] in self.board.spots else self._key
        return self.board.spots.get(key)

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """None: the board has titles of its own."""
        return []

    def strip(self, row: Row) -> list[Parts]:
        """About the number under the cursor."""
        spot = self.spot(row)
        return list(spot.about) if spot is not None else []

    def enter(self, row: Row) -> View | None:
        """The list behind the number."""
        spot = self.spot(row)
        return spot.view if spot is not None else None

    # Moving

    def go(self, key: str) -> None:
        """Put the cursor on a spot."""
        if self.host is not None and key in self.board.spots:
            self._key = key  # the next key may come before anything is drawn
            self.host.board_go(key)

    def go_at(self, cell: int, line: int) -> bool:
        """Put the cursor on what was clicked; True when it stood there already."""
        key = self.board.at(cell, line + self._top)
        if key and key == self._key:
            return True
        self.go(key)
        return False

    def move(self, down: int, right: int) -> None:
        """To the next spot in that direction."""
        self.go(self.board.beside(self._key, down, right))

    def step(self, step: int) -> None:
        """On in reading order; after the last one comes the first."""
        keys = list(self.board.spots)
        if self._key in keys:
            self.go(keys[(keys.index(self._key) + step) % len(keys)])

    def go_to_end(self, last: bool) -> None:
        """The first or the last one."""
        keys = list(self.board.spots)
        if keys:
            self.go(keys[-1 if last else 0])


def _kept(view: View, world: World) -> dict[str, Any]:
    """The answers from when this board was last on screen."""
    place = (view.kind, view.clouds, view.subject)
    facts = world.boards.pop(place, {})
    world.boards[place] = facts
    while len(world.boards) > MOST_KEPT:
        world.boards.pop(next(iter(world.boards)))
    return facts
