"""kill -9 at any moment leaves a file that opens and is consistent, with whole listings only."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store.estate import consistency
from tests.store.estate.cloud import collect, open_estate, rows, thing

KILLS = 20

CHILD = """
import random, sys
from pathlib import Path
from tests.store.estate.cloud import at, collect, open_estate, thing

folder, first = Path(sys.argv[1]), int(sys.argv[2])
estate = open_estate(folder)
print("open", flush=True)
for minute in range(first, first + 10_000):
    # All rows of a listing carry its number, so a listing that was written by half would show.
    docs = [thing(n, size=minute, filler="x" * 200) for n in range(400)]
    collect(estate, minute, docs, batch=100)
    print(minute, flush=True)
    if minute % 5 == 0:
        estate.checkpoint()
    if minute % 7 == 0:
        estate.retain(at(minute - 20))
"""


def started(folder: Path, first: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(first)],
        stdout=subprocess.PIPE, text=True, cwd=Path.cwd(), env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip


@pytest.mark.faults
def test_killed_while_ingesting(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged = 0
    for _ in range(KILLS):
        child = started(tmp_path, acknowledged + 1)
        assert child.stdout and child.stdout.readline() == "open\n"
        told = [int(child.stdout.readline()) for _ in range(chance.randrange(4))]
        # The moment of the kill is random on purpose: that is what is tested, nothing waits for it.
        time.sleep(chance.random() * 0.3)
        child.send_signal(signal.SIGKILL)
        told += [int(line) for line in child.stdout.read().split()]
        child.wait(10)
        child.stdout.close()
        acknowledged = max([acknowledged, *told])
        with open_estate(tmp_path) as estate:
            with estate.reader() as connection:
                assert consistency.check(connection) == []
            found = rows(estate, "SELECT size, count(*) FROM thing_versions WHERE valid_to IS NULL GROUP BY size")
            # What was acknowledged is there; at most the one listing after it is too.
            assert found == [] if acknowledged == 0 else found[0][0] in (acknowledged, acknowledged + 1)
            assert len(found) <= 1 and all(count == 400 for _, count in found)
            acknowledged = max([acknowledged, *(size for size, _ in found)])
    assert acknowledged > KILLS
    with open_estate(tmp_path) as estate:
        docs = [thing(n, size=acknowledged, filler="x" * 200) for n in range(400)]
        assert collect(estate, acknowledged + 1, docs).unchanged == 400


@pytest.mark.faults
def test_killed_while_opening(tmp_path: Path) -> None:
    """Also the making of the file, its schema and the reading of the log may be cut short."""
    chance = random.Random(11)
    code = "import sys; from pathlib import Path; from tests.store.estate.cloud import *\n"
    code += "print('ready', flush=True); e = open_estate(Path(sys.argv[1])); collect(e, 0, [thing(1)]); e.close()"
    for number in range(KILLS):
        folder = tmp_path / str(number // 3)
        folder.mkdir(exist_ok=True)
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd(),
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )  # fmt: skip
        assert child.stdout and child.stdout.readline() == "ready\n"
        time.sleep(chance.random() * 0.25)
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        child.stdout.close()
        if number % 3 == 2:
            with open_estate(folder) as estate:
                collect(estate, 1, [thing(1)])
                with estate.reader() as connection:
                    assert consistency.check(connection) == []
