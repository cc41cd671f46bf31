"""Use by tenant as a page of shaded cells, the largest tenants first."""

from __future__ import annotations

from collections.abc import Mapping

from tui.board import tenants
from tui.board.layout import Board, stacked
from tui.board.pieces import drawn
from tui.panes.board import Asked, BoardPane
from tui.panes.health import PATH

MOST = 400  # cells; more tenants than that are in the list


class HeatmapPane(BoardPane):
    """60 % the share of servers that run, 40 % the share of volumes in use; a tenant a cell."""

    places = ("board", "heatmap")
    topics = frozenset({"data"})
    noun = "tenant"

    def parts(self) -> Mapping[str, Asked]:
        """All tenants."""
        return {"tenants": (PATH, {"cloud": self.view.clouds[0]} if len(self.view.clouds) == 1 else {})}

    def lay_out(self, width: int, height: int) -> Board:
        """As many beside each other as fit."""
        board = Board()
        across = max(1, (width - 1) // tenants.HEAT_CELL)
        fault = self.faults_of.get("tenants", "")
        block = drawn(
            lambda: tenants.heatmap(self.facts, width, self.view.clouds, MOST // across, fault), "use by tenant"
        )
        board.put(stacked(block, width), block.spots)
        return board

    def title(self) -> str:
        """What it is."""
        return "use by tenant"
