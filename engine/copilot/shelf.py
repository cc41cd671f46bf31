"""The lists that cost most to read, kept while what they are made of stays: people ask several questions of one."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING

from engine.copilot import lists

if TYPE_CHECKING:
    from engine.access.models import Caller
    from engine.copilot.lists import Listed
    from engine.copilot.rooms import Rooms
    from store.estate.reading.models import Scope

SECONDS = 15.0  # what depends on the time alone is judged so often
MOST = 16
_VERSIONS: Mapping[str, Callable[[Rooms], Hashable]] = {
    "drift_event": lambda rooms: rooms.drift.version,
    "compliance": lambda rooms: rooms.snapshots.compliance.service.version(),
    "tenant_health": lambda rooms: (rooms.drift.version, rooms.snapshots.compliance.service.version()),
}


class Shelf:
    """See the module. Thread-safe; rows are shared and never changed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, Hashable, Listed]] = OrderedDict()

    def rows(self, rooms: Rooms, entity: str, caller: Caller, scope: Scope) -> Listed:
        """As lists.rows."""
        if entity not in _VERSIONS:
            return lists.rows(rooms, entity, caller, scope)
        # Who did it is told by person to a limited caller, and alike to all others of a role.
        key = (entity, caller.role, caller if caller.limited else None, scope)
        version = (rooms.reads.estate.data_version(), _VERSIONS[entity](rooms))
        with self._lock:
            at, made_of, found = self._kept.get(key, (float("-inf"), None, lists.Listed()))
        if made_of == version and self._clock() - at < SECONDS:
            return found
        found = lists.rows(rooms, entity, caller, scope)
        with self._lock:
            self._kept[key] = (self._clock(), version, found)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found
