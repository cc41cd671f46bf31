"""The space kept back for records: made, given up in parts, taken back, and what is said meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, insert, select

from store.ops import tables
from store.ops.errors import OpsDiskFull
from store.ops.ops import Ops
from store.ops.reserve import MEGABYTE, PARTS, Reserve

SIZE = 2 * MEGABYTE
NEEDED = SIZE + SIZE // 4


class Disk:
    """A disk with so many bytes free, as far as the reserve can tell."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = 1 << 40
        monkeypatch.setattr(os, "fstatvfs", lambda descriptor: SimpleNamespace(f_bavail=self.free, f_frsize=1))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ops.reserve"


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    with closing(Ops.open(tmp_path / "ops.sqlite")) as opened:
        yield opened


def held(path: Path) -> Reserve:
    reserve = Reserve(path, SIZE)
    assert reserve.make() is None and reserve.status().state == "held"
    return reserve


def allocated(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_its_blocks_are_real_and_the_owner_s_alone(path: Path) -> None:
    held(path)
    assert path.stat().st_size == SIZE and allocated(path) >= SIZE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_sparse_copy_of_it_is_filled(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(SIZE)
    assert allocated(path) < SIZE
    path.chmod(0o644)
    held(path)
    assert allocated(path) >= SIZE and stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(("free", "state"), [(NEEDED, "held"), (NEEDED - 1, "missing"), (0, "missing")])
def test_it_is_made_where_some_space_is_left_besides(path: Path, disk: Disk, free: int, state: str) -> None:
    disk.free = free
    reserve = Reserve(path, SIZE)
    problem = reserve.make()
    assert reserve.status().state == state and path.exists() == (state == "held")
    # A small disk is no failure: everything may begin.
    assert reserve.refusal() is None
    assert (problem is None) == (state == "held")
    assert problem is None or "3 MB free" in problem
    assert reserve.give_up() == (state == "held")


def test_what_a_quota_takes_half_way_is_given_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(descriptor: int, start: int, size: int) -> None:
        os.ftruncate(descriptor, size // 2)
        raise OSError(errno.EDQUOT, "quota")

    monkeypatch.setattr(os, "posix_fallocate", half)
    assert "storage.reserve_mb" in (Reserve(path, SIZE).make() or "") and not path.exists()


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_is_left_alone(path: Path, tmp_path: Path, kind: str) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"kept")
    {"link": lambda: path.symlink_to(other), "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[kind]()
    reserve = Reserve(path, SIZE)
    assert "can't be made" in (reserve.make() or "") and reserve.status().state == "missing"
    assert other.read_bytes() == b"kept" and not reserve.give_up()


def test_none_is_wanted(path: Path) -> None:
    held(path)
    reserve = Reserve(path, 0)
    assert reserve.make() is None and reserve.status().state == "off" and not path.exists()
    assert reserve.refusal() is None and not reserve.give_up()


def test_a_smaller_one_is_wanted(path: Path) -> None:
    held(path)
    assert Reserve(path, SIZE // 2).make() is None and path.stat().st_size == SIZE // 2


def test_it_is_given_up_in_parts_and_taken_back_whole(path: Path, disk: Disk) -> None:
    reserve = held(path)
    disk.free = 0
    sizes = []
    while reserve.give_up():
        sizes.append(path.stat().st_size)
    assert len(sizes) == PARTS and sizes == sorted(sizes, reverse=True) and sizes[-1] == 0
    assert "3 MB" in (refusal := reserve.refusal() or "") and "disk is full" in refusal
    assert reserve.status().problem == refusal
    disk.free = NEEDED - 1
    assert reserve.refusal() and path.stat().st_size == 0
    disk.free = NEEDED
    assert reserve.refusal() is None and allocated(path) >= SIZE
    assert reserve.status().state == "held" and reserve.status().problem is None


def test_a_new_engine_finds_it_given_up(path: Path, disk: Disk) -> None:
    reserve = held(path)
    disk.free = 0
    reserve.give_up()
    again = Reserve(path, SIZE)
    assert "nothing new is begun" in (again.make() or "") and again.refusal()
    assert again.give_up()  # what is left of it still serves
    disk.free = NEEDED
    assert again.refusal() is None and allocated(path) >= SIZE


def test_somebody_removes_it(path: Path, disk: Disk) -> None:
    reserve = held(path)
    path.unlink()
    disk.free = 0
    assert not reserve.give_up() and reserve.refusal()
    disk.free = NEEDED
    assert reserve.refusal() is None and allocated(path) >= SIZE


@given(steps=st.lists(st.sampled_from(["give", "ask", "free", "full", "restart"]), max_size=12))
def test_nothing_begins_without_the_whole_of_it(steps: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("r") / "ops.reserve"
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch)
        reserve = held(path)
        for step in steps:
            if step == "give":
                reserve.give_up()
            elif step == "restart":
                reserve = Reserve(path, SIZE)
                reserve.make()
            else:
                disk.free = {"free": NEEDED, "full": 0}.get(step, disk.free)
            whole = path.stat().st_size == SIZE and allocated(path) >= SIZE
            assert (reserve.refusal() is None) == (whole or disk.free > 0)


def test_what_ends_is_written_with_it_and_nothing_begins(ops: Ops, path: Path, disk: Disk) -> None:
    ops.reserve = held(path)
    disk.free, tries = 0, []

    def act(connection: Connection) -> str:
        tries.append(path.stat().st_size)
        connection.execute(insert(tables.meta).values(key="outcome", value="done"))
        if len(tries) < 3:  # another program takes what was freed
            raise OpsDiskFull("full")
        return "written"

    assert ops.finish(act) == "written"
    assert len(tries) == 3 and tries == sorted(tries, reverse=True)
    with pytest.raises(OpsDiskFull, match="nothing new is begun"), ops.begin():
        raise AssertionError("it began")
    with ops.read() as connection:
        found = connection.scalar(select(func.count()).select_from(tables.meta).where(tables.meta.c.key == "outcome"))
    assert found == 1
    ops.finish(lambda connection: connection.execute(insert(tables.meta).values(key="later", value="too")))
    disk.free = NEEDED
    with ops.begin() as connection:
        connection.execute(insert(tables.meta).values(key="next", value="begins"))


def test_what_ends_fails_once_nothing_is_left(ops: Ops, path: Path, disk: Disk) -> None:
    ops.reserve = held(path)
    disk.free, tries = 0, []

    def act(connection: Connection) -> None:
        tries.append(1)
        raise OpsDiskFull("full")

    with pytest.raises(OpsDiskFull, match="full"):
        ops.finish(act)
    assert len(tries) == PARTS + 1 and path.stat().st_size == 0


def test_a_backup_is_without_it(ops: Ops, path: Path, tmp_path: Path) -> None:
    ops.reserve = held(path)
    target = tmp_path / "copy"
    target.mkdir()
    ops.backup(target / "ops.sqlite")
    assert [file.name for file in target.iterdir()] == ["ops.sqlite"]
