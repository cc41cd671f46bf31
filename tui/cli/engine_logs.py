"""The engine's log on the command line: read from its files, or over the API when the engine is somebody else's."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tui.api.target import Target
from tui.cli.exits import NO_ENGINE, leave
from tui.cli.output import printable

FILES = ("parent.log", "engine.log")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_PAUSE = 0.25  # seconds between two looks at the files
_MOST_BACK = 8 * 1024 * 1024  # bytes read from the end of a file for the first entries


def show(target: Target, level: str, lines: int, follow: bool, *, as_json: bool) -> None:
    """Print the newest entries, oldest first, then what is added while `follow`."""
    if target.home is None:
        _over_the_api(target, level, lines, follow, as_json)
        return
    folder = target.home.logs
    if not folder.is_dir():
        leave(NO_ENGINE, f"there is no log in {folder} yet: no engine ever ran there")
    tails = [Tail(folder / name) for name in FILES]
    found = [entry for tail in tails for entry in tail.last(lines, level)]
    found.sort(key=lambda entry: str(entry.get("timestamp") or ""))
    for entry in found[-lines:] if lines else []:
        _write(entry, as_json)
    while follow:
        sys.stdout.flush()
        time.sleep(_PAUSE)
        new = [entry for tail in tails for entry in tail.new(level)]
        for entry in sorted(new, key=lambda entry: str(entry.get("timestamp") or "")):
            _write(entry, as_json)


class Tail:
    """One log file, followed over rotation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._rest = b""

    def last(self, count: int, level: str) -> list[dict[str, Any]]:
        """The newest `count` entries of at least `level`; `new` goes on behind them."""
        self._open()
        if self._file is None:
            return []
        size = self._file.seek(0, 2)
        start = max(0, size - _MOST_BACK)
        self._file.seek(start)
        kept: deque[dict[str, Any]] = deque(maxlen=count)
        entries = self._read(level)
        if start:
            next(entries, None)  # began in the middle of a line
        kept.extend(entries)
        return list(kept)

    def new(self, level: str) -> list[dict[str, Any]]:
        """What was added since; a rotated file is read to its end first."""
        found = list(self._read(level)) if self._file is not None else []
        if self._file is None or self._was_rotated():
            self._open()
            found += self._read(level)
        return found

    def _open(self) -> None:
        if self._file is not None:
            self._file.close()
        self._rest = b""
        try:
            self._file = self._path.open("rb")
        except OSError:
            self._file = None

    def _was_rotated(self) -> bool:
        import os

        assert self._file is not None
        try:
            now = self._path.stat()
        except OSError:
            return True
        return now.st_ino != os.fstat(self._file.fileno()).st_ino

    def _read(self, level: str) -> Iterator[dict[str, Any]]:
        if self._file is None:
            return
        while block := self._file.read(1 << 16):
            *lines, self._rest = (self._rest + block).split(b"\n")
            for line in lines:
                entry = parse(line)
                if entry is not None and serious(entry, level):
                    yield entry


def parse(line: bytes) -> dict[str, Any] | None:
    """One line as an entry; None for an empty one. What is no JSON is shown as it is."""
    if not line.strip():
        return None
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"event": line.decode("utf-8", "replace"), "level": "ERROR"}


def serious(entry: dict[str, Any], level: str) -> bool:
    """Whether the entry is at least of that level."""
    own = str(entry.get("level") or "INFO").upper()
    return LEVELS.index(own if own in LEVELS else "INFO") >= LEVELS.index(level)


def text(entry: dict[str, Any]) -> str:
    """One entry as a line for people."""
    rest = {**entry}
    when = str(rest.pop("timestamp", "") or "")[:23].replace("T", " ")
    level = str(rest.pop("level", "")).upper()
    source = rest.pop("logger", None) or rest.pop("source", None) or ""
    event = rest.pop("event", None) or rest.pop("message", None) or ""
    for name in ("pid", "log_file", "source"):
        rest.pop(name, None)
    trace = rest.pop("exception", None)
    pairs = " ".join(f"{name}={value}" for name, value in rest.items() if value is not None)
    line = printable(f"{when} {level:<7} {source}: {event} {pairs}".rstrip())
    if trace:
        line += "".join(f"\n    {printable(part)}" for part in str(trace).splitlines())
    return line


def _write(entry: dict[str, Any], as_json: bool) -> None:
    sys.stdout.write((json.dumps(entry, default=str) if as_json else text(entry)) + "\n")


def _over_the_api(target: Target, level: str, lines: int, follow: bool, as_json: bool) -> None:
    from tui.api.client import SyncClient
    from tui.api.discovery import connect

    shown: str = ""
    with SyncClient(target, connect(target, start=False)) as client:
        while True:
            answer = client.get("/api/logs", {"limit": 1000 if shown else max(1, lines)})
            entries = [entry for entry in reversed(answer["logs"]) if serious(entry, level)]
            for entry in entries:
                if str(entry.get("timestamp") or "") > shown:
                    shown = str(entry["timestamp"])
                    _write(entry, as_json)
            if not follow:
                return
            sys.stdout.flush()
            time.sleep(1.0)
