"""`l`: the console log of a server, followed and searched; and the events of anything."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from tests.tui.fake import FakeClient
from tests.tui.screen import console, lines, text, until, until_gone, until_text
from tui.acting import logs as acting
from tui.api.errors import ApiError
from tui.console import QuarterdeckApp
from tui.logtext import has_times, matching, new_lines, pieces, without_time
from tui.state import View, view_of_json

KEY = ("prod-eu", "eu-1", "00000000-7e1f-4a4c-9c1d-000000000000")
LOG = "GET", f"/q/servers/{KEY[2]}/console-log"


def event(**more: Any) -> dict[str, Any]:
    return {
        "at": "2026-02-08T09:00:00Z", "source": "nova", "kind": "stop", "title": "stop", "detail": "", "actor": "anna",
        "grade": "cloud", "request_id": "req-1", "level": "info", "about": None, "changes": [], "children": [], **more,
    }  # fmt: skip


class LogClient(FakeClient):
    """A console log of `written` lines, and events."""

    def __init__(self) -> None:
        super().__init__(50)
        self.written = [f"[{number:5d}.000000] line {number}" for number in range(300)]
        self.events = [event()]
        self.problems: list[str] = []

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        if path.endswith("/console-log"):
            self._note("GET", path, params)
            await self._wait(path)
            text = "\n".join(self.written[-params["length"] :])
            return {"text": text, "lines": len(self.written), "truncated": False, "name": "web-1"}
        if path.endswith("/events"):
            self._note("GET", path, params)
            await self._wait(path)
            return {"items": self.events, "problems": self.problems, "remarks": [], "more": False, "name": "web-1"}
        return await super().get(path, params, json)


NEW: list[tuple[list[str], list[str], int]] = [
    ([], ["a", "b"], 2),
    (["a", "b"], ["a", "b"], 0),
    (["a", "b"], ["b", "c", "d"], 2),
    (["a", "b", "log"], ["b", "login: x", "c"], 2),
    (["a", "b"], ["x", "y"], 2),
    (["a", "a", "a"], ["a", "a", "a"], 0),
    (["a", "b"], [], 0),
]


@pytest.mark.parametrize(("before", "now", "new"), NEW)
def test_what_is_new(before: list[str], now: list[str], new: int) -> None:
    assert new_lines(before, now) == new


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[   12.345678] Linux", "Linux"),
        ("2026-11-25T06:00:00Z started", "started"),
        ("Nov 25 06:00:00 web-1 cron", "web-1 cron"),
        ("[  OK  ] Started", "[  OK  ] Started"),
    ],
)
def test_times_in_front(line: str, words: str) -> None:
    assert without_time(line) == words
    assert has_times([line]) == (line != words)


def test_pieces_and_matches() -> None:
    assert pieces("abcdef", 4) == ["abcd", "ef"]
    assert pieces("名前名前", 5) == ["名前", "名前"]
    assert pieces("", 10) == [""]
    assert matching(["a", "B", "b"], "b", 0, 1) == 1
    assert matching(["a", "B", "b"], "b", 2, -1) == 2
    assert matching(["a"], "x", 0, 1) is None


async def opened(app: QuarterdeckApp, pilot: Any, kind: str = "log") -> None:
    await pilot.press("l")
    await until(pilot, lambda: app.pane.view.kind == kind and app.table.loaded and app.table.current is not None)


def under_cursor(app: QuarterdeckApp) -> str:
    return str(app.table.current.values[0]) if app.table.current else ""


async def test_a_log_opens_at_its_end_and_leads_to_the_events_and_back() -> None:
    client = LogClient()
    async with console(client) as (app, pilot):
        await opened(app, pilot)
        await until_text(pilot, "line 299", "line 285", "log web-1")
        assert under_cursor(app).endswith("line 299")
        assert client.asked(*LOG) == [{"cloud": "prod-eu", "region": "eu-1", "length": 1000}]
        await opened(app, pilot, "events")
        await until_text(pilot, "events web-1", "stop", "anna")
        await opened(app, pilot, "log")
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view.kind == "list")


async def test_following_reads_the_end_again_while_one_stands_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "FOLLOW_SECONDS", 0.02)
    client = LogClient()
    async with console(client) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("f")
        await until_text(pilot, "following")
        client.written.append("the newest line")
        await until(pilot, lambda: under_cursor(app) == "the newest line")
        # Away from the end nothing moves, and nothing is asked.
        await pilot.press("k")
        await until(pilot, lambda: not app._at_end())
        await pilot.pause(0.1)
        before = len(client.asked(*LOG))
        client.written.append("one more")
        await pilot.pause(0.2)
        assert len(client.asked(*LOG)) == before and "one more" not in text(app)
        await pilot.press("G")
        await until(pilot, lambda: under_cursor(app) == "one more")
        await pilot.press("f")
        await until_gone(pilot, "· following")


async def test_older_lines_that_are_pushed_out_move_nothing() -> None:
    client = LogClient()
    client.written = [f"line {number}" for number in range(1000)]
    async with console(client) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("k", "k", "k")
        await until(pilot, lambda: under_cursor(app) == "line 996")
        client.written = client.written[7:] + [f"new {number}" for number in range(7)]
        await pilot.press("r")
        await until(pilot, lambda: len(client.asked(*LOG)) == 2 and app.table.loaded)
        await pilot.press("k")
        await until(pilot, lambda: under_cursor(app) == "line 995")
        await pilot.press("G")
        await until(pilot, lambda: under_cursor(app) == "new 6")


async def test_searching() -> None:
    client = LogClient()
    client.written[40] = client.written[200] = "Kernel panic - not syncing"
    async with console(client) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("n")
        await until_text(pilot, "/ looks for something first")
        await pilot.press("slash")
        app.bar.put("kernel PANIC")
        await pilot.press("enter")
        await until(pilot, lambda: under_cursor(app).startswith("Kernel"))
        here = app.table.buffer.cursor - app.table.buffer.top + 1
        parts = [part.text for part in app.table.render_line(here) if part.style and part.style.underline]
        assert parts == ["Kernel panic"], "what was looked for stands out"
        first = app.table.current
        await pilot.press("n")
        await until(pilot, lambda: app.table.current is not None and app.table.current.key != first.key)
        assert under_cursor(app).startswith("Kernel")
        await pilot.press("N")
        await until(pilot, lambda: app.table.current is not None and app.table.current.key == first.key)
        await pilot.press("slash")
        app.bar.put("nowhere")
        await pilot.press("enter")
        await until_text(pilot, "no line has 'nowhere'")
        assert app.bar.is_open


async def test_wrapping_and_times() -> None:
    client = LogClient()
    client.written = ["[    1.000000] " + "word " * 40 + "END"]
    async with console(client) as (app, pilot):
        await opened(app, pilot)
        await until_text(pilot, "END", "[    1.000000]")
        await pilot.press("w")
        await until_gone(pilot, "END")
        await pilot.press("w")
        await until_text(pilot, "END")
        await pilot.press("t")
        await until_gone(pilot, "[    1.000000]")
        await pilot.resize_terminal(120, 24)
        await until(pilot, lambda: sum("word" in line for line in lines(app)) == 2)


async def test_what_a_reader_may_not_is_a_sentence() -> None:
    client = LogClient()
    client.fail_path["/q/servers/"] = ApiError(403, "this account may not read the console log: a reader may not")
    async with console(client) as (app, pilot):
        await pilot.press("l")
        await until_text(pilot, "a reader may not")
        client.fail_path.clear()
        await opened(app, pilot, "events")


async def test_a_follower_whose_engine_fails_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "FOLLOW_SECONDS", 0.02)
    client = LogClient()
    async with console(client) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("f")
        client.fail_path["/q/servers/"] = ApiError(504, "Nova did not answer")
        await until_text(pilot, "Nova did not answer")
        assert not app.pane.following  # type: ignore[attr-defined]
        assert "line 299" in text(app)


async def test_events_with_steps_problems_and_what_they_are_about() -> None:
    client = LogClient()
    step = {"at": "2026-02-08T09:00:00Z", "ended_at": None, "title": "compute_stop_instance", "detail": "boom",
            "level": "error", "host": "cmp-1"}  # fmt: skip
    about = {"type": "volume", "id": "v-1", "name": "data-1"}
    client.events = [
        event(title="status in-use -> error", source="state", actor=None, grade="unknown", level="error", about=about),
        event(level="error", detail="boom", children=[step]),
    ]
    client.problems = ["volume messages of prod-eu could not be read: no answer within 5 s"]
    async with console(client, size=(160, 40)) as (app, pilot):
        await opened(app, pilot)
        await opened(app, pilot, "events")
        await until_text(
            pilot, "could not be read: no answer", "volume data-1: status in-use", "└ compute_stop_instance"
        )
        await pilot.press("j")
        await until_text(pilot, "nobody that is named", "the cloud does not say who")
        await pilot.press("enter")
        await until(pilot, lambda: app.pane.view.kind == "detail")
        assert app.pane.view.subject == ("prod-eu", "eu-1", "v-1")
        await pilot.press("l")  # a volume has events only
        await until(pilot, lambda: app.pane.view.kind == "events" and app.table.loaded)
        await pilot.press("l")
        await until_text(pilot, "a volume has no console log")


async def test_hostile_logs_and_events_act_on_nothing() -> None:
    client = LogClient()
    client.written = ["\x1b[31mred\x1b]0;t\x07", "\u202egnp.exe", "[bold]x[/bold]"]
    client.events = [event(title="\x1b[2J[bold]boo", detail="\r\n\x07", actor="\u202eevil")]
    async with console(client) as (app, pilot):
        await opened(app, pilot)
        await until_text(pilot, "[bold]x[/bold]")
        assert not set(text(app)) & {"\x1b", "\x07", "\r", "\u202e"}
        await opened(app, pilot, "events")
        await until_text(pilot, "[bold]boo")
        assert not set(text(app)) & {"\x1b", "\x07", "\r", "\u202e"}


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (200, 60)])
async def test_any_size(size: tuple[int, int]) -> None:
    client = LogClient()
    async with console(client, size=size) as (app, pilot):
        for kind in ("log", "events"):
            await opened(app, pilot, kind)
            assert len(lines(app)) == size[1]


def test_the_views_come_back() -> None:
    for kind in ("log", "events"):
        view = View(kind, "server", subject=KEY)
        assert view_of_json(asdict(view)) == view
        assert view_of_json(asdict(View(kind, "server", subject=("x",)))) is None
