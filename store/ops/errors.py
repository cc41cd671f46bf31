"""What can go wrong with the operations database. `str()` of each is one clear sentence for a person."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError


class OpsError(Exception):
    """The operations database could not be opened or written."""


class OpsLocked(OpsError):
    """Another process holds the database's write lock."""


class OpsNewer(OpsError):
    """A later release wrote the database."""


class OpsCorrupt(OpsError):
    """The database's pages are damaged."""


class OpsForeign(OpsError):
    """The file belongs to another program."""


class OpsDiskFull(OpsError):
    """No space is left for the database."""


class OpsReadOnly(OpsError):
    """The file, or the folder it lies in, cannot be written."""


# Primary result codes of SQLite (the low byte of an extended code) -> error and the rest of its sentence.
_BY_CODE: dict[int, tuple[type[OpsError], str]] = {
    sqlite3.SQLITE_BUSY: (
        OpsLocked,
        "is locked by another process; stop the other engine (`qdeck engine status` names it) and try again",
    ),
    sqlite3.SQLITE_LOCKED: (OpsLocked, "is locked by another connection; try again"),
    sqlite3.SQLITE_CORRUPT: (
        OpsCorrupt,
        "is damaged; restore it from a backup made with `qdeck engine backup`",
    ),
    sqlite3.SQLITE_NOTADB: (
        OpsForeign,
        "is not an SQLite database; move it away, or choose another home with QDECK_HOME",
    ),
    sqlite3.SQLITE_FULL: (OpsDiskFull, "cannot grow because the disk is full; free some space and try again"),
    sqlite3.SQLITE_READONLY: (
        OpsReadOnly,
        "cannot be written; give the engine's user write permission on the file and its folder",
    ),
    sqlite3.SQLITE_PERM: (
        OpsReadOnly,
        "may not be opened by this user; give the engine's user permission on the file and its folder",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        OpsReadOnly,
        "cannot be opened; check that its folder exists and that the engine's user may write there",
    ),
    sqlite3.SQLITE_IOERR: (
        OpsError,
        "cannot be read or written (input/output error); check the disk and the file system",
    ),
}


def translate(error: BaseException, path: Path | str) -> OpsError | None:
    """The OpsError for a failure that SQLAlchemy, sqlite3 or the file system raised about `path`.

    None when it is not a failure of the database (a broken constraint, a programming error): those are the caller's.
    """
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return None
        found = _BY_CODE.get(code & 0xFF)
        return found[0](f"the operations database {path} {found[1]}") if found else None
    if isinstance(error, PermissionError):
        kind, rest = _BY_CODE[sqlite3.SQLITE_PERM]
        return kind(f"the operations database {path} {rest}")
    if isinstance(error, OSError):
        return _of_os(error, path)
    return None


def _of_os(error: OSError, path: Path | str) -> OpsError:
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        kind, rest = _BY_CODE[sqlite3.SQLITE_FULL]
    elif error.errno == errno.EROFS:
        kind, rest = _BY_CODE[sqlite3.SQLITE_READONLY]
    else:
        kind, rest = _BY_CODE[sqlite3.SQLITE_CANTOPEN]
    return kind(f"the operations database {path} {rest}")
