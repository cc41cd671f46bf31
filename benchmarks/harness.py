"""Our own pairing harness: two ways to do the same work, A B A B, so that load on the machine falls on both alike.

    paired = pair("20,000 servers", ours=collect_raw, other=collect_objects, rounds=5)
    print(table([paired.row(limit=1 / 20)]))

A round's ratio is ours / other; the median of the ratios is the figure, because absolute times move with whatever else
the machine does. Wall and CPU time (all threads of this process, and of the processes named by `pids`) are both taken.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Work = Callable[[], Any]
HEAD = ("Figure", "Ours", "Other", "Ratio", "Limit", "")


@dataclass(frozen=True, slots=True)
class Measure:
    """One run, in seconds."""

    wall: float
    cpu: float


def measure(work: Work, *, pids: Iterable[int] = ()) -> Measure:
    """Run once. `pids`: other processes whose CPU time counts, for example an engine."""
    pids = list(pids)
    gc.collect()
    cpu, wall = _cpu(pids), time.perf_counter()
    work()
    return Measure(time.perf_counter() - wall, _cpu(pids) - cpu)


def _cpu(pids: Sequence[int]) -> float:
    own = os.times()
    return own.user + own.system + sum(_cpu_of(pid) for pid in pids) if pids else time.process_time()


def _cpu_of(pid: int) -> float:
    """CPU seconds of another process and its ended children, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Paired:
    """Runs of two ways to do the same work."""

    name: str
    ours: list[Measure] = field(default_factory=list)
    other: list[Measure] = field(default_factory=list)

    def ratio(self, what: str = "wall") -> float:
        """Median over the rounds of ours / other, of "wall" or "cpu" time."""
        rounds = zip(self.ours, self.other, strict=True)
        return statistics.median(getattr(a, what) / max(getattr(b, what), 1e-9) for a, b in rounds)

    def median(self, what: str = "wall", *, other: bool = False) -> float:
        """Median seconds of one side."""
        return statistics.median(getattr(run, what) for run in (self.other if other else self.ours))

    def row(self, *, what: str = "wall", limit: float | None = None, at_most: float | None = None) -> list[str]:
        """A table row; `limit` is for the ratio, `at_most` for our seconds."""
        ours, other, ratio = self.median(what), self.median(what, other=True), self.ratio(what)
        good, words = True, []
        if limit is not None:
            good, words = ratio <= limit, [f"ratio {limit:.3g}"]
        if at_most is not None:
            good, words = good and ours <= at_most, [*words, seconds(at_most)]
        verdict = ("met" if good else "MISSED") if words else ""
        return [f"{self.name} ({what})", seconds(ours), seconds(other), f"{ratio:.3f}", ", ".join(words), verdict]


def pair(name: str, ours: Work, other: Work, *, rounds: int = 5, warm: bool = True, pids: Iterable[int] = ()) -> Paired:
    """Run A B A B ...; with `warm` one unmeasured run of each comes first."""
    paired = Paired(name)
    if warm:
        ours()
        other()
    for _ in range(rounds):
        paired.ours.append(measure(ours, pids=pids))
        paired.other.append(measure(other, pids=pids))
    return paired


def single(name: str, value: str, limit: str = "", good: bool | None = None) -> list[str]:
    """A row for a figure that has nothing to be compared with."""
    return [name, value, "", "", limit, "" if good is None else "met" if good else "MISSED"]


def seconds(value: float) -> str:
    """Seconds as a person reads them."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def table(rows: Iterable[Sequence[str]], head: Sequence[str] = HEAD) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine() -> str:
    """One line about where the figures come from."""
    load = os.getloadavg()[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    version = platform.python_version()
    return f"{platform.machine()}, {os.cpu_count()} CPUs, {memory:.0f} GB, Python {version}, load {load:.1f}"


def resident(pid: int | None = None) -> float:
    """Resident memory of a process in MB (this one by default)."""
    status = Path(f"/proc/{pid or os.getpid()}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
