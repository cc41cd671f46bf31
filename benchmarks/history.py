"""History: `python -m benchmarks.history`.

100,000 resources and 30 days in which 1 % of them change every hour (about 720,000 changes). Every endpoint is asked
many times through the service that the API calls, with resources drawn from the data; the figure is the 95th
percentile, in wall time, and beside it in CPU time, which other work on the machine does not change. Then what a day of
history costs: 10,000 servers, 1 % of which change every hour, by the collector's own way in; and the same servers,
listed whole every hour without a change.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.find import SHARES, small
from benchmarks.generated import documents
from benchmarks.harness import machine, measure, seconds, table
from engine.access.models import Caller
from engine.history.compliance import ComplianceReport
from engine.history.lists import Asked, ChangeLists
from engine.history.service import HistoryService
from engine.history.versions import ResourceHistory
from engine.inventory.reads import InventoryReads
from store.estate.estate import Estate
from store.estate.models import Kind, Listing
from store.estate.reading.changes import Span, tracked
from store.estate.reading.models import Scope
from store.estate.visibility import Visibility
from store.ids import uuid7
from store.times import naive, utcnow
from store.types import registry

if TYPE_CHECKING:
    import duckdb

LIMIT = 0.150
DAYS = 30
SHARE = 0.01  # of the resources, every hour
SEEN_BY = Visibility("http://cloud.example", "admin", "project:a", ("admin",), True)
_STATUSES = {
    "server": ("ACTIVE", "SHUTOFF", "ERROR"),
    "volume": ("available", "in-use", "error"),
    "port": ("ACTIVE", "DOWN", "BUILD"),
    "snapshot": ("available", "error", "deleting"),
}


def ingest(estate: Estate, name: str, docs: Iterable[dict[str, Any]], at: datetime, kind: Kind = "full") -> None:
    """One listing of a type."""
    region = "" if registry.ALL[name].listing.global_ else "one"
    writer = estate.begin(Listing(uuid7(), "bench", region, name, kind, "all", SEEN_BY, at))
    builder = writer.builder()
    for doc in docs:
        builder.add(doc, deleted=doc.get("_gone", False))
        if builder.full:
            writer.add(builder.take())
    writer.add(builder.take())
    writer.finish(ended_at=at + timedelta(seconds=5))


def changed(name: str, doc: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The resource an hour later: another status, and sometimes another name."""
    others = [status for status in _STATUSES[name] if status != doc["status"]]
    renamed = {"name": f"{doc['name'].split('+')[0]}+{chance.randrange(99)}"} if chance.random() < 0.2 else {}
    return {**doc, "status": chance.choice(others), **renamed}


def fill(estate: Estate, count: int, days: int = DAYS) -> None:
    """`count` resources as they were `days` ago, and what became of them since then."""
    began = utcnow() - timedelta(days=days)
    for name in registry.ALL:
        few = [{"id": f"{name}-{n}", "name": f"some-{n}", "host": "h", "binary": f"b{n}"} for n in range(5)]
        docs = documents(name, int(count * SHARES[name])) if name in SHARES else small(count).get(name, few)
        if not registry.ALL[name].listing.on_demand:
            ingest(estate, name, docs, began)
    for name in SHARES:
        estate.write(lambda connection, name=name: past(connection, name, naive(began), days * 24)).result()  # type: ignore[misc]
    estate.checkpoint()


def past(connection: duckdb.DuckDBPyConnection, name: str, began: datetime, hours: int) -> None:
    """Versions as listings every hour would have left them: 1 % change each hour, one in 200 of those is gone for good.

    Made by the store itself: through the collector's way in it takes a quarter of an hour.
    """
    table, start = f"{name}_versions", f"TIMESTAMP '{began}'"
    words = ", ".join(f"'{word}'" for word in _STATUSES[name])
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE picks AS
        SELECT id, hour, lead(hour) OVER mine AS next, row_number() OVER mine AS number
        FROM (SELECT id, h.range AS hour FROM {table}, range(1, {hours}) h
            WHERE hash(id, h.range) % {round(1 / SHARE)} = 0) WINDOW mine AS (PARTITION BY id ORDER BY hour)""")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE base AS SELECT * FROM {table} WHERE id IN (SELECT id FROM picks)")
    status = f"[{words}][1 + (number % {len(_STATUSES[name])})::BIGINT]"
    connection.execute(f"""INSERT INTO {table} SELECT b.* REPLACE (
            {start} + to_hours(p.hour) AS valid_from, {start} + to_hours(p.next) AS valid_to, {status} AS status,
            CASE WHEN p.number % 5 = 0 THEN b.name || '+' || p.number ELSE b.name END AS name,
            unhex(md5(b.id || p.number)) AS hash,
            replace(b.doc, '"status":"' || b.status, '"status":"' || {status}) AS doc)
        FROM base b JOIN picks p ON p.id = b.id ORDER BY p.hour""")
    connection.execute(f"""UPDATE {table} t SET valid_to = {start} + to_hours(p.hour) FROM picks p
        WHERE p.id = t.id AND p.number = 1 AND t.valid_from = {start}""")
    connection.execute(f"""UPDATE {table} SET valid_to = valid_from + INTERVAL 1 HOUR
        WHERE valid_to IS NULL AND valid_from > {start} AND hash(id) % 25 = 0""")
    connection.execute(f"""INSERT INTO listings BY NAME SELECT uuid()::VARCHAR AS id, 'bench' AS cloud, 'one' AS region,
        '{name}' AS type, 'delta' AS kind, 'all' AS scope, {start} + to_hours(h.range) AS started_at,
        {start} + to_hours(h.range) AS ended_at, 'ok' AS state FROM range(1, {hours}) h""")


def endpoints(estate: Estate, chance: random.Random) -> dict[str, Callable[[], Any]]:
    """Name -> one question of a kind, with a resource drawn anew each time."""
    reads = InventoryReads(estate)
    history = HistoryService(reads)
    one, lists, report = ResourceHistory(history), ChangeLists(history), ComplianceReport(history)
    types, everything = tracked(), Scope()
    who = Caller(name="bench", uid=0, role="superadmin", via="embedded")
    server, now = registry.ALL["server"], naive(utcnow())
    with estate.reader() as connection:
        ids = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM server_versions GROUP BY id HAVING count(*) > 3 ORDER BY hash(id) LIMIT 500"
            ).fetchall()
        ]
        gone = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM server_versions GROUP BY id HAVING max(coalesce(valid_to, 'infinity')) < 'infinity'"
            ).fetchall()
        ]
    days = {number: Span(now - timedelta(days=number), now) for number in (1, 7, 30)}

    def key() -> tuple[str, str, str]:
        return "bench", "one", chance.choice(ids)

    def compare() -> Any:
        chosen = key()
        _, items = one.of(who, server, chosen, everything, 10)
        return one.compare(server, chosen, everything, items[0]["change_hash"], items[1]["change_hash"])

    def window(mode: Any, span: Span, filter: str = "") -> Any:
        asked = Asked(mode, span, True, tuple(type.name for type in types), everything)
        return lists.window(asked, filter, (), chance.randrange(500), 30, 60)

    return {
        "/history/recent-changes, 24 h": lambda: history.recent(who, types, everything, 24, 100),
        "/history/recent-changes, 168 h, 1000": lambda: history.recent(who, types, everything, 168, 1000),
        "/history/most-changed, 24 h": lambda: history.most_changed(types, everything, 24, 20),
        "/history/most-changed, 168 h": lambda: history.most_changed(types, everything, 168, 20),
        "/history/by-timeframe, 24 h": lambda: history.by_timeframe(types, everything, 24),
        "/history/by-timeframe, 30 days": lambda: history.by_timeframe(types, everything, 720),
        "/history/resource": lambda: one.of(who, server, key(), everything, 100),
        "/history/resource/deletion": lambda: one.deletions(who, types, chance.choice(gone), everything, 100),
        "/history/details": lambda: one.of(who, server, key(), everything, 100, full=True),
        "/history/compare": compare,
        "/audit/resource-timeline, 30 days": lambda: history.timeline(who, server, everything, 30, 100, 0),
        "/audit/compliance-report, 30 days": lambda: report.of(who, types, everything, days[30]),
        "windows: differences of a day": lambda: window("net", days[1]),
        "windows: differences of 30 days": lambda: window("net", days[30]),
        "windows: differences of 30 days, filtered": lambda: window("net", days[30], "type:server change:gone"),
        "windows: single changes of 30 days": lambda: window("each", days[30]),
        "windows: changed most in 30 days": lambda: window("most", days[30]),
    }


def percentile(found: Sequence[float], part: float) -> float:
    """The smallest value that so large a part of all lies at or below."""
    return sorted(found)[min(len(found) - 1, int(len(found) * part))]


def ask(estate: Estate, rounds: int) -> list[list[str]]:
    """Rows of the table: first time, median and 95th percentile of each endpoint, and with new data before each."""
    chance = random.Random(11)
    rows = []
    for name, work in endpoints(estate, chance).items():
        found = [measure(work) for _ in range(rounds + 1)]
        walls, cpu = [one.wall for one in found[1:]], [one.cpu for one in found[1:]]
        fresh = []
        for _ in range(max(3, rounds // 4)):
            estate.changed("bench", "server")  # as after a listing in which something changed
            fresh.append(measure(work).cpu)
        slow = percentile(walls, 0.95)
        told = (found[0].cpu, statistics.median(walls), slow, statistics.median(cpu), percentile(cpu, 0.95))
        rows.append([name, *map(seconds, told), seconds(statistics.median(fresh)), "met" if slow < LIMIT else "MISSED"])
        print("  ", *rows[-1], file=sys.stderr, flush=True)
    return rows


def growth(folder: Path, servers: int = 10_000, days: int = DAYS) -> list[list[str]]:
    """Rows of the table of sizes: servers that change, told of by deltas; and listed whole although nothing changes."""
    rows = []
    for share, hours, words in ((SHARE, days * 24, "1 % change an hour"), (0.0, 24, "listed whole, nothing changes")):
        path = folder / f"growth-{share}.duckdb"
        chance, began = random.Random(5), utcnow() - timedelta(days=days + 1)
        docs = list(documents("server", servers))
        with Estate.open(path) as estate:
            ingest(estate, "server", docs, began)
            estate.checkpoint()
            before = path.stat().st_size
            for hour in range(1, hours + 1):
                places = chance.sample(range(len(docs)), int(len(docs) * share))
                for place in places:
                    docs[place] = changed("server", docs[place], chance)
                at = began + timedelta(hours=hour)
                ingest(estate, "server", [docs[p] for p in places] if share else docs, at, "delta" if share else "full")
            estate.checkpoint()
            grown = max(0, path.stat().st_size - before)
        versions = int(servers * share) * 24
        a_day = grown / (hours / 24)
        rows.append([f"{servers:,} servers, {words}", f"{before / 2**20:.1f} MB", f"{a_day / 2**20:.2f} MB",
                     f"{versions:,}", f"{a_day / versions:,.0f}" if versions else "-"])  # fmt: skip
        print("  ", *rows[-1], file=sys.stderr, flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--keep", metavar="FILE", type=Path, help="fill this file once and use it again")
    parser.add_argument("--only", choices=("endpoints", "growth"))
    options = parser.parse_args()
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory(prefix="qdeck-bench-") as folder:
        path = options.keep or Path(folder) / "estate.duckdb"
        if options.only != "growth":
            if not path.exists():
                with Estate.open(path) as estate:
                    fill(estate, options.count)
            with Estate.open(path) as estate:
                rows = ask(estate, options.rounds)
            head = ("Endpoint", "First time, CPU", "Median", "p95", "Median CPU", "p95 CPU", "With new data, CPU",
                    f"p95 under {seconds(LIMIT)}")  # fmt: skip
            print(table(rows, head), "\n")
        if options.only != "endpoints":
            head = ("History", "File at first", "Grows by a day", "Versions a day", "Bytes a version")
            print(table(growth(Path(folder)), head))


if __name__ == "__main__":
    main()
