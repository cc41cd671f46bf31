"""Questions with the same meaning, and how they become single questions to a world."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tests.copilot.evaluation.expect import AskBack, Expected, either
from tests.copilot.evaluation.slots import NoSuch, Slots, names, render
from tests.copilot.evaluation.world import Row, World

Half = Literal["tuning", "held-out"]
HALVES: tuple[Half, Half] = ("tuning", "held-out")
Expects = Callable[[World, Slots], Expected]


@dataclass(frozen=True, slots=True)
class Case:
    """One meaning in many words.

    phrasings  texts with blanks; " >> " parts the turns of a conversation; a "~" before one says that it has a typo
    selected   blank of what lies under the cursor, as type:blank
    asker      blank of the only project that the asker may read
    only       names of the worlds that it is asked in; () = all
    """

    kind: str
    expects: Expects
    phrasings: tuple[str, ...]
    selected: str = ""
    asker: str = ""
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question to one world; `turns` holds all turns, of which the last is judged."""

    case: Case
    phrasing: str
    half: Half
    turns: tuple[str, ...]
    expected: Expected

    @property
    def typo(self) -> bool:
        """Whether it has a typo."""
        return self.phrasing.startswith("~") or "|typo}" in self.phrasing


CASES: list[Case] = []


def case(
    kind: str, expects: Expects, phrasings: str, selected: str = "", asker: str = "", only: tuple[str, ...] = ()
) -> None:
    """Add one; `phrasings` are parted by semicolons."""
    texts = tuple(text.strip() for text in " ".join(phrasings.split()).split(";"))
    CASES.append(Case(kind, expects, texts, selected, asker, only))


def halves(case: Case) -> Iterator[tuple[str, Half]]:
    """Every phrasing with its half: by the hash of its text, and of every meaning about as many in each.

    Which half begins is told by the hash of the first, so that meanings with few phrasings are in both halves alike.
    """
    order = sorted(case.phrasings, key=_digest)
    first = int(_digest(order[0])[:8], 16) % 2
    for number, phrasing in enumerate(order):
        yield phrasing, HALVES[(number + first) % 2]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def questions(world: World, cases: list[Case]) -> Iterator[Question]:
    """All questions that make sense in the world."""
    slots = Slots(world)
    for case in cases:
        if case.only and world.name not in case.only:
            continue
        for phrasing, half in halves(case):
            if _unfit(world, phrasing):
                continue
            try:
                for name in names(phrasing):
                    getattr(slots, name)
                expected = case.expects(world, slots)
            except NoSuch:
                continue
            if any(_several(world, getattr(slots, name)) for name in names(phrasing)):
                expected = either(expected, AskBack())
            text = render(phrasing.removeprefix("~"), slots)
            yield Question(case, phrasing, half, tuple(re.split(r"\s*>>\s*", text)), expected)


def _several(world: World, row: Row) -> bool:
    """Whether other resources of the type have the name: then it may be asked which one is meant."""
    for type in world.versions:
        rows = world.rows(type)
        if row in rows:
            return sum(one.get("name") == row.get("name") for one in rows) > 1
    return False


def _unfit(world: World, phrasing: str) -> bool:
    """In the world whose names are near each other, a typo in a name is no clear name."""
    return world.name == "maze" and re.search(r"\|(typo|nodash|blank|number)\}", phrasing) is not None
