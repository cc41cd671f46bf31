"""What the keys do: one method per action of the registry."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui.actions import action_of
from tui.commands import CommandError, completions, filter_completions, understand
from tui.faults import is_expected, sentence
from tui.ondemand import question, way_there
from tui.panes.choices import SetupPane
from tui.panes.detail import DetailPane
from tui.panes.resources import ResourcesPane
from tui.state import View

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.console import QuarterdeckApp
    from tui.panes.pane import Pane

DEBOUNCE = 0.03  # seconds between the last key of a filter and its question to the engine


class Acting:
    """Mixed into the app; keeps actions apart from the app's life."""

    filter_timer: Timer | None
    paused: bool
    asking: Pane | None  # the view whose link waits for the cloud

    # Keys

    def press_key(self: QuarterdeckApp, key: str, character: str | None) -> bool:  # type: ignore[misc]
        """Do what a key means now; False when it means nothing here.

        Everything happens before the next key is looked at. Textual would hand keys from queue to queue: of a line
        that arrives in one packet, as over a slow SSH connection, the first letters would miss the bar they open.
        """
        if self.bar.is_open and self.bar.take_key(key, character):
            return True
        action = action_of(key, self.pane.places)
        if action is None:
            return False
        getattr(self, f"action_{action.id}")()
        return True

    # Moving in the list

    def action_down(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_rows(1)

    def action_up(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_rows(-1)

    def action_page_down(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_pages(1)

    def action_page_up(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_pages(-1)

    def action_half_down(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_pages(0.5)

    def action_half_up(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_pages(-0.5)

    def action_top(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_to_start()

    def action_end(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_to_end()

    def action_column_left(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.move_column(-1)

    def action_column_right(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        last = self.table.column >= len(self.table.heads) - 1
        if last and isinstance(self.pane, ResourcesPane) and not self.pane.all_columns and self.table.loaded:
            self.pane.all_columns = True  # the columns behind are read when somebody goes there
            self.table.respec(self.pane.spec(), keep_row=True)
        self.table.move_column(1)

    def action_wide(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.toggle_wide()

    def action_mark(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.table.toggle_mark()
        self.table.move_rows(1)
        self.show_lines()

    def action_sort(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ascending, descending, the list's own order."""
        head = self.table.column_head
        if head is None:
            return
        state = dict(self.pane.view.sort).get(head.name)
        sort = {None: ((head.name, False),), False: ((head.name, True),), True: ()}[state]
        self.change_view(replace(self.pane.view, sort=sort), keep_row=False)

    # Views

    def action_open(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        row = self.table.current
        if row is None:
            return
        if isinstance(self.pane, SetupPane):
            self.in_background(self._add_cloud(row.key[0]))
        elif (view := self.pane.enter(row)) is not None:
            asks = self.pane.asks(row) if isinstance(self.pane, DetailPane) else None
            if asks is None:
                self.open_view(view)
            elif self.asking is not self.pane:
                self.asking = self.pane
                self.in_background(self._open_asked(view, asks))

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

    def action_raw(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        view = self.pane.view
        if view.kind == "raw":
            other = "json" if view.format == "yaml" else "yaml"
            self.open_view(replace(view, format=other, cursor=(), line=0), instead=True)
        elif view.kind == "detail":
            self.open_view(replace(view, kind="raw", filter="", cursor=(), line=0))
        elif (row := self.table.current) is not None:
            self.open_view(replace(view, kind="raw", filter="", sort=(), subject=row.key, cursor=(), line=0))

    def action_home(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.open_view(View("clouds"))

    def action_inventory(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        view = self.pane.view
        self.open_view(View("inventory", clouds=view.clouds, projects=view.projects))

    def action_collections(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.open_view(View("collections"))

    def action_add_cloud(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.open_view(View("setup"))

    def action_scope(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if self.pane.view.kind != "scope":
            self.open_view(View("scope"))

    def action_help(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if self.pane.view.kind != "help":
            self.open_view(View("help"))

    def action_step_back(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """One step: filter, marks, view."""
        view = self.pane.view
        if self.table.marks:
            self.table.marks = set()
            self.table.redraw()
            self.show_lines()
        elif view.filter and (view.kind != "list" or self.filter_is_own):
            self.change_view(replace(view, filter=""), keep_row=True)
        else:
            self.action_previous()

    def action_close(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Back to the view before; at the last one the console is left."""
        if not self.go(-1):
            self.detach()

    def action_close_all(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.detach()

    def action_previous(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if not self.go(-1):
            self.notice("this is the first view; q leaves, the engine goes on")

    def action_next(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.go(1)

    def action_swap(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        if not self.go(1):
            self.go(-1)

    # The engine

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

    async def _add_cloud(self: QuarterdeckApp, account: str) -> None:  # type: ignore[misc]
        self.notice(f"signing in to {account} …", lasting=True)
        await self.world.post("/q/clouds", json={"account": account})
        self.notice(f"{account} is set up, READ-ONLY; collecting")
        await self.world.post("/q/collections", json={})
        await self.learn_clouds()
        self.open_view(View("collections"))

    def action_pause(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.paused = not self.paused
        if not self.paused:
            self.pane.expire()
            self.table.reload()
        self.show_lines()

    # The bar

    def action_command(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.bar.open(":")
        self.show_hint("", completions("", self.pane.view, ()))

    def action_filter(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.filter_before = self.pane.view.filter
        self.bar.open("/", self.pane.view.filter)
        self.show_hint("", ())

    def bar_typed(self: QuarterdeckApp, mode: str, text: str) -> None:  # type: ignore[misc]
        """A filter shows its rows while it is typed; a command shows what it could become."""
        if mode == "/":
            problem = self.pane.check_filter(text)
            self.show_hint(problem, filter_completions(text, self.pane.view.type))
            self.stop_filter_timer()
            if not problem:
                self.filter_timer = self.set_timer(DEBOUNCE, lambda: self.apply_filter(text))
        else:
            self.show_hint("", completions(text, self.pane.view, self.cloud_names))

    def stop_filter_timer(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What was typed before must not be asked for any more."""
        if self.filter_timer is not None:
            self.filter_timer.stop()
            self.filter_timer = None

    def apply_filter(self: QuarterdeckApp, text: str) -> None:  # type: ignore[misc]
        """Show the rows that pass."""
        self.stop_filter_timer()
        text = text.strip()
        if text != self.pane.view.filter:
            self.filter_is_own = True
            self.change_view(replace(self.pane.view, filter=text), keep_row=False)

    def bar_entered(self: QuarterdeckApp, mode: str, text: str) -> None:  # type: ignore[misc]
        """Enter keeps the filter, or runs the command; a mistake leaves the bar open."""
        if mode == "/":
            problem = self.pane.check_filter(text)
            if problem:
                self.show_hint(problem, ())
                return
            self.apply_filter(text)
            self.close_bar()
            return
        try:
            command = understand(text, self.pane.view)
        except CommandError as error:
            self.show_hint(str(error), ())
            return
        if command.view is not None:
            problem = ResourcesPane(command.view, self.world).check_filter(command.view.filter)
            if problem:
                self.show_hint(problem, ())
                return
        self.close_bar()
        if command.view is not None:
            self.filter_is_own = False
            self.open_view(command.view)
        elif command.action == "theme":
            self.use_theme(command.argument)
        else:
            getattr(self, f"action_{command.action}")()

    def bar_cancelled(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Escape: as it was before the bar was opened."""
        self.stop_filter_timer()
        if self.bar.mode == "/":
            self.apply_filter(self.filter_before)
        self.close_bar()

    def bar_completed(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Tab."""
        view = self.pane.view
        if self.bar.mode == "/":
            self.bar.complete(lambda text: filter_completions(text, view.type))
        else:
            self.bar.complete(lambda text: completions(text, view, self.cloud_names))

    def in_background(self: QuarterdeckApp, work: Coroutine[Any, Any, None]) -> None:  # type: ignore[misc]
        """Run something that waits for the engine; its errors become one line on screen."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:
                self.report(error)

        task = asyncio.create_task(guarded())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
