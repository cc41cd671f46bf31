"""The engine's own log files, read from their ends: JSON, one entry a line, rotated with a number behind the name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from engine.api.errors import BadRequest, NotFound

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.(?:log|jsonl)(?:\.\d{1,3})?")
# The documented names of sources -> what they are here: the API's own file, and the part that watches the clouds.
_DOCUMENTED = {"pf9_api": "engine", "pf9_monitoring": "engine.inventory"}
_BLOCK = 64 * 1024
# What one request reads at most, so that a rare level in big files costs a bounded time.
_MOST_READ = 32 * 1024 * 1024
_LONGEST_LINE = 256 * 1024
# Names under which log writers put what the answer calls timestamp, message and source.
_TIMES = ("timestamp", "time", "ts", "at")
_MESSAGES = ("event", "message", "msg")
_SOURCES = ("source", "logger", "name")


def files(folder: Path) -> list[str]:
    """Names of the log files, the newest first; files of other kinds and links leading elsewhere are left out."""
    try:
        found = [
            (entry.stat().st_mtime, entry.name)
            for entry in folder.iterdir()
            if _FILE.fullmatch(entry.name) and entry.is_file() and not entry.is_symlink()
        ]
    except FileNotFoundError:
        return []
    return [name for _, name in sorted(found, reverse=True)]


def entries(
    folder: Path, *, limit: int, level: str | None = None, source: str | None = None, log_file: str | None = None
) -> list[dict[str, Any]]:
    """The newest `limit` entries, newest first: timestamp, level, source, message, log_file, and what else they say.

    level     only entries of this level
    source    only those whose source, or file without its ending, is this or begins with it and a dot; the documented
              names `pf9_api` and `pf9_monitoring` are the engine's file and its collector
    log_file  one file's name; None or "all" reads every file
    Raises BadRequest for a name that is no log file's, NotFound when there is none of that name.
    """
    names = files(folder)
    if log_file not in (None, "all"):
        if not _FILE.fullmatch(log_file or ""):
            raise BadRequest(f"Invalid parameter: log_file must be one of {', '.join(['all', *sorted(names)])}")
        if log_file not in names:
            raise NotFound(f"there is no log file {log_file}")
        names = [log_file or ""]
    wanted = level.upper() if level else None
    source = _DOCUMENTED.get(source, source) if source else None
    found: list[dict[str, Any]] = []
    budget = _MOST_READ
    for name in names:
        taken: list[dict[str, Any]] = []
        for line, read in _backwards(folder / name):
            if len(taken) >= limit or read > budget:
                break
            entry = _entry(line, name)
            if (wanted is None or entry["level"] == wanted) and (source is None or _comes_from(entry, source)):
                taken.append(entry)
        else:
            read = (folder / name).stat().st_size
        budget -= read
        found += taken
        if budget <= 0:
            break
    found.sort(key=lambda entry: entry["timestamp"] or "", reverse=True)
    return found[:limit]


def _backwards(path: Path) -> Iterator[tuple[bytes, int]]:
    """Lines of a file from the last to the first, each with the bytes read so far. Over-long lines are cut."""
    with path.open("rb") as file:
        position = file.seek(0, 2)
        size, rest = position, b""
        while position > 0:
            step = min(_BLOCK, position)
            position -= step
            file.seek(position)
            rest = file.read(step) + rest
            first, *lines = rest.split(b"\n")
            for line in reversed(lines):
                if line.strip():
                    yield line, size - position
            rest = first[-_LONGEST_LINE:] if position else first
        if rest.strip():
            yield rest, size


def _entry(line: bytes, name: str) -> dict[str, Any]:
    """A line as the answer shows it. A line that is no JSON object (a crash's last words) is kept as its text."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        fields = {"event": line.decode("utf-8", "replace"), "level": "ERROR" if b"Traceback" in line else "INFO"}
    timestamp, message, source = (_take(fields, names) for names in (_TIMES, _MESSAGES, _SOURCES))
    level = str(fields.pop("level", "INFO")).upper()
    return {
        "timestamp": timestamp,
        "level": {"WARN": "WARNING", "EXCEPTION": "ERROR"}.get(level, level),
        "source": source or name.partition(".")[0],
        "message": message or "",
        "log_file": name,
        **{key: value for key, value in fields.items() if key not in ("source", "message", "log_file")},
    }


def _take(fields: dict[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        if isinstance(fields.get(name), str | int | float):
            return str(fields.pop(name))
    return None


def _comes_from(entry: dict[str, Any], source: str) -> bool:
    stem = entry["log_file"].partition(".")[0]
    return stem == source or entry["source"] == source or entry["source"].startswith(f"{source}.")
