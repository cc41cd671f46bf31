"""Opening the file: locked down, sized, and with one clear sentence for each way in which it can fail."""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from store.estate.errors import (
    EstateCorrupt,
    EstateDiskFull,
    EstateError,
    EstateForeign,
    EstateLocked,
    EstateNewer,
    EstateReadOnly,
)

if TYPE_CHECKING:
    import duckdb

# Above this many rows of a LIMIT, DuckDB reads all columns of all rows before it sorts; windows ask for up to a few
# thousand rows.
LATE_MATERIALIZATION_ROWS = 20_000
# A page is fetched by its row numbers: up to so many are pushed into the scan, which then skips all other row groups.
PUSHED_ROWIDS = 500
# The log is merged into the file when it has this size, or by `checkpoint()`. A start after a crash reads the
# log first:
# 60 MB took 0.45 s, so not larger; merging costs the more often it happens, so not smaller.
CHECKPOINT_THRESHOLD = "32MB"


# Of new files. The default is readable by every DuckDB since 1.0, at the price of zstd.
STORAGE_VERSION = "v1.5.0"

Config = dict[str, str | bool | int | float | list[str]]

_DAMAGED = "Corrupt database file|checksum|Could not read enough bytes|deserializ|Failure while replaying WAL"


def connect(path: Path, *, threads: int, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """Open (or make) the file with external access off and configuration locked.

    Raises the errors of store.estate.errors.
    """
    import duckdb

    _without_pandas()
    try:
        _look(path)
    except OSError as error:
        # A folder that this user may not even search, for example.
        raise explained(error, path) or error from error
    config: Config = {
        "threads": threads,
        "memory_limit": memory_limit,
        "checkpoint_threshold": CHECKPOINT_THRESHOLD,
        "late_materialization_max_rows": LATE_MATERIALIZATION_ROWS,
        "dynamic_or_filter_threshold": PUSHED_ROWIDS,
        "storage_compatibility_version": STORAGE_VERSION,
        "preserve_insertion_order": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "enable_external_access": "false",
        "lock_configuration": "true",
    }
    try:
        if not path.exists():
            _create(path, config)
        connection = duckdb.connect(str(path), config=config)
        # Both only while nothing runs yet: a damaged catalog or log shows itself here and not in the first reader.
        connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall()
        return connection
    except (duckdb.Error, OSError) as error:
        known = explained(error, path)
        if known is None and isinstance(
            error, duckdb.IOException | duckdb.InternalException | duckdb.FatalException | duckdb.SerializationException
        ):
            known = _corrupt(path, error)
        if known is None:
            raise
        raise known from error


def _without_pandas() -> None:
    """Where pandas is not installed, say so once and for the whole process.

    DuckDB asks for it about ten times a statement, whether a value may be one of pandas', and Python remembers only
    modules that it found: each time it looked through every folder of the path (0.2 of 0.75 s of CPU of a collection
    without rows). None in `sys.modules` is Python's own way to say that there is none.
    """
    if "pandas" not in sys.modules and importlib.util.find_spec("pandas") is None:
        sys.modules["pandas"] = None  # type: ignore[assignment]


def _create(path: Path, config: Config) -> None:
    """Make the file under another name first, so that a crash here leaves no half file under the real one."""
    import duckdb

    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.with_name(f"{fresh.name}.wal").unlink(missing_ok=True)
    # DuckDB makes files that the umask lets others read; the estate is its owner's alone.
    mask = os.umask(0o077)
    try:
        duckdb.connect(str(fresh), config=config).close()
    finally:
        os.umask(mask)
    fresh.chmod(0o600)
    fresh.replace(path)


def _look(path: Path) -> None:
    """What can be said before DuckDB sees the file. It would try to load an extension for some foreign files."""
    if not path.exists():
        if not path.parent.is_dir():
            raise EstateReadOnly(f"{path.parent} does not exist or is no folder: make it, or name another home.")
        return
    if not path.is_file():
        raise EstateForeign(f"{path} is not a file: move it away or name another home.")
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        path.unlink()  # nothing was ever in it: what a full disk or a crash leaves
    elif head[8:12] != b"DUCK":
        raise EstateForeign(
            f"{path} is not a DuckDB database; it was left untouched: move it away or name another home."
        )


def explained(error: BaseException, path: Path) -> EstateError | None:
    """The EstateError that says what an error of DuckDB or of the operating system means, or None when none does."""
    text = str(error)
    number = getattr(error, "errno", None)
    if "Could not set lock on file" in text or "Conflicting lock" in text:
        found = re.search(r"\(PID (\d+)\)", text)
        pid = int(found[1]) if found else None
        holder = f"process {pid}" if pid else "another process"
        return EstateLocked(
            f"{path} is in use by {holder}: only one engine may open it; stop that one (qdeck engine stop) first.", pid
        )
    if "Trying to read a database file with version number" in text:
        return EstateNewer(
            f"{path} was written by a newer version of DuckDB than this program has: install the newer program."
        )
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or re.search(
        r"No space left on device|Disk quota exceeded|File too large|disk is full", text
    ):
        return EstateDiskFull(f"no space is left for {path}: free some space; nothing that was stored is lost.")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS) or re.search(
        r"Permission denied|Read-only file system|Operation not permitted", text
    ):
        return EstateReadOnly(
            f"{path} or its folder can not be written by this user: change its rights, or name another home."
        )
    if re.search(_DAMAGED, text, re.IGNORECASE):
        return _corrupt(path, error)
    return None


def _corrupt(path: Path, error: BaseException) -> EstateCorrupt:
    return EstateCorrupt(
        f"{path} is damaged ({_first_line(error)}): restore it from a backup, or move it away and collect again."
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
