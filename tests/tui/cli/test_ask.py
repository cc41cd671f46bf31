"""`qdeck ask`: what is asked, the ways to print an answer, and the codes it ends with."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tests.tui.copilot_fake import ASKED_BACK, LISTED, SUGGESTED, answer, asked, table
from tui.cli import ask as module
from tui.cli import ask_more
from tui.cli.ask_commands import register
from tui.cli.exits import FAILED, UNCLEAR, USAGE


class Engine:
    """Answers every question with `said`; `parts` are what a model says before that."""

    def __init__(self) -> None:
        self.said: dict[str, Any] = answer()
        self.final: dict[str, Any] | None = None
        self.parts: list[str] = []
        self.calls: list[tuple[str, str, Any]] = []

    def post(self, path: str, json: Any = None) -> Any:
        self.calls.append(("POST", path, json))
        if not path.endswith("/questions"):
            return {"status": "ok"}
        state = "running" if self.parts else "done"
        return {"id": "q/1", "state": state, "offset": 0, "text": "", "tool": "", "answer": self.said}

    def get(self, path: str, params: Any = None) -> Any:
        self.calls.append(("GET", path, params))
        if path == "/q/copilot/suggestions":
            return SUGGESTED
        if path == "/q/copilot/history":
            return {"total": 3, "items": [asked(9, "how many?", "5\x1b[2J", feedback="up")]}
        if path == "/q/copilot/status":
            return {"backend": "builtin", "ready": True}
        text = self.parts.pop(0) if self.parts else ""
        state = "running" if self.parts else "done"
        found = self.final if state == "done" and self.final else self.said
        offset = params["offset"] + len(text)
        return {"id": "q/1", "state": state, "offset": offset, "text": text, "tool": "", "answer": found}

    def delete(self, path: str) -> Any:
        self.calls.append(("DELETE", path, None))
        return {"forgotten": 4}

    def request(self, method: str, path: str, json: Any = None, seconds: float = 0) -> Any:
        self.calls.append((method, path, json))
        return {"success": False, "message": "nobody listens there", "latency_ms": None}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()

    @contextmanager
    def connected(options: Any) -> Iterator[Engine]:
        yield engine

    monkeypatch.setattr(module, "connected", connected)
    monkeypatch.setattr(ask_more, "connected", connected)
    return engine


def run(*words: str, stdin: str = "") -> Any:
    app = typer.Typer(rich_markup_mode=None)
    register(app)
    app.callback()(lambda: None)
    return CliRunner().invoke(app, ["ask", *words], input=stdin)


def test_a_sentence(engine: Engine) -> None:
    done = run("how", "many", "servers?")
    assert (done.exit_code, done.stdout) == (0, "There are 5,000 machines.\n")
    assert done.stderr == "qdeck: sure · data 42s old · all projects\n"
    (sent,) = [body for method, _, body in engine.calls if method == "POST"]
    assert sent["question"] == "how many servers?" and not sent["built_in"] and "conversation" not in sent


def test_rows_come_after_the_sentence(engine: Engine) -> None:
    engine.said = LISTED
    done = run("which are off?")
    said, blank, head, first, *rest = done.stdout.splitlines()
    assert said.startswith("12 machines") and blank == "" and head.split() == ["NAME", "STATUS", "PROJECT", "RAM", "MB"]
    assert first.split() == ["0000000-web", "ACTIVE", "acme-prod", "1024"] and len(rest) == 11


def test_many_rows_leave_the_sentence_on_screen(engine: Engine) -> None:
    engine.said = LISTED | {"table": table(25)}
    lines = run("which are off?").stdout.splitlines()
    assert len(lines) == 3 + 20 + 1 and lines[-1] == "... and 5 more rows: -o table shows them all"
    assert len(run("which are off?", "-o", "table").stdout.splitlines()) == 26


def test_documents_and_rows_for_programs(engine: Engine) -> None:
    engine.said = LISTED | {"table": table(2, 900)}
    document = json.loads(run("which?", "-o", "json").stdout)
    assert document["question"] == "which?" and document["table"]["total"] == 900 and document["sure"]
    rows = list(csv.reader(io.StringIO(run("which?", "-o", "csv").stdout)))
    assert rows[0] == ["name", "status", "project_name", "ram_mb"] and len(rows) == 3
    assert run("which?", "-o", "table").stdout.splitlines()[0].startswith("NAME")
    engine.said = answer()
    assert run("how many?", "-o", "csv").stdout == 'text,value,unit\n"There are 5,000 machines.",5000,\n'


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (ASKED_BACK, UNCLEAR, "  how many machines has acme-dev?\n"),
        (answer(outcome="unsure", sure=False, text="I don't know flurb.", unknown=["flurb"]), UNCLEAR, "flurb"),
        (answer(sure=False, confidence=0.6), UNCLEAR, "There are"),
        (answer(outcome="apology", sure=False, text="Nothing was collected."), FAILED, "Nothing was collected."),
        (answer(outcome="proposal"), 0, "There are"),
    ],
)
def test_codes(engine: Engine, said: dict[str, Any], code: int, words: str) -> None:
    engine.said = said
    done = run("x")
    assert done.exit_code == code and words in done.stdout
    assert run("x", "-o", "json").exit_code == code


def test_what_was_understood_and_commands_are_told(engine: Engine) -> None:
    engine.said = answer(understood="how many servers", proposals=[{"label": "plan it", "command": "qdeck restore x"}])
    done = run("how many srevers")
    assert "understood: how many servers" in done.stderr and "plan it: qdeck restore x" in done.stderr


def test_the_question_from_stdin_and_its_limits(engine: Engine) -> None:
    assert run("-", stdin="how many\nservers?\n").exit_code == 0
    assert engine.calls[-1][2]["question"] == "how many servers?"
    assert run("-", stdin="").exit_code == USAGE
    assert run("-", stdin="x" * 2000).exit_code == USAGE
    assert run("x" * 1001).exit_code == USAGE


def test_a_model_is_waited_for(engine: Engine) -> None:
    engine.parts, engine.final = ["It was ", "the disk."], answer(text="It was the disk.", backend_used="ollama")
    done = run("why?")
    assert done.stdout == "It was the disk.\n" and "asking the model" in done.stderr
    assert [call[2]["offset"] for call in engine.calls if call[0] == "GET"] == [0, 7]
    assert engine.calls[1][1] == "/q/copilot/questions/q%2F1"


def test_a_model_that_takes_too_long_is_asked_no_further(engine: Engine) -> None:
    engine.parts = ["never"]
    done = run("why?", "--wait", "0")
    assert done.stdout == "There are 5,000 machines.\n" and "longer than 0 s" in done.stderr
    assert ("DELETE", "/q/copilot/questions/q%2F1", None) in engine.calls


def test_an_interrupt_asks_no_further(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.parts = ["a"]

    def interrupted(path: str, params: Any = None) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "get", interrupted)
    done = run("why?")
    assert done.exit_code == 130
    assert engine.calls[-1][0] == "DELETE"


def test_options_of_a_question(engine: Engine) -> None:
    run("x", "--built-in", "--cloud", "prod-eu", "--conversation", "mine")
    sent = engine.calls[-1][2]
    assert sent["built_in"] and sent["cloud"] == "prod-eu" and sent["conversation"] == "mine"
    run("x", "--new")
    run("x", "--new")
    first, second = (call[2]["conversation"] for call in engine.calls[-2:])
    assert first != second and 0 < len(first) <= 64


def test_the_query_is_shown_when_it_is_asked_for(engine: Engine) -> None:
    assert "SELECT count(*)\nFROM servers" in run("x", "--show-query").stdout
    assert "SELECT" not in run("x").stdout


def test_what_can_be_asked_and_what_was(engine: Engine) -> None:
    done = run("--suggestions")
    assert "VMs on tenant ..." in done.stdout and "Scope by tenant" in done.stderr
    assert json.loads(run("--suggestions", "-o", "json").stdout) == SUGGESTED
    done = run("--history")
    assert done.stdout.split()[:3] == ["ID", "ASKED", "QUESTION"] and "\x1b" not in done.stdout
    assert "the newest 1 of 3" in done.stderr
    assert json.loads(run("--history", "-o", "json").stdout)[0]["id"] == 9


def test_feedback_is_about_the_last_answer_or_the_one_named(engine: Engine) -> None:
    assert run("--feedback", "down", "--comment", "wrong project").exit_code == 0
    assert engine.calls[-1] == (
        "POST",
        "/q/copilot/feedback",
        {"history_id": 9, "feedback": "down", "comment": "wrong project"},
    )
    run("--feedback", "up", "--about", "3")
    assert engine.calls[-1][2]["history_id"] == 3


def test_the_rest(engine: Engine) -> None:
    assert "4 questions are forgotten" in run("--forget").stderr
    assert "builtin" in run("--status").stdout
    done = run("--test")
    assert done.exit_code == FAILED and "nobody listens there" in done.stdout


def test_hostile_answers_act_on_nothing(engine: Engine) -> None:
    bad = "a\x1b]0;t\x07\u202eb"
    rows = table(1)
    rows["rows"][0]["name"] = rows["columns"][0]["title"] = bad
    engine.said = answer(
        text=bad, understood=bad, scope=[bad], choices=[bad], table=rows, queries=[{"kind": bad, "text": bad}],
        proposals=[{"label": bad, "command": bad}],
    )  # fmt: skip
    for style in ("text", "table", "csv", "json"):
        done = run("x", "--show-query", "-o", style)
        assert not set(done.stdout + done.stderr) & {"\x1b", "\x07", "\u202e"}, style
