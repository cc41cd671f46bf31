"""`kill -9` of the worker at random moments of 50 collections: the databases open and are consistent."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from engine.audit.service import AuditService
from engine.demo.launch import DemoCloud
from engine.process.models import Home
from store.estate import consistency
from store.estate.estate import Estate
from store.ops.ops import Ops
from tests.engine.process.running import Engine, temporary_home, wait_for
from tui.api.client import SyncClient

COLLECTIONS = int(os.environ.get("QDECK_TEST_KILLS", "50"))
SERVERS = 60
CHECK_EVERY = 10
ENDED = ("done", "failed", "cancelled", "partial")

pytestmark = pytest.mark.faults


@contextlib.contextmanager
def real_engine(home: Home) -> Any:
    """The whole engine, in its own process."""
    one = Engine(home, application="engine.app")
    try:
        yield one.until_running()
    finally:
        one.close()


def collect(client: SyncClient) -> str:
    """Begin a full collection; its id."""
    return client.post("/q/collections", {"full": True})["items"][0]["id"]


def ended(client: SyncClient, id: str) -> dict[str, Any]:
    """A collection once it has ended."""
    return wait_for(lambda: (item := client.get(f"/q/collections/{id}"))["state"] in ENDED and item, 90)


def check_databases(home: Home) -> None:
    """Both open, and hold together. Nobody else may have them open."""
    with contextlib.closing(sqlite3.connect(home.ops)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with contextlib.closing(Ops.open(home.ops)) as ops:
        verdict = AuditService(ops).verify()
        assert verdict.ok, verdict
    with contextlib.closing(Estate.open(home.estate)) as estate, estate.reader() as connection:
        assert consistency.check(connection) == []


def current_rows(client: SyncClient) -> dict[str, int]:
    """How many rows of each type are current."""
    (cloud,) = client.get("/q/clouds")["items"]
    return {name: count for name, count in cloud["rows"].items() if count}


def collect_once(home: Home, cloud: DemoCloud) -> dict[str, int]:
    """What a fresh engine finds in the cloud."""
    with real_engine(home) as one, one.client() as client:
        client.post("/q/clouds", {"account": "demo", "name": "demo", "file": str(cloud.clouds_yaml)})
        assert ended(client, collect(client))["state"] == "done"
        return current_rows(client)


def test_databases_survive_kills_during_collections(tmp_path: Path) -> None:
    seed = int(os.environ.get("QDECK_TEST_SEED", "20260208"))
    chance = random.Random(seed)
    cloud = DemoCloud.start(tmp_path / "cloud", SERVERS, "kills", still=True)
    killed_while_running = 0
    try:
        with temporary_home() as home:
            with real_engine(home) as one, one.client() as client:
                client.post("/q/clouds", {"account": "demo", "name": "demo", "file": str(cloud.clouds_yaml)})
                began = time.monotonic()
                first = ended(client, collect(client))
                length = time.monotonic() - began
                assert first["state"] == "done", first
            check_databases(home)
            for number in range(COLLECTIONS):
                last_of_engine = number % CHECK_EVERY == CHECK_EVERY - 1 or number == COLLECTIONS - 1
                if number % CHECK_EVERY == 0:
                    one = Engine(home, application="engine.app").until_running()
                try:
                    with one.client() as client:
                        worker = client.get("/q/engine")["worker_pid"]
                        if number % 3 == 0:
                            cloud.call("POST", "/change", {"count": 5})
                        id = collect(client)
                        time.sleep(chance.uniform(0, length * 1.1))  # the moment is the point here
                        killed_while_running += client.get(f"/q/collections/{id}")["state"] not in ENDED
                        os.kill(worker, signal.SIGKILL)
                        assert client.get("/q/engine")["worker_pid"] != worker
                finally:
                    if last_of_engine:
                        one.close()
                if last_of_engine:
                    check_databases(home)
            with real_engine(home) as one, one.client() as client:
                last = ended(client, collect(client))
                assert last["state"] == "done", last
                rows = current_rows(client)
            check_databases(home)
        with temporary_home() as fresh:
            assert rows == collect_once(fresh, cloud), "nothing was lost and nothing is left over"
    finally:
        with contextlib.suppress(NameError, UnboundLocalError):
            one.close()
        cloud.stop()
    assert killed_while_running >= COLLECTIONS // 3, f"too few were killed in the middle (seed {seed})"
