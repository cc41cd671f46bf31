"""Secrets by reference: `env:NAME` or `file:/path`. Never written to a database, a log or an answer."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class SecretUnreadable(Exception):
    """A secret's reference leads nowhere, or to a file that others can read."""


def read_secret(reference: str) -> str:
    """The secret behind `reference`, without the line's end. Raises SecretUnreadable, one clear sentence."""
    kind, _, place = reference.partition(":")
    if kind == "env":
        value = os.environ.get(place)
        if not value:
            raise SecretUnreadable(f"the environment variable {place} is not set; set it where the engine is started")
        return value
    if kind != "file":
        raise SecretUnreadable("a secret is referred to as env:NAME or file:/path")
    check_private(Path(place))
    value = Path(place).read_text().strip("\r\n")
    if not value:
        raise SecretUnreadable(f"the secret file {place} is empty; write the secret into it")
    return value


def check_private(path: Path) -> None:
    """Raise SecretUnreadable unless `path` is a readable plain file of this user or root with no access for others."""
    try:
        found = path.stat()
    except OSError as error:
        raise SecretUnreadable(f"the secret file {path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        raise SecretUnreadable(f"the secret file {path} is not a plain file")
    if found.st_uid not in (os.getuid(), 0):
        raise SecretUnreadable(f"the secret file {path} belongs to another user (uid {found.st_uid})")
    if found.st_mode & 0o077:
        raise SecretUnreadable(
            f"the secret file {path} can be read by others (mode {stat.S_IMODE(found.st_mode):04o}); "
            f"run: chmod 600 {path}"
        )
    if not os.access(path, os.R_OK):
        raise SecretUnreadable(f"the secret file {path} cannot be read by this user")
