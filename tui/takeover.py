"""The terminal between the start of the process and Textual: taken for the first frame, and given on or given back.

Keys typed meanwhile are not echoed and wait in the terminal for Textual. Whatever ends the process in between, the
terminal is left as it was found.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

from rich.color import ColorSystem

from tui.table.paint import Line

ENTER = "\x1b[?1049h"  # as Textual enters the alternate screen
# Cursor hidden; no wrapping, so that the last cell of the screen scrolls nothing.
_ENTER = ENTER + "\x1b[?25l\x1b[?7l"
_LEAVE = "\x1b[0m\x1b[?7h\x1b[?1049l\x1b[?25h"
# What Textual may have switched on when a signal comes while it starts: keyboard protocol, mouse, paste, focus.
_LEAVE_TEXTUAL = "\x1b[<u\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?1004l"
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_SYSTEMS = {"truecolor": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT, "standard": ColorSystem.STANDARD}
_LFLAG, _CC = 3, 6  # places in what termios answers


class Takeover:
    """A terminal that may be painted before Textual is there. Used from the main thread.

    keys, screen  file descriptors of what is typed and of what is shown: those that Textual uses
    """

    def __init__(self, keys: int, screen: int) -> None:
        self._keys, self._screen = keys, screen
        self._before: list[Any] | None = None  # how the terminal was found
        self._handlers: dict[int, Any] = {}
        self.painted = False  # and still ours
        self.lines: Sequence[Line] = ()  # what was painted
        self.resized = False  # since then, perhaps back to the same size: lines may be lost

    def paint(self, lines: Sequence[Line], colours: str) -> None:
        """Take the terminal and show the lines. `colours`: as `colours_of` says. Raises OSError, termios.error."""
        text = drawn(lines, _SYSTEMS[colours])
        self._before = termios.tcgetattr(self._keys)
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._ended)
        self.painted = True
        quiet = termios.tcgetattr(self._keys)
        quiet[_LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        quiet[_CC][termios.VSUSP] = quiet[_CC][termios.VQUIT] = b"\x00"  # keys, as they are to the console; ^C ends
        quiet[_CC][termios.VMIN] = 1
        termios.tcsetattr(self._keys, termios.TCSANOW, quiet)
        self._write(_ENTER + text)
        self.lines = lines

    def watch_size(self) -> None:
        """Notice a change of the terminal's size, beside whoever else does."""
        then = signal.getsignal(signal.SIGWINCH)

        def resized(number: int, frame: FrameType | None) -> None:
            self.resized = True
            if callable(then):
                then(number, frame)

        signal.signal(signal.SIGWINCH, resized)

    def before_textual(self) -> None:
        """Textual's loop is about to begin, which handles an interrupt itself."""
        if signal.SIGINT in self._handlers:
            signal.signal(signal.SIGINT, self._handlers.pop(signal.SIGINT))

    def hand_over(self) -> list[Any] | None:
        """Textual has the terminal now: how it was found, for the end. None when nothing was painted."""
        before = self._before if self.painted else None
        self.painted = False
        return before

    def give_back(self) -> None:
        """Leave the terminal as it was found, unless Textual has it or nothing was painted."""
        if self.painted:
            self.painted = False
            self._leave(_LEAVE)
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._ended:
                signal.signal(number, handler)

    def _ended(self, number: int, frame: object) -> None:
        self._leave(_LEAVE_TEXTUAL + _LEAVE)
        os._exit(128 + number)  # here and now: an exception could be taken for a failed import

    def _leave(self, sequence: str) -> None:
        with suppress(OSError, termios.error):  # the terminal is gone: there is nothing to leave in order
            self._write(sequence)
            termios.tcsetattr(self._keys, termios.TCSANOW, self._before or [])

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._screen, data) :]


def terminal(env: Mapping[str, str]) -> Takeover | None:
    """The terminal of this process if it can be painted early: keys and screen are one, and it understands escapes."""
    if env.get("TERM", "") in ("", "dumb", "unknown"):
        return None
    try:
        keys, screen = sys.__stdin__.fileno(), sys.__stderr__.fileno()  # type: ignore[union-attr]
    except (AttributeError, OSError, ValueError):
        return None
    return Takeover(keys, screen) if os.isatty(keys) and os.isatty(screen) else None


def size() -> tuple[int, int]:
    """Cells and lines of the terminal, as Textual measures them."""
    columns, rows = shutil.get_terminal_size((0, 0))
    return columns, rows


def drawn(lines: Sequence[Line], system: ColorSystem) -> str:
    """The sequence that shows lines from the top of the screen on."""
    out = []
    for number, line in enumerate(lines, 1):
        out.append(f"\x1b[{number};1H")
        out += [part.style.render(part.text, color_system=system) if part.style else part.text for part in line]
    return "".join(out)
