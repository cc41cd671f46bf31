"""The thread that drives runs: a look that fails does not end it, a slow cloud holds up no other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from engine.api.errors import Unavailable
from engine.clouds.errors import CloudError
from engine.snapshots.runs.timing import Timing
from store.ops.errors import OpsDiskFull
from store.times import utcnow

SECONDS = 20


class Looks:
    """Stands where the driver does: counts looks by cloud, and does what it is told."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}
        self.does: dict[str, Callable[[], bool]] = {}
        self.moved = threading.Condition()

    def look(self, cloud: str, now: datetime) -> bool:
        with self.moved:
            self.seen[cloud] = self.seen.get(cloud, 0) + 1
            self.moved.notify_all()
        return self.does.get(cloud, lambda: False)()

    def until(self, cloud: str, count: int) -> bool:
        with self.moved:
            return self.moved.wait_for(lambda: self.seen.get(cloud, 0) >= count, SECONDS)


def failing(error: Exception) -> Callable[[], bool]:
    def fail() -> bool:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Unavailable("the store is being closed"), "the store is being closed"),
        (CloudError("unknown", "there is no cloud"), "there is no cloud"),
        (OpsDiskFull("the disk is full"), "the disk is full"),
        (ZeroDivisionError(), "an error of the engine itself (ZeroDivisionError); its log has the rest"),
    ],
)
def test_a_look_that_fails_says_why_and_is_tried_again(error: Exception, words: str) -> None:
    looks: Any = Looks()
    looks.does["east"] = failing(error)
    timing = Timing(looks, lambda: ["east", "west"], utcnow)
    assert timing.tick(utcnow()) is False
    assert timing.problems == {"east": words} and looks.seen == {"east": 1, "west": 1}
    looks.does["east"] = lambda: True
    assert timing.tick(utcnow()) is True
    assert timing.problems == {}


def test_clouds_that_cannot_be_told_are_a_problem_too() -> None:
    looks: Any = Looks()
    timing = Timing(looks, failing(OpsDiskFull("the disk is full")), utcnow)  # type: ignore[arg-type]
    assert timing.tick(utcnow()) is False and timing.problems == {"clouds": "the disk is full"}


def test_the_thread_goes_on_whatever_happens_and_waits_for_no_slow_cloud() -> None:
    looks: Any = Looks()
    go_on = threading.Event()
    looks.does["broken"] = failing(ValueError("odd"))
    looks.does["slow"] = lambda: go_on.wait(SECONDS)
    timing = Timing(looks, lambda: ["broken", "slow", "fine"], utcnow, look_seconds=0.01)
    timing.begin()
    try:
        assert looks.until("broken", 5) and looks.until("fine", 5)
        assert looks.seen["slow"] == 1
        go_on.set()
        assert looks.until("slow", 3), "its thread was not given back"
    finally:
        go_on.set()
        timing.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "snapshots-timing"]


def test_it_looks_at_once_when_it_is_woken() -> None:
    looks: Any = Looks()
    timing = Timing(looks, lambda: ["east"], utcnow, look_seconds=3600)
    timing.begin()
    try:
        assert looks.until("east", 1)
        for count in range(2, 5):
            timing.wake()
            assert looks.until("east", count)
    finally:
        timing.close()
