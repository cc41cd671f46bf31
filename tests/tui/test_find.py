"""`:` and anything that is neither a verb nor a type: a list of what it is or was."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.types import registry
from tests.tui.fake import FakeClient
from tests.tui.screen import console, lines, text, until, until_text
from tui.commands import CommandError, understand
from tui.found import is_value, period, sentence
from tui.state import DEFAULT, KINDS, View, view_of_json, view_of_text

SERVER = ("prod-eu", "eu-1", "00000001-7e1f-4a4c-9c1d-000000001eef")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def item(**more: Any) -> dict[str, Any]:
    """An answer as the engine gives it."""
    return {
        "type": "server",
        "key": list(SERVER),
        "name": "web-3",
        "what": "10.20.0.7 was web-3 until Tue 14:02 UTC",
        "says": "10.20.0.7 was web-3",
        "value": "10.20.0.7",
        "project": "acme-prod",
        "domain": "dom",
        "creator": "m.levi",
        "owner": "dba",
        "machine": {"key": list(SERVER), "name": "web-3"},
        "host": "cmp-02",
        "network": "blue",
        "status": "ACTIVE",
        "from": "2026-11-20T10:00:00Z",
        "to": None,
        "gone": False,
        "why": "addresses",
        **more,
    }


class FindClient(FakeClient):
    """Answers `/q/find` with `found`."""

    found: tuple[dict[str, Any], ...] = ()

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        if path != "/q/find":
            return await super().get(path, params, json)
        self._note("GET", path, params)
        return {"query": params["q"], "understood": "address", "items": list(self.found), "more": False}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("web-3", "web-3"),
        ("10.20.0.7", "10.20.0.7"),
        ("10.20.0.0/22", "10.20.0.0/22"),
        ("10.20.0.7:443", "10.20.0.7:443"),
        ("fd00::7", "fd00::7"),
        ("[fd00::7]:22", "[fd00::7]:22"),
        ("fa:16:3e:00:11:22", "fa:16:3e:00:11:22"),
        ("FA16.3E00.1122", "FA16.3E00.1122"),
        ("77aa0000-11", "77aa0000-11"),
        ("req-8f1c2d3e", "req-8f1c2d3e"),
        ("https://10.20.0.7/x", "https://10.20.0.7/x"),
        ("owner dba", "owner dba"),
        ("find servers", "servers"),
        ("find  two   words ", "two words"),
        ("FIND web", "web"),
    ],
)
def test_what_is_looked_for(line: str, wanted: str) -> None:
    command = understand(line, View("list", "server", at="2026-11-20T00:00:00Z"))
    assert command.view == View("find", subject=(wanted,), at="2026-11-20T00:00:00Z")


@pytest.mark.parametrize(
    "line", ["servers", "vms", "vol /web", "status:error", "/web", "clouds", "theme dark", "name:=a"]
)
def test_what_is_not(line: str) -> None:
    command = understand(line, DEFAULT)
    assert command.view is None or command.view.kind == "list"


@pytest.mark.parametrize("line", ["s", "nosuch /web", "nosuch sort:age", "nosuch @prod", "find", "find  "])
def test_what_is_wrong(line: str) -> None:
    with pytest.raises(CommandError):
        understand(line, DEFAULT)


def test_no_type_or_filter_is_taken_for_a_value() -> None:
    names = [word for type in registry.ALL.values() for word in (*type.aliases, type.name, type.plural)]
    columns = [f"{column.name}:x" for type in registry.ALL.values() for column in type.view_columns]
    assert not [
        word for word in (*names, *columns, "sort:age:desc", "ram:8G..64G", "created_at:12:30") if is_value(word)
    ]


def test_a_view_as_text_and_json() -> None:
    view = view_of_text("find 10.20.0.7", DEFAULT)
    assert view == View("find", subject=("10.20.0.7",)) and view.text() == "find 10.20.0.7"
    kept = replace(view, cursor=(*SERVER, "server", "2026-11-01T00:00:00Z"))
    assert "find" in KINDS and view_of_json(asdict(kept)) == kept


@pytest.mark.parametrize(
    ("more", "says", "when"),
    [
        ({}, "10.20.0.7 was web-3", "since Fri 10:00"),
        ({"to": "2026-11-24T14:02:00Z"}, "10.20.0.7 was web-3 until Tue 14:02", "Fri 10:00 - Tue 14:02"),
        (
            {"from": "2026-10-01T00:00:00Z", "to": "2026-11-02T14:02:00Z", "gone": True},
            "10.20.0.7 was web-3 until 2026-11-02 14:02",
            "2026-10-01 00:00 - 2026-11-02 14:02, gone",
        ),
        ({"replaced_by": "s-new"}, "10.20.0.7 was web-3, replaced by s-new", "since Fri 10:00"),
        ({"in_place_of": "s-old"}, "10.20.0.7 was web-3, in the place of s-old", "since Fri 10:00"),
        ({"type": "audit", "to": "2026-11-20T10:00:00Z"}, "10.20.0.7 was web-3, Fri 10:00", "Fri 10:00"),
    ],
)
def test_words_of_an_answer(more: dict[str, Any], says: str, when: str) -> None:
    assert (sentence(item(**more), NOW), period(item(**more), NOW)) == (says, when)


async def test_from_an_address_to_the_machine_and_back() -> None:
    client = FindClient(100)
    ended = (datetime.now(UTC) - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    client.found = (item(says="10.20.0.7 is web-3-new"), item(to=ended, **{"from": "2026-11-01T00:00:00Z"}))
    async with console(client) as (app, pilot):
        await pilot.press("colon")
        app.bar.put("10.20.0.7")
        await pilot.press("enter")
        await until_text(pilot, "find 10.20.0.7", "10.20.0.7 is web-3-new", "10.20.0.7 was web-3 until")
        await until_text(pilot, "owner dba", "host cmp-02", "network blue", "made by m.levi")
        assert client.asked("GET", "/q/find")[-1] == {"q": "10.20.0.7", "limit": 200}
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view.kind == "detail" and app.table.loaded)
        assert app.pane.view.subject == SERVER
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view.kind == "find" and app.table.loaded)
        await until(pilot, lambda: app.table.current is not None and app.table.current.key[4].startswith("2026-11-01"))


async def test_nothing_found_says_what_to_do() -> None:
    async with console(FindClient(100), "find servres") as (_app, pilot):
        await until_text(pilot, "nothing has or had servres", "did you mean :servers ?")


async def test_hostile_names_act_on_nothing() -> None:
    client = FindClient(100)
    client.found = (
        item(says="\x1b[31m10.0.0.1\x07 is [bold]x\u202e\n", name="\x1b]0;t\x07", owner="\x1b[2J", value="\r"),
    )
    async with console(client, "find x") as (app, pilot):
        await until(pilot, lambda: app.table.current is not None and app.pane.strip(app.table.current))
        await until_text(pilot, "[bold]x")
        assert not set(text(app)) & {"\x1b", "\x07", "\r", "\u202e"}


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (160, 45)])
async def test_any_size(size: tuple[int, int]) -> None:
    client = FindClient(100)
    client.found = (item(), item(type="audit", key=["", "", "42"], machine=None, host=None))
    async with console(client, "find 10.20.0.7", size) as (app, pilot):
        await until(pilot, lambda: app.table.current is not None)
        assert len(lines(app)) == size[1]
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.pane.view == View("record", subject=("42",)), "the audit's record")
        await pilot.press("escape")
        await until(pilot, lambda: app.pane.view.kind == "find" and app.table.current, "back at the answers")
