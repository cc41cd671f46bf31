"""Outside sources of who did it: files that are followed, and lines that a forwarder sends; in memory for a day."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from engine.drift.lines import record
from engine.drift.requests import Record
from engine.settings.models import DriftSource
from store.times import naive

_log = structlog.get_logger("qdeck.drift")

KEPT = timedelta(hours=25)
MOST = 200_000  # records
FIRST_BYTES = 32 << 20  # of a file that is read for the first time
MOST_BYTES = 8 << 20  # of a file that are read at once
Key = tuple[str, str]  # cloud, id of a resource


@dataclass(slots=True)
class _File:
    inode: int
    offset: int
    rest: bytes = b""


class Sources:
    """See the module. Thread-safe; implements engine.drift.asking.Outside."""

    def __init__(self, configured: Callable[[], Sequence[DriftSource]], clock: Callable[[], datetime]) -> None:
        self._configured = configured
        self._clock = clock
        self._lock = threading.Lock()
        self._order: deque[Record] = deque()
        self._by: dict[Key, list[Record]] = {}
        self._known: set[tuple[Any, ...]] = set()
        self._files: dict[Path, _File] = {}
        self.problems: dict[Path, str] = {}

    def records(self, cloud: str, ids: Iterable[str]) -> Sequence[Record]:
        """Those that name one of these resources, oldest first."""
        with self._lock:
            found = [record for id in ids for record in self._by.get((cloud, id), ())]
        return sorted(found, key=lambda record: record.at)

    def take(self, cloud: str, lines: Iterable[str | Mapping[str, Any]], service: str = "") -> list[Key]:
        """Keep what these lines tell; answers the resources that something new is known of."""
        parsed = [found for line in lines if (found := record(cloud, line, service)) is not None]
        limit = naive(self._clock()) - KEPT
        new: list[Key] = []
        with self._lock:
            for one in parsed:
                name = _name(one)
                if one.at < limit or name in self._known:
                    continue
                self._known.add(name)
                self._order.append(one)
                for key in _keys(one):
                    self._by.setdefault(key, []).append(one)
                    new.append(key)
            while self._order and (len(self._order) > MOST or self._order[0].at < limit):
                self._drop(self._order.popleft())
        return new

    def poll(self) -> list[Key]:
        """Read on in the configured files; answers the resources that something new is known of."""
        new: list[Key] = []
        for source in self._configured():
            try:
                lines = self._read(source.path)
            except OSError as error:
                words = f"{source.path}: {error.strerror or error}"
                if self.problems.get(source.path) != words:
                    _log.warning("a source of who did it cannot be read", path=str(source.path), reason=words)
                self.problems[source.path] = words
                continue
            self.problems.pop(source.path, None)
            new += self.take(source.cloud, lines, source.service)
        return new

    def _read(self, path: Path) -> list[str]:
        """Whole lines that came since the last call; a file that was rotated is begun anew."""
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            known = self._files.get(path)
            if known is None:
                known = _File(status.st_ino, max(0, status.st_size - FIRST_BYTES))
            elif known.inode != status.st_ino or status.st_size < known.offset:
                known = _File(status.st_ino, 0)
            file.seek(known.offset)
            data = file.read(MOST_BYTES)
        known.offset += len(data)
        whole, _, known.rest = (known.rest + data).rpartition(b"\n")
        if len(known.rest) > MOST_BYTES:
            known.rest = b""  # no line of a log is that long
        self._files[path] = known
        return whole.decode("utf-8", "replace").splitlines()

    def _drop(self, one: Record) -> None:
        self._known.discard(_name(one))
        for key in _keys(one):
            kept = [other for other in self._by.get(key, ()) if other is not one]
            if kept:
                self._by[key] = kept
            else:
                self._by.pop(key, None)


def _keys(one: Record) -> list[Key]:
    parts = [one.request.part[1]] if one.request.part else []
    return [(one.cloud, id) for id in (one.request.id, *parts)]


def _name(one: Record) -> tuple[Any, ...]:
    """Two lines of one request are the same record: a log and a notification, or a file that is read again."""
    if one.request_ids:
        return one.cloud, one.request.id, one.request.verb, one.request_ids[0]
    return one.cloud, one.request.id, one.request.verb, one.at, one.source
