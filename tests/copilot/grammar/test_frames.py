"""Questions and their meanings, by the mechanism that they try: one file each in `frames/`.

A line is `question => meaning`; " >> " parts the turns of a conversation, "[server web-01]" before it is what is
selected. Where several readings are the same, " or else " parts them. In "unsure" each line is a question that must
not be answered with confidence.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from copilot.answers import Named
from tests.copilot.evaluation.sources import Fake
from tests.copilot.evaluation.world import key
from tests.copilot.grammar.meaning import Reader

FOLDER = Path(__file__).with_name("frames")
_SELECTED = re.compile(r"\[(\w+) ([^\]]+)\] (.*)")


def lines(name: str) -> list[str]:
    """The rows of a file without its comments."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


ROWS = [
    pytest.param(*line.split(" => "), id=f"{path.stem}:{line.split(' => ')[0]}")
    for path in sorted(FOLDER.glob("*.txt"))
    if path.stem != "unsure"
    for line in lines(path.stem)
]


def selected(fake: Fake, question: str) -> tuple[str, tuple[Named, ...]]:
    """The question without what is selected, and that."""
    found = _SELECTED.fullmatch(question)
    if found is None:
        return question, ()
    rows = [row for row in fake.world.rows(found[1]) if row["name"] in found[2].split(",")]
    assert rows, question
    return found[3], tuple(Named(found[1], key(row), row["name"]) for row in rows)


@pytest.mark.parametrize(("question", "meaning"), ROWS)
def test_a_question_means(north: Fake, reader: Reader, question: str, meaning: str) -> None:
    asked, chosen = selected(north, question)
    assert reader.meaning(asked, chosen) in meaning.split(" or else ")


@pytest.mark.parametrize("question", lines("unsure"))
def test_what_is_not_understood_is_not_said_with_confidence(reader: Reader, question: str) -> None:
    assert not reader.read(question).sure


def test_there_are_many() -> None:
    assert len(ROWS) >= 400
    assert len({row.values[0] for row in ROWS}) == len(ROWS), "twice the same question"
