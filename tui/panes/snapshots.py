"""The overview of snapshots: what is due, what runs, what is not kept, and what covers the volumes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from tui.board import snapshots as blocks
from tui.board.layout import Board, ruled, shares, side_by_side, stacked
from tui.board.pieces import Block, drawn
from tui.panes.board import Asked, BoardPane
from tui.snapshots import ACTIVE, CLOUDS, DUE, POLICIES, PRESETS, RUNS, STATE, SUMMARY, items_of
from tui.state import View
from tui.world import World

NARROW, WIDE = 60, 120  # cells
LAST_RUNS = 10


class ProtectionPane(BoardPane):
    """Every number opens its list with enter; the pages of the room are one key away each."""

    places = ("board", "room", "protection")
    topics = frozenset({"snapshots", "jobs", "data", "writes"})
    gaps = {"active": 1.0, "runs": 1.0}
    noun = "number"

    def __init__(self, view: View, world: World) -> None:
        self.clouds = view.clouds
        super().__init__(view, world)

    def parts(self) -> Mapping[str, Asked]:
        """Side by side; each is drawn when it is there."""
        at: dict[str, Any] = {"cloud": self.clouds[0]} if len(self.clouds) == 1 else {}
        return {
            "active": (ACTIVE, {}),
            "clouds": (CLOUDS, {}),
            "policies": (POLICIES, {}),
            "due": (DUE, at),
            "summary": (SUMMARY, at),
            "runs": (RUNS, {"limit": LAST_RUNS}),
            "state": (STATE, {}),
        }

    @property
    def has_none(self) -> bool:
        """Whether it is known that nobody made a policy and none is in use."""
        known = self.facts.get("policies")
        return known is not None and not items_of(known)

    def lay_out(self, width: int, height: int) -> Board:
        """What forbids it first, then what is due and runs, then how policies are kept."""
        board = Board()
        keys = self.world.keymap.shown
        closed = drawn(lambda: blocks.standing(self.facts, keys, self.clouds), "allowed")
        board.put(stacked(closed, width), closed.spots)
        if self.has_none:
            lesson = blocks.lesson(keys, PRESETS)
            board.put(ruled(lesson, width), lesson.spots)
        left = max(8, height - len(board.lines))
        upper = 4 if left < 26 else max(4, left // 3)
        if width < NARROW:
            for block in (*self._upper((width, width), 4), *self._lower((width, width), 6)):
                board.put(ruled(block, width), block.spots)
            return board
        rooms = shares(width, (1, 1))
        pair = self._upper(rooms, upper)
        board.put(side_by_side(pair, rooms), together(pair))
        rooms = shares(width, (2, 3) if width < WIDE else (1, 2))
        pair = self._lower(rooms, max(6, height - len(board.lines) - 1))
        board.put(side_by_side(pair, rooms), together(pair))
        return board

    def _upper(self, rooms: Any, rows: int) -> list[Block]:
        due = partial(blocks.coming, self.facts, self.faults_of, rooms[0], self.clouds, rows)
        runs = partial(blocks.running, self.facts, self.faults_of, rooms[1], rows)
        return [drawn(due, "due"), drawn(runs, "runs")]

    def _lower(self, rooms: Any, rows: int) -> list[Block]:
        states = drawn(partial(blocks.states, self.facts, self.faults_of, self.clouds), "not kept")
        cover = drawn(partial(blocks.cover, self.facts, self.faults_of, self.clouds), "covered by")
        states.lines += [cover.title, *cover.lines]
        states.spots |= cover.spots
        kept = drawn(partial(blocks.kept, self.facts, self.faults_of, rooms[1], self.clouds, rows), "kept")
        return [states, kept]

    def title(self) -> str:
        """What it is."""
        return "snapshots"


def together(made: list[Block]) -> dict[str, Any]:
    """The spots of several blocks."""
    return {key: spot for block in made for key, spot in block.spots.items()}
