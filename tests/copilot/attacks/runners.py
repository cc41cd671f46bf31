"""What is done with an attack of each kind, and what must not come of it.

A runner is called with the attack and the place in which it runs. It asserts, and answers how many bytes of memory any
process but this one took at most (0: there was none); test_attacks.py asserts that and what this process took.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from copilot.answers import Table
from copilot.guard.parsing import check
from copilot.guard.refusing import Refused
from copilot.guard.running import run
from tests.copilot.attacks.attack import Attack
from tests.copilot.attacks.measuring import MIB
from tests.copilot.attacks.model_runners import MODEL_KINDS
from tests.copilot.guard.estate import ACME, NOW, PLANTED, Asker
from tests.copilot.guard.harness import Harness

SECONDS = 2.0  # for a statement that takes all that it can
MEMORY = 256 * MIB
# What no refusal may tell of, unless the statement itself did.
INSIDE = ("_versions", "meta", "/", "\\", "duckdb_", "memory_limit", "arriving", "Traceback", "LINE", PLANTED)


@dataclass(slots=True)
class Place:
    """Where attacks run.

    everything, own           the whole small estate, and acme's part of it alone
    parser                    a DuckDB without anything in it
    limited, limited_alone    processes with what acme's people may read of `everything` and of `own`
    """

    everything: duckdb.DuckDBPyConnection
    own: duckdb.DuckDBPyConnection
    parser: duckdb.DuckDBPyConnection
    limited: Harness
    limited_alone: Harness


Runner = Callable[[Attack, Place], int]


def refused(attack: Attack, place: Place) -> int:
    """It is not run, and the sentence says what it should, and nothing of the inside."""
    with pytest.raises(Refused) as caught:
        check(attack.text, place.parser, NOW)  # here, where what parsing takes is measured
    sentence = str(caught.value)
    assert attack.says in sentence
    _is_clean(sentence, attack.text)
    return 0


def bounded(attack: Attack, place: Place) -> int:
    """It may run, but it is over in time, with bounded memory, and others are answered meanwhile and afterwards."""
    began = time.monotonic()
    peak, rows = 0, 0
    try:
        asker: Any = Asker(place.everything)
        ran = run(attack.text, asker, now=NOW, seconds=SECONDS, memory=MEMORY)
        peak, rows = ran.peak, len(ran.table.rows)
    except Refused as error:
        peak = error.peak
        _is_clean(str(error), attack.text)
    assert time.monotonic() - began < SECONDS + 15  # and never minutes, on a machine that has other work too
    assert rows <= 200
    assert place.everything.cursor().execute("SELECT count(*) FROM servers").fetchone() == (6,)
    # The kernel ends what is over its limit of data; programs and libraries come on top of it.
    assert peak < MEMORY + 128 * MIB
    return peak


def unseen(attack: Attack, place: Place) -> int:
    """Whoever is limited to a project gets the same answer, or the same error, whether there are others or not."""
    if "_at(" in attack.text:  # such rows are read for the statement alone
        outcome, peak = _asked(attack.text, place.everything)
        assert outcome == _asked(attack.text, place.own)[0]
    else:
        outcome, peak = _harnessed(attack.text, place.limited)
        assert outcome == _harnessed(attack.text, place.limited_alone)[0]
    assert PLANTED not in str(outcome)
    return peak


def _asked(sql: str, world: duckdb.DuckDBPyConnection) -> tuple[Table | str, int]:
    asker: Any = Asker(world, ACME)
    try:
        ran = run(sql, asker, now=NOW, seconds=20, memory=MEMORY)
    except Refused as error:
        return str(error), error.peak
    return ran.table, ran.peak


def _harnessed(sql: str, harness: Harness) -> tuple[Table | str, int]:
    try:
        return harness.run(sql), harness.process.peak
    except Refused as error:
        return str(error), harness.process.peak


def _is_clean(sentence: str, attack: str) -> None:
    assert sentence.isprintable()
    assert len(sentence) < 1000
    for word in INSIDE:
        assert word not in sentence or word in attack


KINDS: dict[str, Runner] = {
    **dict.fromkeys(
        ("files", "paths", "statements", "changes", "stacked", "encoding", "internals", "qualified", "functions"),
        refused,
    ),
    **dict.fromkeys(("by_name", "shapes", "sizes"), refused),
    "resources": bounded,
    "scope": unseen,
    "secrets": unseen,
    **MODEL_KINDS,
}
