"""The examples of the operators' guide are answered, and with confidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from copilot.answers import Context, Turn
from copilot.service import Copilot
from tests.copilot.evaluation import generate, styles
from tests.copilot.evaluation.sources import Fake, opened

GUIDE = (Path(__file__).parents[2] / "docs" / "copilot.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[list[str]]:
    """The lines of the blocks of that kind."""
    return [block.split("\n") for block in re.findall(rf"```{kind}\n(.*?)\n```", GUIDE, re.DOTALL)]


ALONE = [question for block in blocks("ask") for question in block]


@pytest.fixture(scope="module")
def north(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    with opened(generate.world(styles.NORTH), tmp_path_factory.mktemp("north")) as fake:
        yield fake


@pytest.mark.parametrize("question", ALONE)
def test_an_example_is_answered(north: Fake, question: str) -> None:
    answer = Copilot().ask(question, Context(north.world.now, north.world.zone), north)
    assert answer.sure, answer.text


@pytest.mark.parametrize("conversation", blocks("conversation"), ids=lambda lines: lines[0])
def test_a_conversation_goes_on(north: Fake, conversation: list[str]) -> None:
    turns: tuple[Turn, ...] = ()
    for question in conversation:
        answer = Copilot().ask(question, Context(north.world.now, north.world.zone, (), turns), north)
        assert answer.sure, f"{question}: {answer.text}"
        turns = (*turns, Turn(question, answer.frame, answer.query, answer.named, answer.topic))
    assert len({turn.query for turn in turns}) == len(turns)


def test_what_is_not_understood_is_not_answered(north: Fake) -> None:
    assert "vms with blue stickers" in GUIDE
    answer = Copilot().ask("vms with blue stickers", Context(north.world.now, north.world.zone), north)
    assert answer.outcome == "unsure" and answer.choices


def test_there_are_examples_of_every_kind() -> None:
    assert len(ALONE) >= 40 and len(set(ALONE)) == len(ALONE)
