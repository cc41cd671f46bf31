"""Counts of requests, for both forms of the metrics. Kept per route template, so hostile paths add no series."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# A poll waits on purpose: in the mean it would hide everything else.
_WAITING = frozenset({"/q/changes"})


class Statistics:
    """Requests since the engine started. One registry for an engine: rooms add gauges of their own with `gauge`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()
        self._count = self._errors = self._timed = 0
        self._seconds = 0.0
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "qdeck_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._latency = Histogram(
            "qdeck_request_seconds",
            "Time to answer, in seconds.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.gauge("qdeck_uptime_seconds", "Seconds since the engine started.", self.uptime)

    def gauge(self, name: str, words: str, value: Callable[[], float]) -> None:
        """Add a gauge that asks `value` each time the metrics are read."""
        Gauge(name, words, registry=self.registry).set_function(value)

    def uptime(self) -> float:
        """Seconds since the engine started."""
        return self._clock() - self._started

    def add(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. `route` is the template ("/servers/{id}"), "none" when no route matched."""
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(method, route).observe(seconds)
        with self._lock:
            self._count += 1
            self._errors += status >= 500
            if route not in _WAITING:
                self._timed += 1
                self._seconds += seconds

    def summary(self) -> dict[str, Any]:
        """The documented figures, without `active_sessions`. `error_rate` is the share of 5xx answers, 0 to 1."""
        with self._lock:
            count, errors, timed, total = self._count, self._errors, self._timed, self._seconds
        return {
            "uptime_seconds": int(self.uptime()),
            "request_count": count,
            "avg_response_time_ms": round(1000 * total / timed, 2) if timed else 0.0,
            "error_rate": round(errors / count, 4) if count else 0.0,
        }

    def exposition(self) -> bytes:
        """Prometheus' text format, version 0.0.4."""
        return generate_latest(self.registry)
