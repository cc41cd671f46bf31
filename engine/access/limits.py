"""Rate limits of the API over TCP, as documented. Nothing here is ever asked for requests on the socket."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from engine.api.errors import TooManyRequests

REQUESTS_PER_MINUTE = 100
LOGINS_PER_MINUTE = 10
_WINDOW_SECONDS = 60
_KEYS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How a key stands after a request: `limit` a minute, `remaining`, `reset` (epoch second), `wait` (seconds)."""

    limit: int
    remaining: int
    reset: int
    wait: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        """The documented headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


class Window:
    """Counts in windows of one minute that begin with a key's first request. Thread-safe; memory is bounded."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()  # key -> (end of its window, count)

    def take(self, key: str) -> Standing:
        """Count one request of `key`."""
        now = self._clock()
        with self._lock:
            end, count = self._counts.get(key, (0.0, 0))
            # A clock that stepped back must not lock anybody out for longer than a window.
            if now >= end or end - now > _WINDOW_SECONDS:
                end, count = now + _WINDOW_SECONDS, 0
                self._counts.pop(key, None)
            count = min(count + 1, self._limit + 1)
            self._counts[key] = (end, count)
            while len(self._counts) > _KEYS_KEPT:
                self._counts.popitem(last=False)
        left = max(0, self._limit - count)
        return Standing(self._limit, left, math.ceil(end), max(1, math.ceil(end - now)), count <= self._limit)


class Limits:
    """Both documented limits."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._requests = Window(REQUESTS_PER_MINUTE, clock)
        self._logins = Window(LOGINS_PER_MINUTE, clock)

    def request(self, key: str, state: MutableMapping[str, Any]) -> None:
        """Count a request; its standing goes to `state["headers"]` for the answer. Raises TooManyRequests."""
        self._settle(self._requests.take(key), state)

    def login(self, address: str, state: MutableMapping[str, Any]) -> None:
        """Count an attempt to log in from `address` (an IPv6 one by its /64, which one host owns whole)."""
        self._settle(self._logins.take(network_of(address)), state)

    def _settle(self, standing: Standing, state: MutableMapping[str, Any]) -> None:
        state.setdefault("headers", {}).update(standing.headers())
        if not standing.allowed:
            raise TooManyRequests(
                f"Too many requests: the limit is {standing.limit} a minute; try again in {standing.wait} seconds",
                headers={"Retry-After": str(standing.wait)},
            )


def network_of(address: str) -> str:
    """What a rate limit by address counts: the address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
