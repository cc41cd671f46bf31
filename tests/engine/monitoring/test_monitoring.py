"""Health, metrics in both forms, and the engine's log files read from their ends."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.negotiation import prefers_json
from engine.monitoring import logs
from store import times
from tests.engine.api.furniture import Furniture, quick_hashes


@pytest.fixture
def engine(tmp_path: Path):
    made = Furniture(tmp_path)
    yield made
    made.close()


async def test_health_as_documented(engine: Furniture) -> None:
    async with engine.tcp() as client:
        answer = await client.get("/health")
    found = answer.json()
    assert answer.status_code == 200 and set(found) == {"status", "service", "timestamp"}
    assert (found["status"], found["service"]) == ("ok", "pf9-mgmt-api")
    assert abs((times.utcnow() - times.parse(found["timestamp"])).total_seconds()) < 60


async def test_health_of_an_engine_whose_database_is_gone(engine: Furniture) -> None:
    engine.close()
    for file in engine.home.glob("ops.sqlite*"):
        file.unlink()
    (engine.home / "ops.sqlite").mkdir()
    async with engine.tcp() as client:
        answer = await client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["status"] == "degraded" and "cannot be opened" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("accept", "json_wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", False),
        ("application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.6,*/*;q=0.1", False),
        ("application/json", True),
        ("Application/JSON ; charset=utf-8", True),
        ("application/json, */*", False),
        ("application/json, */*;q=0.1", True),
        ("application/*", True),
        ("application/json;q=0.1, text/*", False),
        ("application/json;q=0", False),
        ("application/json;q=x", False),
        ("text/html,application/json;q=0.9,*/*;q=0.8", True),
    ],
)
def test_negotiation(accept: str, json_wanted: bool) -> None:
    assert prefers_json(accept) is json_wanted


@given(st.text(max_size=60))
def test_negotiation_takes_any_text(accept: str) -> None:
    assert prefers_json(accept) in (True, False)


async def test_metrics_in_both_forms(engine: Furniture) -> None:
    with quick_hashes():
        engine.users.create("u", "password", "viewer", "x")
        engine.users.log_in("u", "password", None, None)
    async with engine.tcp() as client:
        text = await client.get("/metrics")
        figures = await client.get("/metrics", headers={"Accept": "application/json"})
        refused = await client.get("/api/metrics")
    assert text.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "qdeck_active_sessions 1.0" in text.text and "qdeck_uptime_seconds" in text.text
    found = figures.json()
    documented = {"uptime_seconds", "request_count", "avg_response_time_ms", "error_rate", "active_sessions"}
    assert set(found) == documented
    assert (found["request_count"], found["active_sessions"], found["error_rate"]) == (1, 1, 0.0)
    assert (refused.status_code, refused.json()) == (401, {"detail": "Not authenticated"})
    async with engine.socket() as client:
        assert set((await client.get("/api/metrics")).json()) == documented


# -- logs -------------------------------------------------------------------------------------------------------


def write(folder: Path, name: str, lines: list[dict | str], age: float = 0) -> None:
    folder.mkdir(exist_ok=True)
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    (folder / name).write_text(text)
    os.utime(folder / name, (1_700_000_000 - age, 1_700_000_000 - age))


def line(second: int, level: str = "info", logger: str = "qdeck.api", **more: object) -> dict:
    return {
        "timestamp": f"2026-02-08T09:00:{second:02}Z",
        "level": level,
        "logger": logger,
        "event": f"e{second}",
        **more,
    }


@pytest.fixture
def folder(engine: Furniture) -> Path:
    write(engine.logs, "engine.log", [line(5), line(6, "error", "engine.inventory.collect", cloud="prod"), line(7)])
    write(engine.logs, "engine.log.1", [line(1), line(2, "warning"), "Traceback (most recent call last):", line(4)], 10)
    write(engine.logs, "parent.log", [line(8, logger="qdeck.parent")], 20)
    write(engine.logs, "secret.txt", ["not a log"])
    (engine.logs / "link.log").symlink_to(engine.home / "ops.sqlite")
    (engine.logs / "dir.log").mkdir()
    return engine.logs


@pytest.mark.parametrize(
    ("query", "events"),
    [
        ({}, ["e8", "e7", "e6", "e5", "e4", "e2", "e1", "Traceback (most recent call last):"]),
        ({"limit": 2}, ["e8", "e7"]),
        ({"level": "ERROR"}, ["e6", "Traceback (most recent call last):"]),
        ({"level": "WARNING"}, ["e2"]),
        ({"level": "DEBUG"}, []),
        ({"source": "engine.inventory"}, ["e6"]),
        ({"source": "pf9_monitoring"}, ["e6"]),
        ({"source": "pf9_api"}, ["e7", "e6", "e5", "e4", "e2", "e1", "Traceback (most recent call last):"]),
        ({"source": "engine.inv"}, []),
        ({"source": "parent"}, ["e8"]),
        ({"log_file": "engine.log.1"}, ["e4", "e2", "e1", "Traceback (most recent call last):"]),
        ({"log_file": "engine.log", "limit": 1}, ["e7"]),
        ({"log_file": "all", "limit": 1}, ["e8"]),
    ],
)
async def test_logs(engine: Furniture, folder: Path, query: dict, events: list[str]) -> None:
    async with engine.socket() as client:
        found = (await client.get("/api/logs", params=query)).json()
    assert [entry["message"] for entry in found["logs"]] == events
    assert found["total"] == len(events)
    assert found["log_files"] == ["engine.log", "engine.log.1", "parent.log"]


async def test_an_entry_keeps_its_own_fields(engine: Furniture, folder: Path) -> None:
    async with engine.socket() as client:
        found = (await client.get("/api/logs", params={"level": "ERROR", "limit": 1})).json()["logs"]
    assert found == [
        {
            "timestamp": "2026-02-08T09:00:06Z",
            "level": "ERROR",
            "source": "engine.inventory.collect",
            "message": "e6",
            "log_file": "engine.log",
            "cloud": "prod",
        }
    ]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("../ops.sqlite", 400),
        ("/etc/passwd", 400),
        ("..", 400),
        ("engine.log/../../x", 400),
        ("engine.log\x00", 400),
        ("secret.txt", 400),
        ("", 400),
        ("link.log", 404),
        ("dir.log", 404),
        ("none.log", 404),
        ("x" * 200, 422),
    ],
)
async def test_hostile_file_names(engine: Furniture, folder: Path, name: str, status: int) -> None:
    async with engine.socket() as client:
        answer = await client.get("/api/logs", params={"log_file": name})
    assert answer.status_code == status and set(answer.json()) == {"detail"}


async def test_logs_are_for_administrators(engine: Furniture, folder: Path) -> None:
    for role, status in (("technical", 403), ("admin", 200)):
        key = engine.access.tokens.create_key("k", role, "x")[1]
        async with engine.tcp(key) as client:
            assert (await client.get("/api/logs")).status_code == status


def test_no_log_folder_is_no_entries(tmp_path: Path) -> None:
    assert logs.entries(tmp_path / "none", limit=5) == [] == logs.files(tmp_path / "none")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=30), max_size=40), st.data())
def test_lines_come_whole_and_backwards_at_any_block_size(lines: list[str], data: st.DataObject) -> None:
    import tempfile

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as place:
        patch.setattr(logs, "_BLOCK", data.draw(st.integers(1, 64)))
        path = Path(place) / "x.log"
        ending = data.draw(st.sampled_from(["", "\n"]))
        path.write_text("\n".join(lines) + ending)
        found = [line.decode() for line, _ in logs._backwards(path)]
    assert found == [line for line in reversed(lines) if line.encode().strip()]


def test_a_rare_level_in_a_big_file_is_found_in_bounded_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "engine.log", [line(1, "error"), *[line(2)] * 5000])
    assert len(logs.entries(tmp_path, limit=5, level="ERROR")) == 1
    monkeypatch.setattr(logs, "_MOST_READ", 10_000)
    assert logs.entries(tmp_path, limit=5, level="ERROR") == []
