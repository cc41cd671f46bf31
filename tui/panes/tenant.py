"""One tenant: its score and what it lost points for, its states, its trend, its largest volumes, its live quota."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from tui.board import tenant_blocks as blocks
from tui.board.layout import Board, ruled, shares, side_by_side, stacked
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
        score = blocks.score(facts, faults, width, self.cloud)
        board.put(stacked(score, width), score.spots)
        makes = (blocks.states, blocks.trend, blocks.quota)
        if width < NARROW:
            for make in makes:
                block = make(facts, faults, width, self.quota_wanted)
                board.put(ruled(block, width), block.spots)
        else:
            rooms = shares(width, (24, 30, 26))
            row = [make(facts, faults, room, self.quota_wanted) for make, room in zip(makes, rooms, strict=True)]
            board.put(side_by_side(row, rooms), {key: spot for block in row for key, spot in block.spots.items()})
        for below in (blocks.drift(facts, width, 5), blocks.volumes(facts, width, self.cloud, 10)):
            if below.lines:
                board.put(ruled(below, width), below.spots)
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
