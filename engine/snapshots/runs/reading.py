"""What runs ask of the estate and of live quotas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.snapshots.models import Key, Volume
from engine.snapshots.runs.quota import Entry, Quota
from engine.snapshots.volumes import volumes
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from engine.clouds.quota import LiveQuota
    from engine.inventory.collect import CollectionService
    from engine.inventory.reads import InventoryReads

# What a run is planned from, listed once for each of them.
NEEDED = ("volume", "snapshot", "server", "project")


class EstateReads:
    """Volumes and listings. Thread-safe."""

    def __init__(self, reads: InventoryReads, collections: CollectionService) -> None:
        self._reads, self._collections = reads, collections
        # Collections that were begun, and the newest listings that there were before.
        self._begun: dict[str, dict[tuple[str, str, str], Any]] = {}

    def regions(self, cloud: str) -> list[str]:
        """Regions whose volumes are listed."""
        return sorted({state["region"] for state in self._reads.states((cloud,)) if state["type"] == "volume"})

    def volumes(self, cloud: str, region: str, keys: Sequence[Key] | None = None) -> list[Volume]:
        """The current volumes."""
        return volumes(self._reads, Scope(in_clouds=(cloud,), in_regions=(region,)), keys)

    def begin(self, cloud: str) -> str:
        """Begin to list; answers the collection's id."""
        before = self._fresh(cloud)
        (one,) = self._collections.start(clouds=[cloud], types=NEEDED)
        self._begun[one["id"]] = before
        return str(one["id"])

    def ended(self, cloud: str, region: str, collection: str) -> str | None:
        """As sources.Estate.ended."""
        before = self._begun[collection]
        found = self._collections.get(collection)
        if found["ended_at"] is None:
            return None
        del self._begun[collection]
        after = self._fresh(cloud)
        for type in NEEDED:
            states = [s for s in self._reads.states((cloud,)) if s["type"] == type and s["region"] in (region, "")]
            if not states:
                return f"the {type} list was never read" + (f" ({found['error']})" if found["error"] else "")
            for state in states:
                key = (type, state["region"], state["scope"])
                if state["state"] != "ok":
                    return f"the {type} list is {state['state'].replace('_', ' ')}: {state['reason'] or found['error']}"
                if after.get(key) == before.get(key):
                    return f"the {type} list was not read again" + (f": {found['error']}" if found["error"] else "")
        return ""

    def sync(self, cloud: str) -> str:
        """Begin to collect everything of a cloud."""
        (one,) = self._collections.start(clouds=[cloud])
        return str(one["id"])

    def synced(self, collection: str) -> str | None:
        """As sources.Inventory.synced."""
        found = self._collections.get(collection)
        if found["ended_at"] is None:
            return None
        return "" if found["state"] in ("done", "partial") else found["error"] or f"the collection was {found['state']}"

    def _fresh(self, cloud: str) -> dict[tuple[str, str, str], datetime | None]:
        """When each listing was last read, by (type, region, scope)."""
        return {
            (state["type"], state["region"], state["scope"]): state["fresh_ended_at"]
            for state in self._reads.estate.states()
            if state["cloud"] == cloud and state["type"] in NEEDED
        }


class QuotaReads:
    """Live quotas of block storage."""

    def __init__(self, live: LiveQuota) -> None:
        self._live = live

    def storage(self, cloud: str, region: str, projects: Sequence[str]) -> dict[str, Quota | str]:
        """As sources.Quotas.storage."""
        found = self._live.storage(cloud, region, projects)
        return {project: answer if isinstance(answer, str) else quota(answer) for project, answer in found.items()}


def quota(entries: dict[str, dict[str, int | None]]) -> Quota:
    """A service's limits as the rules look at them: what is reserved is used."""
    return {
        name: Entry(entry["limit"], None if entry["in_use"] is None else entry["in_use"] + (entry["reserved"] or 0))
        for name, entry in entries.items()
    }
