"""The first screen, the problems and tenant health as text at the sizes that matter."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.style import Style
from syrupy.assertion import SnapshotAssertion

from tests.tui.fake import cloud
from tests.tui.figures import watched
from tests.tui.screen import console, lines, until
from tui.state import HOME, View

SIZES = [(80, 24), (160, 45), (20, 5)]
VIEWS = {
    "dashboard": HOME,
    "problems": View("problems"),
    "health": View("health"),
    "heatmap": View("heatmap"),
    "tenant": View("tenant", subject=("prod-eu", "id-acme-prod")),
}


async def at_rest(app: Any, pilot: Any) -> None:
    """Wait until everything is read and drawn."""
    parts: Callable[[], Any] = getattr(app.pane, "parts", dict)
    await until(pilot, lambda: set(parts()) <= set(getattr(app.pane, "facts", ())), "all parts")
    await until(pilot, lambda: app.table.place is not None and not app.table._tasks and not app.table._drawing)
    await until(
        pilot, lambda: app.table.current is not None and (app.strip.size.height < 2 or app.strip.text.strip("─\n "))
    )
    await pilot.pause()


def screen(app: Any) -> str:
    """The screen; ages of events, which go on, and the keys that are everybody's, are left out."""
    shown = [re.sub(r"(✖ )\d+[dwy] {2,}", r"\1AGE  ", line) for line in lines(app)]
    return "\n".join([*shown[:-1], shown[-1][:30]])


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", VIEWS)
async def test_screens(name: str, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    client = watched()
    client.clouds.append(cloud("prod-us", 9) | {"state": "stale", "reason": "nova answered 503", "age_seconds": 720})
    async with console(client, home=VIEWS[name], size=size) as (app, pilot):
        await at_rest(app, pilot)
        assert screen(app) == snapshot


async def test_nothing_wrong(snapshot: SnapshotAssertion) -> None:
    client = watched()
    client.problem_items = []
    async with console(client, home=HOME) as (app, pilot):
        await at_rest(app, pilot)
        assert screen(app) == snapshot


async def test_without_colours_every_word_and_glyph_is_there() -> None:
    shown = {}
    for theme in ("none", "dark"):
        async with console(watched(), home=HOME, theme=theme) as (app, pilot):
            await at_rest(app, pilot)
            shown[theme] = screen(app)
            styles = [segment.style for strip in app.table._lines for segment in strip]
            coloured = [style for style in styles if style is not None and Style.parse("none") != style and style.color]
            assert bool(coloured) == (theme == "dark"), theme
    assert shown["none"] == shown["dark"]
