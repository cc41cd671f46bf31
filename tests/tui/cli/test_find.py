"""`qdeck find`: what is asked, and the four ways to print the answer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import typer
import yaml

from tests.tui.test_find import SERVER, item
from tui.cli import find as module
from tui.cli.exits import NOT_FOUND
from tui.cli.options import GlobalOptions
from tui.cli.output import Format


class Engine:
    """Answers with `items`, and keeps what it was asked."""

    def __init__(self, items: list[dict[str, Any]], more: bool = False) -> None:
        self.answer = {"query": "x", "understood": "address", "at": None, "items": items, "more": more, "took_ms": 1.0}
        self.asked: list[tuple[str, Any]] = []

    def get(self, path: str, params: Any = None) -> Any:
        self.asked.append((path, params))
        return self.answer


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine([item(says="10.20.0.7 is web-3-new"), item(to="2020-01-02T03:04:00Z", gone=True)])

    @contextmanager
    def connected(options: GlobalOptions) -> Iterator[Engine]:
        yield engine

    monkeypatch.setattr(module, "connected", connected)
    return engine


def run(style: Format = Format.table, at: str | None = None, cloud: str | None = None) -> None:
    module.find(GlobalOptions(), "10.20.0.7", at, cloud, 50, style)


def test_a_table_for_people(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    run()
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["WHAT", "TYPE", "PROJECT", "OWNER", "HOST", "WHEN"]
    assert first.startswith("10.20.0.7 is web-3-new ") and "dba" in first and "cmp-02" in first
    assert second.startswith("10.20.0.7 was web-3 until 2020-01-0") and second.endswith(", gone")
    assert engine.asked == [("/q/find", {"q": "10.20.0.7", "limit": 50})]


def test_several_clouds_are_a_column(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.answer["items"].append(item(key=["other", "r", "x"]))
    run()
    assert "CLOUD" in capsys.readouterr().out.splitlines()[0]


def test_for_programs(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    run(Format.json)
    assert json.loads(capsys.readouterr().out) == engine.answer
    run(Format.yaml)
    assert yaml.safe_load(capsys.readouterr().out) == engine.answer
    run(Format.csv)
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["cloud"], row["region"], row["id"]) for row in rows] == [SERVER, SERVER]
    assert [row["to"] for row in rows] == ["", "2020-01-02T03:04:00Z"] and rows[0]["machine"] == "web-3"


def test_at_a_time_and_in_a_cloud(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    run(at="2026-11-20T10:00:00+02:00", cloud="prod")
    params = engine.asked[0][1]
    assert (params["at"], params["cloud"]) == ("2026-11-20T08:00:00Z", "prod")
    assert "as of " in capsys.readouterr().err


def test_more_and_nothing(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.answer["more"] = True
    run()
    assert "more are left out" in capsys.readouterr().err
    engine.answer |= {"items": [], "more": False}
    with pytest.raises((typer.Exit, SystemExit)) as stopped:
        run()
    assert getattr(stopped.value, "exit_code", getattr(stopped.value, "code", None)) == NOT_FOUND
    assert 'nothing has or had "10.20.0.7"' in capsys.readouterr().err


def test_hostile_names(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.answer["items"] = [item(says="\x1b[31mx\x07 is a server\n", owner="\u202eevil", host="\r")]
    run()
    out = capsys.readouterr().out
    assert not set(out) & {"\x1b", "\x07", "\r", "\u202e"} and len(out.splitlines()) == 2
