"""Waiting for many with few calls: noticed soon, asked little, and what the cloud refuses is said."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from engine.gate.refusals import NotDone
from engine.restore.steps import watching
from engine.restore.steps.failing import Failed
from engine.restore.steps.watching import LONGEST, MANY, Watcher
from store import times

PLACE = ("sim", "one", "p1")


class Cloud:
    """Servers and volumes with a status, and how they are asked for."""

    def __init__(self) -> None:
        self.status: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.refuse: list[Exception] = []
        self.lists = True
        self.lock = threading.Lock()

    def reader(self, cloud: str, region: str, project: str, kind: str) -> Callable[..., dict[str, Any] | None]:
        def get(service: str, path: str, microversion: str = "", query: Any = ()) -> dict[str, Any] | None:
            with self.lock:
                self.asked["list" if path.endswith("/detail") else "one"] += 1
                if self.refuse:
                    raise self.refuse.pop(0)
                if path.endswith("/detail"):
                    assert kind == "read" and dict(query)["all_tenants"] == "1"
                    if not self.lists:
                        raise NotDone("only an administrator may", status=403)
                    return {path.split("/")[1]: [{"id": id, "status": one} for id, one in self.status.items()]}
                id = path.rpartition("/")[2]
                name = path.split("/")[1].removesuffix("s")
                return {name: {"id": id, "status": self.status[id]}} if id in self.status else None

        return get


def wait(watcher: Watcher, id: str, status: str, seconds: float = 20.0, type: str = "server") -> float | None:
    """When it was noticed."""

    def check(document: dict[str, Any] | None) -> float | None:
        found = document is not None and document["status"] == status
        return time.monotonic() if found or (status == "gone" and document is None) else None

    return watcher.until(PLACE, type, id, check, seconds, lambda: None)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def watcher(cloud: Cloud) -> Watcher:
    return Watcher(cloud.reader, times.utcnow)


def test_a_change_is_noticed_within_a_second(cloud: Cloud, watcher: Watcher) -> None:
    cloud.status["a"] = "BUILD"
    changed: list[float] = []

    def change() -> None:
        changed.append(time.monotonic())
        cloud.status["a"] = "ACTIVE"

    timer = threading.Timer(1.2, change)
    timer.start()
    noticed = wait(watcher, "a", "ACTIVE")
    timer.join()
    assert noticed is not None and noticed - changed[0] < 1.0 + 0.5  # half a second for a busy machine
    assert cloud.asked["one"] <= 12 and not cloud.asked["list"]


def test_many_waits_share_one_listing(cloud: Cloud, watcher: Watcher) -> None:
    ids = [f"s{number}" for number in range(30)]
    cloud.status |= dict.fromkeys(ids, "BUILD")
    with ThreadPoolExecutor(len(ids)) as pool:
        waits = [pool.submit(wait, watcher, id, "ACTIVE") for id in ids]
        deadline = time.monotonic() + 10
        while cloud.asked["list"] < 3 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        cloud.status |= dict.fromkeys(ids, "ACTIVE")
        assert all(one.result() for one in waits)
    # Each asks for itself once; from then on one listing answers all of them.
    assert len(ids) <= cloud.asked["one"] <= 2 * len(ids)
    assert 3 <= cloud.asked["list"] < 20


def test_without_the_right_to_list_each_is_asked_for(cloud: Cloud, watcher: Watcher) -> None:
    cloud.lists = False
    ids = [f"s{number}" for number in range(MANY + 2)]
    cloud.status |= dict.fromkeys(ids, "BUILD")
    with ThreadPoolExecutor(len(ids)) as pool:
        waits = [pool.submit(wait, watcher, id, "ACTIVE") for id in ids]
        deadline = time.monotonic() + 10
        while cloud.asked["one"] < 3 * len(ids) and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        cloud.status |= dict.fromkeys(ids, "ACTIVE")
        assert all(one.result() for one in waits)
    assert cloud.asked["list"] <= 2


@pytest.mark.parametrize("type", ["server", "volume", "snapshot"])
def test_what_is_gone(cloud: Cloud, watcher: Watcher, type: str) -> None:
    assert wait(watcher, "never", "gone", type=type)


def test_a_volume_that_goes_while_many_wait(cloud: Cloud, watcher: Watcher) -> None:
    ids = [f"v{number}" for number in range(MANY + 2)]
    cloud.status |= dict.fromkeys(ids, "deleting")
    with ThreadPoolExecutor(len(ids)) as pool:
        waits = [pool.submit(wait, watcher, id, "gone", 20.0, "volume") for id in ids]
        deadline = time.monotonic() + 10
        while cloud.asked["list"] < 1 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        cloud.status.clear()
        assert all(one.result() for one in waits)


def test_what_passes_is_asked_again_and_later(cloud: Cloud, watcher: Watcher) -> None:
    cloud.status["a"] = "ACTIVE"
    cloud.refuse = [NotDone("too much", status=429, retry_after=0.2), NotDone("down", status=503)]
    began = time.monotonic()
    assert wait(watcher, "a", "ACTIVE")
    assert time.monotonic() - began >= 1.0, "a cloud that says it is asked too much is left alone for a moment"


def test_what_is_refused_is_said(cloud: Cloud, watcher: Watcher) -> None:
    cloud.refuse = [NotDone("you may not", status=403)]
    with pytest.raises(Failed, match="you may not"):
        wait(watcher, "a", "ACTIVE")


def test_it_ends_in_time_and_when_it_is_told(cloud: Cloud, watcher: Watcher) -> None:
    cloud.status["a"] = "BUILD"
    assert wait(watcher, "a", "ACTIVE", seconds=0.3) is None

    def over() -> None:
        raise Failed("cancelled")

    with pytest.raises(Failed, match="cancelled"):
        watcher.until(PLACE, "server", "a", lambda document: None, 30.0, over)


def test_a_slow_cloud_is_asked_less(cloud: Cloud, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.status["a"] = "BUILD"
    plain = cloud.reader

    def slow(*place: str) -> Any:
        get = plain(*place)

        def read(*what: Any) -> Any:
            threading.Event().wait(0.4)  # what the cloud takes
            return get(*what)

        return read

    watcher = Watcher(slow, times.utcnow)
    assert wait(watcher, "a", "ACTIVE", seconds=4.0) is None
    assert 0.4 * watching._CALM > LONGEST and cloud.asked["one"] <= 5
