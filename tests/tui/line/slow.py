"""A slow line between a terminal and a program: `python -m tests.tui.line.slow MS LOSS SEED COMMAND ...`.

What a line of that many milliseconds there and back that loses that share of its packets looks like from its ends:
every piece comes later, and behind a lost one everything waits until it was sent again. In user space, so it needs no
rights and no kernel module (netem is not there on every host).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import random
import select
import signal
import sys
import termios
import time
import tty
from collections import deque

PACKET = 1200  # bytes
AGAIN = 0.2  # seconds, and a turn, until a lost packet is sent again


class Way:
    """One direction: bytes in, bytes out when their time has come, in their order."""

    def __init__(self, source: int, target: int, seconds: float, loss: float, dice: random.Random) -> None:
        self.source, self.target = source, target
        self._seconds, self._loss, self._dice = seconds, loss, dice
        self._held: deque[tuple[float, bytes]] = deque()
        self._last = 0.0

    def take(self) -> bool:
        """Read what is there; False at the end."""
        try:
            data = os.read(self.source, 65536)
        except OSError:
            return False
        for start in range(0, len(data), PACKET):
            due = time.monotonic() + self._seconds
            if self._dice.random() < self._loss:
                due += 2 * self._seconds + AGAIN
            self._last = max(self._last, due)
            self._held.append((self._last, data[start : start + PACKET]))
        return bool(data)

    def give(self) -> None:
        """Write what is due."""
        while self._held and self._held[0][0] <= time.monotonic():
            data = self._held.popleft()[1]
            while data:
                data = data[os.write(self.target, data) :]

    @property
    def wait(self) -> float | None:
        """Seconds until something is due; None when nothing is held."""
        return max(0.0, self._held[0][0] - time.monotonic()) if self._held else None


def main(milliseconds: float, loss: float, seed: str, command: list[str]) -> int:
    """Run the command behind such a line; its exit code, once everything it wrote has arrived."""
    child, inner = pty.fork()
    if child == 0:  # pragma: no cover - the child
        os.execvp(command[0], command)
    tty.setraw(0)
    os.set_blocking(inner, True)

    def resized(*_: object) -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(inner, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))

    resized()
    signal.signal(signal.SIGWINCH, resized)
    dice = random.Random(seed)
    there = Way(0, inner, milliseconds / 2000, loss, dice)
    back = Way(inner, 1, milliseconds / 2000, loss, dice)
    open_ = {0: there, inner: back}
    while inner in open_ or back.wait is not None:
        waits = [way.wait for way in (there, back) if way.wait is not None]
        ready, _, _ = select.select(list(open_), [], [], min(waits, default=1.0))
        for source in ready:
            if not open_[source].take():
                del open_[source]
        with contextlib.suppress(OSError):
            there.give()
        back.give()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    raise SystemExit(main(float(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4:]))
