"""`qdeck history` and `qdeck diff`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.tui.past import COLUMNS, FIELDS, VERSIONS, at
from tui.cli import history
from tui.cli.exits import NOT_FOUND, USAGE
from tui.cli.options import GlobalOptions
from tui.cli.output import Format

KEY = ["lab", "r", "s-1"]
HEAD = {"counts": {"changed": 2, "gone": 1}, "left_out": 0, "from": at(0), "to": at(5)}


def row(number: int) -> list[Any]:
    key = ["server", "lab", "r", f"s-{number}"]
    return [key, *key, "gone" if number % 3 == 2 else "changed", at(number), f"web-{number}\x1b[31m", "shop",
            "status ACTIVE -> ERROR", ["status"], 1, at(0), at(number)]  # fmt: skip


class Client:
    """An engine with `rows` differences, whose pages have three rows at most."""

    def __init__(self) -> None:
        self.rows = 3
        self.named = [{"type": "server", "key": KEY, "name": "web"}]
        self.asked: list[tuple[str, Any]] = []
        self.previous: Any = {"recorded_at": at(1)}

    def get(self, path: str, params: Any = None) -> Any:
        self.asked.append((path, params))
        if path == "/q/resolve":
            return {"items": self.named if params["ref"] == "web" else []}
        if path.startswith("/history/details/"):
            return {"resource_name": "web", "resource_id": "s-1", "exists": False, "total_versions": 4,
                    "changes": VERSIONS[: params["limit"]]}  # fmt: skip
        assert path == "/q/history/compare/server/s-1"
        return {"previous": self.previous, "current": {"recorded_at": at(4)}, "fields": FIELDS, "identical": False,
                "changes": []}  # fmt: skip

    def post(self, path: str, json: Any = None) -> Any:
        assert path == "/q/history/windows"
        self.asked.append((path, json))
        start = 0 if json["anchor"] == "start" else int(json["anchor"]["key"][3].rpartition("-")[2])
        stop = min(self.rows, start + min(json["after"], 2) + 1)
        found = [row(number) for number in range(start, stop)]
        return {"columns": COLUMNS, "rows": found, "anchor_index": 0 if found else None, "has_before": start > 0,
                "has_after": stop < self.rows, "total": self.rows, **HEAD}  # fmt: skip


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client()

    @contextmanager
    def connected(options: GlobalOptions) -> Iterator[Client]:
        yield made

    monkeypatch.setattr(history, "connected", connected)
    return made


def tell(words: list[str], output: Format = Format.table, *, fields: bool = False, limit: int = 100) -> None:
    history.history(GlobalOptions(), words, fields, limit, None, None, output)


def differ(words: list[str] | None = None, output: Format = Format.table, **more: Any) -> None:
    options = {"since": "2026-02-08T00:00Z", "until": None, "types": [], "filter_text": "", "each": False, "limit": 0}
    history.diff(GlobalOptions(), words or [], cloud=None, region=None, output=output, **{**options, **more})


@pytest.mark.parametrize("words", [["web"], ["server", "web"], ["servers", "web"]])
def test_versions_newest_first(client: Client, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    tell(words)
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].split() == ["WHEN", "CHANGE", "WHAT"], "nobody is named: no column for it"
    assert lines[1].endswith("changed     status ACTIVE -> ERROR; host cmp-1 -> cmp-2")
    assert "gone; was SHUTOFF" in lines[3] and len(lines) == 6
    assert "web: 4 versions; it is gone" in told.err
    assert client.asked[-1] == ("/history/details/server/s-1", {"cloud": "lab", "region": "r", "limit": 100})


def test_fields_and_formats(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    tell(["web"], fields=True)
    assert "  tags: a -> a, b" in capsys.readouterr().out
    tell(["web"], Format.json, limit=1)
    assert json.loads(capsys.readouterr().out)["changes"] == VERSIONS[:1]
    tell(["web"], Format.csv, limit=2)
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("recorded_at,change_type") and len(told) == 3
    tell(["web"], limit=2)
    assert "older versions than these 2 are left out" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "code", "why"), [
    (["nobody"], NOT_FOUND, "name the type too"), (["a", "b", "c"], USAGE, "name one resource"),
])  # fmt: skip
def test_who_is_meant(
    client: Client, capsys: pytest.CaptureFixture[str], words: list[str], code: int, why: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        tell(words)
    assert ended.value.code == code and why in capsys.readouterr().err


def test_a_name_of_several(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.named = [*client.named, {"type": "volume", "key": ["lab", "r", "v-1"], "name": "web\x1b[2J"}]
    with pytest.raises(SystemExit) as ended:
        tell(["web"])
    told = capsys.readouterr().err
    assert ended.value.code == USAGE and "volume v-1" in told and "\x1b" not in told


def test_what_is_different(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    differ()
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].split() == ["CHANGE", "TYPE", "NAME", "WHAT", "WHEN", "PROJECT", "ID"]
    assert len(lines) == 4 and "\x1b" not in told.out
    assert "2 changed, 1 gone" in told.err
    assert client.asked[-1][1]["from"] == "2026-02-08T00:00:00Z" and client.asked[-1][1]["to"] is None


def test_a_long_list_is_read_page_by_page(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.rows = 8
    differ(output=Format.json, types=["servers", "volume"], filter_text="change:gone", each=True)
    answer = json.loads(capsys.readouterr().out)
    assert [item["id"] for item in answer["items"]] == [f"s-{number}" for number in range(8)]
    assert answer["total"] == 8 and answer["counts"] == HEAD["counts"]
    body = client.asked[0][1]
    assert (body["types"], body["filter"], body["mode"]) == (["server", "volume"], "change:gone", "each")
    differ(limit=5)
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 6 and "these are 5 of 8" in told.err
    differ(output=Format.csv)
    assert len(capsys.readouterr().out.splitlines()) == 9


def test_the_fields_of_one_resource(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    differ(["web"])
    told = capsys.readouterr()
    assert [line.split()[0] for line in told.out.splitlines()] == ["FIELD", "status", "metadata.owner", "host"]
    assert "\x1b" not in told.out
    client.previous = None
    differ(["server", "web"])
    assert "old: it was not there" in capsys.readouterr().err
    differ(["web"], Format.json)
    assert json.loads(capsys.readouterr().out)["fields"] == FIELDS


@pytest.mark.parametrize(
    ("more", "why"),
    [({"since": "soon"}, "names no time"), ({"filter_text": "("}, "filter"), ({"types": ["spoon"]}, "spoon")],
)
def test_what_cannot_be_asked(
    client: Client, capsys: pytest.CaptureFixture[str], more: dict[str, Any], why: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        differ(**more)
    assert ended.value.code == USAGE and why in capsys.readouterr().err
