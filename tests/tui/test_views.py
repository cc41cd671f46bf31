"""From view to view: command bar, filter, detail, documents, history, help, scope."""

import pytest

from tests.tui.fake import FakeClient
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.actions import ACTIONS, actions_in, symbol
from tui.panes.choices import GRAMMAR


async def typed(pilot, words: str) -> None:  # type: ignore[no-untyped-def]
    """Type words as a person does."""
    names = {" ": "space", ":": "colon", "/": "slash", "@": "at", "!": "exclamation_mark", "_": "underscore"}
    await pilot.press(*[names.get(char, char) for char in words])


async def test_filter_shows_rows_while_it_is_typed() -> None:
    client = FakeClient(1000)
    async with console(client) as (app, pilot):
        await pilot.press("slash")
        await typed(pilot, "db")
        await until_text(pilot, "200 match")
        assert app.bar.is_open and "0000001-db" in lines(app)[3]
        await pilot.press("enter")
        await until(pilot, lambda: not app.bar.is_open)
        assert "/db" in lines(app)[1]
        await pilot.press("escape")
        await until_gone(pilot, "match")
        await until_text(pilot, "0000002-cache")
        assert app.table.value("name") == "0000001-db"  # the row under the cursor stays


async def test_escape_in_the_bar_gives_the_former_filter_back() -> None:
    async with console(FakeClient(1000)) as (app, pilot):
        await pilot.press("slash", "d", "b", "enter")
        await until_text(pilot, "200 match")
        await pilot.press("slash")
        await typed(pilot, " error")
        await until(pilot, lambda: app.table.spec.filter == "db error")
        await pilot.press("escape")
        await until(pilot, lambda: app.table.spec.filter == "db")
        assert not app.bar.is_open


@pytest.mark.parametrize(
    ("filter", "sentence"),
    [
        ('"open', "never closed"),
        ("nosuch:1", "no column"),
        ("(a", "never closed"),
    ],
)
async def test_a_wrong_filter_is_one_sentence_under_the_bar(filter: str, sentence: str) -> None:
    client = FakeClient(100)
    async with console(client) as (app, pilot):
        before = text(app)
        await pilot.press("slash")
        app.bar.put(filter)
        await until_text(pilot, sentence)
        assert sentence in lines(app)[2]  # under the bar
        await pilot.press("enter")
        await pilot.pause()
        assert app.bar.is_open
        assert all(body["filter"] == "" for body in client.asked("POST", "/q/windows"))
        await pilot.press("escape")
        await until(pilot, lambda: not app.bar.is_open)
        assert lines(app)[3] == before.split("\n")[3]


async def test_filter_completes_columns() -> None:
    async with console(FakeClient(100)) as (app, pilot):
        await pilot.press("slash", "s", "t", "a")
        await until_text(pilot, "status:")
        await pilot.press("tab")
        await until(pilot, lambda: app.bar.value == "status:")


async def test_keys_are_text_while_the_bar_is_open() -> None:
    async with console(FakeClient(100)) as (app, pilot):
        await pilot.press("slash", "q", "j", "r", "0", "minus")
        assert app.bar.value == "qjr0-"
        assert app.is_running and app.pane.view.kind == "list"


@pytest.mark.parametrize(
    ("line", "type", "filter", "sort"),
    [
        ("volumes", "volume", "", ()),
        ("vol", "volume", "", ()),
        ("servers /web status:error sort:age:desc", "server", "web status:error", (("created_at", True),)),
        ("fip", "floating_ip", "", ()),
    ],
)
async def test_the_command_bar_goes_to_any_type(
    line: str, type: str, filter: str, sort: tuple[tuple[str, bool], ...]
) -> None:
    async with console(FakeClient(100)) as (app, pilot):
        await pilot.press("colon")
        app.bar.put(line)
        await pilot.press("enter")
        await until(pilot, lambda: not app.bar.is_open)
        view = app.pane.view
        assert (view.type, view.filter, view.sort) == (type, filter, sort)


async def test_the_command_bar_names_the_cloud() -> None:
    client = FakeClient(100)
    async with console(client) as (_app, pilot):
        await pilot.press("colon")
        await typed(pilot, "servers @prod-eu")
        await pilot.press("enter")
        await until(pilot, lambda: client.asked("POST", "/q/windows")[-1].get("clouds") == ["prod-eu"])


async def test_completion_of_types() -> None:
    async with console(FakeClient(100)) as (app, pilot):
        await pilot.press("colon", "h", "y", "p")
        await until_text(pilot, "hypervisors")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: app.pane.view.type == "hypervisor")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("theme mauve", "write :theme with one of"),
        ("s", "fits several resource types"),
        ("nosuchthing /web", "there is no resource type 'nosuchthing'"),
        ("find", "write :find and a name"),
    ],
)
async def test_a_wrong_command_is_one_sentence_and_the_bar_stays(line: str, sentence: str) -> None:
    async with console(FakeClient(100)) as (app, pilot):
        await pilot.press("colon")
        await typed(pilot, line)
        await pilot.press("enter")
        await until_text(pilot, sentence)
        assert app.bar.is_open
        await pilot.press("escape")
        await until(pilot, lambda: not app.bar.is_open)


async def test_a_command_with_a_wrong_filter_is_not_run() -> None:
    client = FakeClient(100)
    async with console(client) as (app, pilot):
        await pilot.press("colon")
        await typed(pilot, "servers nosuch:1")
        await pilot.press("enter")
        await until_text(pilot, "servers have no column 'nosuch'")
        assert app.bar.is_open
        assert all(body["filter"] == "" for body in client.asked("POST", "/q/windows"))


async def test_the_bar_remembers_what_was_entered() -> None:
    async with console(FakeClient(100)) as (app, pilot):
        await pilot.press("colon")
        await typed(pilot, "volumes")
        await pilot.press("enter", "colon", "up")
        await until(pilot, lambda: app.bar.value == "volumes")


async def test_detail_links_and_the_document() -> None:
    client = FakeClient(100)
    async with console(client) as (app, pilot):
        await pilot.press("j", "enter")
        await until_text(pilot, "server 0000001-db", "→ volumes", "project_id")
        await pilot.press("y")
        await until_text(pilot, "YAML", "id: 00000001-", "'[red]markup[/red]': 'a: b'")
        await pilot.press("y")
        await until_text(pilot, "JSON", '"[red]markup[/red]": "a: b"')
        await pilot.press("q")
        await until_text(pilot, "→ volumes")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view.type == "volume")
        assert app.pane.view.filter.startswith("server_ids:=00000001-")
        await pilot.press("q", "q")
        await until_text(pilot, "▸● 0000001-db")


async def test_the_strip_shows_what_hangs_on_the_row() -> None:
    async with console(FakeClient(100), size=(120, 40)) as (_, pilot):
        await until_text(pilot, "volumes 3", "ports 2", "flavor m1.small")


async def test_history_goes_back_ahead_and_between_two_views() -> None:
    async with console(FakeClient(100)) as (app, pilot):
        await pilot.press("j", "j", "j", "1")
        await until_text(pilot, "inventory")
        app.action_clouds()
        await until_text(pilot, "WHAT IS WRONG")
        await pilot.press("left_square_bracket")
        await until_text(pilot, "GO TO WITH")
        await pilot.press("left_square_bracket")
        await until_text(pilot, "▸● 0000003-batch")
        await pilot.press("right_square_bracket")
        await until_text(pilot, "GO TO WITH")
        await pilot.press("minus")
        await until_text(pilot, "WHAT IS WRONG")
        await pilot.press("minus")
        await until_text(pilot, "GO TO WITH")


async def test_inventory_counts_and_opens_types() -> None:
    async with console(FakeClient(100)) as (app, pilot):
        await pilot.press("1")
        await until_text(pilot, "Servers", "100", "Volumes")
        await pilot.press("slash", "v", "o", "l", "u", "enter", "enter")
        await until(pilot, lambda: app.pane.view.type == "volume")


@pytest.mark.parametrize(("key", "group"), [("j", "in lists of resources"), ("enter", "in the view of one resource")])
async def test_help_tells_the_keys_that_work_here_and_no_others(key: str, group: str) -> None:
    async with console(FakeClient(100), size=(120, 90)) as (app, pilot):
        await pilot.press(key)
        places = app.pane.places
        await pilot.press("question_mark")
        await until_text(pilot, "open what is under the cursor", f"── {group} ──", "── everywhere ──")
        shown = text(app)
        here = actions_in(places)
        for action in ACTIONS:
            assert (f"{action.title[:60]}" in shown) == (action in here), action.id
            assert action not in here or symbol(action.keys[0]) in shown


async def test_help_says_why_a_key_does_nothing_now_and_can_be_filtered() -> None:
    async with console(FakeClient(0), size=(120, 60)) as (_, pilot):
        await pilot.press("question_mark")
        await until_text(pilot, "not now, no row is under the cursor: the whole document as YAML")
        await pilot.press("slash", *"range", "enter")
        await until_text(pilot, "begin a range")
        await until_gone(pilot, "whole document")


async def test_scope_limits_the_list() -> None:
    client = FakeClient(100)
    async with console(client) as (app, pilot):
        await pilot.press("at")
        await until_text(pilot, "all clouds, all projects")
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view.kind == "list" and app.pane.view.clouds == ("prod-eu",))
        await pilot.press("at")
        await until_text(pilot, "all clouds, all projects")
        await pilot.press("q")
        await until(pilot, lambda: app.pane.view.kind == "list")


async def test_refresh_asks_for_a_collection_of_what_is_shown() -> None:
    client = FakeClient(100)
    async with console(client) as (_app, pilot):
        await pilot.press("r")
        await until_text(pilot, "asked for newer servers")
        assert client.asked("POST", "/q/collections") == [{"types": ["server"]}]


async def test_q_closes_views_and_then_leaves() -> None:
    client = FakeClient(100)
    async with console(client) as (app, pilot):
        await pilot.press("1")
        await until_text(pilot, "inventory")
        await pilot.press("q")
        await until_text(pilot, "0000000-web")
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)
        assert app.return_code == 0
        assert client.saved_view["view"]["type"] == "server"


async def test_ctrl_c_leaves_on_the_second_press() -> None:
    async with console(FakeClient(100)) as (app, pilot):
        await pilot.press("ctrl+c")
        await until_text(pilot, "ctrl+c again leaves")
        assert app.is_running
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not app.is_running)


async def test_the_view_is_kept_and_found_again() -> None:
    client = FakeClient(100)
    async with console(client) as (_, pilot):
        await pilot.press("slash", "w", "e", "b", "enter")
        await until_text(pilot, "20 match")
        await pilot.press("j")
        await until(pilot, lambda: client.saved_view and client.saved_view["view"]["cursor"], "view kept")
    again = FakeClient(100)
    again.saved_view = client.saved_view
    async with console(again) as (_app, pilot):
        await until_text(pilot, "/web", "20 match", "▸◐ 0000005-web")


@pytest.mark.parametrize(
    "kept", [{"view": {"kind": "nonsense"}}, ["x"], "x", {"view": {"kind": "list", "type": "gone"}}]
)
async def test_a_kept_view_that_makes_no_sense_is_ignored(kept: object) -> None:
    client = FakeClient(100)
    client.saved_view = kept
    async with console(client) as (_, pilot):
        await until_text(pilot, "0000000-web")


async def test_theme_is_chosen_and_kept() -> None:
    client = FakeClient(100)
    async with console(client) as (app, pilot):
        await pilot.press("colon")
        await typed(pilot, "theme light")
        await pilot.press("enter")
        await until(pilot, lambda: app.theme_name == "light")
        await until(pilot, lambda: client.saved_view and client.saved_view["theme"] == "light")


async def test_all_projects_can_be_chosen_though_a_window_holds_only_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.panes.choices.PAGE", 2)

    class Projects(FakeClient):
        async def post(self, path, json=None, params=None):  # type: ignore[no-untyped-def]
            if json.get("type") != "project":
                return await super().post(path, json, params)
            start = 0 if json["anchor"] == "start" else int(json["anchor"]["key"][2])
            rows = [["prod-eu", "", str(n), f"project-{n}"] for n in range(start, min(5, start + json["after"] + 1))]
            return {"columns": ["cloud", "region", "id", "name"], "rows": rows, "has_after": rows[-1][2] != "4"}

    async with console(Projects(10)) as (_, pilot):
        await pilot.press("at")
        await until_text(pilot, "all clouds", *[f"project-{n} " for n in range(5)])


async def test_what_is_looked_at_most_is_offered_first() -> None:
    async with console(FakeClient(10)) as (app, pilot):
        await pilot.press("colon")
        await until_text(pilot, "servers ", "the list of servers", "the list of volumes", "tab complete")
        await pilot.press("tab")
        await until(pilot, lambda: app.bar.value == "servers")


async def test_the_column_cursor_moves_both_ways() -> None:
    async with console(FakeClient(10)) as (_, pilot):
        await pilot.press("right", "o")
        await until_text(pilot, "↑status")
        await pilot.press("left", "o")
        await until_text(pilot, "↑name")


async def test_the_grammar_in_the_help_fits_a_small_screen() -> None:
    async with console(FakeClient(10)) as (app, pilot):
        await pilot.press("question_mark")
        await until_text(pilot, "DOES")
        await pilot.press("G")
        await until_text(pilot, ":theme dark|light|contrast|ansi|none", *[text.split("  ")[0] for text in GRAMMAR])
        assert "…" not in "\n".join(lines(app)[-10:])
