"""Records on disk, and time that nobody waits for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.restore.records import Records
from store.ops.ops import Ops

MEMORY = Path("/dev/shm")  # thousands of simulated jobs: nobody waits for a disk


@pytest.fixture(scope="session")
def shared_ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ops]:
    """One database for all simulated jobs: each has rows of its own."""
    where = MEMORY if MEMORY.is_dir() else tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory(prefix="restore-steps-", dir=where) as folder:
        ops = Ops.open(Path(folder) / "ops.sqlite")
        yield ops
        ops.close()


@pytest.fixture
def records(shared_ops: Ops) -> Records:
    return Records(shared_ops)
