"""Restore points: what the clouds have, with what our journal knows of it.

Snapshots and images in a cloud may be anybody's. Ours are told by the journal alone: metadata can be written by whoever
owns the volume, so they never make a point ours, nor prove what state its data are in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from engine.inventory.lineage import Lineage, none
from engine.snapshots.models import CREATED_BY, CREATED_BY_HAND, CREATED_BY_POLICY, POLICY, TOKEN, Key, Point
from store.estate.reading import restore_points
from store.estate.reading.models import Scope

if TYPE_CHECKING:
    import duckdb

    from engine.inventory.reads import InventoryReads

Row = Mapping[str, Any]
_NEVER = datetime.min.replace(tzinfo=UTC)
USABLE = {"snapshot": "available", "image": "active", "backup": "available"}
AS_ONE = timedelta(minutes=10)  # between the first and the last snapshot of a machine's volumes made by one step
UNKNOWN = "not made by this console: nothing shows what state its data were in"


class Journal(Protocol):
    """What is asked of the register of our own points."""

    def own(self, cloud: str, region: str, volume_ids: Sequence[str] | None = None) -> list[Point]:
        """Points we made and have not deleted."""
        ...


@dataclass(frozen=True, slots=True)
class Observed:
    """One reading of the clouds: rows of restore_points, and when the snapshots of each (cloud, region) were listed."""

    snapshots: Sequence[Row] = ()
    images: Sequence[Row] = ()
    backups: Sequence[Row] = ()
    listed: Mapping[tuple[str, str], datetime] | None = None


class Points:
    """Restore points of volumes and machines. Blocks; safe on any thread."""

    def __init__(self, reads: InventoryReads, register: Journal) -> None:
        self._reads = reads
        self._register = register
        # What took the place of what: points of the old are points of the new, too.
        self.lineage: Lineage = none

    def of_volumes(self, scope: Scope, keys: Iterable[Key]) -> dict[Key, list[Point]]:
        """The points of each volume, newest first; [] where it has none. Also of volumes that are gone."""
        wanted = list(keys)
        found: dict[Key, list[Point]] = {key: [] for key in wanted}
        for point in self._all(scope, [key[2] for key in wanted]):
            of = (point.cloud, point.region, point.volume_id)
            if of in found and point.kind != "image":
                found[of].append(point)
        return {key: newest_first(points) for key, points in found.items()}

    def of_volume_id(self, scope: Scope, volume: str) -> list[Point]:
        """The points of the volume with this id, in every cloud that has one, and of those whose place it took; newest
        first."""
        places = {(state["cloud"], state["region"]) for state in self._reads.states() if state["type"] == "volume"}
        before = {old: place for place in sorted(places) for old in self._before(*place, [volume])}
        points = [point for point in self._all(scope, [volume, *before]) if point.kind != "image"]
        return newest_first(
            point for point in points if before.get(point.volume_id) in (None, (point.cloud, point.region))
        )

    def of_server(self, scope: Scope, key: Key) -> list[Point]:
        """The points of the volumes that hang on a server now, and the images whose parts they are; newest first.

        Also those of the volumes and machines whose place they took in a restore.
        """
        rows = self._reads.read(lambda connection: restore_points.volumes_of_server(connection, scope, key[2]))
        volumes = [row["id"] for row in rows if (row["cloud"], row["region"]) == key[:2]]
        volumes += self._before(*key[:2], volumes)
        servers = {key[2], *self._before(*key[:2], [key[2]])}
        found = [point for point in self._all(scope, volumes) if (point.cloud, point.region) == key[:2]]
        groups = {point.group for point in found if point.kind == "snapshot" and point.group}
        mine = [point for point in found if point.kind != "image" or point.id in groups or point.server_id in servers]
        found = [replace(point, server_id=key[2]) if point.kind == "image" else point for point in mine]
        return newest_first(marked_as_one(found))

    def gone(self, scope: Scope) -> list[Point]:
        """The points whose volume is no longer there, newest first."""

        def work(connection: duckdb.DuckDBPyConnection) -> Observed:
            return Observed(
                [row for row in restore_points.snapshots(connection, scope) if row["volume_name"] is None],
                restore_points.images(connection, scope),
                [row for row in restore_points.backups(connection, scope) if row["volume_name"] is None],
            )

        found = self._reads.read(work)
        return newest_first(point for point in self._joined(found, scope, None) if point.kind != "image")

    def _before(self, cloud: str, region: str, ids: Sequence[str]) -> list[str]:
        """Ids of what these took the place of."""
        lines = self.lineage(cloud, region, ids)
        return [old for before, _ in lines.values() for old in before if old not in ids]

    def _all(self, scope: Scope, volumes: Sequence[str]) -> list[Point]:
        def work(connection: duckdb.DuckDBPyConnection) -> Observed:
            return Observed(
                restore_points.snapshots(connection, scope, volumes),
                restore_points.images(connection, scope),
                restore_points.backups(connection, scope, volumes),
                self._listed(),
            )

        return self._joined(self._reads.read(work), scope, volumes)

    def _joined(self, found: Observed, scope: Scope, volumes: Sequence[str] | None) -> list[Point]:
        places = {(row["cloud"], row["region"]) for row in (*found.snapshots, *found.images)}
        # A point that was made since the last listing is seen by the journal alone, maybe in a place without others;
        # a listing says which places there are.
        places |= set(found.listed or ())
        # The journal has a machine's image under no volume.
        wanted = None if volumes is None else [*volumes, ""]
        own = [point for place in sorted(places) for point in self._register.own(*place, wanted)]
        # What was observed was read within the scope; what the journal alone knows was not.
        return joined(found, own, lambda point: _inside(scope, point))

    def _listed(self) -> dict[tuple[str, str], datetime]:
        return {
            (state["cloud"], state["region"]): state["fresh_ended_at"] or _NEVER
            for state in self._reads.states()
            if state["type"] == "snapshot"
        }


def _inside(scope: Scope, point: Point) -> bool:
    """Whether the scope shows a point of the journal, which does not know its domain: then it does not."""
    chosen = ((point.cloud, scope.clouds), (point.cloud, scope.in_clouds), (point.region, scope.in_regions),
              (point.project_id, scope.projects), (point.project_id, scope.in_projects))  # fmt: skip
    return scope.domains is None and all(values is None or value in values for value, values in chosen)


def joined(found: Observed, own: Iterable[Point], shows: Callable[[Point], bool] = lambda point: True) -> list[Point]:
    """Observed points with what the journal knows of them, in no order. Pure.

    A point of the journal that was not observed counts only when it is younger than the listing: else it is gone; and
    when `shows` says that whoever asks may see it.
    """
    noted = {point.key: point for point in own}
    parts: dict[Key, Row] = {}
    for image in found.images:
        for snapshot in parts_of(image["mapping"]):
            parts[(image["cloud"], image["region"], snapshot)] = image
    points = [_snapshot(row, noted.pop(_key(row), None), parts.get(_key(row)), noted) for row in found.snapshots]
    points += [_image(row, noted.pop(_key(row), None)) for row in found.images]
    points += [_backup(row) for row in found.backups]
    listed = found.listed or {}
    for key, point in noted.items():
        since = listed.get(key[:2])
        if since is not None and point.taken_at is not None and point.taken_at > since and shows(point):
            points.append(replace(point, own=True))
    return points


def parts_of(mapping: Any) -> list[str]:
    """Ids of the snapshots in an image's block device mapping (JSON text); [] for what cannot be read."""
    try:
        entries = json.loads(mapping) if isinstance(mapping, str) else mapping
    except (ValueError, RecursionError):
        return []
    if not isinstance(entries, list):
        return []
    ids = [entry.get("snapshot_id") for entry in entries if isinstance(entry, dict)]
    return [id for id in ids if isinstance(id, str) and id]


def size_of(mapping: Any) -> int:
    """GiB of the volumes in a block device mapping: an image of no bytes has its data in them."""
    try:
        entries = json.loads(mapping) if isinstance(mapping, str) else mapping
    except (ValueError, RecursionError):
        return 0
    sizes = (
        [entry.get("volume_size") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    )
    return sum(size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and 0 < size < 2**31)


def marked_as_one(points: Iterable[Point]) -> list[Point]:
    """Points of one machine, with a `group` for the snapshots that one step of a person's made of its volumes. Pure.

    A machine that boots from an image has no image as its point: its snapshots share the mark in their metadata alone.
    Whoever owns a volume may write that too, so a mark counts only among snapshots of one project that say they were
    made by hand here within minutes, one of each volume; it makes none of them ours, and proves nothing of their data.
    """
    every = list(points)
    alike: dict[tuple[str, ...], list[Point]] = {}
    for point in every:
        mark = str(point.metadata.get(TOKEN) or "")
        by_hand = point.metadata.get(CREATED_BY) == CREATED_BY_HAND
        if (
            point.kind == "snapshot"
            and by_hand
            and mark
            and point.taken_at is not None
            and not (point.group or point.own)
        ):
            alike.setdefault((point.cloud, point.region, point.project_id, mark), []).append(point)
    groups: dict[Key, str] = {}
    for (*_, mark), found in alike.items():
        found.sort(key=lambda one: (one.taken_at or _NEVER, one.id))
        while found:
            first = found[0].taken_at or _NEVER
            near: dict[str, Point] = {}  # one of each volume: the first
            for one in found:
                if (one.taken_at or _NEVER) - first <= AS_ONE:
                    near.setdefault(one.volume_id, one)
            if len(near) > 1:
                # No id of an image is like it, whatever the mark says: it is no part of one.
                groups |= {one.key: f"mark {mark} {found[0].id}" for one in near.values()}
            found = [one for one in found if (one.taken_at or _NEVER) - first > AS_ONE]
    return [replace(point, group=groups.get(point.key, point.group)) for point in every]


def newest_first(points: Iterable[Point]) -> list[Point]:
    """In the order of a timeline: newest first, those without a time last; the whole of a group before its parts."""
    return sorted(points, key=lambda one: (-(one.taken_at or _NEVER).timestamp(), one.kind != "image", one.id))


def usable(point: Point) -> bool:
    """Whether something can be restored from it, by its state."""
    return point.status.lower() == USABLE[point.kind]


def grouped(points: Iterable[Point]) -> list[tuple[Point, list[Point]]]:
    """(point, its parts) in the given order: an image with its snapshots, or the first of a group with all of it.

    What stands alone has no parts.
    """
    every = list(points)
    images = {point.id: point for point in every if point.kind == "image"}
    members: dict[str, list[Point]] = {}
    for point in every:
        if point.group and point.kind != "image":
            members.setdefault(point.group, []).append(point)
    found: list[tuple[Point, list[Point]]] = []
    told: set[str] = set()
    for point in every:
        group = point.id if point.kind == "image" else point.group
        if not group:
            found.append((point, []))
        elif group not in told:
            told.add(group)
            whole = images.get(group)
            parts = members.get(group, [])
            if whole is not None:
                found.append((whole, parts))
            else:
                found.append((point, parts if len(parts) > 1 else []))
    return found


def told(point: Point, parts: Sequence[Point] = ()) -> dict[str, Any]:
    """A PointAnswer."""
    about: tuple[str, ...] = ("volume_name", "project_name")
    if point.kind == "backup":  # of others these would be the owner's own metadata
        about += ("incremental", "container", "dependents", "problem", "snapshot_id")
    names = ("cloud", "region", "id", "kind", "name", "status", "size_gb", "volume_id", "project_id", "server_id",
             "policy", "own", "taken_at", "group", "spread_ms", "back_end")  # fmt: skip
    more = {"parts": [told(one) for one in parts]} if parts else {}
    return {
        **{name: getattr(point, name) for name in names},
        "usable": usable(point),
        "made_by": made_by(point),
        "consistency": point.consistency or "unknown",
        "proof": point.proof or UNKNOWN,
        **{name: point.metadata.get(name) for name in about},
        **more,
    }  # fmt: skip


def made_by(point: Point) -> str:
    """Who made it, as far as one can know, in words."""
    by = point.metadata.get(CREATED_BY)
    if point.own:
        return f"policy {point.policy}" if point.policy else "by hand, with this console"
    if by == CREATED_BY_POLICY and point.policy:
        return f"policy {point.policy}, by its metadata: another tool, or an earlier journal"
    return "by hand, with this console, by its metadata" if by == CREATED_BY_HAND else "a person or another tool"


def named_policy(items: Sequence[str] | None) -> str:
    """The policy that made a snapshot by its metadata ("key=value" texts); "" where they name none."""
    pairs = _pairs(items)
    return pairs.get(POLICY, "") if pairs.get(CREATED_BY) == CREATED_BY_POLICY else ""


def _key(row: Row) -> Key:
    return (row["cloud"], row["region"], row["id"])


def _pairs(items: Sequence[str] | None) -> dict[str, str]:
    return {name: value for name, _, value in (str(item).partition("=") for item in items or ())}


def _snapshot(row: Row, own: Point | None, image: Row | None, noted: Mapping[Key, Point]) -> Point:
    metadata = {**_pairs(row["metadata"]), "volume_name": row["volume_name"], "project_name": row["project_name"]}
    seen = Point(
        cloud=row["cloud"],
        region=row["region"],
        id=row["id"],
        kind="snapshot",
        volume_id=row["volume_id"] or "",
        project_id=row["project_id"] or "",
        name=row["name"] or "",
        status=row["status"] or "",
        size_gb=row["size_gb"] or 0,
        policy=row["policy"],
        taken_at=row["created_at"],
        group=image["id"] if image is not None else "",
        metadata=metadata,
    )
    # The journal may know the image only: what it proves holds for its parts.
    if own is None and image is not None:
        own = noted.get(_key(image))
    return seen if own is None else _known(seen, own)


def _image(row: Row, own: Point | None) -> Point:
    seen = Point(
        cloud=row["cloud"],
        region=row["region"],
        id=row["id"],
        kind="image",
        volume_id="",
        project_id=row["project_id"] or "",
        name=row["name"] or "",
        status=row["status"] or "",
        size_gb=size_of(row["mapping"]),
        policy=(row["policy"] or "") if row["created_by"] == CREATED_BY_POLICY else "",
        taken_at=row["created_at"],
        server_id=row["instance_uuid"] or "",
        group=row["id"],
        metadata={CREATED_BY: row["created_by"], "project_name": row["project_name"],
                  "snapshot_ids": parts_of(row["mapping"])},
    )  # fmt: skip
    return seen if own is None else _known(seen, own)


def _known(seen: Point, own: Point) -> Point:
    """What was observed, with what the journal alone can say."""
    return replace(
        seen,
        own=True,
        policy=own.policy,
        taken_at=own.taken_at or seen.taken_at,
        server_id=own.server_id or seen.server_id,
        group=own.group or seen.group,
        consistency=own.consistency,
        proof=own.proof,
        spread_ms=own.spread_ms,
    )


def _backup(row: Row) -> Point:
    incremental = bool(row["is_incremental"])
    # Where the data lie: the container or bucket of the backup service, which outlives the volume's storage.
    lives = " ".join(filter(None, (row["container"], row["availability_zone"])))
    metadata = {
        "volume_name": row["volume_name"],
        "project_name": row["project_name"],
        "snapshot_id": row["snapshot_id"],
        "incremental": incremental,
        "container": lives,
        "dependents": bool(row["has_dependents"]),
        "problem": row["fail_reason"],
    }
    return Point(
        cloud=row["cloud"],
        region=row["region"],
        id=row["id"],
        kind="backup",
        volume_id=row["volume_id"] or "",
        project_id=row["project_id"] or "",
        name=row["name"] or "",
        status=row["status"] or "",
        size_gb=row["size_gb"] or 0,
        taken_at=row["data_of"],
        back_end="backup",
        metadata=metadata,
    )
