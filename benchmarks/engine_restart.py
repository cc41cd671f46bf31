"""How soon an engine answers: `python -m benchmarks.engine_restart [--rounds 15]`.

The whole engine in a home of its own. Its worker is killed with SIGKILL, and the next answer is waited for by a client
that was connected before. Paired with what it would take without the warm parent: a new Python process that imports
the same and opens the same databases.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import machine, seconds, single, table
from engine.process.models import Home
from tui.api.client import SyncClient
from tui.cli.options import GlobalOptions

LIMIT = 0.5  # seconds from the kill to the next answer
# A worker that dies before it served a second is thought to die again soon, and waited for.
BETWEEN = 1.1

_COLD = """
import sys
from pathlib import Path
from engine.app import create_app, open_engine
from engine.process.control import Control
from engine.process.models import Home
from engine.process.status import Status
parts = open_engine(Home(Path(sys.argv[1])))
create_app(parts, Control(Status("", ""), print))
parts.close()
"""


@contextlib.contextmanager
def engine(home: Home) -> Iterator[tuple[SyncClient, float]]:
    """A client of a new engine in `home`, and the seconds until its first answer; the engine is stopped at the end."""
    began = time.perf_counter()
    client = SyncClient.connect(GlobalOptions(home=home.path))
    client.get("/q/engine")
    took = time.perf_counter() - began
    pid = client.get("/q/engine")["pid"]
    try:
        yield client, took
    finally:
        client.close()
        os.kill(pid, signal.SIGTERM)
        while Path(f"/proc/{pid}").exists() and home.socket.exists():
            time.sleep(0.05)


def kill_and_ask(client: SyncClient) -> float:
    """Seconds from the worker's death to the next answer."""
    worker = client.get("/q/engine")["worker_pid"]
    began = time.perf_counter()
    os.kill(worker, signal.SIGKILL)
    answer = client.get("/q/engine")
    took = time.perf_counter() - began
    assert answer["worker_pid"] != worker
    return took


def cold(home: Home) -> float:
    """Seconds of a new process that imports everything and opens the databases."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", _COLD, str(home.path)], check=True, cwd="/")
    return time.perf_counter() - began


def rows(rounds: int = 15) -> list[list[str]]:
    """The table's rows."""
    folder = Path(tempfile.mkdtemp(prefix="qd-"))
    try:
        home, other = Home(folder / "a"), Home(folder / "b")
        other.path.mkdir(mode=0o700)
        warm_times, cold_times = [], []
        with engine(home) as (client, start):
            cold(other)
            for _ in range(rounds):
                time.sleep(BETWEEN)
                warm_times.append(kill_and_ask(client))
                cold_times.append(cold(other))
        median, worst = statistics.median(warm_times), max(warm_times)
        ratio = statistics.median(a / b for a, b in zip(warm_times, cold_times, strict=True))
        return [
            ["after kill -9 of the worker, next answer (median)", seconds(median),
             seconds(statistics.median(cold_times)), f"{ratio:.3f}", seconds(LIMIT),
             "met" if median <= LIMIT else "MISSED"],
            single("the same, slowest", seconds(worst)),
            single("no engine running: start to first answer", seconds(start)),
        ]  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    print(machine())
    print(table(rows(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
