"""Dialogs on a real terminal: bytes for each key, colours, and what is left in sight behind them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.pty import Terminal, python

ROOT = Path(__file__).parents[3]
MOST_BYTES = 12_000
WALK = (
    "x", "j", "k", "o",  # the menu, and into the plan
    "j", "pagedown", "d", "j", "d", "c",
    "tab", *"disk", "tab", *"CHG", "tab", "tab", *"pro", "tab", "tab", "escape",
    "x", "r", "right", "enter", "escape", "escape",
    "e", "backspace", "x", "escape",
    *":clouds", "enter", "W", "W", "5", "tab", "escape", "7", "q",
)  # fmt: skip


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    monkeypatch.chdir(ROOT)
    opened: list[Terminal] = []

    def open_one(**env: str) -> Terminal:
        opened.append(Terminal(python("-m", "tests.tui.dialogs.program"), 80, 24, env=env))
        opened[-1].until_text("0000000-web", "data 4", seconds=20)
        opened[-1].settle()
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


@pytest.mark.parametrize("theme", ["dark", "ansi", "none"])
def test_no_key_in_a_dialog_writes_much(start, theme: str) -> None:  # type: ignore[no-untyped-def]
    terminal = start(QDECK_THEME=theme)
    spent = {}
    for number, key in enumerate(WALK):
        before = terminal.written
        terminal.press(key)
        terminal.settle(0.12)
        spent[f"{number} {key}"] = terminal.written - before
    worst = max(spent, key=lambda key: spent[key])
    assert spent[worst] <= MOST_BYTES, f"{worst}: {spent[worst]} bytes"
    colours = {(c.fg, c.bg) for row in terminal.screen.buffer.values() for c in row.values()}
    assert (colours == {("default", "default")}) == (theme == "none")


def test_the_list_stays_in_sight_behind_the_menu(start) -> None:  # type: ignore[no-untyped-def]
    terminal = start(QDECK_THEME="ansi")
    terminal.press("x")
    terminal.until_text("actions ", "it is ACTIVE already")
    assert terminal.lines[3].startswith("▸● 0000000-web") and "writable 41m left" in terminal.lines[0]
    terminal.press("escape")
    terminal.settle()  # an escape with a letter right behind it is another key
    terminal.press("G")
    terminal.until_text("0004999")
    terminal.press("x")
    terminal.until_text("actions ")
    terminal.until(lambda: any(line.startswith("▸") and "0004999" in line for line in terminal.lines[10:]))


def test_a_plan_on_screen_costs_next_to_nothing(start) -> None:  # type: ignore[no-untyped-def]
    terminal = start(QDECK_THEME="dark")
    terminal.press("x", "o")
    terminal.until_text("plan expires")
    terminal.settle(0.4)
    before, shown = terminal.written, terminal.lines[1]
    terminal.until(lambda: terminal.lines[1] != shown)  # the clock
    terminal.until(lambda: terminal.lines[1] != shown)
    terminal.settle(0.4)
    assert terminal.written - before < 2500
