"""One engine for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.compute.running import World, running
from tests.engine.compute.running import lifted as lifting


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    path: Path = tmp_path_factory.mktemp("network")
    with running(path, "network", servers=12) as made:
        yield made


@pytest.fixture
def lifted(world: World) -> Iterator[None]:
    with lifting(world):
        yield
