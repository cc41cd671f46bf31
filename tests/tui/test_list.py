"""Lists: moving, live refresh, order, columns, marks; what is asked of the engine on the way."""

import pytest

from tests.tui.fake import FakeClient
from tests.tui.screen import console, lines, text, until, until_gone, until_text


async def test_first_rows_with_context_and_age() -> None:
    async with console(FakeClient(12_408)) as (app, pilot):
        await until_text(pilot, "1/12,408", "data 42s old")
        first = lines(app)[0]
        assert "prod-eu · all projects · READ-ONLY" in first
        assert "servers 12,408" in first and "? help" in first
        assert lines(app)[2].split()[:4] == ["NAME", "STATUS", "PROJECT", "HOST"]
        assert lines(app)[3].startswith("▸● 0000000-web")
        assert all(len(line) <= 80 for line in lines(app))


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        (["j", "j"], 2),
        (["down", "down", "k"], 1),
        (["j", "up"], 0),
        (["pagedown"], 16),
        (["pagedown", "pageup"], 0),
        (["right_curly_bracket"], 8),
        (["right_curly_bracket", "left_curly_bracket"], 0),
        (["G"], 4999),
        (["end", "k"], 4998),
        (["G", "g"], 0),
        (["G", "home", "j"], 1),
    ],
)
async def test_keys_move_the_cursor(keys: list[str], row: int) -> None:
    async with console(FakeClient(5000)) as (app, pilot):
        for key in keys:
            await pilot.press(key)
            await until(pilot, lambda: not app.table._asked, "no question open")
        await until(pilot, lambda: app.table.place and app.table.place.rank == row, f"rank {row}")
        assert app.table.value("name").startswith(f"{row:07d}-")  # type: ignore[union-attr]
        assert sum(line.startswith("▸") for line in lines(app)) == 1


async def test_keys_run_ahead_of_a_slow_engine_and_are_caught_up_with() -> None:
    client = FakeClient(5000)
    async with console(client) as (app, pilot):
        client.delay = 0.15
        await pilot.press(*["pagedown"] * 12)
        await until(
            pilot, lambda: app.table.place and app.table.place.rank == 12 * app.table.page_rows, "all pages done"
        )


async def test_a_list_is_read_by_windows_and_only_a_margin_is_kept() -> None:
    client = FakeClient(1_000_000)
    async with console(client) as (app, pilot):
        for _ in range(60):
            await pilot.press("pagedown")
        await until(pilot, lambda: app.table.place and app.table.place.rank == 60 * app.table.page_rows)
        assert len(app.table.buffer.rows) < 500
        assert all(body["before"] + body["after"] <= 200 for body in client.asked("POST", "/q/windows"))


async def test_new_data_keeps_cursor_and_scroll() -> None:
    client = FakeClient(5000)
    async with console(client) as (app, pilot):
        await pilot.press("pagedown", "j", "j", "j")
        await until(pilot, lambda: not app.table._asked)
        before = next(n for n, line in enumerate(lines(app)) if line.startswith("▸"))
        name = app.table.value("name")
        client.gone = set(range(5))
        client.override[20, "status"] = "SUSPENDED"
        client.change()
        await until_text(pilot, "SUSPEN")
        assert app.table.value("name") == name
        assert next(n for n, line in enumerate(lines(app)) if line.startswith("▸")) == before
        await until_text(pilot, "15/4,995")


async def test_a_row_that_is_gone_stays_struck_through_until_the_cursor_moves() -> None:
    client = FakeClient(200)
    async with console(client) as (app, pilot):
        await pilot.press("j", "j", "j")
        client.gone = {3}
        client.change()
        await until_text(pilot, "gone: the newest listing")
        assert app.table.value("name") == "0000003-batch"
        segments = [s for s in app.table._lines[4] if "0000003-batch" in s.text]
        assert segments[0].style is not None and segments[0].style.strike
        await pilot.press("j")
        await until_gone(pilot, "0000003-batch")
        assert app.table.value("name") == "0000004-app"


async def test_everything_may_go_and_come_back() -> None:
    client = FakeClient(3)
    async with console(client) as (_app, pilot):
        client.rows = 0
        client.clouds[0]["rows"]["server"] = 0
        client.change()
        await until_text(pilot, "there are no servers")
        client.rows = 3
        client.change()
        await until_text(pilot, "0000002-cache")


async def test_hints_about_other_types_are_ignored_and_bursts_are_coalesced() -> None:
    client = FakeClient(200)
    async with console(client) as (app, pilot):
        await until(pilot, lambda: not app.table._asked)
        before = len(client.asked("POST", "/q/windows"))
        client.change({"topic": "data", "type": "keypair", "cloud": "prod-eu", "version": 2})
        await until(pilot, lambda: client.asked("GET", "/q/changes")[-1].get("since") == client.seq)
        assert len(client.asked("POST", "/q/windows")) == before
        client.delay = 0.1
        for _ in range(30):
            client.change()
            await pilot.pause(0.01)
        client.delay = 0
        client.override[0, "status"] = "PAUSED"
        client.change()
        await until_text(pilot, "PAUSED")
        assert len(client.asked("POST", "/q/windows")) - before < 8


async def test_pause_stops_live_refresh_and_says_so() -> None:
    client = FakeClient(200)
    async with console(client) as (app, pilot):
        await pilot.press("p")
        await until_text(pilot, "PAUSED")
        asked = len(client.asked("POST", "/q/windows"))
        client.override[0, "status"] = "RESCUE"
        client.change()
        await until(pilot, lambda: client.asked("GET", "/q/changes")[-1].get("since") == client.seq)
        assert len(client.asked("POST", "/q/windows")) == asked
        await pilot.press("p")
        await until_text(pilot, "RESCUE")
        assert "PAUSED" not in text(app)


async def test_sort_by_the_column_under_the_cursor() -> None:
    client = FakeClient(300)
    async with console(client) as (app, pilot):
        await pilot.press("right", "right", "right", "right", "o")
        await until_text(pilot, "vCPU↑", "↑vcpus")
        assert client.asked("POST", "/q/windows")[-1]["sort"] == [["vcpus", False]]
        await pilot.press("o")
        await until_text(pilot, "vCPU↓")
        await until(pilot, lambda: app.table.value("vcpus") == 32)
        await pilot.press("o")
        await until_gone(pilot, "vCPU↓")
        assert client.asked("POST", "/q/windows")[-1]["sort"] == []


async def test_columns_scroll_and_the_name_stays() -> None:
    async with console(FakeClient(50)) as (app, pilot):
        assert "FLAVOR" not in lines(app)[2]
        for _ in range(12):
            await pilot.press("right")
        await until(pilot, lambda: "◂" in lines(app)[2], "columns scrolled away")
        assert lines(app)[2].split()[0].startswith("NAME")
        app.table.move_column(len(app.table.heads))
        await until(pilot, lambda: "ID" in lines(app)[2].split(), "the last column")
        app.table.move_column(-len(app.table.heads))
        await until_text(pilot, "STATUS")
        assert "◂" not in lines(app)[2]


async def test_marks() -> None:
    async with console(FakeClient(50)) as (app, pilot):
        await pilot.press("space", "space")
        await until_text(pilot, "2 marked")
        assert lines(app)[3].startswith("+")
        await pilot.press("escape")
        await until_gone(pilot, "marked")


@pytest.mark.parametrize("end", ["v", "escape"])
async def test_rows_keep_their_places_under_a_range(end: str) -> None:
    client = FakeClient(50)
    async with console(client) as (app, pilot):
        await pilot.press("v", "j", "j")
        await until_text(pilot, "range of 3")
        asked = len(client.asked("POST", "/q/windows"))
        client.gone = {1}
        client.change()
        await until(pilot, lambda: app.held_back, "it was heard")
        assert len(client.asked("POST", "/q/windows")) == asked and "0000001-db" in text(app)
        await pilot.press(end)
        await until(pilot, lambda: len(client.asked("POST", "/q/windows")) > asked, "read again")
        await until(pilot, lambda: not app.held_back and "0000001-db" not in text(app), "the newest rows")


async def test_a_range_marks_what_lies_between() -> None:
    async with console(FakeClient(50)) as (app, pilot):
        await pilot.press("j", "v", "j", "j", "j")
        await until_text(pilot, "range of 4")
        await until(pilot, lambda: [line[0] for line in lines(app)[3:9]] == list(" +++▹ "), "four rows stand out")
        await pilot.press("v")
        await until_text(pilot, "4 marked")
        assert "move to the other end" not in text(app), "what was asked for is done"
        await pilot.press("v", "j", "escape")  # the range is forgotten, the marks stay
        await until_text(pilot, "4 marked")
        await pilot.press("escape")
        await until_gone(pilot, "marked")


@pytest.mark.parametrize(("start", "end"), [("g", "G"), ("G", "g")])
async def test_a_range_over_rows_that_are_not_here_any_more(start: str, end: str) -> None:
    async with console(FakeClient(3000)) as (app, pilot):
        await pilot.press(start)
        await until(pilot, lambda: not app.table._asked, "there")
        await pilot.press("v", end)
        await until(pilot, lambda: not app.table._asked, "at the other end")
        await pilot.press("v")
        await until_text(pilot, "3,000 marked")


async def test_all_that_pass_but_one() -> None:
    async with console(FakeClient(1000), "servers /web") as (app, pilot):
        await until_text(pilot, "200 match")
        await pilot.press("asterisk", "space")
        await until_text(pilot, "199 marked")
        assert lines(app)[3][0] == " " and lines(app)[4][0] == "▹" and lines(app)[5][0] == "+"
        await pilot.press("slash", "backspace", "backspace", "backspace", "d", "b", "enter")
        await until_text(pilot, "/db")
        await until_gone(pilot, "marked")  # "all" was said of another list


async def test_stale_answers_are_dropped() -> None:
    client = FakeClient(1000)
    async with console(client) as (app, pilot):
        client.delay = 0.2
        await pilot.press("slash", "d", "b")
        await pilot.pause(0.1)  # the first question is on its way
        client.delay = 0
        await pilot.press("backspace", "backspace", "w", "e", "b")
        await until_text(pilot, "200 match")
        await until(pilot, lambda: not app.table._tasks, "all answers are here")
        assert all("-web" in line for line in lines(app)[3:19])


async def test_only_lines_that_changed_are_repainted() -> None:
    async with console(FakeClient(500)) as (app, pilot):
        await until(pilot, lambda: not app.table._asked)
        regions: list[int] = []
        refresh = app.table.refresh

        def counting(*areas: object, **options: object) -> object:
            regions.append(len(areas))
            return refresh(*areas, **options)  # type: ignore[arg-type]

        app.table.refresh = counting  # type: ignore[method-assign]
        await pilot.press("j")
        await until(pilot, lambda: regions)
        assert regions == [2]  # the row that the cursor left, and the one it reached


async def test_several_clouds_are_a_column_and_a_number() -> None:
    client = FakeClient(50)
    from tests.tui.fake import cloud

    client.clouds.append(cloud("prod-us", 7))
    async with console(client) as (app, pilot):
        await until_text(pilot, "all 2 clouds", "CLOUD")
        assert lines(app)[2].split()[:2] == ["NAME", "CLOUD"]
