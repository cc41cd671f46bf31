"""None of the attacks passes, and none costs more memory than stated, here or where statements run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.copilot.attacks.attack import Attack, attacks
from tests.copilot.attacks.measuring import MIB, measured
from tests.copilot.attacks.runners import KINDS, MEMORY, PARSING, Place, refused
from tests.copilot.guard.estate import ACME, world
from tests.copilot.guard.harness import Harness

ATTACKS = attacks()
# What an attack may cost this process, in which the engine would be.
HERE = 48 * MIB


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with (
        world() as everything,
        world(others=False) as own,
        Harness(everything) as harness,
        Harness(own, ACME) as harness_of_own,
    ):
        yield Place(harness, everything, own, harness_of_own)


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
    assert elsewhere < (PARSING if runner is refused else MEMORY + 128 * MIB)
