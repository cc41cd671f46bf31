"""What hangs on a resource, one key away; and views as of a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.tui.fake import FakeClient
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.acting.related import related_views
from tui.showing import as_of_words


def test_empty_lists_and_those_read_on_demand_are_left_out() -> None:
    answer = {
        "links": [
            {"type": "volume", "filter": "server_ids:=x", "count": 2},
            {"type": "port", "filter": "device_id:=x", "count": 0},
            {"type": "cinder_message", "filter": "resource_id:=x", "on_demand": True},
            {"type": "no such type", "filter": "", "count": 1},
            "nonsense",
        ]
    }
    views = related_views(answer, "server", ("c", "r", "x"), "")
    assert [(view.type, view.filter, view.clouds, view.of) for view in views] == [
        ("volume", "server_ids:=x", ("c",), ("server", "c", "r", "x"))
    ]


async def test_tab_walks_through_what_hangs_on_a_row_and_escape_leads_back() -> None:
    async with console(FakeClient(50)) as (app, pilot):
        await pilot.press("j", "tab")
        await until(pilot, lambda: "volumes of 0000001-db" in lines(app)[0], "volumes")
        assert "server_ids:=00000001" in text(app)
        await until(pilot, lambda: "of 0000001-db 0 " in lines(app)[0], "how many of them, not of all volumes")
        await pilot.press("tab")
        await until(pilot, lambda: "ports" in lines(app)[0], "ports")
        await pilot.press("tab")
        await until(pilot, lambda: "volumes" in lines(app)[0], "round again")
        await pilot.press("shift+tab")
        await until(pilot, lambda: "ports" in lines(app)[0], "and back")
        await pilot.press("escape")
        await until(pilot, lambda: "servers" in lines(app)[0], "the list it began in")
        await until(pilot, lambda: lines(app)[4].startswith("▸"), "on the same row")


NOON = datetime(2026, 2, 8, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "shape"),
    [
        (NOON - timedelta(hours=2), "%a %H:%M %Z"),
        (NOON - timedelta(days=40), "%Y-%m-%d %H:%M %Z"),
        (NOON + timedelta(hours=2), "%Y-%m-%d %H:%M %Z"),
    ],
)
def test_the_past_is_named_in_the_operator_s_zone(at: datetime, shape: str) -> None:
    assert as_of_words(at.isoformat(), NOON) == at.astimezone().strftime(shape)
    assert as_of_words("\x1b nonsense", NOON).isprintable()


@pytest.mark.parametrize("cells", [20, 40, 80, 160])
async def test_what_is_typed_is_in_sight_however_long_the_question(cells: int) -> None:
    async with console(FakeClient(50), "servers /web", size=(cells, 24)) as (app, pilot):
        await pilot.press("u", *"7 days")
        await until(pilot, lambda: "7 days" in lines(app)[1], "what was typed")
        assert lines(app)[1].startswith(" as of")


async def test_as_of() -> None:
    client = FakeClient(50)
    async with console(client) as (app, pilot):
        await pilot.press("u", *"yesterday 14:00", "enter")
        await until_text(pilot, "AS OF")
        assert ":" in lines(app)[0].partition("AS OF")[2].split()[1], "a weekday and a time of day"
        await until(pilot, lambda: client.asked("POST", "/q/windows")[-1].get("at"), "the past was asked for")
        at = client.asked("POST", "/q/windows")[-1]["at"]
        await pilot.press("enter")
        await until_text(pilot, "AS OF", "volumes")
        assert app.pane.view.at == at
        await pilot.press("escape", "escape")
        await until_gone(pilot, "AS OF")
        await pilot.press("u", *"next year", "enter")
        await until_text(pilot, "names no time")
        await pilot.press("escape")
        await pilot.press("colon", *'servers /web at:"2h ago"', "enter")
        await until_text(pilot, "AS OF", "/web")
        await pilot.press("colon", *"at now", "enter")
        await until_gone(pilot, "AS OF")
        assert "/web" in text(app)
