"""Console logs as text: which lines are new, lines broken to a width, times in front of them. Pure; for app and command
line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Kernel seconds, ISO times, and syslog's "Nov 25 06:07:53", with what stands between them and the words.
_TIME = re.compile(
    r"^\s*(?:\[\s*\d{1,10}\.\d{3,9}\]|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)\s?"
)


def new_lines(before: Sequence[str], now: Sequence[str]) -> int:
    """How many lines at the end of `now` were not in `before`; all of them when the two have nothing in common.

    Both are the last lines of one log, read one after the other. A last line that was still being written counts as
    new when it has grown.
    """
    if not before:
        return len(now)
    for known in (before, before[:-1]):
        for kept in range(min(len(known), len(now)), 0, -1):
            if known[-1] == now[kept - 1] and list(known[-kept:]) == list(now[:kept]):
                return len(now) - kept
    return len(now)


def without_time(line: str) -> str:
    """The line without a time in front of it."""
    return _TIME.sub("", line, count=1)


def has_times(lines: Sequence[str]) -> bool:
    """Whether at least some of the lines begin with a time."""
    return any(_TIME.match(line) for line in lines)


def pieces(line: str, cells: int) -> list[str]:
    """The line broken into pieces of at most `cells` cells; one empty piece for an empty line."""
    from tui.table.cells import width

    if cells < 4 or width(line) <= cells:
        return [line]
    found, piece, used = [], "", 0
    for character in line:
        wide = width(character)
        if used + wide > cells:
            found.append(piece)
            piece, used = "", 0
        piece += character
        used += wide
    return [*found, piece] if piece else found


def matching(lines: Sequence[str], words: str, start: int, step: int) -> int | None:
    """Index of the next line that has the words in any case, from `start` on in that direction and around; None
    without one."""
    wanted = words.casefold()
    count = len(lines)
    for distance in range(count):
        place = (start + step * distance) % count
        if wanted in lines[place].casefold():
            return place
    return None
