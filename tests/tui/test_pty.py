"""The console on a real terminal: bytes per key, signals, and what is left of the terminal afterwards."""

import base64
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.pty import Terminal, python

ROOT = Path(__file__).parents[2]
MOST_BYTES = 12_000


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[object]:
    monkeypatch.chdir(ROOT)
    opened: list[Terminal] = []

    def open_one(rows: int = 5000, size: tuple[int, int] = (80, 24), **env: str) -> Terminal:
        env.setdefault("QDECK_THEME", "dark")
        command = python("-m", "tests.tui.faked", str(rows))
        opened.append(Terminal(command, *size, env={"FAKE_SAVED": str(tmp_path / "saved"), **env}))
        opened[-1].until_text("0000000-web", seconds=20)
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


def ready(terminal: Terminal) -> None:
    """Until nothing is left to be drawn."""
    terminal.until_text("data 4")
    terminal.settle()


def test_what_is_drawn_is_what_a_terminal_shows(start) -> None:  # type: ignore[no-untyped-def]
    terminal = start()
    ready(terminal)
    assert "prod-eu · all projects · READ-ONLY" in terminal.lines[0]
    assert terminal.lines[3].startswith("▸● 0000000-web")
    terminal.press("j")
    terminal.until(lambda: terminal.lines[4].startswith("▸● 0000001-db"))


@pytest.mark.parametrize("keys", ["j" * 20, "}" * 6, "1", "/web", "?", ":vol"])
def test_every_key_writes_little(start, keys: str) -> None:  # type: ignore[no-untyped-def]
    terminal = start()
    ready(terminal)
    for key in keys:
        before = terminal.written
        terminal.press(key)
        terminal.settle(0.15)
        assert terminal.written - before <= MOST_BYTES, f"{key}: {terminal.written - before} bytes"


def test_what_is_copied_is_sent_to_the_terminal(start) -> None:  # type: ignore[no-untyped-def]
    terminal = start(QDECK_CLIPBOARD="osc52")
    ready(terminal)
    terminal.press("c", "n")
    terminal.until_text("sent it to the terminal")
    assert b"\x1b]52;c;" + base64.b64encode(b"0000000-web") + b"\x07" in terminal.tail


def test_next_to_nothing_is_written_while_nothing_happens(start) -> None:  # type: ignore[no-untyped-def]
    terminal = start()
    ready(terminal)
    terminal.settle(0.5)
    before, began = terminal.written, time.monotonic()
    while time.monotonic() - began < 2.5:
        terminal.read(0.1)
    assert terminal.written - before < 2000 * 2.5


@pytest.mark.parametrize("theme", ["ansi", "none"])
def test_themes_of_the_terminal_use_no_colours_of_their_own(start, theme: str) -> None:  # type: ignore[no-untyped-def]
    terminal = start(QDECK_THEME=theme)
    ready(terminal)
    colours = {c.fg for row in terminal.screen.buffer.values() for c in row.values()}
    colours |= {c.bg for row in terminal.screen.buffer.values() for c in row.values()}
    named = {"default", "black", "red", "green", "brown", "blue", "magenta", "cyan", "white"}
    assert colours <= named
    assert (colours == {"default"}) == (theme == "none")


def test_no_color_means_none(start) -> None:  # type: ignore[no-untyped-def]
    terminal = start(QDECK_THEME="", NO_COLOR="1")
    ready(terminal)
    colours = {(c.fg, c.bg) for row in terminal.screen.buffer.values() for c in row.values()}
    assert colours == {("default", "default")}
    assert "✖" in terminal.text and "ERROR" in terminal.text


def test_leaving_gives_the_terminal_back(start) -> None:  # type: ignore[no-untyped-def]
    terminal = start()
    ready(terminal)
    terminal.press("q")
    assert terminal.wait() == 0
    terminal.read(0.2)
    for given_back in (b"\x1b[?1049l", b"\x1b[?25h"):  # the screen from before, a visible cursor
        assert given_back in terminal.tail


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_save_the_view_and_leave_at_once(start, tmp_path: Path, number: int, code: int) -> None:  # type: ignore[no-untyped-def]
    terminal = start()
    ready(terminal)
    terminal.press("j", "j")
    terminal.until(lambda: terminal.lines[5].startswith("▸"))
    os.kill(terminal.pid, number)
    began = time.monotonic()
    assert terminal.wait() == code
    assert time.monotonic() - began < 2
    saved = json.loads((tmp_path / "saved").read_text(encoding="utf-8"))
    assert saved["view"]["cursor"][2].startswith("00000002-")


def test_a_dropped_line_ends_the_console_at_once(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    terminal = start()
    ready(terminal)
    terminal.press("j", "j", "j")
    terminal.until(lambda: terminal.lines[6].startswith("▸"))
    terminal.hang_up()
    began = time.monotonic()
    while time.monotonic() - began < 5:
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            terminal.status = os.waitstatus_to_exitcode(status)
            break
        time.sleep(0.02)
    assert terminal.status == 129
    saved = json.loads((tmp_path / "saved").read_text(encoding="utf-8"))
    assert saved["view"]["cursor"][2].startswith("00000003-")


def test_over_ssh_there_are_no_mouse_reports_and_the_terminals_colours(start) -> None:  # type: ignore[no-untyped-def]
    terminal = start(QDECK_THEME="", SSH_TTY="/dev/pts/9")
    ready(terminal)
    colours = {c.fg for row in terminal.screen.buffer.values() for c in row.values()}
    assert not any(len(colour) == 6 and colour != "yellow" for colour in colours if colour not in ("brown", "default"))


def test_keys_that_come_all_at_once_are_all_taken(start) -> None:  # type: ignore[no-untyped-def]
    terminal = start()
    ready(terminal)
    terminal.press(*"/web", "enter", *"jj:")
    terminal.press(*"servers /db", "enter")
    terminal.until(lambda: terminal.lines[3].startswith("▸") and "-db" in terminal.lines[3])
    terminal.settle()
    assert "/db" in terminal.lines[1]


def test_a_lone_escape_goes_back_and_letters_come_whole(start) -> None:  # type: ignore[no-untyped-def]
    terminal = start()
    ready(terminal)
    for _ in range(3):
        terminal.press("?")
        terminal.until_text("DOES")
        terminal.press("escape")
        terminal.until_text("STATUS")
    os.write(terminal.fd, b"\x1b[B")
    terminal.until(lambda: terminal.lines[4].startswith("▸"))
    os.write(terminal.fd, "é".encode()[:1])  # half a letter is no end
    os.write(terminal.fd, "é".encode()[1:])
    terminal.press("j")
    terminal.until(lambda: terminal.lines[5].startswith("▸"))


@pytest.mark.parametrize("term", ["screen", "tmux-256color", "linux", "xterm-mono", "dumb"])
def test_every_kind_of_terminal_gets_its_own_colours_and_nothing_else(start, term: str) -> None:  # type: ignore[no-untyped-def]
    terminal = start(QDECK_THEME="", TERM=term, COLORTERM="")
    ready(terminal)
    assert "prod-eu · all projects · READ-ONLY" in terminal.lines[0]
    terminal.press("j", ":")
    terminal.until_text("the list of servers")
    terminal.press("escape")
    terminal.until(lambda: "the list of servers" not in terminal.text)
    terminal.press("?")
    terminal.until_text("── in lists of resources ──")
    colours = {c.fg for row in terminal.screen.buffer.values() for c in row.values()}
    named = {"default", "black", "red", "green", "brown", "blue", "magenta", "cyan", "white"}
    assert colours <= ({"default"} if term == "dumb" else named)
    assert b"38;2;" not in terminal.tail
