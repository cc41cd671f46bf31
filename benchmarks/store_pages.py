"""Pages of a large list in the store: `python -m benchmarks.store_pages`.

1,000,000 current and 300,000 closed versions of one type; every page is read as the API reads it. "Other" is the plain
way: the same page with ORDER BY, LIMIT and OFFSET over the version table, without joined columns.
`--growth` also shows how file, memory and times grow with the number of versions.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.generated import fill
from benchmarks.harness import machine, pair, resident, seconds, single, table
from store.estate.estate import Estate
from store.estate.reading.models import Window
from store.estate.reading.windows import position, read_window
from store.times import naive, utcnow

LIMIT = 0.120
ROWS = 60
COLUMNS = "cloud, region, id, name, status, project_id, host, vcpus, ram_mb, addresses, created_at"


def pages(current: int) -> dict[str, Window]:
    """The pages that are measured; the anchor of "by key" is filled in later."""
    past = utcnow() - timedelta(days=30)
    by_name = (("name", False),)
    return {
        "first page by name": Window("server", sort=by_name, after=ROWS),
        "first page by age": Window("server", sort=(("created_at", True),), after=ROWS),
        "page by key in the middle": Window("server", sort=by_name, before=ROWS // 2, after=ROWS // 2),
        "filtered page (2 % of rows)": Window("server", sort=by_name, filter="status:error", after=ROWS),
        "filtered page (a word in any text)": Window("server", sort=by_name, filter="web-db", after=ROWS),
        "filtered page (4 rows match)": Window("server", sort=by_name, filter=f"{current // 2:06d}", after=ROWS),
        "page as of 30 days ago": Window("server", sort=by_name, at=past, after=ROWS),
        "page by key as of 30 days ago": Window("server", sort=by_name, at=past, before=ROWS // 2, after=ROWS // 2),
    }


def plain(estate: Estate, window: Window, current: int) -> Callable[[], Any]:
    """The same page in the plain way."""
    where = "valid_to IS NULL"
    parameters: list[Any] = []
    if window.at is not None:
        where = "valid_from <= ? AND (valid_to IS NULL OR valid_to > ?)"
        parameters = [naive(window.at)] * 2
    if isinstance(window.filter, str) and window.filter:
        where += " AND status = 'ERROR'" if ":" in window.filter else " AND search LIKE ?"
        parameters += [] if ":" in window.filter else [f"%{window.filter}%"]
    column, descending = window.sort[0]
    offset = current // 2 if window.before else 0
    order = f"{column} {'DESC' if descending else ''} NULLS LAST, cloud, region, id"
    sql = f"SELECT {COLUMNS} FROM server_versions WHERE {where} ORDER BY {order} LIMIT {ROWS} OFFSET {offset}"

    def run() -> Any:
        with estate.reader() as connection:
            return connection.execute(sql, parameters).fetchall()

    return run


def ours(estate: Estate, window: Window) -> Callable[[], Any]:
    """The page as the API reads it."""

    def run() -> Any:
        with estate.reader() as connection:
            return read_window(connection, window, utcnow())

    return run


def middle(estate: Estate, current: int) -> tuple[str, str, str]:
    """The key of the row in the middle of the list by name."""
    with estate.reader() as connection:
        sql = """SELECT cloud, region, id FROM server_versions WHERE valid_to IS NULL
            ORDER BY name NULLS LAST, cloud, region, id LIMIT 1 OFFSET ?"""
        return tuple(connection.execute(sql, [current // 2]).fetchall()[0])  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--current", type=int, default=1_000_000)
    parser.add_argument("--closed", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--keep", metavar="FILE", type=Path, help="fill this file once and use it again")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--grown", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.grown:
        path, *sizes = options.grown
        print("\t".join(_grown(Path(path), *map(int, sizes))))
        return
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory(prefix="qdeck-bench-") as folder:
        path = options.keep or Path(folder) / "estate.duckdb"
        if not path.exists():
            with Estate.open(path) as estate:
                fill(estate, options.current, options.closed)
        with Estate.open(path) as estate:
            key = middle(estate, options.current)
            rows = []
            for name, window in pages(options.current).items():
                window = replace(window, anchor=key) if window.before else window
                other = plain(estate, window, options.current)
                paired = pair(name, ours(estate, window), other, rounds=options.rounds)
                rows += [paired.row(at_most=LIMIT), paired.row(what="cpu")]
            rows.append(_position(estate, key))
        print(table(rows))
    if options.growth:
        print("\n" + growth(options.current, options.closed))


def _position(estate: Estate, key: tuple[str, str, str]) -> list[str]:
    window = Window("server", sort=(("name", False),), anchor=key)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        with estate.reader() as connection:
            position(connection, window, utcnow())
        times.append(time.perf_counter() - start)
    return single("rank and total of a key (after the page)", seconds(statistics.median(times)))


def growth(current: int, closed: int) -> str:
    """How file, memory and times grow: each size in a process of its own, so that memory is its own."""
    rows = []
    for share in (0.01, 0.1, 1.0):
        with tempfile.TemporaryDirectory(prefix="qdeck-bench-") as folder:
            path = Path(folder) / "estate.duckdb"
            sizes = [str(int(current * share)), str(int(closed * share))]
            command = [sys.executable, "-m", "benchmarks.store_pages", "--grown", str(path), *sizes]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append(done.stdout.strip().split("\t"))
    return table(rows, ("Current + closed", "File", "Bytes a version", "Open", "First page", "Memory after 20 pages"))


def _grown(path: Path, current: int, closed: int) -> list[str]:
    with Estate.open(path) as estate:
        fill(estate, current, closed)
    size = path.stat().st_size
    start = time.perf_counter()
    with Estate.open(path) as estate:
        opened = time.perf_counter() - start
        window = Window("server", sort=(("name", False),))
        times = []
        for _ in range(20):
            start = time.perf_counter()
            with estate.reader() as connection:
                read_window(connection, window, utcnow())
            times.append(time.perf_counter() - start)
        versions = current + closed
        return [
            f"{current:,} + {closed:,}",
            f"{size / 1e6:.0f} MB",
            f"{size / versions:.0f}",
            seconds(opened),
            seconds(statistics.median(times)),
            f"{resident():.0f} MB",
        ]


if __name__ == "__main__":
    main()
