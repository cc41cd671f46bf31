"""What the copilot looks like at the sizes that matter, kept beside the tests; and what its keys write."""

from __future__ import annotations

import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.tui.copilot_fake import ASKED_BACK, CopilotClient, answer
from tests.tui.pty import Terminal, python
from tests.tui.screen import console, lines, until, until_text

SIZES = [(80, 24), (160, 45)]
MOST_BYTES = 12_000


def screen(app: Any) -> str:
    """The screen with ages, which go on, left out."""
    return "\n".join(re.sub(r"(data|writable) \d+[sm]", r"\1 42s", line) for line in lines(app))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("row", [2, 14])
async def test_drawer(size: tuple[int, int], row: int, snapshot: SnapshotAssertion) -> None:
    async with console(CopilotClient(), size=size) as (app, pilot):
        await pilot.press(*["j"] * row)
        await until_text(pilot, "volumes 3", f"{row + 1}/200")
        await pilot.press("i")
        await until_text(pilot, "is this machine protected?", "built-in answers only")
        assert screen(app) == snapshot
        app.ask_page.write("which machines of acme-dev are off?")
        await pilot.press("enter")
        await until_text(pilot, "12 rows · sure")
        assert screen(app) == snapshot


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (ASKED_BACK, "which one is meant?"),
        (answer(outcome="unsure", sure=False, text="I do not know what flurb is.", unknown=["flurb"],
                understood="how many flurb has acme", choices=["how many machines has acme-prod?"]), "not understood"),
        (answer(text="The disk is full since 03:12.", backend_used="anthropic", model="m-4", data_sent_external=True,
                tokens_used=1840, cost=0.0123, scope=["db-primary"]), "worded by"),
    ],
    ids=["asked back", "unsure", "model"],
)  # fmt: skip
async def test_other_answers(said: dict[str, Any], wanted: str, snapshot: SnapshotAssertion) -> None:
    client = CopilotClient()
    client.said[""] = said
    async with console(client) as (app, pilot):
        await until_text(pilot, "volumes 3")
        await pilot.press("i")
        await until_text(pilot, "is this machine protected?")
        app.ask_page.write("how many flurb on acme?")
        await pilot.press("enter")
        await until_text(pilot, wanted)
        assert screen(app) == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("view", ["copilot", "suggestions"])
async def test_pages(view: str, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with console(CopilotClient(), view, size) as (app, pilot):
        await until_text(pilot, "How many VMs?" if view == "suggestions" else "how many VMs?")
        await until(pilot, lambda: app.table.place and app.table.place.rank == 0)
        assert screen(app) == snapshot


def test_every_key_writes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDECK_THEME", "dark")
    terminal = Terminal(python("-m", "tests.tui.copilot_fake"), env={"QDECK_THEME": "dark"})
    try:
        terminal.until_text("data 4", seconds=20)
        terminal.settle()
        for key in ("j", "i", *"why off?", "enter", "s", "escape", "y", "i", "up", "tab", "escape", "i", "9", "escape"):
            before = terminal.written
            terminal.press(key)
            terminal.settle(0.2)
            assert terminal.written - before <= MOST_BYTES, f"{key}: {terminal.written - before} bytes"
    finally:
        terminal.close()
