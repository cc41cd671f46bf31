"""From the start of `qdeck` to data on the screen: `python -m benchmarks.start [--openstack "COMMAND"]`.

With an engine running (beside the command that lists a cloud's servers today, when one is given, for example
`openstack --os-cloud lab-admin server list --all-projects`), and with none: then the engine is started first.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import subprocess
from collections.abc import Sequence

from benchmarks.harness import Measure, Paired, machine, measure, seconds, single, table
from benchmarks.table import QDECK, engine, rows_shown
from tests.tui.pty import Terminal

ROUNDS = 5
SERVERS = 10_000


def open_console(command: Sequence[str]) -> tuple[Measure, float]:
    """(wall and CPU until a page of data is painted, seconds until the first frame)."""
    terminal = Terminal(command, env={"QDECK_THEME": "dark"})
    try:
        frame = terminal.until(lambda: "help" in terminal.text, 30, "a first frame") - terminal.started
        data = terminal.until(lambda: rows_shown(terminal), 30, "rows") - terminal.started
        return Measure(data, terminal.cpu()), frame
    finally:
        terminal.close()


def running(command: list[str], other: list[str] | None) -> list[list[str]]:
    """Rows with an engine that runs."""
    paired = Paired(f"process start to data, engine running, {SERVERS:,} servers")
    open_console(command)
    for _ in range(ROUNDS):
        paired.ours.append(open_console(command)[0])
        if other:
            paired.other.append(measure(lambda: subprocess.run(other, check=True, stdout=subprocess.DEVNULL)))
    if not other:
        wall = paired.median()
        return [single(paired.name, seconds(wall), seconds(0.6), wall <= 0.6)]
    return [paired.row(limit=0.2, at_most=0.6)]


def stopped(command: list[str]) -> list[list[str]]:
    """Rows with no engine running at first."""
    frames, data = [], []
    for _ in range(ROUNDS):
        subprocess.run([*command, "engine", "stop"], check=True, capture_output=True)
        painted, frame = open_console(command)
        frames.append(frame)
        data.append(painted.wall)
    frame, filled = statistics.median(frames), statistics.median(data)
    return [
        single("no engine running: first frame", seconds(frame), seconds(0.6), frame <= 0.6),
        single("no engine running: stored data", seconds(filled), seconds(3.0), filled <= 3.0),
    ]


def rows(other: list[str] | None = None) -> list[list[str]]:
    """The table's rows; `other` is the command of today."""
    with engine(SERVERS, SERVERS * 3 // 10) as command:
        return running(command, other) + stopped(command)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--openstack", help="a command that lists a cloud's servers, to compare with")
    given = parser.parse_args()
    assert QDECK.exists(), f"{QDECK} is missing: run make install"
    print(machine())
    print(table(rows(shlex.split(given.openstack) if given.openstack else None)))


if __name__ == "__main__":
    main()
