"""Find anything: `python -m benchmarks.find`.

100,000 current resources and 30,000 earlier versions; every kind of question is asked many times with values drawn
from the data, through the service that the API calls. The figure is the 95th percentile. "Other" is the plain way for
the same question: the documents of every type searched for the text, without names, periods or machines.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.generated import HOSTS, PROJECTS, _hex, _id, documents
from benchmarks.harness import machine, seconds, table
from engine.inventory.find import Finder
from engine.inventory.reads import InventoryReads
from store.estate.estate import Estate
from store.estate.models import Listing
from store.estate.reading.models import Scope
from store.estate.visibility import Visibility
from store.ids import uuid7
from store.times import utcnow
from store.types import registry

LIMIT = 0.100
SHARES = {"server": 0.30, "port": 0.35, "volume": 0.25, "snapshot": 0.09}  # the rest is what they refer to
CLOSED = 0.30


def small(count: int) -> dict[str, list[dict[str, Any]]]:
    """What servers, ports and volumes refer to."""
    return {
        "project": [{"id": _hex("project", n), "name": f"team-{n}", "domain_id": "default"} for n in range(PROJECTS)],
        "user": [{"id": _hex("user", n), "name": f"user-{n}", "domain_id": "default"} for n in range(PROJECTS)],
        "network": [{"id": _id("network", n), "name": f"net-{n}"} for n in range(PROJECTS)],
        "subnet": [
            {"id": _id("subnet", n), "name": f"sub-{n}", "cidr": f"10.{n}.0.0/16", "network_id": _id("network", n)}
            for n in range(PROJECTS)
        ],
        "hypervisor": [
            {"id": _id("host", n), "hypervisor_hostname": f"compute-{n:04d}.example", "host_ip": f"172.16.0.{n % 250}"}
            for n in range(HOSTS)
        ],
    }


def fill(estate: Estate, count: int) -> None:
    """`count` current resources, and earlier versions of some: half with another address, as of a month ago."""
    listed = utcnow() - timedelta(days=30)
    rows: dict[str, Any] = {name: documents(name, int(count * share)) for name, share in SHARES.items()}
    given = {**rows, **small(count)}
    for name in registry.ALL:  # a few of every type, so that all are asked
        few = [{"id": _id(name, n), "name": f"some-{n}", "host": "h", "binary": f"b{n}"} for n in range(5)]
        _ingest(estate, name, given.get(name, few), listed)

    def earlier(connection: Any) -> None:
        for name in SHARES:
            connection.execute(
                f"INSERT INTO {name}_versions SELECT * REPLACE (valid_from - INTERVAL 20 DAY AS valid_from,"
                f" valid_from AS valid_to) FROM {name}_versions WHERE hash(id) % 100 < {int(CLOSED * 100)}"
            )

    estate.write(earlier).result()
    estate.checkpoint()


def _ingest(estate: Estate, name: str, docs: Iterator[dict[str, Any]] | list[dict[str, Any]], at: Any) -> None:
    scope = Visibility("http://cloud.example", "admin", "project:a", ("admin",), True)
    region = "" if registry.ALL[name].listing.global_ else "one"
    writer = estate.begin(Listing(uuid7(), "bench", region, name, "full", "all", scope, at))
    builder = writer.builder()
    for doc in docs:
        builder.add(doc)
        if builder.full:
            writer.add(builder.take())
    writer.add(builder.take())
    writer.finish(ended_at=utcnow())


def questions(estate: Estate, rounds: int) -> dict[str, list[str]]:
    """Texts to ask for, by kind, drawn from the rows."""
    chance = random.Random(7)
    with estate.reader() as connection:
        sql = (
            f"SELECT id, name, fixed_ips[1], mac_addresses[1] FROM server_versions USING SAMPLE {rounds} (reservoir, 7)"
        )
        servers = connection.execute(sql).fetchall()
    numbers = range(rounds)
    return {
        "an address": [row[2] for row in servers],
        "a prefix of 256 addresses": [row[2].rpartition(".")[0] + ".0/24" for row in servers],
        "a prefix of a million addresses": [f"10.{chance.randrange(16) * 16}.0.0/12" for _ in numbers],
        "a MAC as a switch writes it": [_cisco(row[3]) for row in servers],
        "a whole name": [row[1] for row in servers],
        "a word in half of all names": [chance.choice(("web", "db", "cache", "node")) for _ in numbers],
        "a whole id": [row[0] for row in servers],
        "half an id": [row[0][9:18] for row in servers],
        "four characters of an id": [row[0][:4] for row in servers],
        "the serial of a disk": [_id("volume", chance.randrange(20_000))[:20] for _ in numbers],
        "a host": [f"compute-{chance.randrange(HOSTS):04d}" for _ in numbers],
        "a metadata value": [str(chance.randrange(9999)) for _ in numbers],
        "what is nowhere": [f"nowhere-{n}" for n in numbers],
    }


def _cisco(mac: str) -> str:
    digits = mac.replace(":", "")
    return ".".join(digits[i : i + 4] for i in (0, 4, 8))


def plain(estate: Estate, text: str) -> None:
    """The documents of every type, searched for the text."""
    with estate.reader() as connection:
        for type in registry.ALL.values():
            sql = f"SELECT id FROM {type.table} WHERE contains(doc, ?) LIMIT 50"
            connection.execute(sql, [text]).fetchall()


def timed(work: Callable[[str], Any], texts: list[str]) -> list[float]:
    """Seconds of each."""
    found = []
    for text in texts:
        start = time.perf_counter()
        work(text)
        found.append(time.perf_counter() - start)
    return found


def p95(times: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


def rows(estate: Estate, rounds: int) -> list[list[str]]:
    """One row per kind of question, and one for all of them."""
    reads = InventoryReads(estate)
    finder = Finder(reads)
    types = list(registry.ALL.values())
    past = utcnow() - timedelta(days=40)

    def ask(text: str, at: Any = None) -> None:
        finder.find(text, types, at, Scope(), 50)

    asked = questions(estate, rounds)
    found, every = [], []
    for name, texts in asked.items():
        ask(texts[0])
        times = timed(ask, texts)
        other = statistics.median(timed(lambda text: plain(estate, text), texts[:3]))
        every += times
        found.append(_row(name, times, other))
    times = timed(lambda text: ask(text, past), asked["an address"])
    found.append(_row("an address, 40 days ago", times, None))
    found.append(_row("all of them", every + times, None))
    reads.close()
    return found


def _row(name: str, times: list[float], other: float | None) -> list[str]:
    high = p95(times)
    compared = ["", ""] if other is None else [seconds(other), f"{statistics.median(times) / other:.3f}"]
    return [f"{name}, p95", seconds(high), *compared, seconds(LIMIT), "met" if high <= LIMIT else "MISSED"]


@contextmanager
def filled(keep: Path | None, count: int) -> Iterator[Estate]:
    """An estate of so many resources: the file that is kept, filled once, or one for this run alone."""
    with tempfile.TemporaryDirectory(prefix="qdeck-bench-") as folder:
        path = keep or Path(folder) / "estate.duckdb"
        if not path.exists():
            with Estate.open(path) as estate:
                fill(estate, count)
        with Estate.open(path) as estate:
            yield estate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--keep", metavar="FILE", type=Path, help="fill this file once and use it again")
    options = parser.parse_args()
    print(f"{machine()}\n")
    with filled(options.keep, options.count) as estate:
        print(table(rows(estate, options.rounds)))


if __name__ == "__main__":
    main()
