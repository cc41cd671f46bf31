"""The past on screen: histories, two states side by side, what changed between two times."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.tui.past import DAY, PastClient, at
from tests.tui.screen import console, lines, text, until, until_text


async def test_the_history_of_a_row_and_back() -> None:
    client = PastClient()
    async with console(client) as (app, pilot):
        await pilot.press("h")
        await until_text(pilot, "history web-1", "status ACTIVE -> ERROR", "first seen", "gone; was SHUTOFF")
        assert app.pane.view.subject == app.history.views[-2].cursor
        asked = client.asked("GET", f"/history/details/server/{app.pane.view.subject[2]}")
        assert asked == [{"cloud": "prod-eu", "region": "eu-1", "limit": 1000}]
        await until_text(pilot, "status ACTIVE → ERROR", "host cmp-1 → cmp-2", "and 1 more")
        await pilot.press("G")
        await until_text(pilot, "version 1 of 4", "status ACTIVE")
        await pilot.press("escape")
        await until_text(pilot, "servers", "NAME")
        assert app.pane.view.kind == "list"


@pytest.mark.parametrize("view", ["enter", "y", "l", "t", "enter y"])
async def test_history_is_one_key_away_from_every_view_of_a_resource(view: str) -> None:
    async with console(PastClient(), size=(120, 40)) as (app, pilot):
        for key in view.split():
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: app.pane.view.kind != "list" and (app.table.loaded or view == "l"))
        await pilot.press("h")
        await until_text(pilot, "history web-1")


async def test_a_version_beside_the_one_before_it() -> None:
    client = PastClient()
    async with console(client) as (app, pilot):
        await pilot.press("h")
        await until_text(pilot, "history web-1", "status ACTIVE -> ERROR")
        await pilot.press("enter")
        await until_text(pilot, "FIELD", "OLD", "NEW", "status", "ACTIVE", "ERROR", "metadata.owner")
        old, new = app.pane.view.span
        assert (old, new) == ("2026-02-08T04:00:00Z", at(4)), "the instant before it began"
        asked = client.asked("GET", f"/q/history/compare/server/{app.pane.view.subject[2]}")
        assert asked == [{"cloud": "prod-eu", "region": "eu-1", "from": old, "to": new}]
        screen = text(app)
        assert "vcpus" not in screen and "updated_at" not in screen, "only what differs"
        assert "not visible" in screen, "what one side could not see is told"
        await pilot.press("space")
        await until_text(pilot, "vcpus", "updated_at", "all of")
        await pilot.press("space")
        await until(pilot, lambda: "vcpus" not in text(app))
        await pilot.press("escape")
        await until_text(pilot, "history web-1")


async def test_two_marked_versions_are_compared() -> None:
    async with console(PastClient()) as (app, pilot):
        await pilot.press("h")
        await until_text(pilot, "history web-1", "first seen")
        await pilot.press("space", "equals_sign")
        await until_text(pilot, "mark two versions")
        await pilot.press("G", "space")
        await until_text(pilot, "sets the two side by side")
        await pilot.press("equals_sign")
        await until_text(pilot, "FIELD")
        assert app.pane.view.span == (at(1), at(4)), "the older one on the left, whichever was marked first"
        await pilot.press("escape")
        await until_text(pilot, "history web-1", "first seen")
        await pilot.press("G", "equals_sign")
        await until_text(pilot, "FIELD")
        assert app.pane.view.span == (at(1), ""), "without marks: beside the newest"


async def test_the_resource_as_it_was_then() -> None:
    async with console(PastClient()) as (app, pilot):
        await pilot.press("h")
        await until_text(pilot, "history web-1", "first seen")
        await pilot.press("G", "d")
        await until(pilot, lambda: app.pane.view.kind == "detail")
        assert app.pane.view.at == at(1)
        await until_text(pilot, "AS OF")
        await pilot.press("escape")
        await until_text(pilot, "history web-1", "first seen")
        await pilot.press("k", "k", "d")  # the deletion: as it was just before
        await until(pilot, lambda: app.pane.view.kind == "detail" and app.pane.view.at == "2026-02-08T02:00:00Z")
        await pilot.press("escape")
        await until_text(pilot, "history web-1", "first seen")
        await pilot.press("g", "d")
        await until(pilot, lambda: app.pane.view.kind == "detail" and app.pane.view.at == "")


async def test_a_resource_that_is_gone_has_an_empty_side() -> None:
    client = PastClient()
    client.vanished = True
    async with console(client) as (app, pilot):
        await pilot.press("h")
        await until_text(pilot, "history web-1", "first seen")
        await pilot.press("enter")
        await until_text(pilot, "(not there)", "ACTIVE")
        await pilot.press("d")
        await until(pilot, lambda: app.pane.view.kind == "detail")
        assert app.pane.view.at == "2026-02-08T04:00:00Z", "as it was last"


async def test_nothing_differs() -> None:
    client = PastClient()
    client.fields = []
    async with console(client) as (_, pilot):
        await pilot.press("h")
        await until_text(pilot, "history web-1", "first seen")
        await pilot.press("enter")
        await until_text(pilot, "nothing differs", "space shows all fields")


async def test_what_changed_between_two_times() -> None:
    client = PastClient()
    async with console(client, size=(120, 40)) as (app, pilot):
        await pilot.press("colon", *"changes 2026-02-07T10:00:00Z .. 2026-02-08T10:00:00Z servers", "enter")
        await until_text(pilot, "servers changed 300", "web-00000", "status ACTIVE -> ERROR")
        body = client.asked("POST", "/q/history/windows")[0]
        assert (body["mode"], body["types"]) == ("net", ["server"])
        assert (body["from"], body["to"]) == ("2026-02-07T10:00:00Z", "2026-02-08T10:00:00Z")
        await pilot.press("tab")
        await until_text(pilot, "servers changes 300", "every single change")
        await pilot.press("tab")
        await until_text(pilot, "changed most", "TIMES")
        await pilot.press("shift+tab", "shift+tab")
        await until_text(pilot, "servers changed 300")
        await pilot.press("enter")
        await until_text(pilot, "history web-1")
        assert app.pane.view.subject == ("prod-eu", "eu-1", "id-00000")
        await pilot.press("escape", "equals_sign")
        await until_text(pilot, "FIELD")
        assert app.pane.view.span == ("2026-02-07T10:00:00Z", "2026-02-08T10:00:00Z")


async def test_a_long_list_is_read_by_windows() -> None:
    client = PastClient(changes=20_000)
    async with console(client, "changes", size=(80, 24)) as (_, pilot):
        await until_text(pilot, "changed 20,000", "web-00000")
        await pilot.press("G")
        await until_text(pilot, "web-19999")
        await pilot.press("g")
        await until_text(pilot, "web-00000")
        bodies = client.asked("POST", "/q/history/windows")
        assert all(body["before"] + body["after"] < 500 for body in bodies)
        assert all("to" not in body for body in bodies), "up to now: the engine says when that is"
        await pilot.press("slash", *"00042", "enter")
        await until_text(pilot, "1 match", "web-00042")
        await pilot.press("escape")
        await until_text(pilot, "20,000")


async def test_orders_and_wrong_filters() -> None:
    client = PastClient(changes=50)
    async with console(client, "changes") as (_, pilot):
        await until_text(pilot, "web-00000")
        await pilot.press("o", "o")
        await until_text(pilot, "web-00049")
        assert client.asked("POST", "/q/history/windows")[-1]["sort"] == [["name", True]]
        await pilot.press("slash", *"spoon:1")
        await until_text(pilot, "no column spoon")


async def test_other_times_and_the_timeline() -> None:
    client = PastClient()
    async with console(client, "changes", size=(120, 40)) as (app, pilot):
        await until_text(pilot, "web-00000")
        await pilot.press("u")
        await until_text(pilot, "between: 24h ago .. now")
        for _ in range(20):
            await pilot.press("backspace")
        await pilot.press(*"spoon", "enter")
        await until_text(pilot, "names no time")
        for _ in range(8):
            await pilot.press("backspace")
        await pilot.press(*"48h 2h", "enter")
        await until(pilot, lambda: app.pane.view.span == ("48h", "2h"))
        await pilot.press("t")
        await until_text(pilot, "timeline of all changes", "CHANGES", "####", "server 36  port 4")
        await pilot.press("enter")
        await until_text(pilot, "changes 300")
        since, to = app.pane.view.span
        assert since.startswith("2026-02-08T03:59:59.999999") and to.startswith("2026-02-08T04:59:59.999999")


async def test_deletions_and_the_report() -> None:
    client = PastClient()
    async with console(client, size=(120, 40)) as (app, pilot):
        await pilot.press("colon", *"deletions 7d ago volumes", "enter")
        await until_text(pilot, "volumes changes")
        view = app.pane.view
        assert (view.filter, view.format, view.type) == ("change:deleted", "each", "volume")
        await pilot.press("colon", *"report 30d ago", "enter")
        await until_text(pilot, "report: incomplete", "all changes", "of access and exposure", "→ server")
        await until_text(pilot, "were not listed for 28 h")
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view.kind == "changes" and app.pane.view.filter == "type:=user")
        await pilot.press("escape")
        await until_text(pilot, "report: incomplete")
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view.kind == "changes" and app.pane.view.type == "server")


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (80, 24), (160, 45)])
@pytest.mark.parametrize("view", ["changes", "timeline", "report", "history", "compare"])
async def test_hostile_names_in_every_size(view: str, size: tuple[int, int]) -> None:
    client = PastClient()
    opened = view if view in ("changes", "timeline", "report") else ""
    async with console(client, opened, size=size, theme="none") as (app, pilot):
        if not opened:
            await pilot.press("h")
            await until(pilot, lambda: app.pane.view.kind == "history" and app.table.loaded)
        if view == "compare":
            await pilot.press("enter")
            await until(pilot, lambda: app.pane.view.kind == "compare" and app.table.loaded)
        await pilot.press("j")
        await pilot.pause()
        screen = text(app)
        assert "\x1b" not in screen and "\u202e" not in screen
        assert len(lines(app)) == size[1] and all(len(line) <= size[0] for line in lines(app))
        assert sum(line[:1] == "▸" for line in lines(app)) == 1


@pytest.mark.parametrize("view", ["history", "compare", "changes"])
async def test_snapshots(view: str, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("tui.changes.today_here", lambda: DAY.astimezone() + timedelta(days=9))
    opened = "changes 2026-02-07T10:00:00Z .. 2026-02-08T10:00:00Z" if view == "changes" else ""
    async with console(PastClient(), opened) as (app, pilot):
        if view != "changes":
            await pilot.press("h")
            await until_text(pilot, "first seen")
        if view == "compare":
            await pilot.press("enter")
            await until_text(pilot, "metadata.owner")
        await pilot.press("j")
        await until(pilot, lambda: app.table.place and app.table.place.rank == 1)
        assert "\n".join(lines(app)) == snapshot
