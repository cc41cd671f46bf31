"""What can be wrong with the estate file; `str()` of each is the one sentence that is shown."""

from __future__ import annotations


class EstateError(Exception):
    """Base of all errors of the estate."""


class EstateLocked(EstateError):
    """Another process has the file open. `pid` is that process when the operating system tells it."""

    def __init__(self, message: str, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid


class EstateNewer(EstateError):
    """The file was written by a newer version of this program or of DuckDB."""


class EstateCorrupt(EstateError):
    """The file is damaged."""


class EstateForeign(EstateError):
    """The file is not ours: another kind of file, or a DuckDB file of another application."""


class EstateReadOnly(EstateError):
    """The file or its folder can not be written."""


class EstateDiskFull(EstateError):
    """No space is left where the file lies."""


class EstateClosed(EstateError):
    """The estate is closed, or closed itself after an error that DuckDB can not go on from."""


class ListingEnded(EstateError):
    """A listing was added to or finished after it had already ended."""
