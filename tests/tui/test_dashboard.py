"""The first screen and its like in the app: filled in as answers come, walked with keys, every number opened."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from textual.pilot import Pilot

from tests.tui.fake import cloud
from tests.tui.figures import DETAIL, SUMMARY, watched
from tests.tui.screen import console, lines, text, until, until_text
from tests.tui.troubles import USUAL
from tui.api.errors import ApiError, EngineUnavailable
from tui.commands import understand
from tui.console import QuarterdeckApp
from tui.early import PATH, PROBLEMS, Early, _first_view, window_body
from tui.panes.dashboard import DashboardPane
from tui.state import DEFAULT, HOME, History, View, left_long_ago, view_of_json
from tui.world import World

TENANT = View("tenant", subject=("prod-eu", "id-acme-prod"))


async def filled(app: QuarterdeckApp, pilot: Pilot) -> None:
    """Wait until every part is there and drawn."""
    await until(pilot, lambda: app.pane.facts and set(app.pane.facts) == set(app.pane.parts()), "all parts")
    await until(pilot, lambda: not app.table._tasks and not app.table._drawing)


def marked(app: QuarterdeckApp) -> str:
    """The line under the cursor."""
    return next(line for line in lines(app) if "▸" in line)


async def test_it_is_the_first_screen_and_answers_the_question() -> None:
    client = watched()
    async with console(client, home=HOME) as (app, pilot):
        await filled(app, pilot)
        assert app.pane.view.kind == "dashboard"
        shown = lines(app)
        assert "is anything wrong?" in shown[0] and shown[2].startswith("▸PROBLEMS ✖ 1 critical ▲ 4 warning")
        assert "✖ cmp-02: nova-compute is down" in shown[3]
        for words in ("CLOUDS  ● prod-eu 42s", "90% in 41d", "not enough data", "by allocation", "critical      2",
                      "unprotected  2,013", "12,408 servers", "✖ acme-prod 46"):  # fmt: skip
            assert words in text(app), words


async def test_frames_are_there_before_any_answer_and_each_part_as_it_comes() -> None:
    client = watched()
    client.answering.clear()
    app = QuarterdeckApp(lambda: asyncio.sleep(0, client))
    async with app.run_test(size=(80, 24)) as pilot:
        await until_text(pilot, "PROBLEMS  …", "─ capacity ─", "─ tenants ─")
        client.answering.set()
        await filled(app, pilot)
        assert "12,408 servers" in text(app)


async def test_problems_that_were_read_early_are_in_the_first_frame() -> None:
    client = watched()
    answer = client.problems({})
    client.answering.clear()
    early = Early(HOME, {}, None, {"items": client.clouds}, {PATH: (PROBLEMS, answer)})
    app = QuarterdeckApp(lambda: asyncio.sleep(0, client), early=early)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_text(pilot, "cmp-02: nova-compute is down", "CLOUDS  ● prod-eu")
        client.answering.set()
        await filled(app, pilot)


def test_what_is_read_early_is_what_is_asked_first() -> None:
    view = _first_view("", None)
    assert view == HOME and window_body(view) is None
    assert DashboardPane(view, World()).parts()["problems"] == (PATH, PROBLEMS)
    assert _first_view("servers", {"view": {}}).kind == "list"


@pytest.mark.parametrize(
    ("at", "long"),
    [
        ("2026-02-08T09:00:00+00:00", False),
        ("2026-02-08T04:00:01+00:00", False),
        ("2026-02-08T03:59:59+00:00", True),
        ("2026-02-08T09:00:00", False),  # without a zone: of no release
        ("yesterday", False),
        (None, False),
    ],
)
def test_a_shift_later_the_first_screen_comes_first(at: object, long: bool) -> None:
    now = datetime(2026, 2, 8, 12, 0, tzinfo=UTC)
    assert left_long_ago({"at": at}, now) is long and not left_long_ago(None, now)
    session = History([DEFAULT], 0).to_json("") | {"at": "2020-01-01T00:00:00+00:00"}
    assert _first_view("", session) == HOME


async def test_what_was_left_a_shift_ago_is_one_step_back() -> None:
    client = watched()
    client.saved_view = History([View("list", "server", filter="web")], 0).to_json("")
    client.saved_view["at"] = "2020-01-01T00:00:00+00:00"
    async with console(client, home=HOME) as (app, pilot):
        await until(pilot, lambda: app.pane.view.kind == "dashboard" and len(app.history.views) == 2)
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view.filter == "web")
        await app.save()
        assert not left_long_ago(client.saved_view, datetime.now(UTC))


async def test_a_part_that_fails_takes_nothing_else_with_it() -> None:
    client = watched()
    client.fail_path["/dashboard/capacity-pressure"] = ApiError(500, "the store is busy")
    async with console(client, home=HOME) as (_, pilot):
        await until_text(pilot, "not known: the store is busy", "12,408 servers", "critical      2")


async def test_an_answer_of_another_shape_is_no_end() -> None:
    client = watched()
    client.answers["/dashboard/health-summary"] = {"total_vms": "many", "behind": 3}
    client.answers["/tenant-health/overview"] = ["?"]
    async with console(client, home=HOME) as (app, pilot):
        await until_text(pilot, "critical      2", "is down", "not known: the answer can't be read")
        assert app.is_running


@pytest.mark.parametrize(
    ("keys", "view"),
    [
        (("enter",), View("problems")),
        (("right", "enter"), View("problems", filter="severity:=critical muted:=no")),
        (("down", "enter"), View("detail", "compute_service", subject=("prod-eu", "eu-1", "7"))),
        (("j", "j", "enter"), View("list", "volume", "status:detaching project_name:acme-prod", clouds=("prod-eu",))),
        (("exclamation_mark",), View("problems")),
        (("c",), View("clouds")),
        (("t",), View("health")),
        (("G", "enter"), View("health")),
        (("tab", "tab", "tab", "tab", "shift+tab", "enter"), View("problems", filter="severity:=info muted:=no")),
    ],
)
async def test_keys_lead_to_the_lists(keys: tuple[str, ...], view: View) -> None:
    async with console(watched(), home=HOME) as (app, pilot):
        await filled(app, pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: replace(app.pane.view, cursor=(), line=0, columns=()) == view, f"{view}")


async def test_escape_leads_back_from_the_list_behind_a_number() -> None:
    async with console(watched(), home=HOME) as (app, pilot):
        await filled(app, pilot)
        for keys, kind in ((("right",), "problems"), (("G",), "health")):
            await pilot.press(*keys, "enter")
            await until(pilot, lambda kind=kind: app.pane.view.kind == kind and app.table.loaded)
            await pilot.press("escape")
            await until(pilot, lambda: app.pane.view.kind == "dashboard")


async def test_every_number_opens_something() -> None:
    async with console(watched(), home=HOME, size=(160, 45)) as (app, pilot):
        await filled(app, pilot)
        spots = app.pane.board.spots
        assert len(spots) > 50
        dead = [key for key, spot in spots.items() if spot.view is None]
        assert dead == []
        for spot in spots.values():
            assert spot.about, spot.key
            assert view_of_json(asdict(spot.view)) is not None, spot.view


async def test_the_cursor_stays_where_it_is_while_numbers_change_and_comes_back() -> None:
    client = watched()
    async with console(client, home=HOME) as (app, pilot):
        await filled(app, pilot)
        await pilot.press("j", "j", "j", "j", "j", "j", "j")
        await until(pilot, lambda: "vCPU" in marked(app))
        client.answers["/dashboard/health-summary"] = SUMMARY | {"total_vms": 13_000}
        app.pane._asked_at.clear()
        client.change()
        await until_text(pilot, "13,000 servers")
        assert "vCPU" in marked(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view.type == "hypervisor")
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view.kind == "dashboard" and "vCPU" in marked(app))


async def test_what_is_under_the_cursor_is_explained() -> None:
    async with console(watched(), home=HOME) as (app, pilot):
        await filled(app, pilot)
        app.pane.go("capacity vcpu")
        await until_text(pilot, "5,110 vCPU of 7,200 vCPU", "80 % sure", "90 % in 41d (33d to 62d)")
        app.pane.go("hosts use")
        await until_text(pilot, "no metrics source is configured")


async def test_many_hints_are_one_question_for_each_part() -> None:
    client = watched()
    async with console(client, home=HOME) as (app, pilot):
        await filled(app, pilot)
        for _ in range(5):
            client.change()
            await pilot.pause(0.02)
        await pilot.pause(0.5)
        assert len(client.asked("GET", "/dashboard/health-summary")) == 1
        assert app.pane.tick()  # it is not forgotten


async def test_what_costs_the_engine_much_is_asked_for_less_often() -> None:
    client = watched()
    async with console(client, home=HOME) as (app, pilot):
        await filled(app, pilot)
        app.pane._took.clear()
        assert app.pane._gap("summary") == 5.0 and app.pane._gap("problems") == 1.0
        app.pane._took["summary"] = 3.0
        assert app.pane._gap("summary") == 60.0


async def test_a_screen_that_grows_and_shrinks_keeps_the_cursor_in_sight() -> None:
    async with console(watched(), home=HOME, size=(160, 45)) as (app, pilot):
        await filled(app, pilot)
        await pilot.press("G")
        for size in ((20, 5), (80, 24), (40, 10), (300, 80), (20, 5)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: app.size == size)
            await until(pilot, lambda: sum("▸" in line for line in lines(app)) == 1)
            assert all(len(line) <= size[0] for line in lines(app))


async def test_a_click_moves_and_a_second_one_opens() -> None:
    async with console(watched(), home=HOME) as (app, pilot):
        await filled(app, pilot)
        await pilot.click("#table", offset=(5, 2))
        await until(pilot, lambda: "9 volumes" in marked(app))
        await pilot.click("#table", offset=(5, 2))
        await until(pilot, lambda: app.pane.view.type == "volume")


async def test_one_cloud_is_asked_for_alone() -> None:
    client = watched()
    client.clouds.append(cloud("prod-us", 9))
    async with console(client, home=View("dashboard", clouds=("prod-us",))) as (app, pilot):
        await filled(app, pilot)
        assert all(params["cloud"] == "prod-us" for params in client.asked("GET", "/dashboard/health-summary"))
        assert "prod-us" in text(app) and "● prod-eu" not in text(app)


async def test_an_engine_that_goes_away_leaves_everything_on_screen() -> None:
    client = watched()
    async with console(client, home=HOME) as (app, pilot):
        await filled(app, pilot)
        client.fail = EngineUnavailable("no engine runs here")
        client.change()
        await until_text(pilot, "✖ no engine")
        assert "12,408 servers" in text(app) and "not known" not in text(app)


async def test_without_a_cloud_the_operator_is_led_by_the_hand() -> None:
    client = watched()
    client.clouds, client.problem_items = [], []
    client.answers["/dashboard/health-summary"] = SUMMARY | {"total_vms": 0, "total_volumes": 0}
    client.candidates = [{"name": "prod", "auth_url": "https://id.example/v3", "user": "ops", "file": "clouds.yaml"}]
    async with console(client, home=HOME) as (_, pilot):
        await until_text(pilot, "https://id.example/v3")


async def test_what_an_earlier_cloud_left_is_shown() -> None:
    client = watched()
    client.clouds = []
    async with console(client, home=HOME) as (app, pilot):
        await filled(app, pilot)
        assert "12,408 servers" in text(app) and "none is watched yet" in text(app)


@pytest.mark.parametrize(("line", "action"), [("home", "home"), ("dashboard", "home"), ("clouds", "clouds")])
def test_words_of_the_command_bar(line: str, action: str) -> None:
    assert understand(line, DEFAULT).action == action
    assert understand("health band:=critical", DEFAULT).view == View("health", filter="band:=critical")


# Tenants


async def test_tenants_are_listed_filtered_and_opened() -> None:
    async with console(watched(), home=HOME) as (app, pilot):
        await filled(app, pilot)
        app._run_command("health band:critical")
        await until_text(pilot, "✖ acme-prod", "-20 2 servers in ERROR (10 each)", "▓  62%")
        assert "lab-00" not in text(app)
        await until_text(pilot, "46 of 100, critical", "310 servers, 217 run")
        await pilot.press("enter")
        await until_text(pilot, "health of acme-prod", "46 of 100 critical", "score 71 ↓ 46")
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view.type == "server" and app.pane.view.filter == "status:error")


async def test_the_heatmap_is_another_view_of_them() -> None:
    async with console(watched(), home=View("health")) as (app, pilot):
        await until_text(pilot, "acme-prod")
        await pilot.press("v")
        await until_text(pilot, "▓▓ acme-prod  62%", "░░ lab-01      3%")
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view == replace(TENANT, cursor=app.pane.view.cursor))
        await pilot.press("escape", "v")
        await until_text(pilot, "LOST POINTS FOR")


async def test_quota_is_asked_of_the_cloud_only_when_somebody_wants_it() -> None:
    client = watched()
    path = "/tenant-health/quota/id-acme-prod"
    async with console(client, home=TENANT) as (app, pilot):
        await filled(app, pilot)
        assert client.asked("GET", path) == [] and "u asks the cloud" in text(app)
        await pilot.press("u")
        await until_text(pilot, "310/400", "no limit")
        assert client.asked("GET", path) == [{"cloud": "prod-eu"}]


async def test_a_tenant_that_is_gone_is_a_sentence() -> None:
    client = watched()
    client.fail_path["/tenant-health/"] = ApiError(404, "there is no such project")
    async with console(client, home=TENANT) as (_, pilot):
        await until_text(pilot, "not known: there is no such project")


async def test_hostile_names_stay_texts_everywhere() -> None:
    client = watched(*[{**item, "title": DETAIL["top_volumes"][0]["volume_name"]} for item in USUAL])
    client.clouds.append(cloud("\x1b[31mred\u202e", 1) | {"reason": "\x1b]0;x\x07", "state": "\nfailed"})
    for home in (HOME, TENANT, View("health"), View("heatmap")):
        async with console(client, home=home, size=(160, 45)) as (app, pilot):
            await until_text(pilot, "�]0;tit")
            assert not set("\x1b\x07\u202e\r") & set(text(app))
            assert all(len(line) <= 160 for line in lines(app))
