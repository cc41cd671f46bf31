"""On which line of a TOML text each key stands: the parser of the standard library does not tell.

Only for texts that `tomllib` has accepted, so this reads statements without checking them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

Path = tuple[str, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = r'(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|\'[^\']*\')'
_ASSIGNMENT = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=(.*)$", re.DOTALL)


def lines(text: str) -> dict[Path, int]:
    """Line (from 1) of every table header and key, by its path; keys of an inline table have its own line."""
    found: dict[Path, int] = {}
    table: Path = ()
    for number, statement in _statements(text):
        header = _HEADER.match(statement)
        if header:
            table = _parts(header.group(2))
            found.setdefault(table, number)
            continue
        assignment = _ASSIGNMENT.match(statement)
        if assignment:
            path = table + _parts(assignment.group(1))
            found.setdefault(path, number)
            for inner in _inside(path, assignment.group(2)):
                found.setdefault(inner, number)
    return found


def line_of(found: dict[Path, int], path: Path) -> int | None:
    """The line of `path`, or of the nearest part above it that stands in the text."""
    for length in range(len(path), 0, -1):
        if path[:length] in found:
            return found[path[:length]]
    return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """(line it begins on, text) of each statement; values over several lines (arrays, long strings) kept together."""
    pending, began = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        began = began if pending else number
        pending = f"{pending}\n{line}" if pending else line
        if not _complete(pending):
            continue
        yield began, pending
        pending = ""
    if pending:
        yield began, pending


def _complete(statement: str) -> bool:
    if not statement.strip() or statement.lstrip().startswith("#") or _HEADER.match(statement):
        return True
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _parts(dotted: str) -> Path:
    """The keys of a dotted key, without quotes: whatever tomllib makes of it."""
    parts: list[str] = []
    value: Any = tomllib.loads(f"{dotted} = 0")
    while isinstance(value, dict):
        key, value = next(iter(value.items()))
        parts.append(key)
    return tuple(parts)


def _inside(path: Path, value: str) -> Iterator[Path]:
    if not value.lstrip().startswith("{"):
        return
    waiting: list[tuple[Path, Any]] = [(path, tomllib.loads(f"x = {value}")["x"])]
    while waiting:
        place, inner = waiting.pop()
        for key, content in inner.items() if isinstance(inner, dict) else ():
            yield (*place, key)
            waiting.append(((*place, key), content))
