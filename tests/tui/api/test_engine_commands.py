"""`qdeck engine ...` against a running engine and against none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.process.models import PROTOCOL, VERSION, Home
from tests.engine.process.running import Engine, engine, temporary_home
from tui.cli.commands import app
from tui.cli.engine_logs import Tail, parse, serious, text

FIELDS = {"state", "pid", "version", "protocol", "home", "socket", "started_at", "clouds", "jobs"}


@pytest.fixture(scope="module")
def running() -> Iterator[Engine]:
    with engine() as one:
        yield one


def qdeck(home: Home, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    result = CliRunner().invoke(app, ["--home", str(home.path), "engine", *words], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_status_of_a_running_engine(running: Engine) -> None:
    code, out, err = qdeck(running.home, "status", "-o", "json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found.keys() >= FIELDS
    assert (found["state"], found["pid"]) == ("running", running.process.pid)
    assert (found["version"], found["protocol"]) == (VERSION, PROTOCOL)
    assert (found["home"], found["socket"]) == (str(running.home.path), str(running.home.socket))
    assert [cloud["name"] for cloud in found["clouds"]] == ["one", "two"]


def test_status_for_people_and_as_yaml(running: Engine) -> None:
    code, out, _ = qdeck(running.home, "status")
    assert code == 0 and "running" in out and str(running.process.pid) in out
    code, out, _ = qdeck(running.home, "status", "-o", "yaml")
    assert code == 0 and "state: running" in out


def test_status_without_an_engine_has_the_same_fields_and_its_own_exit_code() -> None:
    with temporary_home() as home:
        code, out, err = qdeck(home, "status", "-o", "json")
        found = json.loads(out)
        assert code == 3
        assert found.keys() >= FIELDS
        assert (found["state"], found["pid"], found["home"]) == ("stopped", None, str(home.path))
        assert "qdeck engine start" in err
        assert not home.path.exists(), "looking makes nothing"


def test_start_fails_with_the_reason_and_its_exit_code() -> None:
    with temporary_home() as home:
        home.path.mkdir(mode=0o700)
        home.config.write_text("[engine]\ngruop = 'x'\n")
        code, out, err = qdeck(home, "start")
        assert (code, out) == (19, "")
        assert "line 2" in err and err.count("\n") == 1
        code, out, err = qdeck(home, "status", "-o", "json")
        assert code == 3
        assert json.loads(out)["state"] == "failed"
        assert "line 2" in json.loads(out)["last_failure"]["message"]


def test_start_of_a_running_engine_shows_it(running: Engine) -> None:
    code, out, _ = qdeck(running.home, "start", "-o", "json")
    assert code == 0 and json.loads(out)["pid"] == running.process.pid


def test_stop_without_an_engine_is_done() -> None:
    with temporary_home() as home:
        code, _, err = qdeck(home, "stop")
        assert code == 0 and "no engine runs" in err


@pytest.mark.faults
def test_stop_and_restart() -> None:
    with engine() as one:
        code, out, _ = qdeck(one.home, "restart", "-o", "json")
        assert code == 0 and json.loads(out)["pid"] == one.process.pid
        code, out, err = qdeck(one.home, "stop")
        assert (code, out, err) == (0, "", "")
        assert one.process.wait(5) == 0
        assert qdeck(one.home, "status")[0] == 3


def test_backup_says_where(running: Engine, tmp_path: Path) -> None:
    code, out, _ = qdeck(running.home, "backup", str(tmp_path), "-o", "json")
    made = json.loads(out)
    assert code == 0 and (Path(made["directory"]) / "estate.duckdb").stat().st_size > 0
    code, out, err = qdeck(running.home, "backup", str(tmp_path / "none"))
    assert (code, out) == (2, "") and "no folder" in err


def test_logs_by_level_and_form(running: Engine) -> None:
    running.get("/who")
    code, out, _ = qdeck(running.home, "logs")
    assert code == 0 and "qdeck.api: request" in out and "the engine is running" in out
    code, out, _ = qdeck(running.home, "logs", "-n", "2", "-o", "json")
    assert (
        code == 0
        and [set(json.loads(line)) >= {"timestamp", "level", "event"} for line in out.splitlines()] == [True] * 2
    )
    code, out, _ = qdeck(running.home, "logs", "--level", "error")
    assert (code, out) == (0, "")


def test_logs_before_any_engine() -> None:
    with temporary_home() as home:
        code, out, err = qdeck(home, "logs")
        assert (code, out) == (3, "") and "no log" in err


@pytest.mark.parametrize("words", [("start",), ("run",)])
def test_an_engine_given_by_address_is_not_started(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["--engine", "/nowhere/e.sock", "engine", *words])
    assert result.exit_code == 2 and "leave it out" in result.stderr


def test_a_tail_follows_over_rotation(tmp_path: Path) -> None:
    path = tmp_path / "engine.log"

    def line(number: int, level: str = "INFO") -> str:
        return json.dumps({"timestamp": f"t{number}", "level": level, "event": f"e{number}"}) + "\n"

    path.write_text(line(1) + line(2, "DEBUG") + line(3))
    tail = Tail(path)
    assert [entry["event"] for entry in tail.last(5, "INFO")] == ["e1", "e3"]
    with path.open("a") as file:
        file.write(line(4) + line(5)[:10])
    assert [entry["event"] for entry in tail.new("INFO")] == ["e4"]
    with path.open("a") as file:
        file.write(line(5)[10:] + line(6))
    path.rename(tmp_path / "engine.log.1")
    path.write_text(line(7))
    assert [entry["event"] for entry in tail.new("INFO")] == ["e5", "e6", "e7"]
    assert tail.new("INFO") == []


def test_a_tail_waits_for_its_file(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "engine.log")
    assert tail.last(5, "INFO") == []
    (tmp_path / "engine.log").write_text('{"level": "INFO", "event": "first"}\n')
    assert [entry["event"] for entry in tail.new("INFO")] == ["first"]


def test_hostile_entries_are_only_text() -> None:
    entry = parse(
        b'{"timestamp": "2026-02-08T09:00:00.123456Z", "level": "INFO", "event": "x\\u001b[2J", "name": "a\\nb"}'
    )
    assert entry is not None
    shown = text(entry)
    assert "\x1b" not in shown and "\n" not in shown and shown.startswith("2026-02-08 09:00:00.123 INFO")
    broken = parse(b"Fatal Python error: \xff")
    assert broken is not None and serious(broken, "ERROR")
    assert parse(b"  ") is None
    assert not serious({"level": "odd"}, "WARNING")


def test_following_goes_on(running: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the reader has enough: here, until an entry of another request was written."""
    from tui.cli import engine_logs

    seen: list[str] = []

    def write(entry: dict[str, object], as_json: bool) -> None:
        seen.append(str(entry.get("path")))
        if entry.get("path") == "/text":
            raise KeyboardInterrupt

    monkeypatch.setattr(engine_logs, "_write", write)
    thread = threading.Thread(target=lambda: (time.sleep(0.5), running.get("/text")))
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        engine_logs.show(running.target, "INFO", 0, True, as_json=False)
    thread.join()
    assert seen[-1] == "/text"
