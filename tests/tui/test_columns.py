"""Choosing columns: shown and hidden, in order, remembered for each type."""

from __future__ import annotations

import pytest

from tests.tui.fake import FakeClient
from tests.tui.screen import console, lines, until, until_gone, until_text
from tui.panes.columns import moved, toggled


@pytest.mark.parametrize(
    ("chosen", "name", "delta", "wanted"),
    [
        ("abc", "a", 1, "bac"),
        ("abc", "c", -1, "acb"),
        ("abc", "a", -1, "abc"),
        ("abc", "c", 1, "abc"),
        ("abc", "x", 1, "abc"),
    ],
)
def test_moved(chosen: str, name: str, delta: int, wanted: str) -> None:
    assert moved(tuple(chosen), name, delta) == tuple(wanted)


def test_the_last_column_stays() -> None:
    assert toggled(("a", "b"), "a") == ("b",)
    assert toggled(("b",), "b") == ("b",)
    assert toggled(("b",), "c") == ("b", "c")


async def test_hide_and_show_and_back_as_declared() -> None:
    client = FakeClient(50)
    async with console(client) as (app, pilot):
        await until_text(pilot, "STATUS", "HOST")
        await pilot.press("vertical_line")
        await until_text(pilot, "columns of servers", "HOLDS")
        await pilot.press("slash", *"host", "enter")
        await until(pilot, lambda: lines(app)[3].startswith("▸ host"), "the column host")
        await pilot.press("space")
        await until(pilot, lambda: client.columns.get("server"), "the choice is kept")
        assert "host" not in client.columns["server"] and "status" in client.columns["server"]
        await pilot.press("escape", "escape")
        await until(pilot, lambda: "NAME" in lines(app)[2] and "HOST" not in lines(app)[2], "no HOST any more")
        await pilot.press("vertical_line", "delete", "escape")
        await until(pilot, lambda: "HOST" in lines(app)[2], "HOST again")
        assert ("DELETE", "/q/columns/server") in [(method, path) for method, path, _ in client.calls]


async def test_lines_keep_their_places_while_columns_are_chosen_and_are_sorted_when_one_is_moved() -> None:
    client = FakeClient(50)
    async with console(client) as (app, pilot):
        await pilot.press("vertical_line")
        await until_text(pilot, "columns of servers", "HOLDS")
        before = [line.split()[0] for line in lines(app)[4:17]]
        await pilot.press("j", "space", "j", "space")
        await until(pilot, lambda: client.columns["server"][:2] == ["name", "host"], "two are hidden")
        await until(
            pilot, lambda: lines(app)[4].split()[1] == "·" and lines(app)[5].split()[2] == "·", "both lines say so"
        )
        assert [line.strip("▸ ").split()[0] for line in lines(app)[4:17]] == before, "no line has moved"
        await pilot.press("space", "less_than_sign")
        await until(pilot, lambda: "project_name" in client.columns["server"], "shown again, as the last")
        await until_text(pilot, "shown: name host vcpus ram_mb disk_gb project_name ips")
        here = next(number for number, line in enumerate(lines(app)) if line.startswith("▸"))
        assert lines(app)[here].split()[1] == "project_name" and lines(app)[here + 1].split()[0] == "ips", "sorted"
        assert client.columns["server"].index("project_name") == len(client.columns["server"]) - 2


async def test_a_column_is_moved_in_the_list_and_stays_there() -> None:
    client = FakeClient(50)
    async with console(client) as (app, pilot):
        await until_text(pilot, "STATUS")
        await pilot.press("right", "greater_than_sign")
        await until(pilot, lambda: lines(app)[2].split()[:3] == ["NAME", "PROJECT", "STATUS"], "moved")
        await until(pilot, lambda: client.columns["server"][:3] == ["name", "project_name", "status"], "kept")
        await pilot.press("1")
        await until_gone(pilot, "PROJECT")
        await pilot.press("escape")
        await until(pilot, lambda: lines(app)[2].split()[:3] == ["NAME", "PROJECT", "STATUS"], "still moved")


async def test_the_choice_of_an_earlier_day() -> None:
    client = FakeClient(50)
    client.columns = {"server": ["name", "created_at", "locked"]}
    async with console(client) as (app, pilot):
        await until(pilot, lambda: lines(app)[2].split()[:3] == ["NAME", "AGE", "LOCKED"], "the chosen columns")
        await pilot.press("colon", *"volumes", "enter")
        await until_text(pilot, "volumes")
        await pilot.press("colon", *"servers", "enter")
        await until(pilot, lambda: lines(app)[2].split()[:3] == ["NAME", "AGE", "LOCKED"], "again")
