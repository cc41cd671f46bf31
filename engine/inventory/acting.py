"""What the write gate is told of stored resources: rows within the caller's limits, and to collect what was changed."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from engine.clouds.errors import CloudError
from engine.inventory.reads import scope_of
from store import times
from store.estate.reading import single
from store.estate.reading.models import Key, Scope, Window
from store.filters import Filter, Match, Value
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    from engine.access.models import Caller
    from engine.inventory.collect import CollectionService
    from engine.inventory.reads import InventoryReads

_log = structlog.get_logger("qdeck.gate")
_MOST_SECONDS = 600.0  # that one listing is waited for
_WANTED = ("name", "project_id", "project_name", "host", "status")


class TargetRows:
    """Rows for plans (engine/gate/targets.py: Rows). Blocks; thread-safe."""

    def __init__(self, reads: InventoryReads) -> None:
        self._reads = reads

    def by_keys(self, caller: Caller, type: str, keys: Sequence[Key]) -> list[Mapping[str, Any]]:
        """The rows that are there now, in the order of the keys."""
        if not keys:
            return []
        ids = dict.fromkeys(key[2] for key in keys)
        chosen = Match("id", tuple(Value("=", id) for id in ids))
        # The same id may be there in several clouds and regions.
        places = {(key[0], key[1]) for key in keys}
        _, rows = self._rows(type, chosen, scope_of(caller), len(ids) * max(1, len(places)) * 4)
        found = {row["key"]: row for row in rows}
        return [found[key] for key in keys if key in found]

    def passing(
        self,
        caller: Caller,
        type: str,
        filter: str,
        clouds: Sequence[str] | None,
        regions: Sequence[str] | None,
        projects: Sequence[str] | None,
        most: int,
    ) -> tuple[int, list[Mapping[str, Any]]]:
        """(how many pass, the first `most` of them). Raises BadRequest."""
        return self._rows(type, filter, scope_of(caller, clouds, regions, projects), most)

    def referred(self, caller: Caller, type: str, reference: str, cloud: str, region: str) -> list[Mapping[str, Any]]:
        """The rows that a person may mean; those of the region, or of none."""
        scope = scope_of(caller, [cloud], [region, ""])
        found = self._reads.candidates([registry.ALL[type]], reference, None, scope)
        return self.by_keys(caller, type, [tuple(one["key"]) for one in found])

    def version(self, type: str) -> int:
        """Version of the type's data."""
        return self._reads.estate.data_version(type)

    def _rows(self, type: str, filter: str | Filter, scope: Scope, most: int) -> tuple[int, list[Mapping[str, Any]]]:
        declared = registry.ALL[type]
        window = Window(type=type, columns=_columns(declared), filter=filter, sort=(("id", False),), scope=scope)
        total, names, rows = self._reads.page(window, 0, most)
        label = single.label_column(declared)
        found: list[Mapping[str, Any]] = []
        for row in rows:
            values = dict(zip(names, row, strict=True))
            key = (values.pop("cloud"), values.pop("region"), values.pop("id"))
            found.append({**values, "key": key, "name": values.get(label) or key[2]})
        return total, found


def _columns(type: ResourceType) -> tuple[str, ...]:
    there = {column.name for column in type.view_columns}
    wanted = (*_WANTED, *([single.label_column(type)] if single.label_column(type) != "id" else []))
    return tuple(name for name in dict.fromkeys(wanted) if name in there)


class Recollector:
    """What the gate tells of changes: the types are collected again, by a listing that begins after the change.

    Changes of the lists only where the cloud can tell them; what is told while a listing runs becomes one more.
    """

    def __init__(self, collections: CollectionService) -> None:
        self._collections = collections
        self._lock = threading.Lock()
        self._told: dict[str, set[str]] = {}  # types by cloud
        self._busy: set[str] = set()
        self._closed = False

    def changed(self, cloud: str, region: str, types: Sequence[str]) -> None:
        """Something of these types was changed. Returns at once."""
        wanted = [name for name in types if name in registry.ALL and not registry.ALL[name].listing.on_demand]
        with self._lock:
            self._told.setdefault(cloud, set()).update(wanted)
            if not wanted or cloud in self._busy or self._closed:
                return
            self._busy.add(cloud)
        threading.Thread(target=self._work, args=(cloud,), name="recollect", daemon=True).start()

    def close(self) -> None:
        """Begin no more listings."""
        self._closed = True

    def _work(self, cloud: str) -> None:
        while True:
            with self._lock:
                types = sorted(self._told.pop(cloud, ()))
                if not types or self._closed:
                    self._busy.discard(cloud)
                    return
            try:
                self._collect(cloud, types)
            except CloudError as error:  # the cloud was removed meanwhile
                _log.warning("what was changed was not collected", cloud=cloud, types=types, reason=str(error))

    def _collect(self, cloud: str, types: Sequence[str]) -> None:
        asked = times.utcnow()
        # One that runs already may have read these lists before the change: then another one follows it.
        for _ in range(2):
            for one in self._collections.start(clouds=[cloud], types=types):
                ended = self._collections.wait(one["id"], _MOST_SECONDS)
                if self._closed or (ended["started_at"] and times.parse(ended["started_at"]) >= asked):
                    return
