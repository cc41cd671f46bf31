"""`qdeck events` and `qdeck log`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tui.api.errors import ApiError
from tui.cli import events, log
from tui.cli.exits import FAILED, NOT_FOUND, PARTIAL
from tui.cli.options import GlobalOptions
from tui.cli.output import Format

KEY = ["lab", "r", "s-1"]
CHILD = {"at": "2026-02-08T09:00:01Z", "ended_at": None, "title": "compute_stop_instance", "detail": "boom",
         "level": "error", "host": "cmp-1"}  # fmt: skip
EVENT: dict[str, Any] = {
    "at": "2026-02-08T09:00:00Z", "source": "nova", "kind": "stop", "title": "stop", "detail": "boom", "actor": "anna",
    "grade": "cloud", "request_id": "req-1", "level": "error", "about": None, "changes": [], "children": [CHILD],
}  # fmt: skip


class Client:
    """An engine with one server, also one that is gone (s-0), and logs as they are read one after the other."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.logs: list[Any] = []
        self.asked: list[tuple[str, Any]] = []
        self.named = [{"key": KEY, "name": "web"}]

    def get(self, path: str, params: Any = None) -> Any:
        self.asked.append((path, params))
        if path == "/q/resolve":
            return {"items": self.named if params["ref"] in ("web", "s-1") else []}
        if path.endswith("/events"):
            about = {"type": "volume", "id": "v", "name": "data\x1b[31m"}
            items = [EVENT, {**EVENT, "about": about, "children": [], "title": "status a -> b", "actor": None}]
            return {"items": items, "problems": self.problems, "remarks": ["r"], "more": True, "name": "web"}
        if path.endswith("/console-log"):
            if not self.logs:
                raise KeyboardInterrupt
            lines = self.logs.pop(0)
            return {"text": "\n".join(lines), "lines": len(lines), "truncated": False, "name": "web"}
        if path == "/q/resources/server/s-0":
            return {"key": ["lab", "r", "s-0"]}
        raise ApiError(404, "there is no server")

    def post(self, path: str, json: Any = None) -> Any:
        self.asked.append((path, json))
        if json["filter"].startswith("name:"):
            return {"rows": [["lab", "r", "s-7", "nobody-01\x1b[2J"]] if "nobody" in json["filter"] else []}
        values = {"status": "ACTIVE", "host": "cmp-1", "project_name": "shop"}
        return {"rows": [[*KEY, *(values[name] for name in json["columns"])]]}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client()

    @contextmanager
    def connected(options: GlobalOptions) -> Iterator[Client]:
        yield made

    monkeypatch.setattr(events, "connected", connected)
    monkeypatch.setattr(log, "connected", connected)
    return made


def ask(output: Format = Format.table, ref: str = "web", since: str | None = None) -> None:
    events.events(GlobalOptions(), "servers", ref, since, 100, None, None, output)


def test_a_table_with_steps(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    ask()
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert "anna" in lines[1] and "boom" in lines[1]
    assert "  compute_stop_instance" in lines[2] and "cmp-1 boom" in lines[2]
    assert "volume data?[31m: status a -> b" in lines[3]
    assert "older events" in told.err


def test_json_and_csv(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    ask(Format.json)
    assert json.loads(capsys.readouterr().out)["items"][0] == EVENT
    ask(Format.csv)
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith("at,source,kind") and len(rows) == 4
    assert "compute_stop_instance" in rows[2]


def test_what_could_not_be_asked_is_said_and_ends_in_part(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.problems = ["instance actions of lab could not be read: no answer within 5 s"]
    with pytest.raises(SystemExit) as ended:
        ask()
    assert ended.value.code == PARTIAL
    assert "no answer within 5 s" in capsys.readouterr().err


def test_what_is_gone_is_found_by_its_id(client: Client) -> None:
    ask(ref="s-0", since="2001-01-01")
    path, params = client.asked[-1]
    assert path == "/q/resources/server/s-0/events"
    assert params["since"].startswith(("2000-12-31T", "2001-01-01T"))


@pytest.mark.parametrize(
    ("ref", "code", "words"),
    [
        ("nobody", NOT_FOUND, 'no servers with the id or name "nobody" (nobody-01?[2J?); `qdeck find nobody` looks'),
        ("noone", NOT_FOUND, 'no servers with the id or name "noone"; `qdeck find noone` looks'),
        ("web", FAILED, '"web" is the name of 2 servers; say which by its id:'),
    ],
)
def test_none_or_too_many(client: Client, capsys: pytest.CaptureFixture[str], ref: str, code: int, words: str) -> None:
    client.named = [{"key": KEY, "name": "web", "match": "name"}] * 2
    with pytest.raises(SystemExit) as ended:
        ask(ref=ref)
    told = capsys.readouterr().err
    assert (ended.value.code, words in told, "\x1b" in told) == (code, True, False), told
    assert ("cmp-1" in told and "shop" in told) == (code == FAILED)


def read(follow: bool = False, length: int = 2) -> None:
    log.log(GlobalOptions(), "web", length, follow, None, None, 0.0)


def test_the_last_lines(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.logs = [["a", "b\x1b[2J", "c"]]
    read()
    assert capsys.readouterr().out == "b?[2J\nc\n"
    client.logs = [[]]
    read()
    assert "has written nothing" in capsys.readouterr().err


def test_following_prints_what_is_new(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.logs = [["a", "b"], ["a", "b"], ["b", "c", "d"], ["x"]]
    with pytest.raises(KeyboardInterrupt):
        read(follow=True, length=1)
    told = capsys.readouterr()
    assert told.out == "b\nc\nd\nx\n"
    assert "began anew" in told.err
