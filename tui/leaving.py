"""How the console ends: by its own key, by a signal, or because the terminal is gone. The engine always goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

LAST_WORDS = 0.4  # seconds for saving the view when a signal ends the console
GIVE_UP = 1.5  # seconds after which the process ends whatever still hangs
SECOND_PRESS = 2.0  # seconds within which a second ctrl+c leaves


class Leaving:
    """Mixed into the app."""

    _interrupted: float

    def install_signals(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """SIGHUP and SIGTERM save the view and leave. Textual handles neither: it would die or, ignoring it, spin."""
        if self.is_headless or threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._leave_by_signal, number)

    def _leave_by_signal(self: QuarterdeckApp, number: int) -> None:  # type: ignore[misc]
        code = 128 + number
        # Writing to a terminal that is gone may block or fail: the process ends in any case.
        watchdog = threading.Timer(GIVE_UP, os._exit, (code,))
        watchdog.daemon = True
        watchdog.start()

        async def leave() -> None:
            with suppress(Exception):  # there is no screen left to say it on
                await asyncio.wait_for(self.save(), LAST_WORDS)
            if number == signal.SIGHUP and not terminal_is_there():
                os._exit(code)
            self.exit(code, return_code=code)

        task = asyncio.create_task(leave())
        self.tasks.add(task)

    def leave_if_terminal_is_gone(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """A terminal can vanish without a signal reaching us; its input would then end again and again."""
        if not self.is_headless and not terminal_is_there():
            self._leave_by_signal(signal.SIGHUP)

    def detach(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Leave: save the view, give the terminal back."""

        async def leave() -> None:
            try:
                await asyncio.wait_for(self.save(), LAST_WORDS)
            except Exception as error:
                self.log(error)
            self.exit(0)

        self.tasks.add(asyncio.create_task(leave()))

    def action_interrupt(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """ctrl+c: leaves on the second press."""
        now = time.monotonic()
        if now - self._interrupted < SECOND_PRESS:
            self.detach()
            return
        self._interrupted = now
        if self.bar.is_open:
            self.close_bar()
        self.notice("ctrl+c again leaves; the engine goes on")


def terminal_is_there() -> bool:
    """Whether the terminal behind standard input still answers."""
    import termios

    try:
        termios.tcgetattr(sys.__stdin__.fileno())  # type: ignore[union-attr]
    except (termios.error, OSError, ValueError, AttributeError):
        return False
    return True
