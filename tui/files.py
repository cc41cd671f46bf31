"""New files for what people save: never over another one, for nobody else's eyes, and whole or not at all."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self


class SaveError(Exception):
    """The file can't be written; the message is one sentence."""


class NewFile:
    """A file that appears under its name once it is whole: `with NewFile(path) as file: file.write(...)`.

    Its name is taken at once (mode 0600), so that it is known before the work begins whether it can be written.
    Raises SaveError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()
        self.size = 0
        self._part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        os.close(self._create(self.path))
        try:
            self._file = os.fdopen(self._create(self._part), "wb")
        except SaveError:
            self.path.unlink()
            raise
        return self

    def _create(self, path: Path) -> int:
        try:
            return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise SaveError(f"{path} exists already, and nothing is overwritten: choose another name") from None
        except (OSError, ValueError) as error:
            raise SaveError(f"{path} can't be written: {getattr(error, 'strerror', None) or error}") from None

    def write(self, data: bytes) -> None:
        """Add bytes."""
        assert self._file is not None
        try:
            self._file.write(data)
        except OSError as error:
            raise SaveError(f"{self.path} could not be written: {error.strerror or error}") from None
        self.size += len(data)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._file is not None
        try:
            self._file.close()
            if kind is None:
                self._part.replace(self.path)
        except OSError as failure:
            kind = OSError
            raise SaveError(f"{self.path} could not be written: {failure.strerror or failure}") from None
        finally:
            if kind is not None:
                for path in (self._part, self.path):
                    with contextlib.suppress(OSError):
                        path.unlink()


def file_name(what: str, ending: str, now: datetime) -> str:
    """A name in the folder where the program was started: ./servers-20261125-0930.csv."""
    safe = "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "-" for char in what)
    return f"./{safe.strip('-.')[:80] or 'list'}-{now:%Y%m%d-%H%M}.{ending}"


def size_text(size: int) -> str:
    """A file's size in words."""
    if size < 1000:
        return f"{size} bytes"
    amount, unit = (size / 1e3, "kB") if size < 1e6 else (size / 1e6, "MB") if size < 1e9 else (size / 1e9, "GB")
    return f"{amount:.1f} {unit}"
