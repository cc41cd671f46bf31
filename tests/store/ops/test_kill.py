"""SIGKILL at random moments: what was acknowledged is there, the chain is whole, the file opens at once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.audit.service import AuditService
from store.ops.ops import Ops

_WRITER = """
import sys
from pathlib import Path
from engine.access.models import ENGINE
from engine.audit.service import AuditService
from store.ops.ops import Ops
audit = AuditService(Ops.open(Path(sys.argv[1])))
number = 0
while True:
    print(audit.record(ENGINE, "x.y", "t", {"n": number, "pad": "x" * (number % 5000)}), flush=True)
    number += 1
"""


@pytest.mark.faults
def test_no_acknowledged_record_is_lost_and_the_chain_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "ops.sqlite"
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    acknowledged: list[str] = []
    for _ in range(12):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        first = writer.stdout.readline().strip()
        time.sleep(chance.uniform(0, 0.15))  # the moment of the kill, not a synchronisation
        writer.kill()
        rest = writer.stdout.read().split("\n")
        writer.wait()
        acknowledged += [first, *(line for line in rest[:-1] if line)]
        ops = Ops.open(path)
        audit = AuditService(ops)
        verdict = audit.verify()
        kept = {record["id"] for record in audit.page(limit=1_000_000)[1]}
        ops.close()
        assert verdict.ok, (seed, verdict)
        assert kept >= set(acknowledged), f"seed {seed}: lost {len(set(acknowledged) - kept)}"
    assert len(acknowledged) >= 12
