"""One world that all questions are asked in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.copilot.evaluation import generate, styles
from tests.copilot.evaluation.sources import Fake, opened
from tests.copilot.grammar.meaning import Reader


@pytest.fixture(scope="session")
def north(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fake]:
    with opened(generate.world(styles.NORTH), tmp_path_factory.mktemp("north")) as fake:
        yield fake


@pytest.fixture(scope="session")
def reader(north: Fake) -> Reader:
    return Reader(north)
