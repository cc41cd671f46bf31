"""Fifty consoles at once: `python -m benchmarks.engine_clients [--clients 50] [--seconds 30] [--resources 100000]`.

A store of 100,000 servers; every client scrolls a page of 60 rows once in 2 s and waits for changes meanwhile, as the
console does, while a cloud of ready bytes is collected into the same store again and again. No error is allowed, and
the 95th percentile of a page's time must stay under 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.collect import clouds_yaml
from benchmarks.harness import machine, resident, seconds, single, table
from engine.process.models import Home
from tui.api.client import EngineClient, SyncClient
from tui.cli.options import GlobalOptions

LIMIT = 0.1  # seconds, 95th percentile
PAGE = 60
PAUSE = 2.0  # seconds between two pages of one client
GAP = 0.3  # seconds between two rounds of hints, as in the console
COLLECTED = ("--servers", "2000", "--volumes", "3000", "--ports", "4000", "--snapshots", "1000")


@dataclass(slots=True)
class Seen:
    """What the clients met."""

    pages: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    hints: int = 0


@contextlib.contextmanager
def cloud(folder: Path) -> Iterator[Path]:
    """A cloud of ready bytes; its clouds.yaml."""
    words = [sys.executable, "-m", "benchmarks.page_server", *COLLECTED]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield clouds_yaml(folder, ready["auth_url"])
    finally:
        process.communicate()


def fill(home: Home, resources: int) -> None:
    """Put the servers into the store, before the engine opens it."""
    from benchmarks.generated import fill as fill_estate
    from store.estate.estate import Estate

    home.path.mkdir(mode=0o700)
    with contextlib.closing(Estate.open(home.estate)) as estate:
        fill_estate(estate, resources, resources // 10)


async def console(client: EngineClient, seen: Seen, end: float, chance: random.Random, resources: int) -> None:
    """One client: pages down from a random place, and now and then jumps."""
    anchor: Any = {"rank": chance.randrange(resources)}
    await asyncio.sleep(chance.uniform(0, PAUSE))
    while time.monotonic() < end:
        body = {"type": "server", "sort": [["name", False]], "filter": "", "anchor": anchor, "before": 0, "after": PAGE}
        began = time.perf_counter()
        try:
            window = await client.post("/q/windows", json=body)
        except Exception as error:
            seen.errors.append(f"{type(error).__name__}: {error}")
        else:
            seen.pages.append(time.perf_counter() - began)
            ends = not window["has_after"] or not window["rows"] or chance.random() < 0.05
            anchor = {"rank": chance.randrange(resources)} if ends else {"key": window["rows"][-1][:3]}
        await asyncio.sleep(PAUSE)


async def listener(client: EngineClient, seen: Seen) -> None:
    """The same client's long poll."""
    async for hints in client.changes():
        seen.hints += len(hints)
        await asyncio.sleep(GAP)


async def run_clients(home: Home, clients: int, duration: float, resources: int) -> Seen:
    """All of them, for `duration` seconds."""
    seen, end = Seen(), time.monotonic() + duration
    options = GlobalOptions(home=home.path)
    async with contextlib.AsyncExitStack() as stack:
        made = [await stack.enter_async_context(await EngineClient.connect(options)) for _ in range(clients)]
        listeners = [asyncio.create_task(listener(one, seen)) for one in made]
        await asyncio.gather(
            *(console(one, seen, end, random.Random(number), resources) for number, one in enumerate(made))
        )
        for task in listeners:
            task.cancel()
        for result in await asyncio.gather(*listeners, return_exceptions=True):
            if isinstance(result, Exception):
                seen.errors.append(f"changes: {type(result).__name__}: {result}")
    return seen


def collecting(home: Home, stop: Path) -> subprocess.Popen[bytes]:
    """A process that collects the cloud again and again until `stop` exists; its output is the number of rounds."""
    code = (
        "import sys, time; from pathlib import Path; from tui.api.client import SyncClient\n"
        "from tui.cli.options import GlobalOptions\n"
        "rounds = 0\n"
        "with SyncClient.connect(GlobalOptions(home=Path(sys.argv[1]))) as client:\n"
        "    while not Path(sys.argv[2]).exists():\n"
        "        id = client.post('/q/collections', {'full': True})['items'][0]['id']\n"
        "        while (one := client.get(f'/q/collections/{id}'))['state'] in ('queued', 'running'): time.sleep(0.1)\n"
        "        rounds += one['state'] in ('done', 'partial')\n"
        "print(rounds)"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(home.path), str(stop)], stdout=subprocess.PIPE)


def rows(clients: int = 50, duration: float = 30.0, resources: int = 100_000) -> list[list[str]]:
    """The table's rows."""
    folder = Path(tempfile.mkdtemp(prefix="qd-"))
    home = Home(folder / "home")
    try:
        fill(home, resources)
        with cloud(folder) as file, SyncClient.connect(GlobalOptions(home=home.path)) as control:
            pid = control.get("/q/engine")["pid"]
            try:
                control.post("/q/clouds", {"account": "bench", "name": "live", "file": str(file)})
                stop = folder / "stop"
                collector = collecting(home, stop)
                seen = asyncio.run(run_clients(home, clients, duration, resources))
                stop.touch()
                rounds = int(collector.communicate()[0])
                memory = resident(control.get("/q/engine")["worker_pid"])
            finally:
                os.kill(pid, signal.SIGTERM)
                while home.socket.exists():
                    time.sleep(0.05)
        return _report(seen, clients, rounds, memory)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _report(seen: Seen, clients: int, rounds: int, memory: float) -> list[list[str]]:
    times = sorted(seen.pages)
    p95 = times[int(len(times) * 0.95)]
    for text in sorted(set(seen.errors)):
        sys.stderr.write(f"{seen.errors.count(text)} times: {text}\n")
    return [
        single(f"{clients} clients, page of {PAGE} rows, 95th percentile", seconds(p95), seconds(LIMIT), p95 < LIMIT),
        single("the same, median", seconds(times[len(times) // 2])),
        single(f"errors in {len(times)} pages", str(len(seen.errors)), "0", not seen.errors),
        single("collections that ended meanwhile", str(rounds), "1", rounds >= 1),
        single("hints heard by all clients", str(seen.hints)),
        single("memory of the worker", f"{memory:.0f} MB"),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--resources", type=int, default=100_000)
    given = parser.parse_args()
    print(machine())
    print(table(rows(given.clients, given.seconds, given.resources)))


if __name__ == "__main__":
    main()
