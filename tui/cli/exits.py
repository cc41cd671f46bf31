"""Exit codes of the command line: this module alone knows them.

0  done
1  it failed
2  the command line was wrong (the command parser's own code), or what it asks for cannot be done as things are
3  no engine answers
4  there is no such thing
5  not permitted
6  done in part: the answer says what is missing
7  a question was not understood, or its answer is not sure: what was said names what may have been meant
"""

from __future__ import annotations

import sys
from typing import NoReturn

OK = 0
FAILED = 1
USAGE = 2
CANNOT = 2  # of restores: their plan is not possible, or not any more
NO_ENGINE = 3
NOT_FOUND = 4
DENIED = 5
PARTIAL = 6
UNCLEAR = 7


def of_status(status: int) -> int:
    """The exit code for an API answer's HTTP status."""
    if status < 400:
        return OK
    return {400: USAGE, 401: DENIED, 403: DENIED, 404: NOT_FOUND, 422: USAGE}.get(status, FAILED)


def note(text: str) -> None:
    """One line for the person, on stderr, without control characters."""
    from tui.cli.output import printable

    sys.stderr.write(f"qdeck: {printable(text)}\n")


def leave(code: int, text: str = "") -> NoReturn:
    """Say why on stderr and end with that code."""
    if text:
        note(text)
    raise SystemExit(code)
