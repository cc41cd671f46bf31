"""The first frame on a real terminal: there before Textual is, the same afterwards, no trace of it after a crash."""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tui.fake import FakeClient
from tests.tui.pty import Terminal, python
from tests.tui.screen import PATIENCE
from tests.tui.socketed import Socketed, serving
from tui.state import History, View
from tui.takeover import ENTER

ROOT = Path(__file__).parents[2]
EARLY = ("/q/session-view", "/q/windows", "/q/clouds", "/q/problems")  # what is asked before Textual is there
LITTLE = 2000  # bytes
Start = Callable[..., Terminal]


@pytest.fixture
def client() -> FakeClient:
    found = FakeClient(500)
    found.age = 7300.0  # 2h, however long the test takes
    found.saved_view = History([View("list", "server")], 0).to_json("")
    return found


@pytest.fixture
def server(tmp_path: Path, client: FakeClient) -> Iterator[Socketed]:
    with serving(tmp_path / "socket", client) as found:
        yield found


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Socketed) -> Iterator[Start]:
    monkeypatch.chdir(ROOT)
    opened: list[Terminal] = []

    def open_one(size: tuple[int, int] = (80, 24), **env: str) -> Terminal:
        command = python("-m", "tests.tui.gated", str(tmp_path))
        env = {"QDECK_ENGINE": str(tmp_path / "socket"), "QDECK_THEME": "dark", "HOME": str(tmp_path), **env}
        opened.append(Terminal(command, *size, env=env))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


def flags(terminal: Terminal) -> list[Any]:
    """How the terminal treats what is typed and shown."""
    return termios.tcgetattr(terminal.fd)


def cells(terminal: Terminal) -> list[list[Any]]:
    """What the terminal shows, with colours."""
    screen = terminal.screen
    return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


def painted(terminal: Terminal, folder: Path) -> None:
    """Until the first frame is there and Textual's import has begun, and waits."""
    terminal.until(lambda: "▸" in terminal.text and "? help" in terminal.text, 60, "the first frame")
    terminal.until((folder / "asked").exists, 60, "the import of Textual")
    terminal.settle()


@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
@pytest.mark.parametrize("kind", ["list", "dashboard"])
def test_data_is_there_before_textual_and_stays(
    start: Start, server: Socketed, client: FakeClient, tmp_path: Path, size: tuple[int, int], kind: str
) -> None:
    client.saved_view = History([View("list", "server")], 0).to_json("") if kind == "list" else None
    server.hold_all_but(*EARLY, "/q/changes")
    terminal = start(size)
    painted(terminal, tmp_path)
    first, written = cells(terminal), terminal.written
    assert kind == "dashboard" or "▸● 0000000-web" in terminal.lines[3]
    (tmp_path / "go").touch()
    for _ in range(PATIENCE):
        terminal.read(0.01)
        assert cells(terminal) == first
        if b"\x1b[?2004h" in terminal.tail:
            break
    terminal.press("j")
    terminal.until(lambda: cells(terminal) != first, 10, "the cursor moved")
    moved = sum(line != before for line, before in zip(cells(terminal), first, strict=True))
    assert moved <= 8, "more than the two rows, the state and the strip is another"
    assert terminal.written - written < LITTLE, "what is there already is painted once more"
    assert terminal.whole.count(ENTER.encode()) == 1


def test_keys_wait_for_textual_and_are_not_echoed(start: Start, tmp_path: Path) -> None:
    terminal = start()
    before = flags(terminal)
    painted(terminal, tmp_path)
    first = cells(terminal)
    terminal.press("j", "down", "\x1a", "j")
    terminal.settle()
    assert cells(terminal) == first
    (tmp_path / "go").touch()
    terminal.until(lambda: terminal.lines[6].startswith("▸● 0000003"), 20, "all three keys")
    terminal.settle()
    terminal.press("q")
    assert terminal.wait() == 0
    assert flags(terminal) == before


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (None, 130)]
)
def test_an_end_in_between_leaves_the_terminal_in_order(
    start: Start, tmp_path: Path, number: int | None, code: int
) -> None:
    terminal = start()
    before = flags(terminal)
    painted(terminal, tmp_path)
    assert flags(terminal) != before
    if number is None:
        terminal.press("ctrl+c")
    else:
        os.kill(terminal.pid, number)
    assert terminal.wait() == code
    in_order(terminal, before)


def test_a_textual_that_can_not_be_loaded_leaves_the_terminal_in_order(start: Start, tmp_path: Path) -> None:
    terminal = start()
    before = flags(terminal)
    painted(terminal, tmp_path)
    (tmp_path / "go").write_text("broken")
    assert terminal.wait() == 1
    terminal.read(0.1)
    in_order(terminal, before)
    assert b"textual is broken" in terminal.tail.partition(b"\x1b[?1049l")[2]


def in_order(terminal: Terminal, before: list[Any]) -> None:
    """The screen from before, a visible cursor, lines that wrap, and typing as it was."""
    terminal.read(0.1)
    for given_back in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?7h"):
        assert given_back in terminal.tail
    assert flags(terminal) == before


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": ""}])
def test_terminals_that_understand_nothing_are_left_to_textual(
    start: Start, tmp_path: Path, env: dict[str, str]
) -> None:
    terminal = start(**env)
    terminal.until((tmp_path / "asked").exists, 20, "the import of Textual")
    terminal.settle()
    assert terminal.written == 0
    (tmp_path / "go").touch()
    terminal.until_text("0000000-web", seconds=20)


@pytest.mark.parametrize("slow", ["/q/session-view", "/q/windows", "/q/clouds"])
def test_a_slow_engine_is_not_waited_for(start: Start, server: Socketed, tmp_path: Path, slow: str) -> None:
    held = server.hold(slow)
    terminal = start()
    terminal.until((tmp_path / "asked").exists, 20, "the import of Textual")
    terminal.settle()
    assert terminal.written == 0
    (tmp_path / "go").touch()
    terminal.until_text("? help", seconds=20)
    held.set()
    terminal.until_text("0000000-web", seconds=20)


def test_an_answer_that_is_none_is_left_to_the_console(start: Start, client: FakeClient, tmp_path: Path) -> None:
    client.answers["/q/clouds"] = 3
    terminal = start()
    before = flags(terminal)
    terminal.until((tmp_path / "asked").exists, 20, "the import of Textual")
    terminal.settle()
    assert terminal.written == 0 and flags(terminal) == before
    (tmp_path / "go").touch()
    terminal.until_text("0000000-web", seconds=20)


def test_another_size_in_between_is_drawn_anew(start: Start, tmp_path: Path) -> None:
    terminal = start()
    painted(terminal, tmp_path)
    terminal.resize(100, 30)
    (tmp_path / "go").touch()

    def whole() -> bool:
        return "─" * 100 in terminal.text and "▸● 0000000-web" in terminal.lines[3]

    terminal.until(whole, 20, "the list in its new width")


def test_a_size_and_back_again_loses_nothing(start: Start, tmp_path: Path) -> None:
    terminal = start()
    painted(terminal, tmp_path)
    first = cells(terminal)
    terminal.resize(40, 10)  # what does not fit there is lost
    terminal.resize(80, 24)
    assert cells(terminal) != first
    (tmp_path / "go").touch()
    terminal.until(lambda: cells(terminal)[3:17] == first[3:17], 20, "the same rows again")


def test_no_colour_and_few_colours(start: Start, tmp_path: Path) -> None:
    terminal = start(QDECK_THEME="", NO_COLOR="1")
    painted(terminal, tmp_path)
    assert {(c.fg, c.bg) for row in cells(terminal) for c in row} == {("default", "default")}
