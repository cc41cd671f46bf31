"""Jobs as the command line tells them, and as it watches them."""

from __future__ import annotations

from typing import Any

import pytest

from tui.api.errors import EngineUnavailable
from tui.cli import acting
from tui.cli.engine import _jobs, _reserve
from tui.cli.jobs import _timed
from tui.cli.output import Format

JOB: dict[str, Any] = {"number": 7, "id": "j", "title": "Stop 3 servers", "done": 1, "failed": 0, "total": 3}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"problem": None}, "7 Stop 3 servers (1 of 3)"),
        ({"problem": None, "failed": 1}, "7 Stop 3 servers (1 of 3, 1 failed)"),
        ({"problem": "was not picked up"}, "7 Stop 3 servers (1 of 3; was not picked up)"),
    ],
)
def test_the_status_says_what_is_wrong_with_a_job(more: dict[str, Any], words: str) -> None:
    assert _jobs([JOB | more]) == [words]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({}, ""),
        ({"state": "off", "megabytes": 0, "problem": None}, ""),
        ({"state": "held", "megabytes": 64, "problem": None}, "64 MB"),
        ({"state": "given_up", "megabytes": 64, "problem": "the disk is full"}, "the disk is full"),
    ],
)
def test_the_status_says_what_space_is_kept_back(found: dict[str, Any], words: str) -> None:
    assert _reserve(found) == words


def test_people_read_times_of_their_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    acting.time.tzset()
    try:
        job = JOB | {"created_at": "2026-03-01T20:00:00.123456Z", "ended_at": None}
        assert _timed([job], Format.table)[0]["created_at"] == "2026-03-02 01:30:00"
        assert _timed([job], Format.json)[0]["created_at"] == "2026-03-01T20:00:00.123456Z"
    finally:
        monkeypatch.undo()
        acting.time.tzset()


class Engine:
    """Answers what it is told to, in turn; an error is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def get(self, path: str) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_job_is_watched_over_a_restart_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "_LOOK_SECONDS", 0.0)
    running, done = JOB | {"ended_at": None, "state": "running"}, JOB | {"ended_at": "now", "state": "done"}
    engine = Engine(running, EngineUnavailable("away"), EngineUnavailable("away"), running, done)
    assert acting.watched(engine, running) == done  # type: ignore[arg-type]
    monkeypatch.setattr(acting, "_AWAY_SECONDS", -1.0)
    with pytest.raises(SystemExit) as ended:
        acting.watched(Engine(EngineUnavailable("away")), running)  # type: ignore[arg-type]
    assert ended.value.code == 3
