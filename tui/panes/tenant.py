"""One tenant: its score and what it lost points for, its states, its trend, its largest volumes, its live quota."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from tui.board import tenant_blocks as blocks
from tui.board.layout import Board, ruled, shares, side_by_side, stacked
from tui.board.pieces import drawn
from tui.panes.board import Asked, BoardPane
from tui.state import View
from tui.table.cells import clean
from tui.world import World

NARROW = 70


class TenantPane(BoardPane):
    """Everything that is known of how a tenant is. The subject: (cloud, project id)."""

    places = ("board", "tenant")
    topics = frozenset({"data", "drift"})

    def __init__(self, view: View, world: World) -> None:
        self.cloud, self.project = (*view.subject, "", "")[:2]
        self.quota_wanted = False
        super().__init__(view, world)

    def parts(self) -> Mapping[str, Asked]:
        """Detail and trend; the quota only when somebody asks for it: it is asked of the cloud itself."""
        path, at = quote(self.project, safe=""), {"cloud": self.cloud}
        live = {"quota": (f"/tenant-health/quota/{path}", at)} if self.quota_wanted else {}
        return {
            "detail": (f"/tenant-health/{path}", at),
            "trends": (f"/tenant-health/trends/{path}", {**at, "days": 30}),
            **live,
        }

    def lay_out(self, width: int, height: int) -> Board:
        """The score with its reasons first."""
        board = Board()
        facts, faults = self.facts, self.faults_of
        score = drawn(lambda: blocks.score(facts, faults, width, self.cloud), "score")
        board.put(stacked(score, width), score.spots)
        makes = (("has", blocks.states), ("30 days", blocks.trend), ("quota", blocks.quota))
        rooms = shares(width, (24, 30, 26)) if width >= NARROW else [width] * 3
        row = [
            drawn(partial(make, facts, faults, room, self.quota_wanted), name)
            for (name, make), room in zip(makes, rooms, strict=True)
        ]
        if width >= NARROW:
            board.put(side_by_side(row, rooms), {key: spot for block in row for key, spot in block.spots.items()})
        below = (
            drawn(lambda: blocks.drift(facts, width, 5), "drift"),
            drawn(lambda: blocks.volumes(facts, width, self.cloud, 10), "volumes"),
        )
        for block in below if width >= NARROW else (*row, *below):
            if block.lines:
                board.put(ruled(block, width), block.spots)
        return board

    def ask_quota(self) -> None:
        """Ask the cloud what the tenant may use and uses, now."""
        self.quota_wanted = True
        self._asked_at.pop("quota", None)
        self.expire()
        if self.host is not None:
            self.host.board_changed(self)

    def title(self) -> str:
        """Whose."""
        name = (self.facts.get("detail") or {}).get("project_name") or self.project
        return f"health of {clean(name)}"
