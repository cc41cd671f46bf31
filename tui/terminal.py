"""The terminal's input, read so that a lone escape is one as soon as it can be known.

Textual looks every 100 ms whether an escape was the beginning of another key; here the wait for input ends when that is
decided. The rest is Textual's own loop (its release is pinned), but for the end of input: a terminal that is gone ends
the loop in place of spinning in it; what then happens is the console's to decide (tui.leaving).
"""

from __future__ import annotations

import codecs
import os
import selectors

from textual._parser import ParseError
from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from tui.takeover import ENTER, Takeover

LOOK = 0.1  # seconds between two looks whether the console has ended


class Parser(XTermParser):
    """Says until when it waits for more of a key."""

    @property
    def seconds(self) -> float:
        """Seconds that the next read may take."""
        due = self._timeout_time
        return LOOK if due is None else min(LOOK, max(0.0, due - get_time()))


class PromptDriver(LinuxDriver):
    """Textual's driver, with another way to wait, and for a terminal that shows the first frame already."""

    _entered = False  # the screen is ours: entering it once more would clear it on some terminals

    def start_application_mode(self) -> None:
        """Take the terminal, as it is or from `tui.takeover`."""
        taken: Takeover | None = getattr(self._app, "taken", None)
        before = taken.hand_over() if taken is not None else None
        self._entered = before is not None
        super().start_application_mode()
        if taken is not None and before is not None:
            self.attrs_before = before
            taken.watch_size()

    def write(self, data: str) -> None:
        """Write to the terminal."""
        if self._entered and data == ENTER:
            self._entered = False
        else:
            super().write(data)

    def run_input_thread(self) -> None:
        """Wait for input and hand its events on, until the console ends or the input does."""
        parser = Parser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(parser.seconds):
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:
                        return
                    if not data:
                        return
                    text = decode(data)  # empty for half a letter, which to the parser would be the end of input
                    for event in parser.feed(text) if text else ():
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
            try:
                for event in parser.feed(""):
                    self.process_message(event)
            except (EOFError, ParseError):
                pass
