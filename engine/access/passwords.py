"""Passwords: argon2id, imported when first needed, a few at a time, and as slow for unknown users as for known ones."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

# Each check takes 64 MB for about 50 ms: more at once would let a flood of logins starve the engine.
_AT_ONCE = threading.BoundedSemaphore(2)

LEAST_LENGTH = 8
MOST_LENGTH = 1024


@lru_cache(maxsize=1)
def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher()


@lru_cache(maxsize=1)
def _decoy() -> str:
    """The hash of a password nobody has, checked when the user is unknown."""
    import secrets

    return hash_password(secrets.token_hex(16))


def hash_password(password: str) -> str:
    """The argon2id hash to keep. Blocks for about 50 ms: call it in a thread."""
    with _AT_ONCE:
        return _hasher().hash(password)


def verify_password(password: str, kept: str | None) -> bool:
    """Whether `password` is the one behind `kept`. With None it takes as long and answers False. Blocks likewise."""
    from argon2.exceptions import InvalidHashError, VerificationError

    known = kept if kept is not None else _decoy()
    try:
        with _AT_ONCE:
            _hasher().verify(known, password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def outdated(kept: str) -> bool:
    """Whether `kept` was made with weaker parameters than are used now."""
    return _hasher().check_needs_rehash(kept)
