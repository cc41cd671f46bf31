"""What is known of how busy hosts and machines are: the last measurements, and which source an answer uses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from engine.dashboard import rules
from store.estate.reading.models import Scope
from store.estate.reading.problems import rows_of
from store.times import naive

if TYPE_CHECKING:
    import duckdb

    from engine.inventory.reads import InventoryReads
    from engine.settings.models import Metrics

Source = Literal["prometheus", "nova", "allocation"]
MEASURED: tuple[Source, ...] = ("prometheus", "nova")  # the best first
Kind = Literal["hypervisor", "server"]
Key = tuple[str, str, str]  # (cloud, region, id)
CPU, MEMORY = "cpu", "memory"
NOVA_FRESH = timedelta(hours=1)  # machines take turns
PROMETHEUS_FRESH = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Reading:
    """Percent of CPU and memory in use at a time; None = not known."""

    cpu: float | None
    memory: float | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Chosen:
    """The source of an answer, why in words, its last measurement, and the readings by key."""

    source: Source
    sentence: str
    at: datetime | None
    readings: Mapping[Key, Reading] = field(default_factory=dict)


def metric(of: str, source: str) -> str:
    """Name under which a measurement is kept: "cpu:prometheus"."""
    return f"{of}:{source}"


class Measurements:
    """The last readings by source. Filled by whoever measures, at first out of what the store has kept."""

    def __init__(self, reads: InventoryReads, settings: Callable[[], Metrics]) -> None:
        self._reads = reads
        self._settings = settings
        self._lock = threading.Lock()
        self._last: dict[tuple[str, str], dict[Key, Reading]] | None = None  # (kind, source) -> readings
        self._failures: dict[str, str] = {}
        self.version = 0  # moves with every measurement

    def take_in(self, kind: Kind, source: Source, readings: Mapping[Key, Reading]) -> None:
        """Take in new readings; older ones of others stay until they are too old."""
        with self._lock:
            self.version += 1
            known = self._known().setdefault((kind, source), {})
            known.update(readings)
            oldest = self._reads.clock() - self.fresh(source)
            for key in [key for key, reading in known.items() if reading.at < oldest]:
                del known[key]

    def failed(self, source: Source, sentence: str) -> None:
        """Why the last measurement was none; "" = it was one."""
        with self._lock:
            self.version += self._failures.get(source, "") != sentence
            self._failures[source] = sentence

    def fresh(self, source: Source) -> timedelta:
        """How old a reading may be to count."""
        turns = timedelta(minutes=3 * self._settings().interval_minutes)
        return max(NOVA_FRESH if source == "nova" else PROMETHEUS_FRESH, turns)

    def choose(self, kind: Kind, scope: Scope) -> Chosen:
        """The best source that the settings allow and that has anything fresh of what the scope's clouds hold."""
        settings = self._settings()
        found: dict[Source, dict[Key, Reading]] = {source: self.choose_from(kind, source, scope) for source in MEASURED}
        with self._lock:
            failures = dict(self._failures)
        known: dict[str, bool] = {source: bool(readings) for source, readings in found.items()}
        source, sentence = rules.choose_source(settings.source, bool(settings.prometheus_url), known, failures)
        readings = found.get(source, {})
        last = max((reading.at for reading in readings.values()), default=None)
        return Chosen(source, sentence, last, readings)

    def choose_from(self, kind: Kind, source: Source, scope: Scope) -> dict[Key, Reading]:
        """Everything fresh of one source."""
        oldest = self._reads.clock() - self.fresh(source)
        with self._lock:
            known = self._known().get((kind, source), {})
            return {key: one for key, one in known.items() if one.at >= oldest and within(key, scope)}

    def _known(self) -> dict[tuple[str, str], dict[Key, Reading]]:
        """Call with the lock held."""
        if self._last is None:
            self._last = self._reads.read(lambda connection: _kept(connection, self._reads.clock() - NOVA_FRESH))
        return self._last


def within(key: Key, scope: Scope) -> bool:
    """Whether the key's cloud and region lie within limit and choice. Projects are not looked at."""
    for clouds in (scope.clouds, scope.in_clouds):
        if clouds is not None and key[0] not in clouds:
            return False
    return scope.in_regions is None or key[1] in scope.in_regions


def _kept(connection: duckdb.DuckDBPyConnection, since: datetime) -> dict[tuple[str, str], dict[Key, Reading]]:
    """The last measurements that an earlier engine has put into the store."""
    sql = """SELECT cloud, region, type, id, metric, max(taken_at) AS taken, arg_max(value, taken_at) AS value
        FROM samples WHERE taken_at >= ? AND list_contains(?, metric) GROUP BY ALL"""
    names = [metric(of, source) for of in (CPU, MEMORY) for source in MEASURED]
    found: dict[tuple[str, str], dict[Key, Reading]] = {}
    for row in rows_of(connection, sql, [naive(since), names]):
        of, _, source = row["metric"].partition(":")
        readings = found.setdefault((row["type"], source), {})
        key = (row["cloud"], row["region"], row["id"])
        before = readings.get(key)
        cpu = row["value"] if of == CPU else before.cpu if before else None
        memory = row["value"] if of == MEMORY else before.memory if before else None
        readings[key] = Reading(cpu, memory, max(row["taken"], before.at) if before else row["taken"])
    return found


def told(chosen: Chosen, known: int, total: int, listed_at: datetime | None) -> dict[str, Any]:
    """A Metrics answer."""
    at = listed_at if chosen.source == "allocation" else chosen.at
    return {"source": chosen.source, "sentence": chosen.sentence, "last_update": at, "known": known, "total": total}


def host_rows(hosts: Iterable[dict[str, Any]], chosen: Chosen) -> list[dict[str, Any]]:
    """Hosts with cpu and memory by the source, allocated_* whatever it is, and `status`."""
    found = []
    for host in hosts:
        cpu, memory = rules.allocated(host)
        row = {**host, "allocated_cpu": cpu, "allocated_memory": memory}
        if chosen.source == "allocation":
            row |= {"cpu": cpu, "memory": memory, "status": rules.allocation_level(memory)}
        else:
            reading = chosen.readings.get((host["cloud"], host["region"], host["id"]))
            row |= {"cpu": reading.cpu if reading else None, "memory": reading.memory if reading else None}
            row["status"] = rules.level(row["cpu"], row["memory"])
        found.append(row)
    return found
