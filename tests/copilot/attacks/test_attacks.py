"""None of the attacks passes, and none costs more memory than stated, here or where statements run."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.copilot.attacks.attack import Attack, attacks
from tests.copilot.attacks.measuring import MIB, measured
from tests.copilot.attacks.runners import KINDS, MEMORY, Place
from tests.copilot.guard.estate import ACME, world
from tests.copilot.guard.harness import Harness

ATTACKS = attacks()
# What an attack may cost this process, in which the engine would be.
HERE = 48 * MIB
# What a process that is started for one may take: its limit, and what the kernel counts besides (programs, libraries).
ELSEWHERE = MEMORY + 128 * MIB


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with (
        world() as everything,
        world(others=False) as own,
        duckdb.connect() as parser,
        Harness(everything, ACME) as limited,
        Harness(own, ACME) as limited_alone,
    ):
        yield Place(everything, own, parser, limited, limited_alone)


def test_there_are_enough_of_every_kind() -> None:
    assert len(ATTACKS) >= 150
    assert {attack.kind for attack in ATTACKS} == set(KINDS)
    assert len({(attack.kind, attack.text) for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.where)
def test_does_not_pass(attack: Attack, place: Place) -> None:
    runner = KINDS[attack.kind]
    with measured() as memory:
        elsewhere = runner(attack, place)
    assert memory.grown < HERE
    assert elsewhere < ELSEWHERE
