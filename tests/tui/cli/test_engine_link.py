"""What a command of the demo waits for, and what it says meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from tui.cli import engine_link
from tui.cli.engine_link import await_demo


class Engine:
    """Answers GET /q/engine with one status after the other, the last one for ever."""

    def __init__(self, *states: str, problem: str | None = None, servers: int = 50) -> None:
        past = {"days": 30, "done": 0, "problem": None}
        self.demos = [{"state": state, "problem": problem, "servers": servers, "past": past} for state in states]
        self.asked = 0

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/q/engine"
        self.asked += 1
        demo = self.demos.pop(0) if len(self.demos) > 1 else self.demos[0]
        return {"state": "running", "demo": demo}


@pytest.mark.parametrize(
    ("engine", "servers", "asked", "said"),
    [
        (Engine("ready"), None, 1, []),
        (Engine("ready"), 50, 1, []),
        (Engine("starting", "starting", "ready"), None, 3, ["starting the demo cloud of 50 servers"]),
        (Engine("starting", "past", "ready"), None, 2, ["starting the demo cloud", "collecting the 30 days behind it"]),
        (Engine("failed", problem="No room."), None, 1, ["No room."]),
        (Engine("ready"), 80, 1, ["runs with 50 servers", "--servers 80"]),
    ],
)
def test_waiting_for_the_first_data(
    engine: Engine, servers: int | None, asked: int, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    await_demo(engine, servers)  # type: ignore[arg-type]
    written = capsys.readouterr()
    assert engine.asked == asked
    assert written.out == ""
    assert all(part in written.err for part in said)
    assert bool(written.err) == bool(said)


def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(engine_link, "DEMO_SECONDS", 0.0)
    await_demo(Engine("starting"))  # type: ignore[arg-type]
    assert "no data after 0 s" in capsys.readouterr().err


def test_an_engine_that_says_nothing_of_a_demo(capsys: pytest.CaptureFixture[str]) -> None:
    class Silent:
        def get(self, path: str) -> dict[str, Any]:
            return {"state": "running"}

    await_demo(Silent(), 80)  # type: ignore[arg-type]
    assert capsys.readouterr().err == ""
