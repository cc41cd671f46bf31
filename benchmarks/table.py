"""The console's table on a terminal of 80x24, against a real engine: `python -m benchmarks.table [--rows N] [--fake]`.

A home is filled with generated servers, an engine is started on it, and `qdeck` runs in a pseudo-terminal. Bytes are
those written to the terminal, CPU time is the client's own. With `--fake` the client answers itself, which leaves the
engine out of the times.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import Measure, Paired, machine, measure, resident, seconds, single, table
from tests.tui.pty import Terminal, python
from tui.state import History, View

QDECK = Path(sys.executable).parent / "qdeck"
STARTS = 5
KEYS = 40
IDLE_SECONDS = 10.0
WORDS = ("web", "cache", "batch")  # in the names of generated and of faked servers


@contextmanager
def engine(rows: int, closed: int) -> Iterator[list[str]]:
    """An engine on a home with so many servers; gives the command that opens the console on it."""
    from benchmarks.generated import fill
    from engine.process.models import Home
    from store.estate.estate import Estate

    with tempfile.TemporaryDirectory(prefix="qdeck-bench-") as folder:
        home = Home.at(Path(folder) / "home")
        home.path.mkdir(mode=0o700)
        estate = Estate.open(home.estate)
        fill(estate, rows, closed)
        estate.close()
        subprocess.run([QDECK, "--home", folder + "/home", "engine", "start"], check=True, stdout=subprocess.DEVNULL)
        command = [str(QDECK), "--home", folder + "/home"]
        try:
            leave_at(command, History([View("list", "server")], 0))  # who comes back is where he was
            yield command
        finally:
            subprocess.run(
                [QDECK, "--home", folder + "/home", "engine", "stop"], check=False, stdout=subprocess.DEVNULL
            )


def leave_at(command: list[str], history: History) -> None:
    """Have the console open with this view, as if it had been left there; with the first screen for none."""
    state = json.dumps(history.to_json("") if history.views else {})
    put = ["api", "PUT", "/q/session-view", "--input", "-"]
    subprocess.run([*command, *put], check=True, stdout=subprocess.DEVNULL, input=state, text=True)


def rows_shown(terminal: Terminal, word: str = "") -> bool:
    """Whether the list is painted, and every row on screen has the word."""
    rows = [line for line in terminal.lines[3:18] if line.strip()]
    if "STATUS" not in terminal.lines[2]:
        return False
    return len(rows) > 5 and rows[0].startswith("▸") and all(word in row for row in rows)


def starts(command: list[str]) -> Paired:
    """From the start of the process to a table with data, beside a Python that only imports Textual: under load both
    take longer.
    """
    found = Paired("process start to data / import of Textual")
    for _ in range(STARTS):
        bare = python("-c", "import textual.app")
        found.other.append(measure(lambda c=bare: subprocess.run(c, check=True)))
        terminal = Terminal(command, env={"QDECK_THEME": "dark"})
        try:
            took = terminal.until(lambda t=terminal: rows_shown(t), 30) - terminal.started
            found.ours.append(Measure(took, terminal.cpu()))
            terminal.settle(1.2)
            terminal.press("q", "q")
            terminal.wait()
        finally:
            terminal.close()
    return found


def keys(terminal: Terminal, key: str) -> tuple[float, int]:
    """Client CPU seconds a key, and the most bytes one key made it write."""
    most, cpu = 0, terminal.cpu()
    for _ in range(KEYS):
        before = terminal.written
        terminal.press(key)
        terminal.settle(0.08)
        most = max(most, terminal.written - before)
    return (terminal.cpu() - cpu) / KEYS, most


def opened(terminal: Terminal) -> float:
    """Seconds from the key that opens the list to its first painted page."""
    found = []
    for _ in range(STARTS):
        terminal.press("1")
        terminal.until_text("GO TO WITH")
        terminal.settle()
        terminal.press("g")
        terminal.settle()
        began = time.perf_counter()
        terminal.press("enter")
        found.append(terminal.until(lambda: rows_shown(terminal)) - began)
        terminal.settle(0.5)
    return statistics.median(found)


def filters(terminal: Terminal) -> tuple[list[float], list[float]]:
    """Seconds from the last key of a filter, typed in one go, to the painted page, and to the number of matches."""
    painted, counted = [], []
    for number in range(20):
        word = WORDS[number % len(WORDS)]
        terminal.press("/")
        terminal.settle(0.1)
        assert not rows_shown(terminal, word), "the page must change for its painting to be seen"
        terminal.press(*f"name:{word[:-1]}")
        began = time.perf_counter()
        terminal.press(word[-1])
        painted.append(terminal.until(lambda w=word: rows_shown(terminal, w), 10) - began)
        counted.append(terminal.until(lambda: " match" in terminal.lines[1], 10) - began)
        terminal.press("enter")
        terminal.settle(0.1)
        terminal.press("escape")
        terminal.until(lambda: "match" not in terminal.lines[1], 10)
        terminal.settle()
    return painted, counted


def idle(terminal: Terminal) -> tuple[float, float]:
    """Share of a CPU, and bytes a second, while nothing happens."""
    terminal.settle(1.0)
    before, cpu, began = terminal.written, terminal.cpu(), time.perf_counter()
    while time.perf_counter() - began < IDLE_SECONDS:
        terminal.read(0.2)
    took = time.perf_counter() - began
    return (terminal.cpu() - cpu) / took, (terminal.written - before) / took


def figures(command: list[str], rows: int) -> list[list[str]]:
    """All rows of the report for a table of that length."""
    name, found = f"{rows:,} rows", []
    paired = starts(command)
    paired.name = f"{name}: {paired.name}"
    found.append(paired.row(at_most=0.6))
    terminal = Terminal(command, env={"QDECK_THEME": "dark"})
    try:
        terminal.until(lambda: rows_shown(terminal), 30)
        terminal.settle(0.6)
        paint, limit = opened(terminal), 0.3 if rows > 100_000 else 0.1
        found.append(single(f"{name}: painted", seconds(paint), seconds(limit), paint <= limit))
        for key, what in (("j", "row down"), ("pagedown", "page down"), ("k", "row up"), ("}", "half a page")):
            cpu, most = keys(terminal, key)
            found.append(single(f"{name}: {what}, client CPU", seconds(cpu), "15.0 ms", cpu <= 0.015))
            found.append(single(f"{name}: {what}, most bytes", f"{most:,}", "12,000", most <= 12_000))
        terminal.press("g")
        terminal.settle()
        painted, counted = (sorted(times) for times in filters(terminal))
        p95 = painted[int(len(painted) * 0.95) - 1]
        found.append(single(f"{name}: filter key to page, p95", seconds(p95), "200 ms", p95 <= 0.2))
        found.append(single(f"{name}: filter key to total, most", seconds(counted[-1]), "500 ms", counted[-1] <= 0.5))
        cpu, written = idle(terminal)
        found.append(single(f"{name}: idle CPU", f"{cpu:.2%}", "2 %", cpu < 0.02))
        found.append(single(f"{name}: idle bytes a second", f"{written:,.0f}", "2,000", written < 2000))
        memory = resident(terminal.pid)
        found.append(single(f"{name}: client memory", f"{memory:.0f} MB", "80 MB", memory <= 80))
    finally:
        terminal.close()
    return found


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 100_000, 10_000])
    parser.add_argument("--fake", action="store_true", help="without an engine")
    arguments = parser.parse_args()
    report: list[list[str]] = []
    for rows in arguments.rows:
        if arguments.fake:
            os.chdir(Path(__file__).parents[1])
            report += figures(python("-m", "tests.tui.faked", str(rows)), rows)
        else:
            with engine(rows, rows * 3 // 10) as command:
                report += figures(command, rows)
    print(machine())
    print(table(report))


if __name__ == "__main__":
    main()
