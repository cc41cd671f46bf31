"""A made estate and its copilot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from copilot.answers import Answer, Context, Turn
from copilot.service import Copilot
from store.estate.reading.models import Scope
from tests.copilot.evaluation.generate import world
from tests.copilot.evaluation.sources import Fake, opened
from tests.copilot.evaluation.styles import STYLES

Ask = Callable[..., Answer]


@pytest.fixture(scope="package")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    """One cloud with projects, hosts and lists of the console."""
    folder: Path = tmp_path_factory.mktemp("topics")
    with opened(world(next(style for style in STYLES if style.name == "north")), folder) as sources:
        yield sources


@pytest.fixture(scope="package")
def ask(fake: Fake) -> Ask:
    """Asks a question, after earlier ones and within projects where they are given."""

    def asked(question: str, *before: str, projects: tuple[str, ...] | None = None) -> Answer:
        sources = fake
        if projects is not None:
            sources = replace(fake, scope=Scope(projects=projects))
        turns: tuple[Turn, ...] = ()
        for earlier in before:
            answer = Copilot().ask(earlier, Context(fake.world.now, UTC, turns=turns), sources)
            turns += (Turn(earlier, answer.frame, answer.query, answer.named, answer.topic),)
        return Copilot().ask(question, Context(fake.world.now, UTC, turns=turns), sources)

    return asked
