"""The full-screen console: one table, a line of context, a line of state, a strip about the row, a line of keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.timer import Timer

from tui.acting.asking import Asking
from tui.acting.boards import Boards
from tui.acting.changing import Changing
from tui.acting.columns import Columns
from tui.acting.commanding import Commanding
from tui.acting.copilot import Copiloting
from tui.acting.copying import Copying
from tui.acting.dialogs import Dialogs
from tui.acting.display import Display
from tui.acting.drift import Drifting
from tui.acting.exporting import Exporting
from tui.acting.history import Past
from tui.acting.jobs import Jobs
from tui.acting.keys import Keys
from tui.acting.logs import Logs
from tui.acting.marking import Marking
from tui.acting.moving import Moving
from tui.acting.opening import Opening
from tui.acting.possible import Possible
from tui.acting.problems import Problems
from tui.acting.records import Records
from tui.acting.related import Related
from tui.acting.restore import Restoring
from tui.acting.restore_jobs import RestoreJobs
from tui.acting.restore_many import RestoreMany
from tui.acting.setup import Setup
from tui.acting.shell import Shell
from tui.acting.snapshot_policies import SnapshotPolicies
from tui.acting.snapshots import Snapshots
from tui.acting.tree import Trees
from tui.acting.viewing import Viewing
from tui.acting.writes import Writes
from tui.early import Early
from tui.faults import is_expected, is_offline, record, sentence
from tui.hearing import Hearing
from tui.holding import Holding
from tui.keymap import Keymap
from tui.leaving import Leaving
from tui.panes.make import make_pane
from tui.panes.pane import Pane
from tui.showing import WAIT_SHOWN, Data
from tui.state import DEFAULT, HOME, History, View
from tui.table.cells import clean
from tui.table.widget import ResourceTable
from tui.takeover import Takeover
from tui.watching import Watcher
from tui.widgets.bar import Bar
from tui.widgets.guarded import Guarded, GuardedScreen
from tui.widgets.lines import Lines
from tui.widgets.offers import Offers
from tui.widgets.sheet import Sheet
from tui.world import Client, World

TICK = 1.0  # seconds between looks at the clock
ENRICH_DELAY = 0.2  # seconds the cursor rests before the engine is asked about its row
MOST_ERRORS = 20  # unexpected errors in ten seconds before the console gives up


class QuarterdeckApp(
    Keys,
    Moving,
    Marking,
    Columns,
    Related,
    Possible,
    Setup,
    Shell,
    Opening,
    Logs,
    Asking,
    Commanding,
    Viewing,
    Records,
    Exporting,
    Trees,
    Copying,
    Copiloting,
    Dialogs,
    Changing,
    Writes,
    Jobs,
    Boards,
    Problems,
    Drifting,
    Snapshots,
    SnapshotPolicies,
    Restoring,
    RestoreJobs,
    RestoreMany,
    Past,
    Display,
    Hearing,
    Leaving,
    Guarded,
    Holding,
    App[int],
    inherit_bindings=False,
):
    """The console. `client_factory` connects to the engine; it is tried until it succeeds.

    view   what to show first, in the words of the command bar; "" = where the operator was
    logs   folder for the console's own log
    home   what is shown first to somebody who left nothing behind
    taken  the terminal, if the first frame may be on it already
    """

    CSS = """
    Screen { layout: vertical; layers: below above; background: $background; }
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
        keymap: Keymap | None = None,
        home: View = HOME,
        taken: Takeover | None = None,
    ) -> None:
        super().__init__()
        self.taken = taken
        self.holds = taken is not None and taken.painted
        self._typed = []
        self.theme_name = theme
        self.theme = self.known_theme(theme)
        self.home = home
        self.world = World(keymap=keymap or Keymap())
        self.history = History()
        self.table = ResourceTable(id="table")
        self.bar = Bar(self, id="state")
        self.context = Lines(id="context", fill="bar")
        self.strip = Lines(id="strip")
        self.offers = Offers(id="offers")
        self.footer = Lines(id="footer")
        self.sheet = Sheet(id="sheet")
        self.data: Data | None = None
        self.paused = False
        self.asking = None
        self.leads_to_demo = self.testing = False
        self.dialog = None
        self.search_timer = None
        self.held_back = False
        self.kept_words: dict[str, str] = {}
        self.answer = lambda text: None
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
        yield self.sheet
        yield self.offers

    def on_mount(self) -> None:
        """Show the first view at once; the engine is looked for at the same time."""
        self.install_signals()
        self.hold()
        self.use_theme(self.theme_name, keep=False)
        self.table.focus()
        self._take_early()
        self.call_after_refresh(self._open_first)  # when the screen's size is known
        self.in_background(self._watcher.run())
        self.set_interval(TICK, self.tick)
        self.say_of_keys()

    async def on_event(self, event: events.Event) -> None:
        """Keys are taken here, in order; see `press_key`."""
        if not self.waits_with(event) and not self.take_event(event):
            await super().on_event(event)

    def _take_early(self) -> None:
        early = self.early
        if isinstance(early.clouds, dict):
            self.take_clouds(early.clouds)
        if early.window is not None:
            self.world.first_answers["/q/windows"] = early.window
        self.world.first_answers |= early.answers
        if not self.touched:
            self.restore(early.session)

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
        self.let_go_when_shown()

    def on_resource_table_failed(self, message: ResourceTable.Failed) -> None:
        """What is on screen stays."""
        self.table.empty_text = clean(sentence(message.error)) if is_expected(message.error) else "could not be read"
        self.table.redraw()
        self.report(message.error)
        self.let_go()

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

    @property
    def waits(self) -> bool:
        """Whether the table waits for the engine noticeably."""
        since = self.table.waiting_since
        return since is not None and asyncio.get_running_loop().time() - since > WAIT_SHOWN

    @property
    def cloud_names(self) -> tuple[str, ...]:
        """Names of all clouds."""
        return tuple(str(cloud.get("name")) for cloud in self.world.clouds)
