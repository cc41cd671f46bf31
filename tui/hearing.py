"""What the engine says and what the console does about it: online, offline, something changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tui.faults import is_expected, is_offline
from tui.showing import ends_soon
from tui.state import View
from tui.watching import Hints, Offline, Online, Unexpected

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp


class Hearing:
    """Mixed into the app."""

    held_back: bool

    def on_online(self: QuarterdeckApp, message: Online) -> None:  # type: ignore[misc]
        """It answers: read everything that is on screen again."""
        self.world.offline_since = None
        self.end_starting()
        self.in_background(self.learn_problems())
        self.in_background(self._first_words() if not message.again else self.learn_clouds())
        if message.again or not self.table.loaded:
            self.pane.expire()
            self.table.reload()
        self.show_lines()

    async def _first_words(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if not self.touched and self.early.session is None:
            session = await self.world.get("/q/session-view")
            if not self.touched and not self.early.session:
                self.restore(session)
                if self.history.current != self.pane.view:
                    self.show_view(self.history.current)
        if not self._lines_taken:
            self.take_lines(await self.world.get("/q/session-view"))
        await self.learn_clouds()
        await self.learn_columns()

    async def learn_columns(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Which columns were chosen on earlier days."""
        self.take_columns(await self.world.get("/q/columns"))

    async def learn_clouds(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Which clouds there are and how they are doing; without any the operator is led by the hand."""
        await self._learn_engine()
        self.take_clouds(await self.world.get("/q/clouds"))
        answer = await self.world.get("/q/collections")
        self.world.collections = [c for c in answer.get("items") or [] if isinstance(c, dict)]
        self.end_starting()
        self.lead_by_the_hand()
        self.table.empty_text = self.pane.empty() if self.table.loaded else self.table.empty_text
        self.table.redraw()
        self.show_lines()

    async def _learn_engine(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Whether this is a demo, and how far it is. It is asked again only while that changes."""
        if self.world.engine_known and self.world.demo_state in ("", "ready"):
            return
        try:
            self.world.take_engine(await self.world.get("/q/engine"))
        except Exception as error:
            if not is_expected(error) or is_offline(error):
                raise
            self.world.take_engine(None)  # an engine that doesn't tell this account is not somebody's own demo

    def lead_by_the_hand(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Without a cloud, and with nothing left from an earlier one: show which could be added."""
        if not (self.world.clouds_known and self.world.engine_known) or self.touched:
            return
        if self.world.clouds or self.world.demo:  # a demo brings its cloud
            if self.pane.view.kind == "setup":  # somebody else added one
                self.go(-1)
            return
        bare = not self.table.buffer.rows and self.pane.view.kind in ("list", "clouds")
        bare = bare or self.pane.view.kind == "help"  # left open by an earlier console
        if self.table.loaded and (bare or getattr(self.pane, "holds_nothing", False)):
            self.open_view(View("setup"), unasked=True)

    def take_clouds(self: QuarterdeckApp, answer: Any) -> None:  # type: ignore[misc]
        """Remember what is known about the clouds."""
        several = self.world.several_clouds
        self.world.take_clouds(answer)
        if self.world.several_clouds != several and self.table.loaded:
            self.table.set_heads(self.pane.heads(self.table.buffer.columns))

    def on_offline(self: QuarterdeckApp, message: Offline) -> None:  # type: ignore[misc]
        """It doesn't: what is on screen stays, with its age."""
        if self.world.offline_since is None:
            self.world.offline_since = asyncio.get_running_loop().time()
        self.world.offline_reason = message.reason
        self.show_lines()
        self.let_go()

    def on_hints(self: QuarterdeckApp, message: Hints) -> None:  # type: ignore[misc]
        """Read again what changed and is on screen."""
        topics = {str(hint.get("topic")) for hint in message.hints}
        missed = "resync" in topics  # some hints may have been lost: anything may have changed
        if missed or topics & {"engine", "collection", "data", "writes"}:
            self.in_background(self.learn_clouds())
        if "jobs" in topics or (missed and self.world.jobs):
            self.in_background(self.learn_jobs())
        if missed or "problems" in topics:
            self.in_background(self.learn_problems())
        if self.paused or not (missed or topics & self.pane.topics):
            return
        changed = {str(h["type"]) for h in message.hints if h.get("topic") == "data" and h.get("type")}
        mine = self.pane.view.type
        if mine and changed and topics <= {"data"} and mine not in changed and not self._joins(changed):
            return
        if self.dialog is not None or self.table.marks.start is not None:
            self.held_back = True
            return
        self.pane.expire()
        self.table.reload()

    def _joins(self: QuarterdeckApp, types: set[str]) -> bool:  # type: ignore[misc]
        joined = getattr(getattr(self.pane, "type", None), "joined", ())
        return any(column.type in types for column in joined)

    def on_unexpected(self: QuarterdeckApp, message: Unexpected) -> None:  # type: ignore[misc]
        """An error of the watcher."""
        self.report(message.error)

    def tick(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Once a second: ages and waits grow; now and then look how the clouds are doing."""
        self.ticks += 1
        if self.dialog is not None:
            self.dialog.tick()
        elif self.pane.tick():
            self.table.reload()
        if self.ticks % 5 == 0 or self.waits or self.world.offline_since is not None or ends_soon(self.world):
            self.show_lines()
        self.leave_if_terminal_is_gone()
        gap = 1 if self.world.demo_state in ("starting", "past") else 3 if self.world.running is not None else 30
        if self.world.offline_since is None and self.world.clouds_known and self.ticks % gap == 0:
            self.in_background(self.learn_clouds())
