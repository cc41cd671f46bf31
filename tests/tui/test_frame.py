"""The first frame, painted before Textual is loaded, is what Textual paints first of the same answers, cell by cell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style

from store.types import registry
from tests.tui.fake import FakeClient, cloud
from tests.tui.fakes import HOSTILE
from tests.tui.figures import watched
from tests.tui.screen import until
from tests.tui.troubles import problem
from tui.early import PATH, PROBLEMS, Early, window_body
from tui.frame import first_frame
from tui.keymap import Keymap
from tui.state import HOME, History, View
from tui.table.cells import width
from tui.world import Client

SIZES = [(80, 24), (160, 45), (20, 5), (40, 8), (100, 16)]
TROUBLES = [problem("a", "storage pool full", "critical"), problem("b", HOSTILE)]
Cell = tuple[str, Any]


def look(style: Style | None) -> tuple[Any, ...]:
    """What of a style is to be seen. No background and the terminal's own are the same."""
    style = style or Style.null()
    colours = [None if colour is None or colour.is_default else colour.name for colour in (style.color, style.bgcolor)]
    named = ("bold", "dim", "italic", "underline", "blink", "reverse", "strike")
    return (*colours, *(bool(getattr(style, name)) for name in named))


def cells(segments: Iterable[Segment]) -> list[Cell]:
    """A line as cells; of a wide character the first one has it."""
    found: list[Cell] = []
    for segment in segments:
        for char in segment.text:
            if width(char):
                found += [(char, look(segment.style)), *([("", look(segment.style))] * (width(char) - 1))]
            else:
                found[-1] = (found[-1][0] + char, found[-1][1])
    return found


async def early(client: FakeClient, view: View, session: Any = None) -> Early:
    """What is read of the client for a view, as the reader does it."""
    body = window_body(view)
    window = None if body is None else (body, await client.post("/q/windows", body))
    answers = {PATH: (PROBLEMS, await client.get(PATH, PROBLEMS))} if view.kind == "dashboard" else {}
    return Early(view, session or {}, window, await client.get("/q/clouds"), answers)


async def same(found: Early, size: tuple[int, int], theme: str, text: str = "", keymap: Keymap | None = None) -> None:
    """Compare the first frame with the console's, which no engine answers any more."""
    from tui.console import QuarterdeckApp

    env = {} if found.session else {"QDECK_THEME": theme}  # who left a view chose its theme, too
    keymap = keymap or Keymap()
    painted = first_frame(found, env, keymap, *size)
    assert painted is not None

    async def never() -> Client:
        await asyncio.Event().wait()
        raise AssertionError

    app = QuarterdeckApp(never, text, theme=theme, early=found, keymap=keymap)
    async with app.run_test(size=size) as pilot:
        await until(
            pilot, lambda: app.table.settled and app.table.is_drawn and not app.world.first_answers, "the first frame"
        )
        await pilot.pause()
        shown = app.screen._compositor.render_strips()
        assert [len(cells(line)) for line in painted] == [size[0]] * size[1]
        for number, (first, then) in enumerate(zip(painted, shown, strict=True)):
            assert cells(first) == cells(then), f"line {number}"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("theme", ["dark", "ansi", "none"])
async def test_the_list_of_servers(size: tuple[int, int], theme: str) -> None:
    await same(await early(FakeClient(500), View("list", "server")), size, theme, "servers")


@pytest.mark.parametrize("type", sorted(registry.ALL))
@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
async def test_the_list_of_every_type(size: tuple[int, int], type: str) -> None:
    await same(await early(FakeClient(30), View("list", type)), size, "dark", registry.ALL[type].plural)


async def test_the_view_that_was_left_with_its_cursor_filter_order_and_theme() -> None:
    client = FakeClient(1000)
    client.clouds.append(cloud("prod-us", 1000))
    client.states = [{"cloud": "prod-eu", "region": "eu-1", "state": "partial", "reason": "no answer"}]
    window = await client.post("/q/windows", {"type": "server", "anchor": {"rank": 500}, "before": 0, "after": 1})
    key = tuple(window["rows"][0][window["columns"].index(name)] for name in ("cloud", "region", "id"))
    view = View("list", "server", "web", (("name", True),), columns=("status", "name"), cursor=key, line=7)
    session = History([View("list", "volume"), view], 1).to_json("light")
    found = await early(client, view, session)
    for size in SIZES:
        await same(found, size, "dark")


async def test_hostile_names_are_cleaned() -> None:
    client = FakeClient(50)
    client.clouds = [cloud(HOSTILE, 50)]
    for row, name in enumerate((HOSTILE, "日本語" * 20, "\x1b[2J\x9b31m", "e\u0301\u0301\u0301\u0301", "a\tb\nc")):
        client.override[(row, "name")] = name
    found = await early(client, View("list", "server"))
    await same(found, (80, 24), "dark", "servers")
    painted = first_frame(found, {}, Keymap(), 80, 24)
    assert painted is not None
    assert all(segment.text.isprintable() for line in painted for segment in line)


@pytest.mark.parametrize("empty", ["servers", "servers /name:nothing"])
async def test_lists_without_rows_say_why(empty: str) -> None:
    client = FakeClient(0)
    view = View("list", "server", "name:nothing" if "/" in empty else "")
    await same(await early(client, view), (80, 24), "dark", empty)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("theme", ["dark", "ansi"])
async def test_the_dashboard(size: tuple[int, int], theme: str) -> None:
    await same(await early(watched(*TROUBLES), HOME), size, theme)


async def test_what_is_wrong_with_own_keys_is_said(tmp_path: Any) -> None:
    keymap = Keymap(file=tmp_path / "keys.toml", problems=(f"{tmp_path}/keys.toml line 1: is no key", "another"))
    await same(await early(FakeClient(20), View("list", "server")), (80, 24), "dark", "servers", keymap)


async def test_what_is_not_enough_for_a_frame() -> None:
    client = FakeClient(20)
    found = await early(client, View("list", "server"))
    assert first_frame(found, {}, Keymap(), 19, 24) is None and first_frame(found, {}, Keymap(), 80, 4) is None
    assert first_frame(Early(), {}, Keymap(), 80, 24) is None
    assert first_frame(await early(client, View("inventory")), {}, Keymap(), 80, 24) is None
    gone = await early(client, View("list", "server", cursor=("prod-eu", "eu-1", "ffffffff")))
    assert first_frame(gone, {}, Keymap(), 80, 24) is None
