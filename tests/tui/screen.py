"""What tests see of the console: its lines as text, and waiting for a condition instead of a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.app import App
from textual.pilot import Pilot

from tests.tui.fake import FakeClient
from tui.console import QuarterdeckApp
from tui.state import DEFAULT

PATIENCE = 500  # rounds of 10 ms


def lines(app: App) -> list[str]:
    """The screen as text, one line each, blanks at the ends left out."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


def text(app: App) -> str:
    """The screen as one text."""
    return "\n".join(lines(app))


async def until(pilot: Pilot, condition: Callable[[], object], what: str = "") -> None:
    """Wait until the condition holds; fails with the screen when it never does."""
    for _ in range(PATIENCE):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError(f"never: {what or condition}\n{text(pilot.app)}")


async def until_text(pilot: Pilot, *wanted: str) -> None:
    """Wait until all these texts are on screen."""
    await until(pilot, lambda: all(word in text(pilot.app) for word in wanted), f"{wanted} on screen")


async def until_gone(pilot: Pilot, unwanted: str) -> None:
    """Wait until a text is no longer on screen."""
    await until(pilot, lambda: unwanted not in text(pilot.app), f"{unwanted!r} gone from screen")


@asynccontextmanager
async def console(
    client: FakeClient, view: str = "", size: tuple[int, int] = (80, 24), **options: object
) -> AsyncIterator[tuple[QuarterdeckApp, Pilot]]:
    """The console on a client without an engine, its first rows on screen."""

    async def connect() -> FakeClient:
        return client

    options.setdefault("home", DEFAULT)  # most tests are about lists; the first screen has tests of its own
    app = QuarterdeckApp(connect, view, **options)  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: (app.table.loaded and app.world.clouds_known) or client.fail, "first rows")
        await pilot.pause()
        yield app, pilot
