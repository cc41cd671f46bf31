"""The first screen: is anything wrong? Everything on it that is a number opens the list behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tui.board import capacity, figures, hosts, tenants, troubles
from tui.board.layout import Board, ruled, shares, side_by_side, stacked
from tui.board.pieces import Block, Line, drawn
from tui.early import PATH, PROBLEMS
from tui.panes.board import Asked, BoardPane
from tui.state import View
from tui.world import World

NARROW, WIDE, TALL = 70, 140, 34  # cells and lines of the board


class DashboardPane(BoardPane):
    """Problems and clouds first, then capacity, drift and protection, then how many there are, then tenants."""

    places = ("board", "dashboard")
    topics = frozenset({"problems", "data", "collection", "engine", "writes", "drift", "notes"})
    gaps = {"problems": 1.0}

    def __init__(self, view: View, world: World) -> None:
        self.clouds = view.clouds
        super().__init__(view, world)

    def parts(self) -> Mapping[str, Asked]:
        """Side by side; each is drawn when it is there."""
        at: dict[str, Any] = {"cloud": self.clouds[0]} if len(self.clouds) == 1 else {}
        wide = {"hosts": ("/dashboard/top-hosts-utilization", {**at, "limit": 10})} if self._is_wide else {}
        return {
            "problems": (PATH, {**at, **PROBLEMS}),
            "summary": ("/dashboard/health-summary", at),
            "pressure": ("/dashboard/capacity-pressure", at),
            "drift": ("/q/drift/summary", at),
            "coverage": ("/dashboard/coverage-risks", {**at, "limit": 1}),
            "tenants": ("/tenant-health/overview", at),
            "lines": ("/dashboard/trendlines", {**at, "period": 30}),
            "compliance": ("/dashboard/compliance-drift", {**at, "days": 14}),
            "drift days": ("/drift/summary", at),
            **wide,
        }

    @property
    def _is_wide(self) -> bool:
        return self.world.cells >= WIDE

    @property
    def holds_nothing(self) -> bool:
        """Whether the store is known to hold no machine and no volume, or can't say."""
        summary = self.facts.get("summary")
        if not isinstance(summary, dict):
            return "summary" in self.faults_of
        return not summary.get("total_vms") and not summary.get("total_volumes")

    def lay_out(self, width: int, height: int) -> Board:
        """One column on narrow screens, blocks side by side from 70 cells on, more of everything on large ones."""
        board = Board()
        tall = height >= TALL
        facts, faults, chosen = self.facts, self.faults_of, self.clouds
        least = 8 if width >= NARROW else 4  # lines of all else
        rows = max(2, height // 3 if tall else height - least - 4)
        fault = faults.get("problems", "")
        found = drawn(lambda: troubles.problems(facts.get("problems"), fault, width, rows, chosen), "problems")
        board.put(stacked(found, width), found.spots)
        clouds = drawn(lambda: troubles.clouds(self.world, chosen, width), "clouds")
        board.put(stacked(clouds, width), clouds.spots)
        if width < NARROW:
            self._narrow(board, width)
        else:
            self._beside(board, width)
        counted = drawn(lambda: figures.counts(facts, faults, width, chosen), "estate")
        board.put(ruled(counted, width) if tall else bare(counted, width), counted.spots)
        left = height - len(board.lines)
        if width >= WIDE and left >= 8:
            self._large(board, width, left)
        else:
            found = drawn(lambda: tenants.tenants(facts, faults, width, chosen, max(1, left - 1)), "tenants")
            board.put(ruled(found, width), found.spots)
        return board

    def _figures(self, rooms: Sequence[int]) -> list[Block]:
        """Capacity, drift and protection."""
        makes = (("capacity", capacity.capacity), ("drift", figures.drift), ("protection", figures.protection))
        return [
            drawn(partial(make, self.facts, self.faults_of, room, self.clouds), name)
            for (name, make), room in zip(makes, rooms, strict=True)
        ]

    def _narrow(self, board: Board, width: int) -> None:
        for block in self._figures((width, width, width)):
            board.put(ruled(block, width), block.spots)

    def _beside(self, board: Board, width: int) -> None:
        rooms = shares(width, (40, 17, 23) if width < 120 else (46, 22, 32))
        blocks = self._figures(rooms)
        board.put(side_by_side(blocks, rooms), together(blocks))

    def _large(self, board: Board, width: int, left: int) -> None:
        facts, faults, chosen = self.facts, self.faults_of, self.clouds
        rooms = shares(width, (50, 50))
        upper = max(5, (left - 2) * 3 // 5)
        pair = (
            drawn(lambda: tenants.tenants(facts, faults, rooms[0], chosen, upper), "tenants"),
            drawn(lambda: hosts.hosts(facts, faults, rooms[1], chosen, upper), "busiest hosts"),
        )
        board.put(side_by_side(pair, rooms), together(pair))
        rows = left - max(len(block.lines) for block in pair) - 2
        if rows >= 1:
            heat = drawn(lambda: tenants.heatmap(facts, width, chosen, rows), "use by tenant")
            board.put(ruled(heat, width), heat.spots)

    def title(self) -> str:
        """The question it answers."""
        return "is anything wrong?"


def bare(block: Block, width: int) -> list[Line]:
    """A block without its title: its lines say what they are."""
    return stacked(Block([], block.lines), width)


def together(blocks: Sequence[Block]) -> dict[str, Any]:
    """The spots of several blocks."""
    return {key: spot for block in blocks for key, spot in block.spots.items()}
