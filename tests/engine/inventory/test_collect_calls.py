"""Patience: what is tried again, how long it is waited, and that a cancelled collection waits for nothing."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.clouds.errors import CloudError
from engine.clouds.session import Answer
from engine.inventory.collector.calls import Caller, Cancelled, Gate, Patience, retry_after
from engine.inventory.pages import BadPage, parse

NOW = datetime(2026, 2, 8, 9, 0, tzinfo=UTC)

AFTER: list[tuple[dict[str, str], float | None]] = [
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": " 0 "}, 0.0),
    ({"retry-after": "-3"}, 0.0),
    ({"retry-after": "Sun, 08 Feb 2026 09:00:30 GMT"}, 30.0),
    ({"retry-after": "Sun, 08 Feb 2026 08:00:00 GMT"}, 0.0),
    ({"retry-after": "soon"}, None),
    ({"retry-after": ""}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), AFTER)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_what_a_service_asks_for_is_honoured_up_to_the_cap() -> None:
    patience = Patience(base=0.4, cap=2.0, after_cap=30.0)
    assert 10.0 <= patience.delay(0, 10.0) <= 10.1
    assert 30.0 <= patience.delay(0, 3600.0) <= 30.1
    assert max(patience.delay(9, None) for _ in range(200)) <= 2.0


class Script:
    """A session that answers from a script: statuses, bodies, or errors."""

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.times: list[float] = []
        self.name = "a"

    def get(self, url: str, *, headers: Any = None, cancelled: Any = None) -> Answer:
        self.times.append(time.monotonic())
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        status, headers, body = step
        return Answer(status, headers, body)


def ask(script: Script, patience: Patience | None = None, stop: threading.Event | None = None) -> Any:
    caller = Caller(script, Gate(2), patience or Patience(base=0.001, cap=0.002), stop or threading.Event())  # type: ignore[arg-type]
    return caller.get("http://x", {}, "servers", lambda answer: parse(answer.body, "servers").rows)


OK = (200, {}, b'{"servers": [1]}')
RESET = CloudError("unreachable", "reset")
HUNG = CloudError("timeout", "hung")
AGAIN: list[tuple[Any, ...]] = [
    ((503, {}, b""), OK),
    ((429, {"retry-after": "0"}, b""), (429, {}, b""), OK),
    ((500, {}, b""), (502, {}, b""), (504, {}, b""), OK),
    (RESET, OK),
    (CloudError("refused", "refused"), OK),
    ((200, {}, b'{"servers": ['), OK),
    (HUNG, OK),
]


@pytest.mark.parametrize("steps", AGAIN)
def test_passing_trouble_is_tried_again(steps: tuple[Any, ...]) -> None:
    assert ask(Script(*steps)) == [1]


FINAL: list[tuple[Any, str, int]] = [
    ((403, {}, b'{"forbidden": {"message": "Policy does not allow it"}}'), "denied", 1),
    ((404, {}, b""), "not_found", 1),
    ((400, {}, b""), "bad_request", 1),
    ((401, {}, b""), "password", 1),
    ((503, {}, b""), "busy", 4),
    ((500, {}, b""), "broken", 4),
    (RESET, "unreachable", 4),
    (HUNG, "timeout", 2),
    (CloudError("tls", "expired"), "tls", 1),
]


@pytest.mark.parametrize(("step", "kind", "calls"), FINAL)
def test_what_does_not_pass_is_told(step: Any, kind: str, calls: int) -> None:
    script = Script(step)
    with pytest.raises(CloudError) as caught:
        ask(script)
    assert (caught.value.kind, len(script.times)) == (kind, calls)


def test_a_page_that_stays_cut_off_is_told() -> None:
    with pytest.raises(BadPage):
        ask(Script((200, {}, b"{")))


def test_an_overloaded_service_is_left_alone_by_everybody() -> None:
    gate, stop = Gate(2), threading.Event()
    patience = Patience(base=0.001, cap=0.002)
    first = Script((429, {"retry-after": "1"}, b""), OK)
    Caller(first, gate, patience, stop).get("http://x", {}, "x", lambda a: a.status)  # type: ignore[arg-type]
    assert first.times[1] - first.times[0] >= 1.0
    gate.hold(0.3)
    began = time.monotonic()
    second = Script(OK)
    Caller(second, gate, patience, stop).get("http://x", {}, "x", lambda a: a.status)  # type: ignore[arg-type]
    assert second.times[0] - began >= 0.3


def test_a_cancelled_collection_does_not_wait() -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        ask(Script((503, {"retry-after": "60"}, b"")), Patience(), stop)
    assert time.monotonic() - began < 5


def test_no_more_calls_at_once_than_the_gate_is_wide() -> None:
    gate, stop, lock = Gate(3), threading.Event(), threading.Lock()
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.01)
        with lock:
            inside -= 1

    threads = [threading.Thread(target=gate.pass_through, args=(work, stop)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 3


def test_a_date_far_away_is_capped() -> None:
    far = (datetime.now(UTC) + timedelta(days=400)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    asked = retry_after({"retry-after": far})
    assert asked is not None and Patience(after_cap=5).delay(0, asked) < 6
