"""The tour of docs/first-ten-minutes.md, typed by a script at 10 keys a second: how soon each key is painted, and that
none is dropped.

`python -m benchmarks.tour [--servers 50] [--rate 10] [--json FILE]`. The keys are read from the document's blocks, so
that the tour that people read is the one that is measured. A line of a block is what one types, then `=>` and what is
on screen after it; the script waits for that before it goes on, as a reader does. A key that was dropped, or did
something else, shows there.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.harness import machine, table
from tests.tui.pty import KEYS, Terminal

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "first-ten-minutes.md"
QDECK = Path(sys.executable).parent / "qdeck"
BLOCK = re.compile(r"^```keys\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMES = {**{name: name for name in KEYS}, "esc": "escape", "space": " ", "pgdn": "pagedown", "pgup": "pageup",
         "del": "delete", "→": "right", "←": "left"}  # fmt: skip
SIZE = (120, 36)
PAINTED = 0.1  # seconds: the figure
PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Line:
    """What is typed at one go, and texts that are on screen after it ("!" before one: that are not)."""

    keys: tuple[str, ...]
    shown: tuple[str, ...]
    number: int = 0

    def holds(self, text: str) -> bool:
        """Whether that screen is the one."""
        return all(want[1:] not in text if want.startswith("!") else want in text for want in self.shown)


def lines(document: str) -> list[Line]:
    """The lines of all blocks. Words are names of keys, or are typed letter by letter; `␣` is a blank in a word.

    Raises ValueError for a line without `=>`.
    """
    found = []
    for block in BLOCK.finditer(document):
        for line in block.group(1).splitlines():
            keys, arrow, shown = line.partition("=>")
            if not arrow:
                raise ValueError(f"a line of the tour does not say what one sees: {line!r}")
            typed: list[str] = []
            for word in keys.split():
                typed += [NAMES[word]] if word in NAMES else list(word.replace("␣", " "))
            wanted = tuple(part.strip().replace("␣", " ") for part in shown.split("·") if part.strip())
            found.append(Line(tuple(typed), wanted, len(found) + 1))
    return found


@dataclass(slots=True)
class Typed:
    """What came of it: seconds from each key to the first byte painted after it; keys after which nothing was."""

    painted: list[float] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    slow: list[tuple[float, str, int]] = field(default_factory=list)
    bytes: int = 0


def type_line(terminal: Terminal, line: Line, rate: float, came: Typed) -> None:
    """Type one line at that rate and wait for what it shows. Raises AssertionError, with the screen."""
    terminal.settle(0.15, 3.0)
    begin = time.perf_counter()
    for place, key in enumerate(line.keys):
        until = begin + (place + 1) / rate
        pressed = time.perf_counter()
        terminal.press(key)
        first = 0.0
        while (left := until - time.perf_counter()) > 0:
            if terminal.read(min(left, 0.005)) and not first:
                first = time.perf_counter() - pressed
        if not first and place == len(line.keys) - 1 and terminal.read(1.0):
            first = time.perf_counter() - pressed
        if first:
            came.painted.append(first)
            if first > PAINTED:
                came.slow.append((first, key, line.number))
        else:
            came.silent.append(f"{key} (line {line.number})")
    terminal.until(lambda: line.holds(terminal.text), PATIENCE, f"line {line.number}: {line.shown} after {line.keys}")


def walk(command: list[str], rate: float, env: dict[str, str] | None = None) -> Typed:
    """The whole tour on a console opened by that command."""
    came = Typed()
    terminal = Terminal(command, *SIZE, env={"QDECK_THEME": "dark", "TZ": "UTC", **(env or {})})
    try:
        terminal.until(lambda: "▸" in terminal.text, 60, "the first screen")
        for line in lines(DOCUMENT.read_text(encoding="utf-8")):
            type_line(terminal, line, rate, came)
        came.bytes = terminal.written
        assert terminal.status is None
    finally:
        terminal.close()
    return came


def demo(servers: int) -> Iterator[list[str]]:
    """A demo with its past; gives the command that opens the console on it."""
    with tempfile.TemporaryDirectory(prefix="qdeck-tour-") as folder:
        deck = [str(QDECK), "--home", folder, "--demo"]
        subprocess.run([*deck, "--servers", str(servers), "engine", "start"], check=True, stdout=subprocess.DEVNULL)
        try:
            while json.loads(_status(deck))["demo"]["state"] in ("starting", "past"):
                time.sleep(0.2)
            yield deck
        finally:
            subprocess.run([*deck, "engine", "stop"], check=False, stdout=subprocess.DEVNULL)


def _status(deck: list[str]) -> str:
    return subprocess.run([*deck, "engine", "status", "-o", "json"], check=True, capture_output=True, text=True).stdout


def summary(came: Typed) -> dict[str, Any]:
    """The figures. A key after which nothing was painted until the next one came counts as slower than any."""
    ordered = sorted([*came.painted, *[float("inf")] * len(came.silent)])
    return {
        "keys": len(came.painted) + len(came.silent),
        "painted": len(came.painted),
        "silent": came.silent,
        "p50": statistics.median(ordered),
        "p95": ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))],
        "worst": max(came.painted),
        "bytes": came.bytes,
    }


def main() -> None:
    """See the module. Exit status 1 when the figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--servers", type=int, default=50)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    for deck in demo(given.servers):
        came = walk(deck, given.rate)
    found = summary(came)
    rows = [
        ("keys typed", f"{found['keys']}"),
        ("keys that painted nothing", f"{len(found['silent'])}"),
        ("key to paint, p50", f"{found['p50'] * 1e3:.0f} ms"),
        ("key to paint, p95 (at most 100 ms)", f"{found['p95'] * 1e3:.0f} ms"),
        ("slowest", f"{found['worst'] * 1e3:.0f} ms"),
        ("bytes a key", f"{found['bytes'] / found['keys']:,.0f}"),
    ]
    print(table(rows, (f"the tour at {given.rate:g} keys/s, {given.servers} servers, {SIZE[0]}x{SIZE[1]}", "")))
    print(machine())
    for seconds, key, number in sorted(came.slow, reverse=True)[:10]:
        print(f"  {seconds * 1e3:.0f} ms: {key} (line {number})", file=sys.stderr)
    for key in came.silent:
        print(f"  nothing painted: {key}", file=sys.stderr)
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), **found}, indent=1))
    if found["p95"] > PAINTED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
