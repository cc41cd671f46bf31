"""Why an engine could not start: one sentence, and the exit code that says whether trying again helps."""

from __future__ import annotations

import errno

from engine.process.models import Exit

# Kinds of the stores' errors, by the last word of their names: EstateLocked and OpsLocked are alike here.
_KINDS = {
    "Locked": Exit.LOCKED,
    "Newer": Exit.NEWER,
    "Corrupt": Exit.CORRUPT,
    "Foreign": Exit.FOREIGN,
    "DiskFull": Exit.DISK_FULL,
    "ReadOnly": Exit.READ_ONLY,
}
_ERRNOS = {
    errno.ENOSPC: (Exit.DISK_FULL, "no space is left; free some and start again"),
    errno.EDQUOT: (Exit.DISK_FULL, "the disk quota is used up; free some space and start again"),
    errno.EROFS: (Exit.READ_ONLY, "the file system is read-only; name another home with QDECK_HOME"),
    errno.EACCES: (Exit.READ_ONLY, "this user may not write there; change its rights or name another home"),
    errno.EPERM: (Exit.READ_ONLY, "this user may not write there; change its rights or name another home"),
    errno.EADDRINUSE: (Exit.ADDRESS_TAKEN, "another program listens on the address; stop it or choose another port"),
    errno.EADDRNOTAVAIL: (Exit.ADDRESS_TAKEN, "this machine does not have the address; correct engine.tcp.listen"),
}


class StartFailure(Exception):
    """The engine cannot start. `code` is its process's exit code; `str()` is one sentence for a person."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code

    @property
    def permanent(self) -> bool:
        """Whether starting again would fail again."""
        return self.code >= Exit.ALREADY_RUNNING


def of_error(error: BaseException) -> StartFailure:
    """The StartFailure that an error during a start means; unforeseen ones are not permanent."""
    if isinstance(error, StartFailure):
        return error
    name = type(error).__name__
    if name == "SettingsError":
        return StartFailure(str(error), Exit.CONFIGURATION)
    if name in ("TcpRefused", "SecretUnreadable"):
        return StartFailure(str(error), Exit.CONFIGURATION)
    for prefix in ("Estate", "Ops"):
        if name.startswith(prefix):
            return StartFailure(str(error), _KINDS.get(name.removeprefix(prefix), Exit.FAILED))
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        code, words = _ERRNOS[error.errno]
        return StartFailure(f"{error.filename or 'the engine'}: {words}", code)
    if isinstance(error, ImportError):
        return StartFailure(f"the installation is broken: {error}; install qdeck again", Exit.INSTALLATION)
    text = " ".join(str(error).split())[:300]
    return StartFailure(f"unforeseen error, see the engine's log: {name}{': ' if text else ''}{text}")
