"""What operations on restore points have to know beside the one resource: quotas, points, clones, who is reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from engine.gate.models import NoRole
from engine.snapshots.models import Key, Point
from store.estate.reading import snapshot_clones
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    from engine.inventory.reads import InventoryReads

Entries = Mapping[str, Mapping[str, int | None]]


class Quotas(Protocol):
    """Live quotas (engine/clouds/quota.py)."""

    def storage(self, cloud: str, region: str, projects: Sequence[str]) -> Mapping[str, Entries | str]:
        """Every block storage limit of each project with its usage, or the sentence why it cannot be read."""
        ...


class HasPoints(Protocol):
    """Restore points (engine/snapshots/points.py)."""

    def of_volumes(self, scope: Scope, keys: Any) -> dict[Key, list[Point]]:
        """The points of each volume, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """Asked while plans are made. Thread-safe.

    reaches  reaches(cloud, project) raises NoRole when nothing can be made there (Gate.reaches)
    lends    lends(cloud): whether a job may be given a role for its length (Gate.lends)
    """

    reads: InventoryReads
    points: HasPoints
    quotas: Quotas
    reaches: Callable[[str, str], None]
    lends: Callable[[str], bool]

    def clones(self, snapshot: Key) -> int:
        """Volumes that were made from it, as of the last listing."""
        return self.reads.read(lambda connection: snapshot_clones.clones(connection, Scope(), snapshot))

    def point(self, snapshot: Key, volume_id: str) -> Point | None:
        """The snapshot as a restore point of its volume; None when it was not listed yet and is not ours."""
        volume = (snapshot[0], snapshot[1], volume_id)
        found = self.points.of_volumes(Scope(), [volume])[volume]
        return next((point for point in found if point.id == snapshot[2]), None)

    def reach(self, cloud: str, project_id: str, name: str = "") -> tuple[str | None, str | None]:
        """(why nothing can be made in the project, what should be known about how it is); None for nothing."""
        try:
            self.reaches(cloud, project_id)
        except NoRole as error:
            if not self.lends(cloud):
                return str(error), None
            return (
                None,
                f"no account has a role in the project {name or project_id}: a job is made a member for its length",
            )
        return None, None


@dataclass(frozen=True, slots=True)
class Need:
    """One snapshot that a plan wants: whose, how large, of which type."""

    cloud: str
    region: str
    project_id: str
    project_name: str
    size_gb: int
    volume_type: str


def room(needs: Sequence[Need], quotas: Quotas) -> list[str]:
    """A sentence for each project: what its quota says after the snapshots, and whether there is room for them.

    Cinder counts a snapshot against `snapshots` and, with the size of its volume, `gigabytes`; both also by volume type
    where the project has such limits.
    """
    projects: dict[tuple[str, str, str], list[Need]] = {}
    for need in needs:
        projects.setdefault((need.cloud, need.region, need.project_id), []).append(need)
    places: dict[tuple[str, str], list[str]] = {}
    for cloud, region, project in projects:
        places.setdefault((cloud, region), []).append(project)
    found: list[str] = []
    for (cloud, region), ids in places.items():
        answers = quotas.storage(cloud, region, ids)
        for project in ids:
            mine = projects[cloud, region, project]
            name = mine[0].project_name or project
            answer = answers.get(project, "it was not answered")
            if isinstance(answer, str):
                found.append(f"the quota of {name} could not be read, so nobody knows whether there is room: {answer}")
            else:
                found.append(_sentence(name, mine, answer))
    return found


def _sentence(name: str, needs: Sequence[Need], quota: Entries) -> str:
    wanted: dict[str, int] = {"snapshots": 0, "gigabytes": 0}
    for need in needs:
        for key, more in (("snapshots", 1), ("gigabytes", need.size_gb)):
            wanted[key] += more
            if need.volume_type:
                typed = f"{key}_{need.volume_type}"
                wanted[typed] = wanted.get(typed, 0) + more
    after = {key: _after(quota.get(key, {}), more) for key, more in wanted.items()}
    over = [_words(key, *numbers) for key, numbers in after.items() if 0 <= numbers[1] < numbers[0]]
    if over:
        return f"{name} has no room for it: {', '.join(over)}: the cloud refuses what is over"
    return f"{name} has then {' and '.join(_words(key, *after[key]) for key in ('snapshots', 'gigabytes'))}"


def _after(entry: Mapping[str, int | None], more: int) -> tuple[int, int]:
    """(used after it, limit; -1 = none)."""
    limit = entry.get("limit")
    return (entry.get("in_use") or 0) + (entry.get("reserved") or 0) + more, -1 if limit is None else limit


def _words(key: str, after: int, limit: int) -> str:
    kind, _, type = key.partition("_")
    what = "snapshots" if kind == "snapshots" else "GB"
    of = f" of {limit:,}" if limit >= 0 else ""
    return f"{after:,}{of} {what}{f' of type {type}' if type else ''}"
