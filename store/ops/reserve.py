"""Space kept back on the disk, so that what was sent to a cloud is still recorded when the disk is full.

A file of real blocks lies beside the database. When the outcome of something begun finds no space, a part of the file
is given back to the file system, as often as it takes. From then on nothing new begins, until the whole file is there
again.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MEGABYTE = 1024 * 1024
PARTS = 16  # the file is given up in so many: what else writes on the disk may take what is free at once
_log = logging.getLogger(__name__)
_BLOCK = 512  # unit of st_blocks, whatever the file system's own is

State = Literal["off", "held", "missing", "given_up"]


@dataclass(frozen=True, slots=True)
class ReserveStatus:
    """off: none is wanted; held: it is whole; missing: there was never room for it; given_up: in use, at least partly.

    `problem`: one sentence for the last two.
    """

    state: State
    megabytes: int
    problem: str | None = None


class Reserve:
    """The file. Thread-safe. `size`: bytes; 0 for none."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = Path(path)
        self.size = size
        self._lock = threading.Lock()
        self._state: State = "off"
        self._problem: str | None = None

    def make(self) -> str | None:
        """Make the file, or make it whole again; None, or one sentence why there is none. Raises nothing.

        A file that an earlier engine gave up and that cannot be made whole counts as given up still. With size 0 a file
        that is there is removed.
        """
        with self._lock:
            try:
                self._make()
            except OSError as error:
                self._state = "missing"
                self._problem = f"no space is kept back for records: {self.path} can't be made ({error.strerror})"
            return self._problem

    def give_up(self) -> bool:
        """Give a part of the space back, for the record of what was begun; False when nothing is left of it."""
        with self._lock:
            if self._state not in ("held", "given_up"):
                return False
            if self._state == "held":
                _log.warning("the disk is full: the space kept back for records is used now (%s)", self.path)
            self._state = "given_up"
            try:
                return self._shorten()
            except OSError:  # somebody took the file away: nothing is left
                return False

    def refusal(self) -> str | None:
        """Why nothing new may begin, in one sentence; None when it may. Takes the space back where there is room."""
        with self._lock:
            self._take_back()
            return self._problem if self._state == "given_up" else None

    def status(self) -> ReserveStatus:
        """As it is now; takes the space back where there is room."""
        with self._lock:
            self._take_back()
            return ReserveStatus(self._state, self.size // MEGABYTE, self._problem)

    def _make(self) -> None:
        if not self.size:
            self.path.unlink(missing_ok=True)
            return
        there = self.path.exists()
        descriptor = self._open(os.O_CREAT)
        try:
            os.fchmod(descriptor, 0o600)
            if os.fstat(descriptor).st_size > self.size:  # the setting was lowered
                os.ftruncate(descriptor, self.size)
            needed = self._fill(descriptor)
        finally:
            os.close(descriptor)
        if not needed:
            self._state, self._problem = "held", None
        elif there:
            self._state, self._problem = "given_up", self._full(needed)
        else:
            self.path.unlink(missing_ok=True)
            self._state = "missing"
            self._problem = (
                f"no space is kept back for records, because the disk of {self.path.parent} has no "
                f"{_megabytes(needed)} MB free; free some and restart the engine, or lower storage.reserve_mb"
            )

    def _take_back(self) -> None:
        if self._state != "given_up":
            return
        try:
            descriptor = self._open(os.O_CREAT)
            try:
                needed = self._fill(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            self._problem = f"nothing new is begun: {self.path} can't be written ({error.strerror}); mend that first"
            return
        if needed:
            self._problem = self._full(needed)
        else:
            self._state, self._problem = "held", None
            _log.warning("the space kept back for records is whole again (%s)", self.path)

    def _fill(self, descriptor: int) -> int:
        """Allocate what is missing: 0 when all is there, else the bytes that must be free for it."""
        found = os.fstat(descriptor)
        missing = max(self.size - min(found.st_size, found.st_blocks * _BLOCK), 0)
        if not missing:
            return 0
        # Some is left to work with; else the disk would be full the moment after.
        needed = missing + self.size // 4
        disk = os.fstatvfs(descriptor)
        if disk.f_bavail * disk.f_frsize < needed:
            return needed
        try:
            os.posix_fallocate(descriptor, 0, self.size)
        except OSError:  # a quota, or another was faster; what was allocated by then is given back
            os.ftruncate(descriptor, found.st_size)
            return needed
        return 0

    def _shorten(self) -> bool:
        descriptor = self._open()
        try:
            left = os.fstat(descriptor).st_size
            if not left:
                return False
            os.ftruncate(descriptor, max(0, left - max(self.size // PARTS, 1)))
            os.fsync(descriptor)  # a journalling file system lends the blocks again only then
            return True
        finally:
            os.close(descriptor)

    def _open(self, flags: int = 0) -> int:
        descriptor = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | flags, 0o600)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(0, "it is no file")
        return descriptor

    def _full(self, needed: int) -> str:
        return (
            "the disk is full and the space kept back for records is in use, so nothing new is begun; free "
            f"{_megabytes(needed)} MB on the disk of {self.path.parent} and it goes on by itself"
        )


def _megabytes(size: int) -> int:
    return -(-size // MEGABYTE)
