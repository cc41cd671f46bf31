"""One house for each test that asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.copilot.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An engine without resources: what is tested are questions, not their answers."""
    made = House(tmp_path, filled=False)
    yield made
    made.close()


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One with something in every list. Read only."""
    made = House(tmp_path_factory.mktemp("full"))
    yield made
    made.close()
