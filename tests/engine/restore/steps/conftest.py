"""Records on disk, and time that nobody waits for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.restore.records import Records
from store.ops.ops import Ops


@pytest.fixture(scope="session")
def shared_ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ops]:
    """One database for all simulated jobs: each has rows of its own."""
    ops = Ops.open(tmp_path_factory.mktemp("restore-steps") / "ops.sqlite")
    yield ops
    ops.close()


@pytest.fixture
def records(shared_ops: Ops) -> Records:
    return Records(shared_ops)
