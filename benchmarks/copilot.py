"""Questions in plain words: `python -m benchmarks.copilot`.

Every phrasing of the copilot's evaluation (`tests/copilot/evaluation`), with names from an estate of 100,000 current
resources and 30,000 earlier versions. The figure is the 95th percentile of the built-in answer; of a conversation the
last turn counts. Names are read anew after a collection: that is shown apart. Then what the copilot adds to the start
of the engine, in processes of their own that have loaded everything else, and to the console's: nothing of it is
loaded there.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.find import filled, p95
from benchmarks.harness import Measure, machine, seconds, single, table
from copilot.answers import Context, Key, Named, Turn
from copilot.service import Copilot
from engine.inventory.find import Finder
from engine.inventory.reads import InventoryReads
from store.estate.estate import Estate
from store.estate.reading.models import Scope
from store.times import utcnow
from tests.copilot.evaluation.cases import Case
from tests.copilot.evaluation.generate import world
from tests.copilot.evaluation.questions.every import ALL
from tests.copilot.evaluation.slots import render
from tests.copilot.evaluation.sources import Fake
from tests.copilot.evaluation.styles import NORTH

LIMIT = 0.050
START = 0.050
ROUNDS = 7
# blanks that begin so -> the type and the column that they are filled from
_FILLED = {
    "server": ("server", "name"), "project": ("project", "name"), "volume": ("volume", "name"),
    "host": ("hypervisor", "name"), "network": ("network", "name"), "subnet": ("subnet", "name"),
    "cidr": ("subnet", "cidr"), "user": ("user", "name"), "mac": ("port", "mac_address"),
    "ip": ("port", "fixed_ips[1]"),
    "uuid": ("server", "id"), "flavor": ("server", "flavor_name"), "image": ("image", "name"),
    "zone": ("server", "availability_zone"), "kind": ("volume", "volume_type"), "domain": ("domain", "name"),
    "fip": ("floating_ip", "address"), "router": ("router", "name"), "hostip": ("hypervisor", "host_ip"),
    "moved": ("server", "name"), "stopped": ("server", "name"), "gone": ("server", "name"),
}  # fmt: skip


class Large(Fake):
    """The large estate, with the lists of a small world."""

    def quota(self, project: Key) -> dict[str, Any]:
        """Any project's."""
        return {"items": next(iter(self.world.quotas.values()))}


class Blanks:
    """Rows of the large estate for the blanks of phrasings; another one each time."""

    def __init__(self, estate: Estate) -> None:
        self._rows: dict[str, Iterator[dict[str, Any]]] = {}
        with estate.reader() as connection:
            for name, (type, column) in _FILLED.items():
                sql = (
                    f"SELECT cloud, region, id, {column} AS name FROM {type}_versions"
                    f" WHERE valid_to IS NULL AND {column} IS NOT NULL ORDER BY hash(id) LIMIT 500"
                )
                found = connection.execute(sql).fetchall()
                self._rows[name] = _again(
                    [dict(zip(("cloud", "region", "id", "name"), row, strict=True)) for row in found]
                )

    def __getattr__(self, name: str) -> dict[str, Any]:
        known = max((one for one in self._rows if name.startswith(one)), key=len, default="server")
        return next(self._rows[known], {"cloud": "bench", "region": "one", "id": "x", "name": "nowhere-1"})


def _again(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while rows:
        yield from rows


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of the questions of a kind."""

    kinds: dict[str, list[float]]
    cpu: list[float]  # the same of all, as CPU time of all threads
    names: float  # until names had been read

    @property
    def every(self) -> list[float]:
        """All of them."""
        return [took for times in self.kinds.values() for took in times]


def ask_all(estate: Estate, every: int) -> Took:
    """Every phrasing, or each `every`-th. All askers who may not see everything may see the same project."""
    reads = InventoryReads(estate)
    sources = Large(world(NORTH), estate, Finder(reads))
    copilot, blanks = Copilot(), Blanks(estate)
    context = Context(now=utcnow(), zone=ZoneInfo("Europe/Berlin"))
    began = time.perf_counter()
    copilot.ask("how many servers are there", context, sources)
    names = time.perf_counter() - began
    kinds: dict[str, list[float]] = defaultdict(list)
    limited = replace(sources, scope=Scope(projects=(blanks.project["id"],)))
    copilot.ask("how many servers are there", context, limited)
    cpu: list[float] = []
    asked = [(case, text) for case in ALL if not case.only for text in case.phrasings]
    for case, text in asked[::every]:
        question = render(text.removeprefix("~"), blanks)  # type: ignore[arg-type]
        measured = _ask(copilot, case, question, context, limited if case.asker else sources, blanks)
        kinds[case.kind].append(measured.wall)
        cpu.append(measured.cpu)
    reads.close()
    return Took(kinds, cpu, names)


def _ask(copilot: Copilot, case: Case, text: str, context: Context, sources: Large, blanks: Blanks) -> Measure:
    """What the last turn took."""
    if case.selected:
        type, _, blank = case.selected.partition(":")
        row = getattr(blanks, blank)
        context = replace(context, selected=(Named(type, (row["cloud"], row["region"], row["id"]), row["name"]),))
    took = Measure(0.0, 0.0)
    for turn in text.split(" >> "):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = copilot.ask(turn, context, sources)
        took = Measure(time.perf_counter() - wall, time.process_time() - cpu)
        said = Turn(turn, answer.frame, answer.query, answer.named, answer.topic)
        context = replace(context, turns=(*context.turns, said))
    return took


def answers(took: Took) -> list[list[str]]:
    """A row for each kind, one for all, and one for reading the names."""
    rows = []
    for kind, times in took.kinds.items():
        high = p95(times) if len(times) > 1 else times[0]
        rows.append([kind, str(len(times)), seconds(statistics.median(times)), seconds(high), "", ""])
    high = p95(took.every)
    median = seconds(statistics.median(took.every))
    verdict = "met" if high <= LIMIT else "MISSED"
    rows.append(["all of them", str(len(took.every)), median, seconds(high), seconds(LIMIT), verdict])
    rows.append(
        ["the same, CPU", str(len(took.cpu)), seconds(statistics.median(took.cpu)), seconds(p95(took.cpu)), "", ""]
    )
    rows.append(["the first one, which reads the names", "1", seconds(took.names), "", "", ""])
    return rows


# --- start

_LOADED = """
import json, sys
import engine.app
wanted = ("engine.", "store.", "fastapi", "pydantic", "sqlalchemy", "anyio", "httpx", "asyncio")
print(json.dumps([n for n in sys.modules if n.startswith(wanted) and "copilot" not in n and n != "engine.app"]))
"""
_ADDED = """
import importlib, json, sys, time
from types import SimpleNamespace
for name in json.loads(sys.stdin.read()):
    importlib.import_module(name)
from engine.audit.service import AuditService
from engine.settings.models import Settings
from store.ops.ops import Ops
from pathlib import Path
ops = Ops.open(Path(sys.argv[1]) / "ops.sqlite")
audit, settings = AuditService(ops), SimpleNamespace(current=Settings())
began = time.process_time()
from engine.copilot.room import CopilotRoom
from engine.copilot.rooms import Rooms
CopilotRoom(ops, audit, settings, SimpleNamespace(reads=SimpleNamespace(clock=time.time)))
room = time.process_time() - began
from engine.copilot.room import built_in
built_in()
print(json.dumps([room, time.process_time() - began]))
ops.close()
"""
_CONSOLE = """
import sys
import tui.cli.main, tui.console
print(sum(name == "copilot" or name.startswith(("copilot.", "engine.copilot.")) for name in sys.modules))
"""


def _run(script: str, *arguments: str, given: str = "") -> str:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout


def start() -> list[list[str]]:
    """What the copilot adds to the start of the engine and of the console."""
    loaded = _run(_LOADED)
    rooms, wholes = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="qdeck-bench-") as folder:
            room, whole = json.loads(_run(_ADDED, folder, given=loaded))
        rooms.append(room)
        wholes.append(whole)
    room, whole = statistics.median(rooms), statistics.median(wholes)
    modules = int(_run(_CONSOLE))
    return [
        single(
            "added to the engine's start: the room, loaded and made, CPU", seconds(room), seconds(START), room <= START
        ),
        single("with the copilot itself, which the first question loads, CPU", seconds(whole)),
        single("modules of the copilot that the console loads", str(modules), "0", modules == 0),
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=1, help="ask only each so-many-th phrasing")
    parser.add_argument("--keep", metavar="FILE", type=Path, help="fill this file once and use it again")
    options = parser.parse_args()
    print(f"{machine()}\n")
    with filled(options.keep, options.count) as estate:
        took = ask_all(estate, options.every)
    print(table(answers(took), ("Kind of question", "Asked", "p50", "p95", "Limit", "")))
    print()
    print(table(start()))


if __name__ == "__main__":
    main()
