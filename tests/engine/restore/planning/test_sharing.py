"""What many plans ask in common is asked once; what fails, or is old, is asked again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from engine.gate.refusals import NotDone
from engine.restore.planning.sharing import Shared


class Cloud:
    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.broken = False
        self.go = threading.Event()
        self.go.set()
        self.now = 0.0

    def reader(self, cloud: str, region: str, project_id: str, kind: str) -> Any:
        def get(service: str, path: str, microversion: str = "", query: Any = ()) -> dict[str, Any] | None:
            self.asked.append((project_id, kind, path, tuple(query)))
            self.go.wait(10)
            if self.broken:
                raise NotDone("Nova does not answer")
            return {"path": path, "n": len(self.asked)}

        return get


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def shared(cloud: Cloud) -> Shared:
    return Shared(cloud.reader, 5.0, lambda: cloud.now)


def test_the_same_is_asked_once_while_it_is_fresh(cloud: Cloud, shared: Shared) -> None:
    first, second = shared("lab", "one", "p1", "read"), shared("lab", "one", "p1", "read")
    assert first("compute", "/flavors") == second("compute", "/flavors")
    cloud.now = 4.9
    first("compute", "/flavors")
    assert len(cloud.asked) == 1
    cloud.now = 5.0
    first("compute", "/flavors")
    assert len(cloud.asked) == 2


def test_what_differs_in_anything_is_another_question(cloud: Cloud, shared: Shared) -> None:
    shared("lab", "one", "p1", "read")("compute", "/flavors")
    shared("lab", "one", "p2", "read")("compute", "/flavors")
    shared("lab", "one", "p1", "tenant")("compute", "/flavors")
    shared("lab", "two", "p1", "read")("compute", "/flavors")
    shared("lab", "one", "p1", "read")("compute", "/flavors", "", [("limit", "1")])
    shared("lab", "one", "p1", "read")("compute", "/flavors", "2.79")
    assert len(cloud.asked) == 6


def test_who_asks_meanwhile_waits_for_the_answer(cloud: Cloud, shared: Shared) -> None:
    cloud.go.clear()
    get = shared("lab", "one", "p1", "read")
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(get, "compute", "/flavors") for _ in range(4)]
        cloud.go.set()
        assert {answer.result(10)["n"] for answer in answers} == {1}


def test_what_failed_is_asked_again(cloud: Cloud, shared: Shared) -> None:
    get = shared("lab", "one", "p1", "read")
    cloud.broken = True
    with pytest.raises(NotDone):
        get("compute", "/flavors")
    cloud.broken = False
    assert get("compute", "/flavors") == {"path": "/flavors", "n": 2}
