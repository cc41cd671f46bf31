"""What a preview compares with: own restore points that there are, and what is left of each project's quota, read live.

A preview is asked for at every key while a set is typed, so an answer of a cloud is kept for a while; a run asks anew.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from engine.access.models import Caller
from engine.snapshots.models import Key, Point

Row = dict[str, Any]
Entries = Mapping[str, Mapping[str, int | None]]
KEPT_SECONDS = 60.0
MOST_ASKED = 24  # projects of one preview: those that it costs most
_NOT_ASKED = "not asked: only the projects that it costs most are"


class Costs:
    """See the module. Thread-safe.

    own      (cloud, region, volume ids or None for all) -> our points that were not removed
    storage  (cloud, region, project ids) -> {limit: {limit, in_use, reserved}} of each, or why it cannot be read
    """

    def __init__(
        self,
        own: Callable[[str, str, Collection[str] | None], Iterable[Point]],
        storage: Callable[[str, str, Sequence[str]], Mapping[str, Entries | str]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own, self._storage, self._clock = own, storage, clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], tuple[float, Entries | str]] = {}

    def existing(self, keys: Sequence[Key]) -> dict[tuple[Key, str], int]:
        """(volume, policy) -> our points of it that there are."""
        places: dict[tuple[str, str], set[str]] = {}
        for cloud, region, id in keys:
            places.setdefault((cloud, region), set()).add(id)
        found: Counter[tuple[Key, str]] = Counter()
        for (cloud, region), ids in places.items():
            for point in self._own(cloud, region, ids if len(ids) <= 500 else None):
                if point.volume_id in ids and point.policy:
                    found[(cloud, region, point.volume_id), point.policy] += 1
        return found

    def headroom(self, caller: Caller, rows: list[Row]) -> None:
        """Add `quota` to the rows of a preview: {limit: {limit, used}, problem: what does not fit, or None}."""
        asked = sorted(rows, key=lambda row: -row["more_gigabytes"])[:MOST_ASKED]
        places: dict[tuple[str, str], list[str]] = {}
        for row in asked:
            places.setdefault((row["cloud"], row["region"]), []).append(row["tenant_id"])
        known = {place: self._of(*place, projects) for place, projects in places.items()}
        for row in rows:
            told = known.get((row["cloud"], row["region"]), {}).get(row["tenant_id"], _NOT_ASKED)
            row["quota"] = {"problem": told} if isinstance(told, str) else _quota(row, told)

    def _of(self, cloud: str, region: str, projects: Sequence[str]) -> dict[str, Entries | str]:
        now = self._clock()
        with self._lock:
            if len(self._kept) > 2000:
                self._kept.clear()
            fresh = {
                project: kept[1]
                for project in projects
                if (kept := self._kept.get((cloud, region, project))) is not None and now - kept[0] < KEPT_SECONDS
            }
        missing = [project for project in projects if project not in fresh]
        found = dict(self._storage(cloud, region, missing)) if missing else {}
        with self._lock:
            for project, entries in found.items():
                self._kept[cloud, region, project] = (now, entries)
        return {**fresh, **found}


def _quota(row: Row, entries: Entries) -> Row:
    """The limits that count, what is used of them, and a sentence for those that it goes beyond."""
    needs = {"snapshots": row["more_snapshots"], "gigabytes": row["more_gigabytes"]}
    for type, cost in row["types"].items():
        needs |= {f"snapshots_{type}": cost["snapshots"], f"gigabytes_{type}": cost["gigabytes"]} if type else {}
    found: Row = {}
    problems = []
    for name, more in needs.items():
        entry = entries.get(name)
        if entry is None or entry["limit"] is None or entry["in_use"] is None:
            if "_" not in name:  # a type without a limit of its own has none
                problems.append(f"the cloud does not say its quota of {name}")
            continue
        limit, used = entry["limit"], entry["in_use"] + (entry["reserved"] or 0)
        found[name] = {"limit": limit, "used": used}
        if 0 <= limit < used + more:
            problems.append(f"{name}: {used} used and {more} more of {limit}")
    return found | {"problem": "; ".join(problems) or None}
