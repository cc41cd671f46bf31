"""A collection steps aside for people, and always goes on."""

import sys
import threading
import time

import pytest

from engine.inventory import courtesy
from engine.inventory.courtesy import answering, step_aside


def test_nothing_is_waited_for_when_nobody_waits() -> None:
    began = time.perf_counter()
    step_aside(seconds=30.0)
    assert time.perf_counter() - began < 10.0


def test_it_waits_until_the_last_answer_is_given() -> None:
    order: list[str] = []

    def collect() -> None:
        step_aside(seconds=30.0)
        order.append("collected")

    with answering():
        with answering():
            collector = threading.Thread(target=collect)
            collector.start()
            order.append("first")
        order.append("second")
    collector.join(10.0)
    assert order == ["first", "second", "collected"]


def test_it_goes_on_when_answers_never_end() -> None:
    with answering():
        step_aside(seconds=0.01)  # returns, or the test hangs


def test_an_answer_that_fails_is_over_too() -> None:
    try:
        with answering():
            raise ValueError
    except ValueError:
        pass
    began = time.perf_counter()
    step_aside(seconds=30.0)
    assert time.perf_counter() - began < 10.0


def test_pieces_are_short_while_somebody_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "_last_answer", -courtesy.HERE_SECONDS - time.monotonic())
    ordinary = courtesy._ordinary_turn
    assert courtesy.piece() == courtesy.LONG_PIECE
    with answering():
        assert courtesy.piece() == courtesy.SHORT_PIECE
        assert sys.getswitchinterval() < ordinary
    assert courtesy.piece() == courtesy.SHORT_PIECE  # somebody who scrolls asks again soon
    monkeypatch.setattr(courtesy, "_last_answer", time.monotonic() - courtesy.HERE_SECONDS)
    step_aside()
    assert courtesy.piece() == courtesy.LONG_PIECE
    assert sys.getswitchinterval() == ordinary
