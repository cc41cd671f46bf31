"""What the write gate is told of stored resources: rows within the caller's limits, and to collect what was changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from engine.clouds.errors import CloudError
from engine.inventory.reads import scope_of
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
_WANTED = ("name", "project_id", "project_name", "host", "status")


class TargetRows:
    """Rows for plans (engine/gate/targets.py: Rows). Blocks; thread-safe."""

    def __init__(self, reads: InventoryReads) -> None:
        self._reads = reads

    def by_keys(self, caller: Caller, type: str, keys: Sequence[Key]) -> list[Mapping[str, Any]]:
        """The rows that are there now, in the order of the keys."""
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


def collector(collections: CollectionService) -> Callable[[str, str, Sequence[str]], None]:
    """What the gate calls when something was changed: `changed(cloud, region, types)` has the types collected again.

    Changes of the lists only where the cloud can tell them; several calls at once become one collection.
    """

    def changed(cloud: str, region: str, types: Sequence[str]) -> None:
        wanted = [name for name in types if name in registry.ALL and not registry.ALL[name].listing.on_demand]
        try:
            if wanted:
                collections.start(clouds=[cloud], types=wanted)
        except CloudError as error:
            _log.warning("what was changed could not be collected", cloud=cloud, types=wanted, reason=str(error))

    return changed
