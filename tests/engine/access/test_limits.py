"""Rate limits: windows of a minute, the documented headers, bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access import limits
from engine.api.errors import TooManyRequests


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_headers_count_down_and_the_next_one_is_refused() -> None:
    clock = Clock()
    rate = limits.Limits(clock)
    state: dict = {}
    for left in range(99, -1, -1):
        rate.request("token:a", state)
        assert state["headers"] == {
            "X-RateLimit-Limit": "100",
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": "1700000060",
        }
    clock.now += 12.5
    with pytest.raises(TooManyRequests, match="100 a minute; try again in 48 seconds") as refused:
        rate.request("token:a", state)
    assert refused.value.headers == {"Retry-After": "48"}
    rate.request("token:b", state)
    clock.now += 48
    rate.request("token:a", state)
    assert state["headers"]["X-RateLimit-Remaining"] == "99"


def test_logins_have_their_own_limit() -> None:
    rate = limits.Limits(Clock())
    for _ in range(10):
        rate.login("192.0.2.1", {})
    with pytest.raises(TooManyRequests, match="10 a minute"):
        rate.login("192.0.2.1", {})
    rate.login("192.0.2.2", {})
    rate.request("address:192.0.2.1", {})


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_one_host_is_one_address(address: str, counted: str) -> None:
    assert limits.network_of(address) == counted


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200))
def test_never_more_than_the_limit_in_a_window(steps: list[float]) -> None:
    clock = Clock()
    window = limits.Window(5, clock)
    allowed: list[float] = []
    for step in steps:
        clock.now += step
        standing = window.take("k")
        if standing.allowed:
            allowed.append(clock.now)
    # Windows are fixed: between a request and the tenth after it lies at least one whole window.
    for first, eleventh in zip(allowed, allowed[10:], strict=False):
        assert eleventh - first >= 60


def test_a_clock_that_steps_back_locks_nobody_out() -> None:
    clock = Clock()
    window = limits.Window(1, clock)
    window.take("k")
    clock.now -= 3600
    assert window.take("k").allowed


def test_memory_is_bounded() -> None:
    window = limits.Window(1, Clock())
    for number in range(limits._KEYS_KEPT + 50):
        window.take(str(number))
    assert len(window._counts) == limits._KEYS_KEPT
