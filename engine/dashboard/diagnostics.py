"""Utilisation out of Nova's diagnostics: machines take turns, and what they use is added up by host.

Nova tells CPU time as a counter, so a machine's first answer gives no percentage. Memory is taken only from drivers
that tell what the machine uses: libvirt tells what it was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from engine.clouds import errors
from engine.clouds.errors import CloudError
from engine.clouds.session import microversion_header, negotiate
from engine.dashboard.utilisation import Key, Reading

if TYPE_CHECKING:
    from engine.clouds.service import CloudService

MICROVERSION = "2.48"  # from it on the answer has one form for all drivers
_BALLOON = ("libvirt", "qemu", "kvm")  # drivers whose "used" memory is the balloon's size
MOST_KEPT = 200_000  # counters
NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Counter:
    """CPU time in nanoseconds, added up over `cpus`, at a time."""

    nanoseconds: int
    cpus: int
    at: datetime


def counter(answer: Mapping[str, Any], at: datetime) -> Counter | None:
    """CPU time of a diagnostics answer; None where it has none."""
    details = [one for one in answer.get("cpu_details") or () if isinstance(one, dict)]
    times = [one["time"] for one in details if isinstance(one.get("time"), int) and not isinstance(one["time"], bool)]
    return Counter(sum(times), len(times), at) if times else None


def cpu_percent(answer: Mapping[str, Any], now: Counter | None, before: Counter | None) -> float | None:
    """Of the machine's vCPUs, since the answer before; else what the hypervisor says itself; else None."""
    if now is not None and before is not None and now.cpus == before.cpus:
        seconds, used = (now.at - before.at).total_seconds(), now.nanoseconds - before.nanoseconds
        if seconds >= 1 and used >= 0:  # a counter that went back belongs to a machine that was started again
            return min(100.0, 100.0 * used / (seconds * NANOSECONDS * now.cpus))
    said = [
        one["utilisation"]
        for one in answer.get("cpu_details") or ()
        if isinstance(one, dict) and isinstance(one.get("utilisation"), int) and 0 <= one["utilisation"] <= 100
    ]
    return sum(said) / len(said) if said else None


def memory_percent(answer: Mapping[str, Any]) -> float | None:
    """Of the machine's memory; None from drivers that do not know it."""
    memory = answer.get("memory_details")
    if answer.get("driver") in _BALLOON or not isinstance(memory, dict):
        return None
    most, used = memory.get("maximum"), memory.get("used")
    if not isinstance(most, int) or not isinstance(used, int) or most <= 0 or not 0 <= used <= most:
        return None
    return 100.0 * used / most


def of_hosts(
    hosts: Iterable[Mapping[str, Any]],
    machines: Iterable[Mapping[str, Any]],
    readings: Mapping[Key, Reading],
    now: datetime,
) -> dict[Key, Reading]:
    """What the machines on each host use of it: only of hosts all of whose running machines have a reading."""
    on: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for machine in machines:
        if machine["host"]:
            on.setdefault((machine["cloud"], machine["region"], machine["host"]), []).append(machine)
    found: dict[Key, Reading] = {}
    for host in hosts:
        there = on.get((host["cloud"], host["region"], host["name"]), [])
        known = [readings.get((one["cloud"], one["region"], one["id"])) for one in there]
        cpu = _added(
            [(one["vcpus"], reading.cpu if reading else None) for one, reading in zip(there, known, strict=True)]
        )
        memory = _added(
            [(one["ram_mb"], reading.memory if reading else None) for one, reading in zip(there, known, strict=True)]
        )
        percents = (_share(cpu, host["vcpus"]), _share(memory, host["memory_mb"]))
        if there and percents != (None, None):
            found[host["cloud"], host["region"], host["id"]] = Reading(*percents, now)
    return found


def _added(parts: Sequence[tuple[int | None, float | None]]) -> float | None:
    """Sum of size x percent / 100; None when one of them is not known."""
    if any(size is None or percent is None for size, percent in parts):
        return None
    return sum(size * percent / 100 for size, percent in parts if size is not None and percent is not None)


def _share(part: float | None, whole: int | None) -> float | None:
    return None if part is None or not whole else min(100.0, 100.0 * part / whole)


class Diagnostics:
    """Asks one cloud after the other, so many machines in one round; keeps whose turn it is, and the counters."""

    def __init__(self, clouds: CloudService) -> None:
        self._clouds = clouds
        self._turns: dict[str, Key] = {}
        self._counters: dict[Key, Counter] = {}
        self.learning = False  # machines answered with counters alone: soon asked again, they tell something

    def measure(
        self, cloud: str, machines: Sequence[Mapping[str, Any]], calls: int, now: datetime
    ) -> dict[Key, Reading]:
        """Readings of the next `calls` of the cloud's running machines. Raises CloudError when none could be asked."""
        keyed = sorted((one["cloud"], one["region"], one["id"]) for one in machines)
        turn = self._turns.get(cloud)
        order = [key for key in keyed if turn is None or key > turn] + [key for key in keyed if turn and key <= turn]
        chosen = order[:calls]
        if not chosen:
            return {}
        found: dict[Key, Reading] = {}
        self.learning = False
        new = [key for key in chosen if key not in self._counters]
        failure = CloudError("denied", f"no account of {cloud} may ask Nova for diagnostics")
        for account in self._clouds.accounts(cloud):
            connected = self._clouds.connect(account)
            try:
                for key in chosen:
                    answer = self._ask(connected.session, key)
                    if answer is not None:
                        found[key] = self._reading(key, answer, now)
                told = {key: one for key, one in found.items() if (one.cpu, one.memory) != (None, None)}
                self.learning = not told and any(key in self._counters for key in new)
                if not self.learning:
                    self._turns[cloud] = chosen[-1]
                return told
            except CloudError as error:
                failure = error
            finally:
                connected.session.close()
        raise failure

    def _ask(self, session: Any, key: Key) -> Mapping[str, Any] | None:
        """The answer about a machine; None when it has none just now (409: it does not run; 404: it is gone)."""
        endpoint = session.endpoint("compute", key[1])
        version = negotiate(MICROVERSION, endpoint.top)
        headers = microversion_header("compute", version)
        answer = session.get(f"{endpoint.url}/servers/{key[2]}/diagnostics", headers=headers, max_bytes=1 << 20)
        if answer.status in (404, 409):
            return None
        if answer.status != 200:
            raise errors.of_status(answer.status, answer.body, "the diagnostics of compute")
        try:
            found = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise CloudError("broken", "the diagnostics of compute could not be read: no JSON") from None
        return found if isinstance(found, dict) else None

    def _reading(self, key: Key, answer: Mapping[str, Any], now: datetime) -> Reading:
        told, before = counter(answer, now), self._counters.get(key)
        if told is not None:
            if len(self._counters) >= MOST_KEPT and key not in self._counters:
                self._counters.clear()
            self._counters[key] = told
        return Reading(cpu_percent(answer, told, before), memory_percent(answer), now)
