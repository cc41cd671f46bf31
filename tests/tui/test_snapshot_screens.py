"""Screens of the room of snapshots as text, at the sizes that matter: pages, a run, points, why, the editor."""

from __future__ import annotations

import re

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from tests.tui.screen import console, lines, until, until_text
from tests.tui.snapshots_fake import VOLUME, SnapshotClient
from tui.console import QuarterdeckApp
from tui.state import View

SIZES = [(80, 24), (160, 45), (20, 5)]
SUBJECT = ("prod-eu", "eu-1", VOLUME)


def screen(app: QuarterdeckApp) -> str:
    """The screen; times, which go on, are all the same."""
    text = "\n".join(lines(app))
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+", "2026-02-08 09:00:00 UTC", text)
    text = re.sub(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d \w{3} \d\d:\d\d", "Sun 08 Feb 09:00", text)
    return text


async def settled(pilot: Pilot, app: QuarterdeckApp) -> None:
    """Wait until rows and their number are on screen, and nothing is on its way."""
    await until(pilot, lambda: app.table.loaded and app.table.place and not app.table._tasks)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("bare", [False, True], ids=["full", "bare"])
async def test_overview(size: tuple[int, int], bare: bool, snapshot: SnapshotAssertion) -> None:
    async with console(SnapshotClient(bare=bare), size=size) as (app, pilot):
        await pilot.press("3")
        known = {"active", "clouds", "policies", "due", "summary", "runs", "state"}
        await until(pilot, lambda: known <= set(getattr(app.pane, "facts", ())))
        await settled(pilot, app)
        assert screen(app) == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "view",
    [View("policies"), View("compliance"), View("runs"), View("run", subject=("3",)), View("exclusions"),
     View("points", "volume", subject=SUBJECT), View("why", "volume", subject=SUBJECT)],
    ids=lambda view: view.kind,
)  # fmt: skip
async def test_pages(size: tuple[int, int], view: View, snapshot: SnapshotAssertion) -> None:
    async with console(SnapshotClient(), size=size) as (app, pilot):
        app.open_view(view)
        await until(pilot, lambda: app.table.loaded and app.table.buffer.rows and app.table.spec.type == view.kind)
        if view.kind == "policies" and size[1] > 10:
            await until_text(pilot, "next ", "(Europe/Berlin)")
            await until(pilot, lambda: "next" in app.pane.items["policy", "daily_5"])
            await until(pilot, lambda: screen(app).count("Sun 08 Feb 09:00") == 3)
        await settled(pilot, app)
        assert screen(app) == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_editor(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with console(SnapshotClient(), size=size) as (app, pilot):
        app.open_view(View("policies"))
        await until(pilot, lambda: app.table.loaded and app.table.buffer.rows)
        await pilot.press("a", "d")
        await until(pilot, lambda: app.dialog is not None and getattr(app.dialog.page, "preview", None))
        await pilot.press("tab")
        await pilot.pause()
        assert screen(app) == snapshot


async def test_nothing_is_said_by_colour_alone() -> None:
    """Without colours the lines are the same, and how bad something is stands there as a glyph and as a word."""
    shown = []
    for theme in ("ansi", "none"):
        async with console(SnapshotClient(), size=(120, 30), theme=theme) as (app, pilot):
            await pilot.press("3", "v")
            await until_text(pilot, "because of missing")
            await settled(pilot, app)
            shown.append(screen(app))
    assert shown[0] == shown[1]
    for glyph, word in (
        ("✖", "missing"),
        ("▲", "quota blocked"),
        ("◐", "pending"),
        ("○", "excluded"),
        ("●", "compliant"),
    ):
        assert any(re.match(rf"[ ▸]{glyph} .*{word}", line) for line in shown[1].split("\n"))
