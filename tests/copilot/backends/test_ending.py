"""A question is ended: by a person, by closing, from another thread, before it began."""

from __future__ import annotations

import threading
import time

import pytest

from copilot.backends.base import Cancel, Text
from copilot.backends.errors import Cancelled
from copilot.backends.pump import pump
from tests.copilot.backends import speech
from tests.copilot.backends.asking import MAKERS, QUESTION, QUICK, backend
from tests.copilot.backends.server import Reply, Stall, serving
from tests.copilot.backends.test_failures import BEGUN, SSE

AT_ONCE = 0.1  # seconds


class Asking:
    """A question that is asked in another thread until it ends."""

    def __init__(self, maker: str, server) -> None:
        self.cancel = Cancel()
        self.got: list[object] = []
        self.error: BaseException | None = None
        self.ended_at = 0.0
        self.begun = threading.Event()
        self._stream = backend(maker, server).stream(QUESTION, self.cancel, QUICK)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            for event in self._stream:
                self.got.append(event)
                self.begun.set()
        except BaseException as error:
            self.error = error
        self.ended_at = time.monotonic()


def _seconds_to_end(maker: str, reply: Reply | None) -> float:
    """From the cancelling of a question that waits to both its ends: the asker's and the server's."""
    with serving(reply) as server:
        asking = Asking(maker, server)
        assert server.waiting.wait(10)
        assert reply is None or asking.begun.wait(10)
        at = time.monotonic()
        asking.cancel.cancel()
        assert server.hung_up.wait(10)
        closed_at = time.monotonic()
        asking.thread.join(10)
        assert type(asking.error) is Cancelled
        assert reply is None or any(isinstance(one, Text) for one in asking.got)
        return max(asking.ended_at, closed_at) - at


@pytest.mark.parametrize("maker", MAKERS)
def test_cancelled_while_no_status_has_come(maker: str) -> None:
    # The best of some: other work on the machine is not what is measured.
    assert min(_seconds_to_end(maker, None) for _ in range(4)) < AT_ONCE


@pytest.mark.parametrize("maker", MAKERS)
def test_cancelled_while_nothing_arrives_in_the_middle(maker: str) -> None:
    assert min(_seconds_to_end(maker, Reply([*BEGUN[maker], Stall()], headers=SSE)) for _ in range(4)) < AT_ONCE


@pytest.mark.parametrize("maker", MAKERS)
def test_closing_the_iterator_closes_the_connection(maker: str) -> None:
    with serving(Reply([*BEGUN[maker], Stall()], headers=SSE)) as server:
        stream = backend(maker, server).stream(QUESTION, Cancel(), QUICK)
        assert isinstance(next(stream), Text)
        stream.close()
        assert server.hung_up.wait(5)


@pytest.mark.parametrize("maker", MAKERS)
def test_cancelled_before_it_began_asks_nobody(maker: str) -> None:
    cancel = Cancel()
    cancel.cancel()
    with serving(speech.say(maker, "12.")) as server:
        with pytest.raises(Cancelled):
            list(backend(maker, server).stream(QUESTION, cancel, QUICK))
        assert server.asked == []


@pytest.mark.parametrize("maker", MAKERS)
def test_nothing_is_handed_on_after_it_was_cancelled(maker: str) -> None:
    cancel = Cancel()
    with serving(speech.say(maker, "There are", " 12.")) as server:
        stream = backend(maker, server).stream(QUESTION, cancel, QUICK)
        next(stream)
        cancel.cancel()
        with pytest.raises(Cancelled):
            next(stream)


def test_a_callback_is_called_once_and_not_when_taken_back() -> None:
    cancel, called = Cancel(), []
    cancel.when(lambda: called.append("kept"))
    cancel.when(lambda: called.append("taken back"))()
    cancel.cancel()
    cancel.cancel()
    assert called == ["kept"]
    cancel.when(lambda: called.append("late"))
    assert called == ["kept", "late"]


def test_no_thread_is_left() -> None:
    before = {one for one in threading.enumerate() if one.name == "copilot-model"}
    for maker in MAKERS:
        with serving(speech.say(maker, "12.")) as server:
            list(backend(maker, server).stream(QUESTION, Cancel(), QUICK))
    left = [one for one in threading.enumerate() if one.name == "copilot-model" and one not in before]
    for one in left:
        one.join(5)
    assert not any(one.is_alive() for one in left)


def test_an_error_of_the_translation_is_still_one_sentence() -> None:
    async def items():
        yield 1
        raise RuntimeError("secret detail")

    def translate(error: BaseException):
        raise KeyError("again")

    stream = pump(items, translate, Cancel(), QUICK, "The server")
    assert next(stream) == 1
    with pytest.raises(Exception, match="cannot be understood") as caught:
        next(stream)
    assert "secret" not in str(caught.value) and caught.value.__cause__ is None
