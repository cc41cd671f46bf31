"""The console in a pseudo-terminal: what it writes, counted in bytes, and what a terminal would show of it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

KEYS = {
    "down": b"\x1b[B", "up": b"\x1b[A", "left": b"\x1b[D", "right": b"\x1b[C", "pagedown": b"\x1b[6~",
    "pageup": b"\x1b[5~", "enter": b"\r", "escape": b"\x1b", "tab": b"\t", "backspace": b"\x7f", "ctrl+c": b"\x03",
    "delete": b"\x1b[3~",
}  # fmt: skip


class Terminal:
    """A child process on a terminal of its own. `written` counts every byte it wrote."""

    def __init__(self, command: Sequence[str], columns: int = 80, rows: int = 24, env: Mapping[str, str] = {}) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.written = 0
        self.tail = b""  # the last bytes, as they came
        self.whole = bytearray()  # all of them
        self.status: int | None = None
        known = ("NO_COLOR", "COLUMNS", "LINES")  # the size is that of the terminal
        base = {
            k: v for k, v in os.environ.items() if not k.startswith(("SSH_", "QDECK_", "TEXTUAL")) and k not in known
        }
        full = base | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"} | dict(env)
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child
            # The size is set before the program starts, as every terminal does.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], list(command), full)

    def read(self, seconds: float = 0.0) -> int:
        """Take what was written, waiting up to so long for the first byte; returns how many bytes came."""
        before = self.written
        while True:
            ready, _, _ = select.select([self.fd], [], [], seconds)
            if not ready:
                return self.written - before
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return self.written - before
            if not data:
                return self.written - before
            self.written += len(data)
            self.tail = (self.tail + data)[-4000:]
            self.whole += data
            # The question whether the terminal knows synchronized output is answered by silence: pyte doesn't.
            self._stream.feed(
                data.replace(b"\x1b[?2026$p", b"").replace(b"\x1b[?2048$p", b"").replace(b"\x1b[>4;1m", b"")
            )
            seconds = 0.0

    def resize(self, columns: int, rows: int) -> None:
        """Another size, as of a window that is drawn larger."""
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, *keys: str) -> None:
        """Type keys: names of KEYS, or the characters themselves."""
        for key in keys:
            os.write(self.fd, KEYS.get(key) or key.encode())

    @property
    def lines(self) -> list[str]:
        """What the terminal shows."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        """What the terminal shows, as one text."""
        return "\n".join(self.lines)

    def until(self, condition: Callable[[], object], seconds: float = 10.0, what: str = "") -> float:
        """Read until the condition holds; returns the time of `time.perf_counter()` when it did."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if condition():
                return time.perf_counter()
            self.read(0.005)
        raise AssertionError(f"never: {what or condition}\n{self.text}")

    def until_text(self, *wanted: str, seconds: float = 10.0) -> float:
        """Read until all these texts are shown."""
        return self.until(lambda: all(word in self.text for word in wanted), seconds, f"{wanted} on screen")

    def settle(self, quiet: float = 0.25, most: float = 5.0) -> int:
        """Read until nothing was written for so long; returns how many bytes came."""
        before, end = self.written, time.perf_counter() + most
        while time.perf_counter() < end and self.read(quiet):
            pass
        return self.written - before

    def cpu(self) -> float:
        """CPU seconds the child used so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Resident bytes of the child."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def wait(self, seconds: float = 5.0) -> int:
        """The child's exit code (negative: the signal that ended it); fails when it doesn't end."""
        end = time.perf_counter() + seconds
        while self.status is None and time.perf_counter() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            else:
                self.read(0.01)
        assert self.status is not None, f"still running\n{self.text}"
        return self.status

    def hang_up(self) -> None:
        """Close the terminal, as a dropped SSH session does."""
        os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        """End the child if it still runs."""
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        if self.fd >= 0:
            os.close(self.fd)


def python(*arguments: str) -> list[str]:
    """A command that runs this Python."""
    return [sys.executable, *arguments]
