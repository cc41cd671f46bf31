"""Runs every benchmark and writes docs/benchmarks.md: `make bench`, or `python -m benchmarks.all [NAME ...]`.

Each runs in a process of its own, so that none measures another's memory. `QDECK_BENCH_OPENSTACK` may hold a command
that lists a cloud's servers, to compare the start with.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"

# name: (heading, arguments)
BENCHMARKS: dict[str, tuple[str, list[str]]] = {
    "collect": ("Collecting", []),
    "store_pages": ("Pages in the store", ["--growth"]),
    "find": ("Find anything", []),
    "table": ("The table on a terminal of 80x24", []),
    "start": ("Starting", []),
    "engine_restart": ("After a kill", []),
    "engine_clients": ("Fifty consoles at once", []),
    "drift": ("Drift", []),
    "history": ("What changed", []),
    "dashboard": ("Dashboard and tenant health", []),
    "snapshots": ("Runs of snapshot policies", []),
    "compliance": ("Compliance with snapshot policies", []),
    "restores": ("Restores", []),
    "copilot": ("Questions in plain words", []),
}

HEAD = """# Benchmarks

<!-- Written by `make bench`. -->

Measured with our own harness (`benchmarks/harness.py`): two ways to do the same work run A B A B, and the median of the
rounds' ratios is the figure, because absolute times move with whatever else the machine does. "Limit" is what we set
ourselves.
"""


def section(name: str) -> str:
    """One benchmark's heading and report; a benchmark that fails says so in the page."""
    heading, arguments = BENCHMARKS[name]
    if name == "start" and (other := os.environ.get("QDECK_BENCH_OPENSTACK")):
        arguments = [*arguments, "--openstack", other]
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PAGE.parents[1])
    report = done.stdout.strip() if done.returncode == 0 else f"failed: {done.stderr.strip().splitlines()[-1:]}"
    words = f"## {heading}\n\n`python -m benchmarks.{name}`\n\n{report}\n"
    sys.stdout.write(words + "\n")
    return words


def parts(page: str) -> dict[str, str]:
    """Sections of the page by their benchmark, so that one can be measured again alone."""
    found = {}
    for text in page.split("\n## ")[1:]:
        for name in BENCHMARKS:
            if f"`python -m benchmarks.{name}`" in text:
                found[name] = "## " + text.strip() + "\n"
    return found


def main() -> None:
    """Run the named benchmarks, or all, and put their sections into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME")
    names = parser.parse_args().names or list(BENCHMARKS)
    known = parts(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    for name in names:
        known[name] = section(name)
        body = "\n".join(known[one] for one in BENCHMARKS if one in known)
        PAGE.write_text(f"{HEAD}\n{body}", encoding="utf-8")


if __name__ == "__main__":
    main()
