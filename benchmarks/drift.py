"""Drift: `python -m benchmarks.drift`.

100,000 resources, of which 1 % change between two listings. The figure is the time from the end of the listing until
its events are in the store: first of a mixture of types, then of 100,000 servers, each after some hours of changes,
beside the bare question what changed (old and new version of every changed resource side by side). Then lists and
counts of what came of it, by the calls that the API makes.
"""

from __future__ import annotations

import argparse
import logging
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from benchmarks.find import SHARES
from benchmarks.generated import documents
from benchmarks.harness import Paired, machine, measure, seconds, single, table
from benchmarks.history import changed, ingest
from engine.access.models import ENGINE
from engine.audit.service import AuditService
from engine.drift.decisions import Decisions
from engine.drift.deriving import Deriver
from engine.drift.models import EventFilter, Order
from engine.drift.service import DriftService
from engine.inventory.reads import InventoryReads
from store.estate.estate import Estate
from store.ops.ops import Ops
from store.times import utcnow
from store.types import registry

SHARE = 0.01
LIMIT = 1.0
LIMIT_ASKING = 0.150
HOURS, MEASURED = 8, 5
_BARE = """SELECT count(*) FROM {table} v JOIN {table} o ON o.id = v.id AND o.cloud = v.cloud AND o.region = v.region
    AND o.valid_to = v.valid_from WHERE v.valid_from >= ? AND v.status IS DISTINCT FROM o.status"""
Known = dict[str, list[dict[str, Any]]]


def change(estate: Estate, known: Known, at: datetime, chance: random.Random) -> None:
    """A listing of each type in which 1 % are other than before."""
    for name, docs in known.items():
        for place in chance.sample(range(len(docs)), max(1, int(len(docs) * SHARE))):
            docs[place] = changed(name, docs[place], chance)
        ingest(estate, name, docs, at)


def rounds(folder: Path, shares: Mapping[str, float], count: int) -> tuple[Paired, Estate]:
    """Deriving, beside the bare question, of the last listings after others."""
    ops = Ops.open(folder / "ops.sqlite")
    estate = Estate.open(folder / "estate.duckdb")
    deriver = Deriver(estate, Decisions(ops, AuditService(ops)), lambda: None)
    chance, began = random.Random(5), utcnow() - timedelta(hours=HOURS)
    known = {name: list(documents(name, int(count * share))) for name, share in shares.items()}
    for name, docs in known.items():
        ingest(estate, name, docs, began)
    deriver.take_in()
    paired = Paired("until the events are there")
    for hour in range(1, HOURS):
        at = began + timedelta(hours=hour)
        change(estate, known, at, chance)
        ours = measure(deriver.take_in)
        if hour >= HOURS - MEASURED:
            paired.ours.append(ours)
            paired.other.append(measure(lambda at=at: bare(estate, list(known), at)))  # type: ignore[misc]
    ops.close()
    return paired, estate


def bare(estate: Estate, types: list[str], at: datetime) -> None:
    """Which resources have another status since then."""
    for name in types:
        with estate.reader() as connection:
            sql = _BARE.format(table=registry.ALL[name].table)
            connection.execute(sql, [at.replace(tzinfo=None)]).fetchall()


def asking(folder: Path, estate: Estate) -> list[list[str]]:
    """p95 of the calls behind the screen."""
    ops = Ops.open(folder / "ops.sqlite")
    reads = InventoryReads(estate)
    service = DriftService(reads, Decisions(ops, AuditService(ops)), lambda version: None)
    total, rows = service.page(ENGINE, EventFilter(), Order(), 1)
    text = str(rows[0]["resource_name"])
    calls: dict[str, Callable[[], Any]] = {
        "page of the triage": lambda: service.page(ENGINE, EventFilter(states=("triage",)), Order(), 100),
        "page, critical ones by name": lambda: service.page(
            ENGINE, EventFilter(severities=("critical",)), Order("resource_name", False), 100
        ),
        "page, a word": lambda: service.page(ENGINE, EventFilter(text=text), Order(), 100),
        "summary": lambda: service.summary(ENGINE),
        "one event": lambda: service.event(ENGINE, rows[0]["id"], ask=False),
    }
    found = [single("events in the store", f"{total:,}")]
    for name, call in calls.items():
        took = []
        for _ in range(20):
            start = time.perf_counter()
            call()
            took.append(time.perf_counter() - start)
        worst = statistics.quantiles(took, n=20)[-1]
        found.append(single(f"{name} (p95)", seconds(worst), seconds(LIMIT_ASKING), worst <= LIMIT_ASKING))
    reads.close()
    ops.close()
    return found


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    count = parser.parse_args().count
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    out: list[list[str]] = []
    for words, shares in (("of a mixture", SHARES), ("servers", {"server": 1.0})):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            paired, estate = rounds(folder, shares, count)
            paired.name = f"{count:,} {words}, 1 % changed: until the events are there"
            out += [paired.row(what="cpu", at_most=LIMIT), paired.row(at_most=LIMIT)]
            if shares is SHARES:
                out += asking(folder, estate)
            estate.close()
    print(f"{machine()}\n\n{table(out)}")


if __name__ == "__main__":
    main()
