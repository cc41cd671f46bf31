"""What the engine is asked to do: collect, read one thing from its cloud, add a cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.faults import is_expected, sentence
from tui.ondemand import question, way_there
from tui.panes.resources import ResourcesPane
from tui.state import View

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.panes.pane import Pane


class Asking:
    """Mixed into the app."""

    paused: bool
    asking: Pane | None  # the view whose link waits for the cloud

    async def _open_asked(self: QuarterdeckApp, view: View, asks: dict[str, str]) -> None:  # type: ignore[misc]
        """Have rows read from the cloud, then show them; when that fails, what was read before, and why."""
        pane = self.pane
        problem = await self._ask_cloud(asks)
        if self.pane is pane:  # nobody went elsewhere meanwhile
            self.open_view(view)
        if problem:
            self.notice(problem)

    async def _ask_cloud(self: QuarterdeckApp, asks: dict[str, str]) -> str:  # type: ignore[misc]
        """Have rows read that no collection reads; what went wrong with it, as a sentence."""
        self.notice("asking the cloud ...", lasting=True)
        try:
            answer = await self.world.post("/q/collections/on-demand", json=asks)
            return str((answer or {}).get("reason") or "")
        except Exception as error:
            if not is_expected(error):
                raise
            return sentence(error)
        finally:
            self.asking = None
            self.end_notice()

    def action_refresh(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.pane.expire()
        self.table.reload()
        if isinstance(self.pane, ResourcesPane) and self.pane.type.listing.on_demand:
            self._ask_again(self.pane)
        elif self.world.clouds:
            self.in_background(self._collect())
        else:
            self.in_background(self.learn_clouds())

    def _ask_again(self: QuarterdeckApp, pane: ResourcesPane) -> None:  # type: ignore[misc]
        """Read again what no collection reads, if the filter says of which resource."""
        asks = None if pane.view.at else question(pane.type, pane.view.filter)
        if asks is None:
            self.notice(way_there(pane.type).replace("\n", ": "))
            return

        async def ask() -> None:
            problem = await self._ask_cloud(asks)
            if self.pane is pane:
                self.table.reload()
            if problem:
                self.notice(problem)

        if self.asking is not pane:
            self.asking = pane
            self.in_background(ask())

    async def _collect(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        body: dict[str, Any] = {}
        if self.pane.view.clouds:
            body["clouds"] = list(self.pane.view.clouds)
        if isinstance(self.pane, ResourcesPane):
            body["types"] = [self.pane.type.name]
        answer = await self.world.post("/q/collections", json=body)
        self.world.collections = [c for c in (answer or {}).get("items") or [] if isinstance(c, dict)]
        self.notice(f"asked for newer {getattr(self.pane, 'noun', 'data') if 'types' in body else 'data'}")
        self.show_lines()

    def action_pause(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.paused = not self.paused
        if not self.paused:
            self.pane.expire()
            self.table.reload()
        self.show_lines()
