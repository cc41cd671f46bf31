"""What isn't well: engine away, no cloud, trouble with a cloud, hostile answers. Never an exit, never a traceback."""

import pytest

from tests.tui.fake import FakeClient, collection
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.api.errors import ApiError, EngineUnavailable, ProtocolMismatch
from tui.console import QuarterdeckApp

AWAY = EngineUnavailable("no engine runs here; `qdeck engine start` starts one")


async def test_an_engine_that_goes_away_is_a_state_with_an_age_and_the_rows_stay() -> None:
    client = FakeClient(300)
    async with console(client) as (app, pilot):
        client.fail = AWAY
        client.change()
        await until_text(pilot, "✖ no engine", "no engine runs here")
        assert "0000000-web" in text(app)
        await pilot.press("j", "pagedown")
        assert app.is_running
        client.fail = None
        client.override[0, "status"] = "PAUSED"
        await until_gone(pilot, "no engine")
        await pilot.press("g")
        await until_text(pilot, "PAUSED")


async def test_the_first_attempt_to_reach_the_engine_may_fail_many_times() -> None:
    client = FakeClient(20)
    failures = [AWAY, AWAY, ProtocolMismatch("this is qdeck 1 with protocol 1; install qdeck 2")]

    async def connect() -> FakeClient:
        if failures:
            raise failures.pop(0)
        return client

    app = QuarterdeckApp(connect, "servers")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_text(pilot, "✖ no engine", "no engine runs here")
        await until_text(pilot, "0000014-app")


async def test_a_slow_engine_is_waited_for_in_words() -> None:
    client = FakeClient(1000)
    async with console(client) as (app, pilot):
        client.answering.clear()
        await pilot.press("slash", "d", "b")
        await until_text(pilot, "waiting for the engine")
        assert "0000000-web" in text(app)
        client.answering.set()
        await until_text(pilot, "200 match")


async def test_without_a_cloud_the_operator_is_led_by_the_hand() -> None:
    client = FakeClient(0)
    client.clouds = []
    client.candidates = [{"name": "prod", "auth_url": "https://id.example/v3", "user": "ops", "file": "clouds.yaml"}]
    async with console(client) as (_app, pilot):
        await until_text(pilot, "add a cloud", "prod", "https://id.example/v3", "qdeck --demo")
        await pilot.press("enter")
        await until_text(pilot, "prod works; add it READ-ONLY?", "signed in as ops in all (reader), region eu-1")
        assert client.asked("POST", "/q/clouds") == []
        await pilot.press("y", "enter")
        await until_text(pilot, "PER S")
        assert client.asked("POST", "/q/clouds") == [{"account": "prod", "file": "clouds.yaml"}]
        assert client.asked("POST", "/q/collections") == [{}]


async def test_without_a_cloud_and_without_candidates() -> None:
    client = FakeClient(0)
    client.clouds = []
    async with console(client) as (_, pilot):
        await until_text(pilot, "No cloud is set up", "clouds.yaml", "qdeck --demo")


async def test_a_cloud_that_refuses_is_one_sentence() -> None:
    client = FakeClient(0)
    client.clouds = []
    client.candidates = [{"name": "prod"}]
    async with console(client) as (app, pilot):
        await until_text(pilot, "enter tests prod")
        client.fail_path["/q/clouds"] = ApiError(422, "prod: the password is wrong")
        await pilot.press("enter")
        await until_text(pilot, "the password is wrong")
        assert app.is_running


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"state": "suspect", "reason": "40 of 90 rows vanished at once"}, "suspect (= decides): 40 of 90 rows"),
        ({"state": "failed", "reason": "nova answered 503"}, "failed (r tries again): nova answered 503"),
        ({"state": "not_permitted", "reason": ""}, "not permitted: the account may not"),
        ({"state": "partial", "reason": None}, "partial (r tries again): the last listing broke off"),
    ],
)
async def test_trouble_with_the_data_on_screen_is_said(state: dict[str, object], words: str) -> None:
    client = FakeClient(50)
    client.states = [{"cloud": "prod-eu", "region": "eu-1", **state}]
    client.age = 720
    async with console(client, size=(120, 40)) as (_, pilot):
        await until_text(pilot, "▲ prod-eu/eu-1", words, "data 12m old")


async def test_alerts_leave_room_for_the_filter_and_for_what_is_wrong_with_the_list() -> None:
    client = FakeClient(50)
    client.states = [{"cloud": "prod-eu", "region": "eu-1", "state": "failed", "reason": "nova answered 503"}]
    async with console(client, "servers /web", size=(120, 24)) as (app, pilot):
        await until_text(pilot, "failed (r tries again): nova answered 503")
        app.world.problem_alert = ("p1", "✖ cmp-02 down; 0 shows it")
        app.world.job_alert = ("j1", "✖ job 7 failed; 7 shows it")
        app.show_lines()
        wanted = " /web  ▲ prod-eu/eu-1 failed (r tries again)  ✖ cmp-02 down; 0 shows it  ✖ job"
        await until(pilot, lambda: lines(app)[1].startswith(wanted), "in this order")


async def test_clouds_show_what_is_wrong_and_what_to_do() -> None:
    client = FakeClient(50)
    client.clouds[0] |= {"state": "unreachable", "reason": "https://id.example does not answer", "age_seconds": 720}
    async with console(client, size=(120, 40)) as (_, pilot):
        await pilot.press("0", "c")
        await until_text(pilot, "✖ prod-eu", "unreachable", "12m", "READ-ONLY", "tried again by itself")


async def test_a_collection_is_shown_type_by_type() -> None:
    client = FakeClient(0)
    client.clouds[0]["rows"] = {}
    client.collections = [collection("prod-eu")]
    async with console(client, size=(120, 40)) as (_, pilot):
        await until_text(pilot, "collecting prod-eu: 4,200 rows at 810/s")
        await pilot.press("0", "c", "c")
        await until_text(pilot, "PER S", "810", "4200", "queued")
        client.collections[0]["types"][0]["rows"] = 9000
        client.change({"topic": "collection", "id": "01"})
        await until_text(pilot, "9000")


async def test_hostile_names_act_on_nothing() -> None:
    client = FakeClient(30)
    names = [
        "\x1b[31mred\x1b]0;title\x07",
        "a\nb\tc",
        "\u202egnp",
        "漢字" * 20,
        "[bold]x[/bold]",
        "👩\u200d👧\u200d👦 fam",
        "\0",
    ]
    for index, name in enumerate(names):
        client.override[index, "name"] = name
        client.override[index, "fault"] = name
    async with console(client) as (app, pilot):
        for key in ["j"] * len(names) + ["g", "enter", "y", "q", "q"]:
            await pilot.press(key)
            shown = text(app)
            assert not set(shown) & set("\x1b\x07\0\t\u202e\u200d")
        await until_text(pilot, "[bold]x[/bold]")
        assert all(strip.cell_length == 80 for strip in app.screen._compositor.render_strips())


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"columns": ["name"], "rows": [["x"]]}, {"columns": 1, "rows": 2}, "x"]
)
async def test_answers_of_the_wrong_shape_are_one_sentence(answer: object) -> None:
    client = FakeClient(30)
    async with console(client, size=(140, 24)) as (app, pilot):
        client._window = lambda body: answer  # type: ignore[method-assign]
        client.change()
        await until_text(pilot, "the engine's answer about the list can't be read")
        assert "0000000-web" in text(app)


async def test_nulls_and_extra_fields_are_shown_as_they_are() -> None:
    client = FakeClient(5)
    for column in ("name", "status", "vcpus", "ram_mb", "ips", "created_at", "host"):
        client.override[1, column] = None
        client.override[2, column] = {"nested": ["x"]}
        client.override[3, column] = 10**40
    async with console(client) as (app, pilot):
        for key in ["j", "j", "j", "enter", "q", "o"]:
            await pilot.press(key)
        await until_text(pilot, "nested")
        assert app.is_running


async def test_an_unexpected_error_is_one_line_and_a_record_in_the_log(tmp_path) -> None:  # type: ignore[no-untyped-def]
    client = FakeClient(30)
    async with console(client, logs=tmp_path, size=(160, 24)) as (app, pilot):

        def broken(row: object) -> None:
            raise RuntimeError("boom\x1b[31m")

        app.pane.strip = broken  # type: ignore[assignment, method-assign]
        await pilot.press("j")
        await until_text(pilot, "didn't expect", "RuntimeError: boom")
        assert app.is_running
    logged = (tmp_path / "console.log").read_text(encoding="utf-8")
    assert "Traceback" in logged and "boom" in logged
    assert (tmp_path / "console.log").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("size", [(20, 5), (30, 8), (40, 10), (80, 24), (120, 40), (160, 45), (300, 80), (1, 1)])
@pytest.mark.parametrize("theme", ["dark", "none"])
async def test_every_size_can_be_worked_with(size: tuple[int, int], theme: str) -> None:
    async with console(FakeClient(500), size=size, theme=theme) as (app, pilot):
        for key in (
            "j",
            "right",
            "o",
            "slash",
            "w",
            "escape",
            "1",
            "question_mark",
            "q",
            "0",
            "enter",
            "colon",
            "escape",
        ):
            await pilot.press(key)
        await pilot.resize_terminal(size[0] + 7, size[1] + 3)
        await pilot.press("G", "y", "q")
        assert all(len(line) <= size[0] + 7 for line in lines(app))
        assert app.is_running


async def test_no_two_keys_clash() -> None:
    from tui.actions import ACTIONS, Action, clashes

    assert clashes() == []
    assert clashes([*ACTIONS, Action("other", ("j",), "other", ("list",))])
    assert clashes([Action("chord", ("ctrl+a",), "chord")])
    for action in ACTIONS:
        assert callable(getattr(QuarterdeckApp, f"action_{action.id}")), action.id
    async with console(FakeClient(5)) as (app, _):
        assert {key for key in app.active_bindings if key.startswith(("ctrl+", "alt+"))} <= {"ctrl+c"}
