"""The demo's past: how long its first screen and each day behind it take, newest day first.

`python -m benchmarks.demo_past [--servers 20000] [--days 7] [--json FILE]`. The engine with everything in it, in a
process of its own; pages of the present are asked for all the while, as an operator would.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.harness import machine, table

LOOK = 0.02  # seconds between two looks
PAGE = 0.25  # seconds between two pages of an operator who leafs about


def quantile(values: list[float], share: float) -> float:
    """That share of the values is not above it."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def cpu(pid: int) -> float:
    """CPU seconds of a process so far; 0 when it has ended."""
    import os

    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pages(parts: Any, stop: threading.Event, took: list[float]) -> None:
    """A page of servers again and again, by name."""
    from store.estate.reading.models import Window

    while not stop.wait(PAGE):
        began = time.perf_counter()
        parts.reads.window(Window(type="server", sort=(("name", False),), after=60))
        took.append(time.perf_counter() - began)


def run(servers: int, days: int) -> dict[str, Any]:
    """One demo from nothing to its whole past."""
    import os

    import structlog

    from engine.app import open_engine
    from engine.process.models import Home

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    took: list[float] = []
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        began, used = time.monotonic(), cpu(os.getpid())
        with closing(open_engine(Home.at(Path(folder)), demo=True, servers=servers, past=days)) as parts:
            parts.begin()
            demo = parts.demonstration
            while demo.state == "starting":
                time.sleep(LOOK)
            present = time.monotonic() - began
            reader = threading.Thread(target=pages, args=(parts, stop, took))
            reader.start()
            each, done = [], 0
            while demo.state == "past":
                if (now := demo.status()["past"]["done"]) > done:
                    done = now
                    each.append(time.monotonic() - began)
                time.sleep(LOOK)
            whole, used = time.monotonic() - began, cpu(os.getpid()) - used
            stop.set()
            reader.join()
            problem = demo.problem or demo.status()["past"]["problem"]
            size = parts.home.estate.stat().st_size
    if problem:
        sys.exit(problem)
    return {
        "servers": servers,
        "days": days,
        "present": present,
        "yesterday": each[0] if each else None,
        "whole": whole,
        "past": whole - present,
        "cpu": used,
        "pages": len(took),
        "page_p50": statistics.median(took),
        "page_p95": quantile(took, 0.95),
        "estate_mb": size / 1e6,
    }


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--servers", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = run(given.servers, given.days)
    rows = [
        ("the present is there", f"{found['present']:.1f} s"),
        ("and yesterday", f"{found['yesterday']:.1f} s" if found["yesterday"] else ""),
        (f"and {given.days} days", f"{found['whole']:.1f} s"),
        ("of that the past", f"{found['past']:.1f} s"),
        ("CPU of the engine", f"{found['cpu']:.1f} s"),
        ("a page of servers meanwhile, p50 / p95", f"{found['page_p50'] * 1e3:.0f} / {found['page_p95'] * 1e3:.0f} ms"),
        ("estate", f"{found['estate_mb']:.0f} MB"),
    ]
    print(table(rows, (f"{given.servers:,} servers", "")))
    print(machine())
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), **found}, indent=1))


if __name__ == "__main__":
    main()
