"""The demo's engine: it lives through its past, is the same cloud again, says what is wrong, and survives kills."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import demonstration
from engine.access.models import ENGINE, Caller
from engine.app import EngineParts, open_engine
from engine.demonstration import Demonstration, known_size
from engine.inventory.collect import CollectionService
from engine.process.models import Home
from store.times import parse, utcnow

SECONDS = 60
SERVERS = 12
PAST = (30.0, 10.0)
TYPES = ("project", "server", "volume", "port")


@pytest.fixture(autouse=True)
def short_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer listings than a person's demo has, and quicker looks at its process."""
    monkeypatch.setattr(demonstration, "PAST", PAST)
    monkeypatch.setattr(demonstration, "LOOK_SECONDS", 0.05)


@pytest.fixture
def few_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each collection reads some types only."""
    start = CollectionService.start

    def some(self: CollectionService, caller: Caller = ENGINE, clouds: Any = None, types: Any = None) -> Any:
        return start(self, caller, clouds, types or TYPES)

    monkeypatch.setattr(CollectionService, "start", some)


def until(test: Any, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def demo_of(parts: EngineParts) -> Demonstration:
    assert parts.demonstration is not None
    return parts.demonstration


@contextmanager
def begun(path: Path, servers: int | None = None, state: str = "ready") -> Iterator[EngineParts]:
    """The demo's engine at `path`, once its demo cloud is in that state."""
    with closing(open_engine(Home.at(path), demo=True, servers=servers)) as parts:
        parts.begin()
        until(lambda: demo_of(parts).state in (state, "failed"))
        assert demo_of(parts).state == state, demo_of(parts).problem
        yield parts


def rows(parts: EngineParts, type: str, days_ago: float = 0.0) -> dict[str, tuple[Any, ...]]:
    """id -> hash of the resources of a type as they were some days ago."""
    table = parts.estate.types[type].table
    when = (utcnow() - timedelta(days=days_ago)).replace(tzinfo=None)
    query = f'SELECT id, hash FROM "{table}" WHERE cloud = ? AND valid_from <= ? AND (valid_to IS NULL OR valid_to > ?)'
    with parts.estate.reader() as connection:
        return {row[0]: row[1:] for row in connection.execute(query, ["demo", when, when]).fetchall()}


def check_present(parts: EngineParts) -> None:
    """Every list went well, and is of now."""
    states = parts.estate.states("demo")
    assert states and {state["state"] for state in states} == {"ok"}, states
    cloud = parts.clouds.cloud("demo")
    assert cloud["state"] == "ok" and 0 <= cloud["age_seconds"] < SECONDS
    assert parts.status()["demo"] == {
        "state": "ready",
        "problem": None,
        "servers": demo_of(parts)._servers,
        "days_behind": 0,
    }


def collect(parts: EngineParts) -> dict[str, Any]:
    (item,) = parts.collections.start(types=TYPES)
    ended = parts.collections.wait(item["id"], SECONDS)
    assert ended["state"] == "done", ended
    return ended


def test_a_past_of_all_types_leaves_nothing_in_doubt(tmp_path: Path) -> None:
    with begun(tmp_path, SERVERS) as parts:
        check_present(parts)
        assert len(parts.estate.states("demo")) > 20
        then, now = rows(parts, "server", 9), rows(parts, "server")
        assert len(rows(parts, "server", 29)) == SERVERS
        assert not rows(parts, "server", 31)
        assert then and then != now
        wholes = [state["whole_started_at"] for state in parts.estate.states("demo")]
        assert min(wholes) > utcnow() - timedelta(minutes=5)


def test_started_again_it_is_the_same_cloud_and_with_another_size_another(tmp_path: Path, few_types: None) -> None:
    with begun(tmp_path, SERVERS) as parts:
        address = parts.clouds.accounts("demo")[0].auth_url
        then, now = rows(parts, "server", 9), rows(parts, "server")

    # Started again, without being told how large: nothing of it is gone, nothing doubted.
    with begun(tmp_path) as parts:
        assert parts.clouds.accounts("demo")[0].auth_url == address
        assert [row["gone"] for row in collect(parts)["types"]] == [0] * len(TYPES)
        check_present(parts)
        assert rows(parts, "server") == now
        assert rows(parts, "server", 9) == then

    # Another size: another cloud, with a past of its own and nothing left of the one before.
    with begun(tmp_path, SERVERS + 5) as parts:
        check_present(parts)
        assert known_size(tmp_path / "cloud") == SERVERS + 5
        assert len(rows(parts, "server", 29)) == SERVERS + 5


KILLED = """
import sys, time
from pathlib import Path
from engine import demonstration
from engine.app import open_engine
from engine.process.models import Home
demonstration.PAST = (30.0, 10.0)
parts = open_engine(Home.at(Path(sys.argv[1])), demo=True, servers=12)
parts.begin()
while parts.demonstration.state != "past":
    time.sleep(0.005)
print("in the past", file=sys.stderr, flush=True)
time.sleep(60)
"""


def test_killed_in_its_past_it_goes_on_to_the_present(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    try:
        assert any("in the past" in line for line in child.stderr)
    finally:
        child.kill()
        child.wait()
        child.stderr.close()
    assert json.loads((tmp_path / "cloud" / "past.json").read_text())
    with begun(tmp_path) as parts:
        check_present(parts)
        assert json.loads((tmp_path / "cloud" / "past.json").read_text()) == []
        assert len(rows(parts, "server", 29)) == SERVERS
        assert rows(parts, "server", 9) != rows(parts, "server", 29)


def test_closed_in_its_past_it_ends_at_once(tmp_path: Path, few_types: None) -> None:
    with begun(tmp_path, SERVERS, "past") as parts:
        process = demo_of(parts)._cloud.process  # type: ignore[union-attr]
        began = time.monotonic()
    assert time.monotonic() - began < 8
    assert process.poll() is not None
    with begun(tmp_path) as parts:
        check_present(parts)


def test_a_cloud_that_dies_is_started_again(tmp_path: Path, few_types: None) -> None:
    with begun(tmp_path, SERVERS) as parts:
        before = rows(parts, "server")
        first = demo_of(parts)._cloud
        assert first is not None
        os.kill(first.process.pid, signal.SIGKILL)
        until(lambda: demo_of(parts)._cloud is not first)
        assert demo_of(parts)._cloud.auth_url == first.auth_url  # type: ignore[union-attr]
        collect(parts)
        check_present(parts)
        assert rows(parts, "server") == before


def test_where_its_port_is_taken_it_is_another_cloud_with_a_past(tmp_path: Path, few_types: None) -> None:
    with begun(tmp_path, SERVERS) as parts:
        address = parts.clouds.accounts("demo")[0].auth_url
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", int(address.split(":")[2].split("/")[0])))
        thief.listen()
        with begun(tmp_path) as parts:
            assert parts.clouds.accounts("demo")[0].auth_url != address
            check_present(parts)
            assert len(rows(parts, "server", 29)) == SERVERS


def test_what_an_older_release_made_is_made_anew(tmp_path: Path, few_types: None) -> None:
    memory = tmp_path / "cloud" / "cloud.json"
    with begun(tmp_path, SERVERS) as parts:
        check_present(parts)
    memory.write_text(json.dumps({**json.loads(memory.read_text()), "recipe": 1}))
    with begun(tmp_path) as parts:
        check_present(parts)
        assert len(rows(parts, "server", 29)) == SERVERS


def test_it_says_why_it_does_not_start(tmp_path: Path) -> None:
    with begun(tmp_path, 50_001, "failed") as parts:
        demo = parts.status()["demo"]
        assert "1 to 50,000 servers" in demo["problem"]
        assert demo["state"] == "failed" and demo["servers"] == 50_001
        assert parts.status()["clouds"] == []


def test_a_cloud_that_was_there_and_does_not_start_is_shown_as_failed(
    tmp_path: Path, few_types: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with begun(tmp_path, SERVERS) as parts:
        check_present(parts)
    monkeypatch.setattr(demonstration, "END_SECONDS", 0.0)
    (tmp_path / "cloud" / "control.sock").write_text("in the way")
    with begun(tmp_path, state="failed") as parts:
        assert "in the way" in parts.status()["demo"]["problem"]
        (cloud,) = parts.status()["clouds"]
        assert cloud["state"] == "failed" and cloud["reason"]
        # What was collected stays readable.
        assert rows(parts, "server")


def test_an_error_of_our_own_is_a_reason_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object, **more: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("engine.demo.launch.DemoCloud.start", broken)
    with begun(tmp_path, SERVERS, "failed") as parts:
        problem = demo_of(parts).problem
        assert "an error of the engine itself (RuntimeError)" in problem and "secret" not in problem


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ("[30.0, 10.0]", (30.0, 10.0)),
        ("[10.0]", (10.0,)),
        ("[]", ()),
        ("[10.0, 30.0]", ()),
        ("[400.0]", ()),
        ('{"left": 1}', ()),
        ("[null]", ()),
        ("half a fi", ()),
        (None, ()),
    ],
)
def test_how_far_it_came(tmp_path: Path, content: str | None, left: tuple[float, ...]) -> None:
    with closing(open_engine(Home.at(tmp_path), demo=True, servers=SERVERS)) as parts:
        (tmp_path / "cloud").mkdir()
        if content is not None:
            (tmp_path / "cloud" / "past.json").write_text(content)
        assert demo_of(parts)._left() == left


def test_the_clock_is_behind_only_in_the_past(tmp_path: Path) -> None:
    clock = demonstration.DemoClock()
    clock.behind = timedelta(days=3)
    assert timedelta(days=2.99) < utcnow() - clock() < timedelta(days=3.01)
    clock.behind = timedelta()
    assert abs(utcnow() - clock()) < timedelta(seconds=5)
    assert parse("2026-01-01T00:00:00Z").tzinfo == clock().tzinfo
