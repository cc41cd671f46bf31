"""Screens of drift as text: the triage at the sizes that matter, one event, the rules, a form."""

from __future__ import annotations

import re

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from tests.tui.drift_fake import DriftClient
from tests.tui.screen import console, lines, until, until_text
from tui.console import QuarterdeckApp

SIZES = [(80, 24), (160, 45), (20, 5)]


def screen(app: QuarterdeckApp) -> str:
    """The screen; clock times, which go on, are all the same."""
    text = "\n".join(lines(app))
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+", "2026-02-08 09:00:00 UTC", text)
    text = re.sub(r"\d\d:\d\d:\d\d", "09:00:00", text)
    return re.sub(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d \w{3} \d\d:\d\d", "09:00:00", text)


async def settled(pilot: Pilot, app: QuarterdeckApp) -> None:
    """Wait until rows and their number are on screen, and nothing is on its way."""
    await until(pilot, lambda: app.table.loaded and app.table.place and not app.table._tasks)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_triage(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with console(DriftClient(), size=size) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: len(app.table.buffer.rows) == 7)
        await pilot.press("j", "j")
        await until(pilot, lambda: app.table.place and app.table.place.rank == 2)
        await settled(pilot, app)
        assert screen(app) == snapshot


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        (("full_stop", "comma"), "root, job 118"),
        (("j", "j", "enter"), "FIELD"),
        (("tab",), "Rule 3"),
        (("a",), "note:"),
        (("plus",), "Ignore drift"),
    ],
)
async def test_views(keys: tuple[str, ...], wanted: str, snapshot: SnapshotAssertion) -> None:
    async with console(DriftClient()) as (app, pilot):
        await pilot.press("2")
        await until_text(pilot, "m1.small")
        await pilot.press(*keys)
        await until_text(pilot, wanted)
        await settled(pilot, app)
        await until(pilot, lambda: keys[-1] != "comma" or app.table.place.rank == 0)
        assert screen(app) == snapshot


async def test_nothing_is_said_by_colour_alone() -> None:
    """Without colours the lines are the same, and how bad an event is stands there as a glyph and as a word."""
    shown = []
    for theme in ("ansi", "none"):
        async with console(DriftClient(), size=(120, 30), theme=theme) as (app, pilot):
            await pilot.press("2")
            await until_text(pilot, "m1.large", "who m.levi")
            await settled(pilot, app)
            shown.append(screen(app))
    assert shown[0] == shown[1]
    for glyph, word in (("✖", "critical"), ("▲", "warning"), ("·", "info")):
        assert any(re.match(rf"[ ▸]{glyph} .*{word}", line) for line in shown[1].split("\n"))
