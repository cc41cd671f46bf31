"""A consistent copy of the file while the engine runs."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from store.estate.errors import EstateError
from store.estate.opening import explained

if TYPE_CHECKING:
    import duckdb


def copy(connection: duckdb.DuckDBPyConnection, source: Path, target: Path) -> None:
    """Copy the database to `target`, a file that must not exist yet. Runs on the writer thread, so nothing is
    written meanwhile.

    The log is merged into the file first; when readers keep that from happening, the log is copied along.
    Raises EstateError,
    EstateDiskFull, EstateReadOnly; a copy that failed leaves nothing at `target`.
    """
    if target.exists():
        raise EstateError(f"{target} already exists: name a file that does not.")
    import duckdb

    # A reader that holds an old state can keep the log from being merged: then it is copied below.
    with contextlib.suppress(duckdb.TransactionException):
        connection.execute("CHECKPOINT")
    wal, half = source.with_name(f"{source.name}.wal"), target.with_name(f"{target.name}.part")
    target_wal = target.with_name(f"{target.name}.wal")
    try:
        _copy(source, half)
        if wal.exists() and wal.stat().st_size:
            _copy(wal, target_wal)
        half.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        half.unlink(missing_ok=True)
        target_wal.unlink(missing_ok=True)
        raise explained(error, target) or EstateError(f"{target} can not be written: {error.strerror}.") from error


def _copy(source: Path, target: Path) -> None:
    """Bytes only, owner-only rights, on disk when it returns."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
        writer.flush()
        os.fsync(writer.fileno())
