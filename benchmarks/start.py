"""From the start of `qdeck` to data on the screen: `python -m benchmarks.start [--openstack "COMMAND"]`.

With an engine running (beside the command that lists a cloud's servers today, when one is given, for example
`openstack --os-cloud lab-admin server list --all-projects`), and with none: then the engine is started first.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import subprocess
from collections.abc import Callable, Sequence

from benchmarks.harness import Measure, Paired, machine, measure, seconds, single, table
from benchmarks.table import QDECK, engine, leave_at, rows_shown
from tests.tui.pty import Terminal
from tui.state import History

ROUNDS = 5
SERVERS = 10_000


def filled(terminal: Terminal) -> bool:
    """Whether the first screen says what is wrong, how the clouds are, and how many servers there are."""
    return "PROBLEMS  …" not in terminal.text and "CLOUDS" in terminal.text and " servers" in terminal.text


def open_console(command: Sequence[str], shown: Callable[[Terminal], bool] = rows_shown) -> tuple[Measure, float]:
    """(wall and CPU until data is painted, seconds until the first frame)."""
    terminal = Terminal(command, env={"QDECK_THEME": "dark"})
    try:
        frame = terminal.until(lambda: "help" in terminal.text, 30, "a first frame") - terminal.started
        data = terminal.until(lambda: shown(terminal), 30, "data") - terminal.started
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


def first_screen(command: list[str]) -> list[list[str]]:
    """Rows for somebody who left nothing behind: the dashboard."""
    frames, data = [], []
    for _ in range(ROUNDS):
        leave_at(command, History())
        painted, frame = open_console(command, filled)
        frames.append(frame)
        data.append(painted.wall)
    frame, whole = statistics.median(frames), statistics.median(data)
    return [
        single("first screen (dashboard): first frame", seconds(frame), seconds(0.6), frame <= 0.6),
        single("first screen (dashboard): problems, clouds, counts", seconds(whole), seconds(1.0), whole <= 1.0),
    ]


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
        return running(command, other) + stopped(command) + first_screen(command)


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
