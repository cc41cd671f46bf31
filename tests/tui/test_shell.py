"""Settings, activity, doubtful lists, the demo: what the console offers beside the inventory."""

import pytest

from tests.tui.fake import FakeClient, collection
from tests.tui.screen import console, lines, until, until_gone, until_text
from tui.api.errors import ApiError
from tui.panes.settings import value_of
from tui.state import History, View


async def go(pilot, line: str) -> None:  # type: ignore[no-untyped-def]
    await pilot.press("colon", *line.replace(" ", "~").replace("~", " "), "enter")


async def test_settings_show_where_each_value_comes_from() -> None:
    async with console(FakeClient(5), size=(120, 40)) as (_, pilot):
        await go(pilot, "settings")
        await until_text(pilot, "collection.interval_minutes", "file, locked", "180", "90", "default, file only")
        await pilot.press("j", "enter")
        await until_text(pilot, "it is set in /etc/qdeck/qdeck.toml, which wins")
        await pilot.press("j", "delete")
        await until_text(pilot, "only the configuration file")


async def test_a_setting_is_changed_and_a_wrong_value_can_be_corrected() -> None:
    client = FakeClient(5)
    async with console(client, size=(120, 40)) as (app, pilot):
        await go(pilot, "settings")
        await until_text(pilot, "enter changes it", "allowed: a whole number")
        await pilot.press("enter")
        client.fail_path["/q/settings/"] = ApiError(400, "value: 0 is too small; allowed is a whole number from 1")
        await pilot.press("backspace", "0", "enter")
        await until_text(pilot, "0 is too small")
        assert app.bar.is_open
        assert app.bar.value == "0"
        del client.fail_path["/q/settings/"]
        await pilot.press("backspace", "7", "enter")
        await until_text(pilot, "collection.interval_minutes is 7 now", "  7  ", "delete goes back to 5")
        assert client.asked("PUT", "/q/settings/collection.interval_minutes")[-1] == {"value": 7}
        await pilot.press("delete", "y", "enter")
        await until(pilot, lambda: client.asked("DELETE", "/q/settings/collection.interval_minutes"))


@pytest.mark.parametrize(
    ("text", "before", "value"),
    [
        ("7", 5, 7), ("2.5", 1.0, 2.5), ("yes", False, True), ("off", True, False), ("a, b", ["x"], ["a", "b"]),
        ("7", "text", "7"), ("soon", 5, "soon"), ("", [], []), ('{"a": 1}', {}, {"a": 1}), ("x", None, "x"),
    ],
)  # fmt: skip
def test_a_typed_value_is_of_the_kind_of_the_setting(text: str, before: object, value: object) -> None:
    assert value_of(text, before) == value


async def test_activity_holds_what_was_said_and_what_was_collected() -> None:
    client = FakeClient(5)
    client.collections = [collection("prod-eu", "done")]
    client.jobs = [{"id": "9", "number": 7, "title": "Stop 3 servers", "by": "dana", "state": "done", "done": 3,
                    "total": 3, "created_at": "2026-02-08T09:00:00Z"}]  # fmt: skip
    async with console(client, size=(120, 40)) as (_, pilot):
        await pilot.press("escape")
        await until_text(pilot, "this is the first view")
        await pilot.press("a")
        await until_text(pilot, "said", "this is the first view", "4,200 rows of 2 types", "7 Stop 3 servers, by dana")
        client.fail_path["/q/jobs"] = ApiError(403, "your role may not see jobs")
        await pilot.press("slash", *"collection", "enter")
        await until_gone(pilot, "first view;")
        await pilot.press("enter")
        await until_text(pilot, "PER S")


SUSPECT = {"cloud": "prod-eu", "region": "eu-1", "type": "server", "state": "suspect", "rows": 90,
           "age_seconds": 60, "reason": "40 of 90 rows vanished at once"}  # fmt: skip


@pytest.mark.parametrize(("word", "accept"), [("gone", True), ("there", False)])
async def test_a_doubtful_list_is_decided_from_the_list_itself(word: str, accept: bool) -> None:
    client = FakeClient(50)
    client.states = [SUSPECT]
    async with console(client, size=(120, 40)) as (_, pilot):
        await until_text(pilot, "suspect (= decides): 40 of 90")
        await pilot.press("=")
        await until_text(pilot, "prod-eu/eu-1 servers: gone or there?", "they count as deleted")
        await pilot.press("x", "enter")
        await until_text(pilot, "write gone")
        await pilot.press("backspace", *word, "enter")
        await until_text(pilot, "what vanished counts as")
        body = {"cloud": "prod-eu", "region": "eu-1", "type": "server", "accept": accept}
        assert client.asked("POST", "/q/suspects/decision") == [body]


async def test_listings_tell_what_is_doubtful_and_what_to_do() -> None:
    client = FakeClient(50)
    fine = SUSPECT | {"type": "volume", "state": "ok", "reason": None}
    client.listings = [fine, SUSPECT, SUSPECT | {"type": "port", "state": "failed", "reason": "neutron answered 503"}]
    async with console(client, size=(120, 40)) as (app, pilot):
        await pilot.press("0", "c")
        await until_text(pilot, "WHAT IS WRONG", "prod-eu")
        await pilot.press("l")
        await until_text(pilot, "▸▲ servers", "= decides whether", "✖ ports", "● volumes")
        await pilot.press("j")
        await until_text(pilot, "r reads this cloud again")
        await pilot.press("=")
        await until_text(pilot, "nothing vanished suspiciously")
        await pilot.press("k", "=")
        await until_text(pilot, "gone or there?")
        await pilot.press("escape", "enter")
        await until(pilot, lambda: app.pane.view.kind == "list" and app.pane.view.clouds == ("prod-eu",))


async def test_the_demo_is_one_key_away_when_there_is_no_cloud() -> None:
    client = FakeClient(0)
    client.clouds = []
    async with console(client) as (app, pilot):
        await until_text(pilot, "No cloud is set up", "press d")
        await pilot.press("d")
        await until(pilot, lambda: not app.is_running)
        assert app.leads_to_demo


async def test_a_first_start_leads_by_the_hand_whatever_was_left_open() -> None:
    client = FakeClient(0)
    client.clouds = []
    client.saved_view = History([View("help")], 0).to_json("", {})
    async with console(client) as (app, pilot):
        await until_text(pilot, "No cloud is set up")
        await until(pilot, lambda: app.pane.view.kind == "setup")


async def test_what_was_found_is_no_mistake_and_a_long_reason_is_told_in_full() -> None:
    client = FakeClient(0)
    client.clouds = []
    client.candidates = [{"name": "prod", "auth_url": "https://id.example/v3", "file": "clouds.yaml"}]
    async with console(client) as (app, pilot):
        await until_text(pilot, "enter tests prod")
        await pilot.press("enter")
        await until_text(pilot, "prod works; add it READ-ONLY?", "signed in as ops", "enter answer")
        assert [style for text, style in app.table.hint if "signed in" in text] == ["accent"]
        await pilot.press("x", "enter")
        await until_text(pilot, "y adds it, esc leaves it")
        assert [style for text, style in app.table.hint if "y adds it" in text] == ["error"]
        await pilot.press("escape")
        app.table.empty_text = "nothing: " + "said " * 40
        app.table.buffer.rows.clear()
        app.table.redraw()
        await until(pilot, lambda: sum(line.count("said") for line in lines(app)) == 40)


async def test_the_command_bar_offers_actions_and_says_why_not() -> None:
    client = FakeClient(30)
    async with console(client) as (app, pilot):
        await pilot.press("colon", *"mark")
        await until_text(pilot, "mark-all", "mark all rows that pass")
        await pilot.press(*" all", "down")
        await until_text(pilot, " ▸ mark-all")
        await pilot.press("enter")
        await until_text(pilot, "30 marked")
        await pilot.press("escape", "colon", *"mark-all", "enter")
        await until_text(pilot, "30 marked")
        await pilot.press("escape", "colon", *"next view", "down")
        await until_text(pilot, "not now: no view was left")
        await pilot.press("enter")
        assert app.bar.is_open
        await pilot.press("escape", "colon", *"wrap", "enter")
        await until_text(pilot, "wrap works in a console log")
        await pilot.press("escape", "colon", *"volumes", "enter")
        await until(pilot, lambda: app.pane.view.type == "volume")
        assert not app.offers.display


async def test_lines_that_were_typed_are_there_in_the_next_session() -> None:
    client = FakeClient(30)
    async with console(client) as (app, pilot):
        await pilot.press("colon", *"volumes", "enter", "slash", *"db", "enter")
        await until(pilot, lambda: client.saved_view and client.saved_view["lines"][":"] == ["volumes"])
    for view in ("", "ports"):
        async with console(client, view) as (app, pilot):
            await until(pilot, lambda: app.bar.earlier(":"))
            await pilot.press("colon")
            await until_text(pilot, "volumes                        as before")
            await pilot.press("up")
            assert app.bar.value == "volumes"
            await pilot.press("escape", "slash", "up")
            assert app.bar.value == "db"


async def test_a_kept_session_of_another_shape_is_no_harm() -> None:
    client = FakeClient(30)
    for kept in ([], {":": "x"}, {":": [1, "ports"]}, {":": None}, "x"):
        client.saved_view = {"lines": kept}
        async with console(client) as (app, pilot):
            await pilot.press("colon", "escape", "j")
            assert app.is_running
