"""The demo's engine: its past comes in behind the present; it is the same cloud again and survives kills."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.access.models import ENGINE, Caller
from engine.app import EngineParts, open_engine
from engine.demo.launch import DemoCloud, remember, remembered
from engine.demonstration import past, service
from engine.demonstration.past import Note, Past, moments
from engine.demonstration.service import Demonstration, known_size
from engine.inventory.collect import CollectionService
from engine.inventory.collector.run import Memory
from engine.process.models import Home
from store.estate import consistency
from store.estate.estate import Estate
from store.times import parse, utcnow

SECONDS = 60
SERVERS = 12
DAYS = 2
TYPES = ("project", "server", "volume", "port")


@pytest.fixture(autouse=True)
def short_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer listings than a person's demo has, and quicker looks at its process."""
    monkeypatch.setattr(past, "moments", lambda day, servers: (24.0 * day,))
    monkeypatch.setattr(service, "LOOK_SECONDS", 0.05)


@pytest.fixture
def few_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each collection reads some types only, and there is no past."""
    monkeypatch.setattr(service, "DAYS", 0)
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
def begun(
    path: Path, servers: int | None = None, state: str = "ready", *, days: int | None = None
) -> Iterator[EngineParts]:
    """The demo's engine at `path`, once its demo cloud is in that state."""
    with closing(open_engine(Home.at(path), demo=True, servers=servers, past=days)) as parts:
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
    demo = parts.status()["demo"]
    assert (demo["state"], demo["problem"], demo["servers"]) == ("ready", None, demo_of(parts)._servers)
    assert demo["past"]["done"] == demo["past"]["days"] and demo["past"]["problem"] is None


def collect(parts: EngineParts) -> dict[str, Any]:
    (item,) = parts.collections.start(types=TYPES)
    ended = parts.collections.wait(item["id"], SECONDS)
    assert ended["state"] == "done", ended
    return ended


def versions(estate: Estate, home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every version of each type; times of the present, which each list has of its own, are None."""
    now = Note.read(home)
    assert now is not None
    present = now.present.replace(tzinfo=None)

    def past_time(value: datetime | None) -> datetime | None:
        return value if value is not None and value < present else None

    found = {}
    with estate.reader() as connection:
        for type in estate.types:
            query = f"""SELECT valid_from, valid_to, region, id, hash, scope, search FROM {type}_versions
                WHERE cloud = 'demo' ORDER BY region, id, valid_from"""
            versions_ = connection.execute(query).fetchall()
            found[type] = [(past_time(row[0]), past_time(row[1]), *row[2:]) for row in versions_]
    return found


def straight(parts: EngineParts, folder: Path, hours: Iterable[float]) -> dict[str, list[tuple[Any, ...]]]:
    """The versions that a collector makes of the same cloud when it lives through the past in its order."""
    note = Note.read(parts.home.path / "cloud")
    live = demo_of(parts)._cloud
    assert note is not None and live is not None
    teller = Past(parts.home.path / "cloud", service.SEED, parts.estate, parts.collections, note, threading.Event())
    memory = remembered(parts.home.path / "cloud")
    assert memory is not None
    remember(folder, {**memory, "ports": [0]})
    (account,) = parts.clouds.accounts("demo")
    first, *others = sorted(hours, reverse=True)
    behind = (utcnow() - note.present).total_seconds() / 86400 + first / 24
    cloud = DemoCloud.start(folder, memory["servers"], service.SEED, days_ago=behind, speak_as=live.ports)
    with closing(cloud_end(cloud)), Estate.open(folder / "estate.duckdb") as estate:
        known, last = Memory(), first
        for ago in (first, *others, 0.0):
            cloud.advance((last - ago) * 3600)
            last = ago
            assert teller._list(cloud, live, account, estate, note.present - timedelta(hours=ago), known)[0] == "done"
        return versions(estate, parts.home.path / "cloud")


class cloud_end:
    """Closes like a file."""

    def __init__(self, cloud: DemoCloud) -> None:
        self.close = cloud.stop


def test_a_past_that_comes_newest_day_first_is_the_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every version of every type is what a collector that lived through those days would have made."""
    monkeypatch.setattr(past, "moments", lambda day, servers: (24.0, 12.0) if day == 1 else (24.0 * day,))
    order: list[int] = []
    tell = Past._tell
    monkeypatch.setattr(Past, "_tell", lambda self, day, *more: order.append(day) or tell(self, day, *more))
    (tmp_path / "demo").mkdir()
    with begun(tmp_path / "demo", 40, days=3) as parts:
        check_present(parts)
        assert order == [1, 2, 3]
        assert demo_of(parts).status()["past"] == {"days": 3, "done": 3, "problem": None}
        assert len(parts.estate.states("demo")) > 20
        wholes = [state["whole_started_at"] for state in parts.estate.states("demo")]
        assert min(wholes) > utcnow() - timedelta(minutes=5)
        wanted = straight(parts, tmp_path / "straight", (72, 48, 24, 12))
        got = versions(parts.estate, tmp_path / "demo" / "cloud")
        assert got.keys() == wanted.keys()
        for type, rows_ in wanted.items():
            assert got[type] == rows_, type
        assert sum(row[1] is not None for row in wanted["server"]) > 3
        assert not rows(parts, "server", 4)


def test_started_again_it_is_the_same_cloud_and_with_another_size_another(tmp_path: Path, few_types: None) -> None:
    with begun(tmp_path, SERVERS) as parts:
        address = parts.clouds.accounts("demo")[0].auth_url
        now = rows(parts, "server")

    # Started again, without being told how large: nothing of it is gone, nothing doubted.
    with begun(tmp_path) as parts:
        assert parts.clouds.accounts("demo")[0].auth_url == address
        assert [row["gone"] for row in collect(parts)["types"]] == [0] * len(TYPES)
        check_present(parts)
        assert rows(parts, "server") == now

    # Another size: another cloud, and nothing left of the one before.
    with begun(tmp_path, SERVERS + 5) as parts:
        check_present(parts)
        assert known_size(tmp_path / "cloud") == SERVERS + 5
        assert abs(len(rows(parts, "server")) - SERVERS - 5) <= 3


KILLED = """
import sys, time
from pathlib import Path
from engine.app import open_engine
from engine.process.models import Home
parts = open_engine(Home.at(Path(sys.argv[1])), demo=True, servers=12, past=2)
parts.begin()
while parts.status()["demo"]["past"]["done"] < 1:
    time.sleep(0.005)
print("in the past", file=sys.stderr, flush=True)
time.sleep(60)
"""


@pytest.mark.faults
def test_killed_in_its_past_it_goes_on_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    try:
        assert any("in the past" in line for line in child.stderr)
    finally:
        child.kill()
        child.wait()
        child.stderr.close()
    note = Note.read(tmp_path / "cloud")
    assert note is not None and note.begun and (note.days, note.done) == (2, 1)
    with begun(tmp_path) as parts:
        check_present(parts)
        assert demo_of(parts).status()["past"] == {"days": 2, "done": 2, "problem": None}
        assert rows(parts, "server", 1.5) != rows(parts, "server", 0.5)
        assert rows(parts, "server", 1.5) and not rows(parts, "server", 2.5)
        with parts.estate.reader() as connection:
            assert consistency.check(connection) == []
            moments = connection.execute(
                "SELECT started_at, count(*) FROM listings WHERE type = 'server' GROUP BY 1"
            ).fetchall()
        assert {count for _, count in moments} == {1}
    # More of it can be had later, and none of it is told twice.
    with begun(tmp_path, days=3) as parts:
        assert demo_of(parts).status()["past"] == {"days": 3, "done": 3, "problem": None}
        assert rows(parts, "server", 2.5)


def test_closed_in_its_past_it_ends_at_once(tmp_path: Path) -> None:
    with begun(tmp_path, SERVERS, "past", days=30) as parts:
        process = demo_of(parts)._cloud.process  # type: ignore[union-attr]
        assert rows(parts, "server")  # the present is there
        began = time.monotonic()
    assert time.monotonic() - began < 8
    assert process.poll() is not None
    with begun(tmp_path, days=1) as parts:
        check_present(parts)


def test_a_past_that_cannot_be_told_leaves_the_present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "remembered", lambda home: {"servers": 0, "seed": "1", "epoch": 0, "ports": [0]})
    with begun(tmp_path, SERVERS, days=2) as parts:
        told = demo_of(parts).status()["past"]
        assert told["done"] == 0 and "0 of 2 days" in told["problem"]
        assert rows(parts, "server")


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


def test_what_an_older_release_made_is_made_anew(tmp_path: Path, few_types: None) -> None:
    memory = tmp_path / "cloud" / "cloud.json"
    with begun(tmp_path, SERVERS) as parts:
        check_present(parts)
    memory.write_text(json.dumps({**json.loads(memory.read_text()), "recipe": 1}))
    with begun(tmp_path) as parts:
        check_present(parts)
        assert json.loads(memory.read_text())["recipe"] > 1


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
    monkeypatch.setattr(service, "END_SECONDS", 0.0)
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


GOOD = {"present": "2026-01-01T00:00:00Z", "begun": True, "days": 7, "done": 2}


@pytest.mark.parametrize(
    ("content", "known"),
    [
        (json.dumps(GOOD), True),
        (json.dumps({**GOOD, "days": 400}), False),
        (json.dumps({**GOOD, "done": -1}), False),
        (json.dumps({**GOOD, "present": "yesterday"}), False),
        ("[30.0, 10.0]", False),
        ("half a fi", False),
        (None, False),
    ],
)
def test_how_far_it_came(tmp_path: Path, content: str | None, known: bool) -> None:
    if content is not None:
        (tmp_path / "past.json").write_text(content)
    note = Note.read(tmp_path)
    assert (note is not None) == known
    if note is not None:
        assert note.write(tmp_path) == Note.read(tmp_path) == Note(parse("2026-01-01T00:00:00Z"), True, 7, 2)


def test_yesterday_is_listed_more_than_once_and_comes_first() -> None:
    for servers in (50, 20_000):
        assert moments(1, servers)[0] == 24 and len(moments(1, servers)) > 1
        assert [moments(day, servers) for day in (2, 30)] == [(48.0,), (720.0,)]
