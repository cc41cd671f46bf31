"""A thread that looks again: after its pause, at once when it is woken, never after it was ended."""

from __future__ import annotations

import threading

import pytest

from engine.jobs.looking import Looking
from tests.engine.process.running import wait_for


class Looks:
    """Counts them."""

    def __init__(self, pause: float | None) -> None:
        self.pause, self.count = pause, 0

    def look(self) -> float | None:
        self.count += 1
        return self.pause


@pytest.mark.parametrize("pause", [None, 600.0])
def test_it_is_woken(pause: float | None) -> None:
    looks = Looks(pause)
    looking = Looking("test", looks.look)
    looking.begin()
    wait_for(lambda: looks.count == 1)
    looking.wake()
    wait_for(lambda: looks.count == 2)
    looking.close()
    assert looking.ending and looks.count == 2


def test_a_pause_of_nothing_is_none() -> None:
    looks = Looks(0.0)
    looking = Looking("test", looks.look)
    looking.begin()
    wait_for(lambda: looks.count > 20)
    looking.close()


def test_who_wakes_it_during_a_look_is_heard_after_it() -> None:
    began, go = threading.Event(), threading.Event()
    looks = Looks(None)

    def look() -> float | None:
        began.set()
        go.wait(20)
        return looks.look()

    looking = Looking("test", look)
    looking.begin()
    assert began.wait(20)
    looking.wake()
    go.set()
    wait_for(lambda: looks.count == 2)
    looking.close()


def test_one_that_never_began_is_ended_all_the_same() -> None:
    Looking("test", lambda: None).close()
