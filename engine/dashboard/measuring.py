"""Measures on its own: asks the configured source every few minutes, and keeps what it heard in the estate.

What is kept is bounded: of Prometheus all hosts and the busiest machines, of Nova those that were asked. The store sums
it up by the hour after a week, and drops it in the end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog

from engine.clouds.errors import CloudError
from engine.dashboard import diagnostics, prometheus
from engine.dashboard.diagnostics import Diagnostics
from engine.dashboard.prometheus import PrometheusError
from engine.dashboard.utilisation import CPU, MEMORY, Key, Kind, Measurements, Reading, Source, metric
from store.estate.errors import EstateError
from store.estate.reading import capacity
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from engine.clouds.service import CloudService
    from engine.inventory.reads import InventoryReads
    from engine.settings.models import Metrics

KEPT_MACHINES = 100  # of one cloud and round: the busiest by CPU and by memory
TICK_SECONDS = 5.0
SOON_SECONDS = 30.0  # between the first counters of machines and the second ones, which give percentages
_log = structlog.get_logger("qdeck.metrics")


class Measuring:
    """See the module; a thread between `begin` and `close`."""

    def __init__(
        self,
        reads: InventoryReads,
        clouds: CloudService,
        measurements: Measurements,
        settings: Callable[[], Metrics],
        changed: Callable[[], Any] = lambda: None,
    ) -> None:
        self._reads = reads
        self._clouds = clouds
        self._measurements = measurements
        self._settings = settings
        self._changed = changed
        self._diagnostics = Diagnostics(clouds)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._measured = float("-inf")
        self._learning = False

    def begin(self) -> None:
        """Measure from now on."""
        self._thread = threading.Thread(target=self._run, name="measuring", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def measure(self) -> Source | None:
        """One measurement by the best source that answers; None when none does."""
        settings = self._settings()
        if settings.source == "allocation":
            return None
        hosts, machines = self._reads.read(
            lambda connection: (capacity.hosts(connection, Scope()), capacity.running(connection, Scope()))
        )
        asked = settings.prometheus_url and settings.source in ("auto", "prometheus")
        if asked and self._by_prometheus(settings, hosts, machines):
            return "prometheus"
        if settings.source in ("auto", "nova") and settings.nova_calls and self._by_nova(settings, hosts, machines):
            return "nova"
        return None

    def _by_prometheus(self, settings: Metrics, hosts: list[dict[str, Any]], machines: list[dict[str, Any]]) -> bool:
        now = self._reads.clock()
        try:
            of_hosts, of_machines = prometheus.measure(settings, hosts, machines, now)
        except PrometheusError as error:
            self._measurements.failed("prometheus", str(error))
            return False
        found = bool(of_hosts or of_machines)
        self._measurements.failed("prometheus", "" if found else "it knows none of these hosts and machines")
        if found:
            self._keep("hypervisor", "prometheus", of_hosts)
            self._keep("server", "prometheus", of_machines, KEPT_MACHINES)
        return found

    def _by_nova(self, settings: Metrics, hosts: list[dict[str, Any]], machines: list[dict[str, Any]]) -> bool:
        now, heard, failures = self._reads.clock(), False, []
        self._learning = False
        for cloud in self._clouds.names():
            if self._stop.is_set():
                return heard
            mine = [one for one in machines if one["cloud"] == cloud]
            try:
                readings = self._diagnostics.measure(cloud, mine, settings.nova_calls, now)
            except CloudError as error:
                failures.append(str(error))
                continue
            heard, self._learning = heard or bool(readings), self._learning or self._diagnostics.learning
            self._keep("server", "nova", readings)
        if heard:
            known = self._measurements.choose_from("server", "nova", Scope())
            self._keep("hypervisor", "nova", diagnostics.of_hosts(hosts, machines, known, now))
        self._measurements.failed(
            "nova", "" if heard else (failures[0] if failures else "no machine has told anything yet")
        )
        return heard

    def _keep(self, kind: Kind, source: Source, readings: Mapping[Key, Reading], most: int | None = None) -> None:
        """All in memory; in the store at most so many of a cloud."""
        if not readings:
            return
        self._measurements.take_in(kind, source, readings)
        self._reads.estate.add_samples(samples(kind, source, busiest(readings, most) if most else readings))
        self._changed()

    def _run(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            pause = SOON_SECONDS if self._learning else 60.0 * self._settings().interval_minutes
            if time.monotonic() - self._measured < pause:
                continue
            self._measured = time.monotonic()
            try:
                self.measure()
            except EstateError as error:
                _log.warning("nothing could be measured", error=str(error))
            except Exception:
                # A thread that ends silently would leave yesterday's numbers on screen.
                _log.exception("measuring failed")


def busiest(readings: Mapping[Key, Reading], most: int) -> dict[Key, Reading]:
    """Of each cloud the `most` with the highest CPU, and as many with the highest memory."""
    chosen: dict[Key, Reading] = {}
    for cloud in {key[0] for key in readings}:
        mine = [(key, reading) for key, reading in readings.items() if key[0] == cloud]
        by_cpu = [(-reading.cpu, key) for key, reading in mine if reading.cpu is not None]
        by_memory = [(-reading.memory, key) for key, reading in mine if reading.memory is not None]
        for order in (by_cpu, by_memory):
            chosen |= {key: readings[key] for _, key in sorted(order)[:most]}
    return chosen


def samples(
    kind: Kind, source: Source, readings: Mapping[Key, Reading]
) -> list[tuple[str, str, str, str, str, datetime, float]]:
    """Rows for the store."""
    return [
        (*key[:2], kind, key[2], metric(of, source), reading.at, value)
        for key, reading in readings.items()
        for of, value in ((CPU, reading.cpu), (MEMORY, reading.memory))
        if value is not None
    ]
