"""`qdeck problems`: the list, the codes of monitoring checks, and what people do with a problem."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.tui.fake import FakeClient
from tests.tui.troubles import HOSTILE, USUAL, problem
from tui.api.client import EngineUnavailable
from tui.cli import problems as module
from tui.cli.commands import app
from tui.cli.exits import NO_ENGINE, NOT_FOUND, USAGE, leave
from tui.cli.options import GlobalOptions

MUTED = {"muted_until": "2126-02-08T09:00:00Z"}


class Engine:
    """Answers with `items`, and keeps what was sent."""

    def __init__(self, items: list[dict[str, Any]], missed: list[str] | None = None) -> None:
        self._fake = FakeClient()
        self._fake.problem_items = items
        self.missed = missed or []
        self.sent: list[tuple[str, str, Any]] = []
        self.fails: Exception | None = None

    def get(self, path: str, params: Any = None) -> Any:
        return {**self._fake.problems(params), "problems": self.missed}

    def post(self, path: str, json: Any = None) -> Any:
        self.sent.append(("POST", path, json))

    def delete(self, path: str) -> Any:
        self.sent.append(("DELETE", path, None))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine([dict(item) for item in USUAL])

    @contextmanager
    def connected(options: GlobalOptions) -> Iterator[Engine]:
        if engine.fails is not None:
            leave(NO_ENGINE, str(engine.fails))
        yield engine

    monkeypatch.setattr(module, "connected", connected)
    return engine


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["problems", *words])


@pytest.mark.parametrize(
    ("severities", "missed", "code"),
    [
        ([], [], 0),
        (["info"], [], 0),
        (["warning"], [], 1),
        (["warning", "critical", "info"], [], 2),
        ([], ["x"], 3),
        (["warning"], ["x"], 3),
        (["critical"], ["x"], 2),
    ],
)
def test_codes_of_monitoring(severities: list[str], missed: list[str], code: int) -> None:
    items = [problem(str(n), "x", severity) for n, severity in enumerate(severities)]
    assert module.code_of(items, missed) == code
    muted = [{**item, **MUTED} for item in items]
    assert module.code_of(muted, missed) == (3 if missed else 0)


def test_the_worst_decides_and_filters_count(engine: Engine) -> None:
    assert run().exit_code == 2
    assert run("--severity", "warning").exit_code == 1
    assert run("-f", "severity:info").exit_code == 0
    assert run("-f", "title:nothing-like-it").exit_code == 0
    engine.missed = ["the store could not be judged"]
    assert run("-f", "title:nothing-like-it").exit_code == 3


def test_what_is_not_known_is_never_a_warning(engine: Engine) -> None:
    assert run("--severity", "bad").exit_code == 3
    assert run("-f", "colour:red").exit_code == 3
    engine.fails = EngineUnavailable("no engine answers")
    assert run().exit_code == 3


def test_a_table_for_people(engine: Engine) -> None:
    done = run()
    rows = done.stdout.splitlines()
    assert rows[0].split() == ["LEVEL", "SINCE", "TITLE", "WHO", "DETAIL", "ID"]
    assert rows[1].split()[:2] == ["critical", "6m"] and rows[1].endswith("aa01")
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout and len(rows) == 7
    assert "quota of lab" in run("--muted").stdout


def test_for_programs(engine: Engine) -> None:
    answer = json.loads(run("-o", "json", "-f", "rule:disk or owner:dana").stdout)
    assert [item["id"] for item in answer["items"]] == ["bb02", "ee05"] and answer["counts"]["critical"] == 1
    rows = list(csv.DictReader(io.StringIO(run("-o", "csv", "--muted").stdout)))
    assert rows[0]["resource"] == "7" and rows[-1]["muted_by"] == "anna"
    assert not any(cell.startswith("=") for row in rows for cell in row.values())


def test_one_line_for_a_check(engine: Engine) -> None:
    done = run("--check")
    assert done.stdout == ("CRITICAL - cmp-02: nova-compute is down (+4 more) | critical=1 warning=4 info=1 muted=0\n")
    assert done.exit_code == 2
    engine._fake.problem_items = [problem("x", f"a|b {HOSTILE}")]
    line = run("--check").stdout
    assert line.startswith("WARNING - a/b ") and line.count("|") == 1 and line.count("\n") == 1 and "\x1b" not in line
    engine._fake.problem_items = []
    assert run("--check").stdout == "OK - nothing is wrong | critical=0 warning=0 info=0 muted=0\n"
    engine.missed = ["the store could not be judged"]
    assert run("--check").stdout.startswith("UNKNOWN - the store could not be judged | ")


@pytest.mark.parametrize(
    ("words", "method", "path"),
    [
        (("own", "aa"), "POST", "/q/problems/aa01/take"),
        (("release", "aa01"), "DELETE", "/q/problems/aa01/take"),
        (("unmute", "0a"), "DELETE", "/q/problems/0a07/mute"),
    ],
)
def test_what_people_do(engine: Engine, words: tuple[str, ...], method: str, path: str) -> None:
    assert run(*words).exit_code == 0
    assert engine.sent == [(method, path, None)]


def test_a_mute_has_an_end_and_a_note_its_subject(engine: Engine) -> None:
    assert run("mute", "aa", "--until", "2h", "--reason", "disks come at two").exit_code == 0
    [(_, path, body)] = engine.sent
    assert path == "/q/problems/aa01/mute" and body["reason"] == "disks come at two" and body["until"].endswith("Z")
    assert run("mute", "aa", "--until", "soon").exit_code == USAGE
    engine.sent.clear()
    assert run("note", "bb", "vendor called").exit_code == 0
    [(_, path, body)] = engine.sent
    assert path == "/q/notes" and body["subject"]["key"] == ["prod-eu", "bb02"] and body["text"] == "vendor called"


def test_which_one_must_be_clear(engine: Engine) -> None:
    assert run("own", "zz").exit_code == NOT_FOUND
    engine._fake.problem_items.append(problem("aa02", "another"))
    assert run("own", "aa").exit_code == USAGE and engine.sent == []
