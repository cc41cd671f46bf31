"""Hostile names: escapes, markup, directions, emoji, line ends, formulas. Nowhere are they more than text.

Every resource of a real engine has such a name. Every pane there is, every type, the terminal's own bytes and what the
command line prints are looked through.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from engine.demo import names
from store.types import registry
from tests.engine.process.running import ROOT
from tests.tui.line.demo import Demo, demo
from tests.tui.pty import Terminal, python
from tests.tui.screen import until
from tui.api.client import EngineClient, SyncClient
from tui.api.errors import ApiError
from tui.api.target import Target
from tui.console import QuarterdeckApp
from tui.state import KINDS, View

# What may stand in a cell: no control character, nothing that turns the direction, no line end, nothing unassigned.
FORBIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
WALKED = [type for type in registry.ALL.values() if not type.listing.on_demand]


@pytest.fixture(scope="module")
def hostile() -> Iterator[Demo]:
    """A demo in which everything has a hostile name, collected like that."""
    with demo(60) as one:
        one.fault("hostile")
        assert one.collect()["state"] in ("done", "partial")
        yield one


@asynccontextmanager
async def console(hostile: Demo, size: tuple[int, int] = (130, 40)) -> AsyncIterator[tuple[QuarterdeckApp, Pilot]]:
    """The console on that engine."""

    async def connect() -> EngineClient:
        return EngineClient(Target(socket=hostile.socket))

    app = QuarterdeckApp(connect, "servers")
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.table.loaded and app.world.clouds_known, "first rows")
        yield app, pilot


def check(app: QuarterdeckApp, where: str) -> str:
    """Nothing on screen is more than text; answers the screen."""
    shown = []
    for strip in app.screen._compositor.render_strips():
        assert strip.cell_length == app.size.width, where
        for text, style, control in strip:
            assert control is None, where
            bad = [c for c in text if unicodedata.category(c) in FORBIDDEN]
            assert not bad, (where, text)
            assert not style or not style.link, (where, text)
        shown.append(strip.text)
    whole = "\n".join(shown)
    for title in (app.title, app.sub_title):
        assert not [c for c in str(title) if unicodedata.category(c) in FORBIDDEN], where
    return whole


async def settled(app: QuarterdeckApp, pilot: Pilot) -> None:
    """Until the pane shows what it has to show."""

    def ready() -> bool:
        return app.table.waiting_since is None and (app.table.loaded or app.table.empty_text != "reading …")

    await until(pilot, ready, "the pane is loaded")
    await pilot.pause()


async def go(app: QuarterdeckApp, pilot: Pilot, view: View) -> None:
    app.open_view(view)
    await settled(app, pilot)


@pytest.mark.parametrize("kind", KINDS)
async def test_no_pane_interprets_them(hostile: Demo, kind: str) -> None:
    """Whatever panes there are; those of one resource are opened for a server, those that need more say so."""
    async with console(hostile) as (app, pilot):
        key = app.table.current.key
        subject = (names.HOSTILE[2],) if kind == "find" else key
        await go(app, pilot, View(kind, "server", subject=subject))
        assert app.pane.view.kind == kind
        check(app, kind)
        # Markup is shown as it was typed, wherever the name is on screen at all.
        for size in ((20, 5), (80, 24), (300, 80)):
            await pilot.resize_terminal(*size)
            await settled(app, pilot)
            check(app, f"{kind} at {size}")


@pytest.mark.parametrize("type", WALKED, ids=lambda type: type.name)
async def test_no_type_interprets_them(hostile: Demo, type: Any) -> None:
    """The list of every type, its strip, and one resource of it as fields, YAML and JSON."""
    async with console(hostile) as (app, pilot):
        await go(app, pilot, View("list", type.name))
        whole = check(app, type.plural)
        if app.table.current is None:
            return
        if type.name == "server":
            assert "[red]alarm[/red]" in whole and "=HYPERLINK(" in whole
        key = app.table.current.key
        await pilot.press("j")
        await pilot.pause(0.25)
        check(app, f"{type.plural}, the strip")
        for view in (View("detail", type.name, subject=key), View("raw", type.name, subject=key)):
            await go(app, pilot, view)
            check(app, f"{view.kind} of {type.name}")


class Recorder(Terminal):
    """Keeps every byte."""

    def __init__(self, *given: Any, **more: Any) -> None:
        self.bytes = b""
        super().__init__(*given, **more)

    def read(self, seconds: float = 0.0) -> int:
        came = super().read(seconds)
        self.bytes += self.tail[-came:] if came else b""
        return came


def test_the_terminal_gets_no_byte_that_they_ask_for(hostile: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """No title, no bell, no clipboard: neither from the list, nor from one server, its YAML, a filter and a search."""
    monkeypatch.chdir(ROOT)
    command = python("-c", "from tui.cli.main import run; run()", "--engine", str(hostile.socket), "open", "servers")
    terminal = Recorder(command, 120, 30, env={"QDECK_THEME": "dark", "HOME": "/nonexistent"})
    try:
        terminal.until_text("alarm", seconds=15)
        for keys in (("j",), ("enter",), ("y",), ("escape",), ("escape",), tuple(":volumes"), ("enter",)):
            terminal.press(*keys)
            terminal.settle(0.2, 2)
        terminal.until_text("volumes", seconds=15)
        written = terminal.bytes.replace(b"\x1b]22;default\x07", b"")  # the pointer's shape: Textual's own
    finally:
        terminal.close()
    assert len(written) > 10_000
    for asked in (b"\x1b]0;", b"\x1b]2;", b"\x1b]52;", b"\x07", b"\x1b[31m", "\u202e".encode(), "\u202c".encode()):
        at = written.find(asked)
        assert at < 0, (asked, written[max(0, at - 60) : at + 20])


@pytest.mark.parametrize("style", ["table", "json", "yaml"])
def test_the_command_line_prints_them_as_text(hostile: Demo, style: str) -> None:
    command = python("-c", "from tui.cli.main import run; run()", "--engine", str(hostile.socket))
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    for words in (("ls", "servers"), ("ls", "projects"), ("ls", "volumes")):
        done = subprocess.run([*command, *words, "-o", style], capture_output=True, env=environment, timeout=60)
        assert done.returncode == 0, done.stderr
        text = done.stdout.decode()
        assert "\x1b" not in text and "\x07" not in text and "\x9b" not in text
        if style == "table":
            assert not {c for c in text if unicodedata.category(c) in FORBIDDEN} - {"\n"}, words


def test_no_export_is_a_formula(hostile: Demo, tmp_path: Path) -> None:
    """A spreadsheet that opens the file runs nothing."""
    with hostile.client() as client:
        body = {"type": "server", "format": "csv", "columns": ["name", "status"]}
        try:
            text = export(client, body)
        except ApiError as error:
            assert error.status == 404
            pytest.skip("this engine has no exports")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) > 40
    for row in rows[1:]:
        assert not row[0].startswith(FORMULA), row
    assert any("HYPERLINK" in row[0] for row in rows)


def export(client: SyncClient, body: dict[str, Any]) -> str:
    """The text of an export."""
    answer = client.post("/q/exports", body)
    return answer if isinstance(answer, str) else bytes(answer).decode()
