"""A disk without space: the engine says so, in one sentence, loses nothing, and starts once there is space again."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.process.models import Exit, Home
from tests.engine.process.running import Engine, engine

pytestmark = pytest.mark.faults


@pytest.fixture
def small() -> Iterator[Path]:
    """A file system of 8 MB."""
    with small_disk(8) as folder:
        yield folder


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own, so small."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small file system")
    folder = Path(tempfile.mkdtemp(prefix="qd-"))
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        folder.rmdir()
        pytest.skip(f"this host lets nobody mount a small file system: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def fill(folder: Path) -> Path:
    """Use up all space; returns the file that holds it."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)
    return filler


def test_a_full_disk_at_the_first_start(small: Path) -> None:
    fill(small)
    one = Engine(Home(small / "home"))
    try:
        last = one.failure()
        assert last["code"] == Exit.DISK_FULL, last
        assert "space" in last["message"]
    finally:
        one.close()


def test_a_disk_that_fills_while_the_engine_runs(small: Path) -> None:
    home = Home(small / "home")
    with engine(home=home) as one:
        filler = fill(small)
        assert one.get("/who")["role"] == "superadmin"
        worker = one.kill_worker()
        last: object = None
        with contextlib.suppress(Exception):
            last = one.get("/who")["server"]
        # Either there was enough left for a new worker, or the engine ended and said why.
        if last is None:
            assert one.process.wait(30) == Exit.DISK_FULL
        else:
            assert last != worker
        filler.unlink()
    with engine(home=home) as two:
        assert two.get("/who")["role"] == "superadmin"
