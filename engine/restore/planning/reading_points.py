"""What a machine's disks can be restored from, as the cloud has it now, with what our journal alone knows of it.

The last listing may be a quarter of an hour old and a policy run younger than that, so snapshots, images and backups
are asked for volume by volume. Whose they are and what they prove is said by the journal (engine/snapshots/points.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from engine.inventory.events_rules import moment
from engine.restore.models import Source
from engine.restore.planning.asking import Asking, Doc, number, or_else, pairs, text
from engine.snapshots import making
from engine.snapshots.models import CREATED_BY, POLICY, Point
from engine.snapshots.points import Journal, Observed, joined, marked_as_one, named_policy, newest_first
from store.types.extract import boolean

SNAPSHOTS = "3.41"
BACKUPS = "3.45"  # data_timestamp and project 3.18, metadata 3.43
_GIB = 1 << 30
_IMAGE_LIMIT = ("limit", "500")

# seconds(cloud, region, point): how long it takes until a volume of it is there; None where nobody knows
Seconds = Callable[[str, str, Point], int | None]


class PointReading:
    """The questions about the points of one machine's volumes, sent at once; `done` waits for their answers."""

    def __init__(
        self,
        ask: Asking,
        journal: Journal,
        volumes: Mapping[str, Sequence[str]],
        servers: Sequence[str],
        *,
        image_root: bool = False,
        seconds: Seconds = lambda cloud, region, point: None,
    ) -> None:
        """
        volumes     {volume id: ids of the volumes that it took the place of, by earlier restores}
        servers     id of the machine, and of those that it took the place of
        image_root  its root is no volume: images of it are its points, too
        """
        self._ask, self._journal, self._seconds = ask, journal, seconds
        self._of = {id: (id, *older) for id, older in volumes.items()}
        self._servers = tuple(servers)
        every = dict.fromkeys(id for ids in self._of.values() for id in ids)
        self._snapshots = {id: ask.later(_snapshots, ask, id) for id in every}
        self._backups = {id: ask.try_later(_backups, ask, id) for id in every}
        # Nova writes the machine's id only to images of roots that are no volumes; the others list snapshots.
        asked = [[("instance_uuid", id)] for id in self._servers] if image_root else []
        asked += [[("owner", ask.project_id)]] if every and ask.project_id else []
        self._images: list[Future[list[dict[str, Any]]]] = [
            ask.later(ask.rows, "image", "/images", "images", "", [*query, _IMAGE_LIMIT]) for query in asked
        ]
        self._image_root = image_root
        self.unread: tuple[str, ...] = ()

    def done(self) -> dict[str, tuple[Source, ...]]:
        """{volume id: its points, newest first}, and under "" the images of a root that is no volume.

        Raises what the cloud says when snapshots or images cannot be read; of backups it is in `unread`.
        """
        place = (self._ask.cloud, self._ask.region)
        snapshots = [_snapshot(place, doc) for one in self._snapshots.values() for doc in one.result()]
        backups: list[dict[str, Any]] = []
        for one in self._backups.values():
            answer = one.result()
            if isinstance(answer, str):
                self.unread = (f"backups could not be read, so none is offered: {answer}",)
            backups += [_backup(place, doc) for doc in or_else(answer, [])]
        docs = {text(doc.get("id")): doc for one in self._images for doc in one.result()}
        images = [_image(place, doc) for doc in docs.values()]
        own = self._journal.own(*place, [*self._snapshots, ""])
        found = marked_as_one(joined(Observed(snapshots, images, backups), own))
        points = newest_first(point for point in found if point.kind != "image")
        answer_of = {
            id: tuple(self._source(point) for point in points if point.volume_id in ids) for id, ids in self._of.items()
        }
        if self._image_root:
            mine = [point for point in found if point.kind == "image" and point.server_id in self._servers]
            answer_of[""] = tuple(
                self._source(point, _image_size(docs.get(point.id, {}))) for point in newest_first(mine)
            )
        return answer_of

    def _source(self, point: Point, size_gb: int = 0) -> Source:
        return Source(
            kind=point.kind,
            id=point.id,
            name=point.name,
            volume_id=point.volume_id,
            project_id=point.project_id,
            size_gb=point.size_gb or size_gb,
            status=point.status.lower(),
            taken_at=point.taken_at,
            policy=point.policy,
            # An image of a root that is no volume is no group: it has no parts.
            group="" if point.kind == "image" else point.group,
            consistency=point.consistency,
            proof=point.proof,
            back_end=point.back_end,
            own=point.own,
            incremental=point.metadata.get("incremental") is True,
            seconds=self._seconds(self._ask.cloud, self._ask.region, point),
        )


def _snapshots(ask: Asking, volume_id: str) -> list[dict[str, Any]]:
    return list(making.snapshots_of(ask.get, volume_id, SNAPSHOTS))


def _backups(ask: Asking, volume_id: str) -> list[dict[str, Any]]:
    """The backups of a volume, whether it is still there or not; never those of another project."""
    query = [("all_tenants", "1"), ("volume_id", volume_id)]
    found = ask.rows("block-storage", "/backups/detail", "backups", BACKUPS, query)
    owners = ("", ask.project_id)
    return [
        one
        for one in found
        if one.get("volume_id") == volume_id and text(one.get("os-backup-project-attr:project_id")) in owners
    ]


# Rows as the points of the store are made of (store/estate/reading/restore_points.py)


def _snapshot(place: tuple[str, str], doc: Doc) -> dict[str, Any]:
    metadata = [f"{key}={value}" for key, value in pairs(doc.get("metadata")).items()]
    return {
        **_common(place, doc),
        "size_gb": number(doc.get("size")),
        "volume_id": text(doc.get("volume_id")),
        "volume_name": None,
        "project_id": text(doc.get("os-extended-snapshot-attributes:project_id")),
        "created_at": moment(doc.get("created_at")),
        "metadata": metadata,
        "policy": named_policy(metadata),
    }


def _backup(place: tuple[str, str], doc: Doc) -> dict[str, Any]:
    return {
        **_common(place, doc),
        "size_gb": number(doc.get("size")),
        "volume_id": text(doc.get("volume_id")),
        "volume_name": None,
        "project_id": text(doc.get("os-backup-project-attr:project_id")),
        "snapshot_id": text(doc.get("snapshot_id")),
        "is_incremental": boolean(doc.get("is_incremental")) is True,
        "has_dependents": boolean(doc.get("has_dependent_backups")) is True,
        "container": text(doc.get("container")),
        "availability_zone": text(doc.get("availability_zone")),
        "fail_reason": text(doc.get("fail_reason")),
        "data_of": moment(doc.get("data_timestamp")) or moment(doc.get("created_at")),
    }


def _image(place: tuple[str, str], doc: Doc) -> dict[str, Any]:
    return {
        **_common(place, doc),
        "project_id": text(doc.get("owner")),
        "created_at": moment(doc.get("created_at")),
        "mapping": doc.get("block_device_mapping"),
        "created_by": text(doc.get(CREATED_BY)),
        "policy": text(doc.get(POLICY)),
        "instance_uuid": text(doc.get("instance_uuid")),
    }


def _common(place: tuple[str, str], doc: Doc) -> dict[str, Any]:
    return {
        "cloud": place[0],
        "region": place[1],
        "id": text(doc.get("id")),
        "name": text(doc.get("name")),
        "status": text(doc.get("status")),
        "project_name": None,
    }


def _image_size(doc: Doc) -> int:
    """GiB of the disk in an image of a root that is no volume."""
    size = number(doc.get("virtual_size")) or number(doc.get("size"))
    return max(number(doc.get("min_disk")), -(-size // _GIB))
