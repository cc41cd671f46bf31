"""The full-screen console: one table, a line of context, a line of state, a strip about the row, a line of keys."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.theme import BUILTIN_THEMES, Theme
from textual.timer import Timer

from tui.acting import Acting
from tui.early import Early
from tui.faults import is_expected, is_offline, record, sentence
from tui.hearing import Hearing
from tui.leaving import Leaving
from tui.panes.make import make_pane
from tui.panes.pane import Pane
from tui.showing import WAIT_SHOWN, context_line, footer_line, hint_line, state_line
from tui.state import DEFAULT, History, View, view_of_text
from tui.table.cells import clean
from tui.table.widget import ResourceTable
from tui.themes.palette import PALETTES
from tui.watching import Watcher
from tui.widgets.bar import Bar
from tui.widgets.guarded import Guarded, GuardedScreen
from tui.widgets.lines import Lines
from tui.world import Client, World

NOTICE_SECONDS = 6.0
TICK = 1.0  # seconds between looks at the clock
ENRICH_DELAY = 0.2  # seconds the cursor rests before the engine is asked about its row
SAVE_DELAY = 1.0
MOST_ERRORS = 20  # unexpected errors in ten seconds before the console gives up


@dataclass(frozen=True, slots=True)
class Data:
    """The newest window: how old its data was when it arrived (loop time), and what is wrong with it."""

    age_seconds: float | None
    arrived: float
    states: tuple[dict[str, Any], ...]


class QuarterdeckApp(Acting, Hearing, Leaving, Guarded, App[int], inherit_bindings=False):
    """The console. `client_factory` connects to the engine; it is tried until it succeeds.

    view   what to show first, in the words of the command bar; "" = where the operator was
    logs   folder for the console's own log
    """

    CSS = """
    Screen { layout: vertical; background: $background; }
    #strip { height: 4; } #strip.small { height: 3; } #strip.none { display: none; } #footer.none { display: none; }
    """
    BINDINGS = [Binding("ctrl+c", "interrupt", "", show=False, system=True)]  # all other keys: tui.actions
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    ESCAPE_TO_MINIMIZE = False
    INLINE_PADDING = 0

    def __init__(
        self,
        client_factory: Callable[[], Awaitable[Client]],
        view: str = "",
        *,
        theme: str = "ansi",
        early: Early | None = None,
        logs: Path | None = None,
    ) -> None:
        super().__init__()
        for name, palette in PALETTES.items():
            extra = BUILTIN_THEMES["ansi-dark"].variables if palette.native else {}
            dark = name != "light"
            self.register_theme(
                Theme(f"qdeck-{name}", dark=dark, ansi=palette.native, variables=dict(extra), **palette.css)  # type: ignore[arg-type]
            )
        self.theme_name = theme
        self.theme = f"qdeck-{theme}"
        self.world = World()
        self.history = History()
        self.table = ResourceTable(id="table")
        self.bar = Bar(self, id="state")
        self.context = Lines(id="context", fill="bar")
        self.strip = Lines(id="strip")
        self.footer = Lines(id="footer")
        self.data: Data | None = None
        self.paused = False
        self.asking = None
        self.touched = bool(view)  # somebody chose what to show: nothing else takes its place
        self.filter_is_own = False
        self.filter_before = ""
        self.filter_timer: Timer | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.logs = logs
        self._first_text, self.early = view, early or Early()
        self._notice, self._notice_until = "", 0.0
        self._starting = ""  # what was last said while an engine was started
        self._enrich_timer: Timer | None = None
        self._save_timer: Timer | None = None
        self._saved: Any = None
        self._errors: list[float] = []
        self._interrupted = 0.0
        self.ticks = 0
        self._height = 24
        self._kept_theme = ""  # chosen with :theme, on this or an earlier day
        self._watcher = Watcher(self.world, client_factory, self.post_message)
        self._below = DEFAULT  # the list that scope and help are about
        self._below_places: tuple[str, ...] = ("list", "resources")
        self.pane: Pane = make_pane(DEFAULT, self.world, under=DEFAULT, places=())

    def get_default_screen(self) -> GuardedScreen:
        """One screen for everything."""
        return GuardedScreen(id="_default")

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self.context
        yield self.bar
        yield self.table
        yield self.strip
        yield self.footer

    def on_mount(self) -> None:
        """Show the first view at once; the engine is looked for at the same time."""
        self.install_signals()
        self.use_theme(self.theme_name, keep=False)
        self.table.focus()
        self._take_early()
        self.call_after_refresh(self._open_first)  # when the screen's size is known
        self.in_background(self._watcher.run())
        self.set_interval(TICK, self.tick)

    async def on_event(self, event: events.Event) -> None:
        """Keys are taken here, in order; see `press_key`."""
        if isinstance(event, events.Key) and self.screen_stack and self.press_key(event.key, event.character):
            return
        if isinstance(event, events.Paste) and self.bar.is_open:
            self.bar.take_paste(event.text)
            return
        await super().on_event(event)

    def _take_early(self) -> None:
        early = self.early
        if isinstance(early.clouds, dict):
            self.take_clouds(early.clouds)
        if early.window is not None:
            self.world.first_answers["/q/windows"] = early.window
        if not self.touched:
            self.restore(early.session)

    def restore(self, session: Any) -> None:
        history = History.from_json(session)
        if history.views:
            self.history = history
            theme = session.get("theme")
            if theme in PALETTES and not os.environ.get("QDECK_THEME"):
                self.use_theme(theme)

    def _open_first(self) -> None:
        if not self.history.views or self._first_text:
            self.open_view(self._first_view(), unasked=True)
        else:
            self.show_view(self.history.current)

    def _first_view(self) -> View:
        if self._first_text:
            try:
                return view_of_text(self._first_text, DEFAULT)
            except (KeyError, ValueError) as error:
                self.notice(str(error.args[0] if error.args else error))
        return self.history.current

    # Views

    def open_view(self, view: View, *, instead: bool = False, unasked: bool = False) -> None:
        """Show a view; the one on screen stays in the history, unless `instead`. `unasked`: no key led there."""
        self.touched = self.touched or not unasked
        self._remember_cursor()
        previous = self.pane.view
        if previous.kind not in ("scope", "help"):
            self._below, self._below_places = previous, self.pane.places
        if previous.kind == "scope" and view.kind != "scope":
            instead = True  # the choice is made: going back leads to the list, not to the choice
        if instead:
            self.history.update(view)
        else:
            self.history.open(view)
        self.show_view(view)

    def go(self, delta: int) -> bool:
        """Step through the history; False when there is nothing there."""
        self._remember_cursor()
        view = self.history.step(delta)
        if view is None:
            return False
        self.show_view(view)
        return True

    def change_view(self, view: View, *, keep_row: bool) -> None:
        """The same list with another filter or order."""
        self.touched = True
        self.pane.view = view
        self.history.update(view)
        self.table.empty_text = self.pane.empty()
        self.table.respec(self.pane.spec(), keep_row=keep_row)
        self.show_lines()
        self.save_soon()

    def show_view(self, view: View) -> None:
        self.data = None
        self.pane = make_pane(view, self.world, under=self._below, places=self._below_places)
        self.table.empty_text = "reading …"
        self.table.show(
            self.pane.source,
            self.pane.heads,
            self.pane.spec(),
            faults=self.pane.faults,
            key=view.cursor,
            line=view.line,
        )
        self.strip.show(*self._rule())
        self._size_strip()
        self.show_lines()
        self.show_footer()
        self.save_soon()

    def _remember_cursor(self) -> None:
        row, view = self.table.current, self.pane.view
        if row is not None and self.history.views and self.history.current.same_place(view) and not row.gone:
            line = self.table.buffer.cursor - self.table.buffer.top
            self.history.update(replace(self.history.current, cursor=row.key, line=line))

    # Lines

    def show_lines(self) -> None:
        """Context and state, as things are now."""
        if not self.is_running:
            return
        now = asyncio.get_running_loop().time()
        place = self.table.place
        view = self.pane.view
        if place and not view.filter:
            self.pane.total = place.total
        count = self.pane.total
        if count is None and not view.projects and view.kind == "list":
            count = self.world.count(view.type, view.clouds)
        self.context.show(context_line(self.pane, self.world, count, self.size.width))
        notice = self._notice if now < self._notice_until else ""
        state = state_line(self.pane, self.world, self.table, now, notice, self.paused, self.data)
        self.bar.show_state(*state)

    def show_footer(self) -> None:
        """Keys of the view."""
        self.footer.show(footer_line(self.pane.places, self.size.width))

    def show_hint(self, problem: str, choices: Any) -> None:
        """Under the bar, in place of the heads: what is wrong with the text, or what it could become."""
        self.table.set_hint(hint_line(problem, choices, self.size.width) if problem or choices else [])

    def show_strip(self) -> None:
        """About the row under the cursor."""
        row = self.table.current
        lines = self.pane.strip(row) if row is not None else []
        self.strip.show(*self._rule(), *[([(" ", "text"), *line], ()) for line in lines])

    def _rule(self) -> list[Any]:
        return [([("─" * self.size.width, "rule")], ())]

    def notice(self, text: str, *, lasting: bool = False) -> None:
        """One line for a while."""
        self._notice = clean(text)
        now = asyncio.get_running_loop().time()
        self._notice_until = now + (60.0 if lasting else NOTICE_SECONDS)
        self.show_lines()
        if not lasting:
            self.set_timer(NOTICE_SECONDS + 0.1, self.show_lines)

    def end_notice(self) -> None:
        """What was said is over."""
        self._notice_until = 0.0
        self.show_lines()

    def starting(self, text: str) -> None:
        """Said by the client, on a thread, while an engine is started."""
        self.call_from_thread(self.notice, text, lasting=True)
        self._starting = text

    def end_starting(self) -> None:
        """The engine answers: what was said about its start is over. A warning stays for a moment more."""
        if self._starting and self._notice == clean(self._starting):
            self.end_notice()
        self._starting = ""

    def close_bar(self) -> None:
        """Back to the list."""
        self.bar.close()
        self.table.set_hint([])
        self.show_lines()

    def use_theme(self, name: str, *, keep: bool = True) -> None:
        """Draw everything with another palette; `keep` it for the next start."""
        self._kept_theme = name if keep else ""
        self.theme_name = name
        self.theme = f"qdeck-{name}"
        palette = PALETTES[name]
        self.table.set_palette(palette)
        for lines in (self.context, self.bar, self.strip, self.footer):
            lines.set_palette(palette)
        if keep:
            self.save_soon()

    def on_resize(self, event: events.Resize) -> None:
        """Small screens give the strip, then the keys, to the rows."""
        height = event.size.height
        self._height = height
        self._size_strip()
        self.footer.set_class(height < 8, "none")
        self.call_after_refresh(self._lines_again)

    def _size_strip(self) -> None:
        self.strip.set_class(self._height < 24, "small")
        self.strip.set_class(self._height < 16 or not self.pane.has_strip, "none")

    def _lines_again(self) -> None:
        self.show_lines()
        self.show_footer()
        self.show_strip()
        self._enrich()  # a strip that was too small before has room for more now

    # What the table says

    def on_resource_table_loaded(self, message: ResourceTable.Loaded) -> None:
        """Data is on screen."""
        window = message.window
        if window.age_seconds is not None or window.states or self.data is None:
            self.data = Data(window.age_seconds, asyncio.get_running_loop().time(), window.states)
        self.table.empty_text = self.pane.empty()
        self.table.redraw()
        self.show_lines()
        self.lead_by_the_hand()

    def on_resource_table_counted(self) -> None:
        """Rank and total are known."""
        self.show_lines()

    def on_resource_table_moved(self) -> None:
        """The strip follows the cursor; what must be asked for is asked when it rests."""
        self.show_strip()
        self.show_lines()
        if self._enrich_timer is not None:
            self._enrich_timer.stop()
        self._enrich_timer = self.set_timer(ENRICH_DELAY, self._enrich)
        self.save_soon()

    def on_resource_table_failed(self, message: ResourceTable.Failed) -> None:
        """What is on screen stays."""
        self.table.empty_text = clean(sentence(message.error)) if is_expected(message.error) else "could not be read"
        self.table.redraw()
        self.report(message.error)

    def on_resource_table_chosen(self) -> None:
        """A click on the row under the cursor."""
        self.action_open()

    def _enrich(self) -> None:
        row, pane = self.table.current, self.pane
        if row is None or row.gone or self.strip.size.height < 3:
            return

        async def ask() -> None:
            if await pane.enrich(row) and pane is self.pane:
                self.show_strip()

        self.in_background(ask())

    # Errors, saving, leaving

    def report(self, error: BaseException) -> None:
        """One line on screen; what nobody expected goes to the log with all its details."""
        if is_offline(error) and self.world.offline_since is not None:
            return  # the state line says so, with its age
        self.notice(sentence(error) if is_expected(error) else record(error, self.logs))

    def _handle_exception(self, error: Exception) -> None:
        """Instead of Textual's traceback: one line on screen. An error that comes again and again ends the console."""
        if self.is_headless and not self.logs:
            super()._handle_exception(error)
            return
        now = time.monotonic()
        self._errors = [*(t for t in self._errors if now - t < 10), now]
        text = record(error, self.logs)
        if len(self._errors) > MOST_ERRORS or not self.is_running:
            self.exit(1, return_code=1, message=text)
        else:
            self.notice(text)

    def save_soon(self) -> None:
        """Keep the view with the engine, a second after it last changed."""
        if self._save_timer is not None:
            self._save_timer.stop()
        self._save_timer = self.set_timer(SAVE_DELAY, lambda: self.in_background(self.save()))

    async def save(self) -> None:
        """Keep the view with the engine now, if it isn't kept already."""
        self._remember_cursor()
        if self.world.client is None or self.world.offline_since is not None:
            return
        state = self.history.to_json(self._kept_theme)
        if state != self._saved:
            await self.world.put("/q/session-view", json=state)
            self._saved = state

    @property
    def waits(self) -> bool:
        """Whether the table waits for the engine noticeably."""
        since = self.table.waiting_since
        return since is not None and asyncio.get_running_loop().time() - since > WAIT_SHOWN

    @property
    def cloud_names(self) -> tuple[str, ...]:
        """Names of all clouds."""
        return tuple(str(cloud.get("name")) for cloud in self.world.clouds)
