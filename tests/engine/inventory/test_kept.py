"""Kept answers: the same while nothing moved, anew otherwise, never another caller's, and bounded."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from engine.access.models import Caller
from engine.inventory import kept as module
from engine.inventory.kept import SECONDS, Kept

ALICE = Caller("alice", 1, role="viewer")
BOB = Caller("bob", 2, role="viewer")


class Facts:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.version, self.now, self.asked = 1, 0.0, 0
        self.kept = Kept(lambda: self.version, clock=lambda: self.now)

    def answer(self, caller: Caller, *given: Any) -> dict[str, Any]:
        self.asked += 1
        return {"n": self.asked, "for": caller.projects, "given": given}

    def ask(self, caller: Caller = ALICE, *given: Any) -> bytes:
        return self.kept.json(self.answer, caller, *given)


def test_the_same_until_something_moves_or_time_passes() -> None:
    facts = Facts()
    first = facts.ask()
    assert first == b'{"n":1,"for":null,"given":[]}' and facts.ask(BOB) == first
    facts.version = 2
    assert b'"n":2' in facts.ask()
    facts.now = SECONDS - 0.1
    assert b'"n":2' in facts.ask()
    facts.now = SECONDS
    assert b'"n":3' in facts.ask()


@pytest.mark.parametrize(
    "other",
    [
        Caller("carol", 3, role="admin"),
        Caller("carol", 3, role="viewer", projects=("p1",)),
        Caller("carol", 3, role="viewer", domains=("d1",)),
        Caller("carol", 3, role="viewer", clouds=("prod",)),
    ],
)
def test_nobody_gets_what_another_role_or_limit_may_see(other: Caller) -> None:
    facts = Facts()
    assert facts.ask(ALICE) != facts.ask(other)
    assert facts.ask(ALICE, "x") != facts.ask(ALICE, "y")


def test_errors_are_not_kept() -> None:
    facts = Facts()

    def broken(caller: Caller) -> None:
        facts.asked += 1
        raise ValueError(facts.asked)

    for expected in ("1", "2"):
        with pytest.raises(ValueError, match=expected):
            facts.kept.json(broken, ALICE)


def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    facts, begun, go = Facts(), threading.Event(), threading.Event()
    plain = facts.answer

    def slow(caller: Caller) -> Any:
        begun.set()
        assert go.wait(10)
        return plain(caller)

    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(facts.kept.json(slow, ALICE))) for _ in range(3)]
    threads[0].start()
    assert begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(10)
    assert len(set(found)) == 1 and len(found) == 3 and facts.asked == 1


def test_it_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = Facts()
    monkeypatch.setattr(module, "MOST", 3)
    for number in range(10):
        facts.ask(ALICE, number)
    assert b'"n":9' in facts.ask(ALICE, 8) and b'"n":11' in facts.ask(ALICE, 1)
    monkeypatch.setattr(module, "MOST_BYTES", 40)
    facts.ask(ALICE, 8)
    facts.ask(ALICE, 9)
    assert len(facts.kept._answers) <= 2
