"""Restore points as the cloud has them now, with what the journal says of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.gate.refusals import NotDone
from engine.restore.planning.reading_points import PointReading
from engine.snapshots.models import Point
from tests.engine.restore.planning.clouds import Cloud, refused

DAY = "2026-03-0{}T09:00:00.000000"


class Journal:
    """Our own points."""

    def __init__(self, *points: Point) -> None:
        self.points = list(points)
        self.asked: list[Sequence[str] | None] = []

    def own(self, cloud: str, region: str, volume_ids: Sequence[str] | None = None) -> list[Point]:
        self.asked.append(volume_ids)
        return self.points


def snapshot(id: str, volume: str, day: int, project: str = "p1", **more: Any) -> dict[str, Any]:
    return {
        "id": id, "name": id, "volume_id": volume, "status": "available", "size": 5, "created_at": DAY.format(day),
        "os-extended-snapshot-attributes:project_id": project, "metadata": {}, **more,
    }  # fmt: skip


def backup(id: str, volume: str, day: int, project: str = "p1", **more: Any) -> dict[str, Any]:
    return {
        "id": id, "name": id, "volume_id": volume, "status": "available", "size": 5, "created_at": DAY.format(day),
        "os-backup-project-attr:project_id": project, **more,
    }  # fmt: skip


def cloud_of(snapshots: Any = (), backups: Any = (), images: Any = ()) -> Cloud:
    cloud = Cloud()

    def of(rows: Any, key: str) -> Any:
        return lambda query: {key: [row for row in rows if row["volume_id"] == query["volume_id"]]}

    def listed(query: dict[str, str]) -> Any:
        name = "instance_uuid" if "instance_uuid" in query else "owner"
        return {"images": [row for row in images if row.get(name) == query[name]]}

    cloud.put("block-storage", "/snapshots/detail", of(snapshots, "snapshots"))
    cloud.put("block-storage", "/backups/detail", of(backups, "backups"))
    cloud.put("image", "/images", listed)
    return cloud


def read(cloud: Cloud, *volumes: str, journal: Journal | None = None, **more: Any) -> Any:
    older = more.pop("older", {})
    asked = {id: older.get(id, ()) for id in volumes}
    servers = more.pop("servers", ["m1"])
    return PointReading(cloud.asking(), journal or Journal(), asked, servers, **more)


def ids(points: Any) -> list[str]:
    return [one.id for one in points]


def test_points_are_newest_first_and_say_where_they_live() -> None:
    cloud = cloud_of(
        [snapshot("s1", "v1", 1), snapshot("s3", "v1", 3, status="Creating")],
        [backup("b2", "v1", 4, data_timestamp=DAY.format(2), is_incremental=True)],
    )
    (points,) = read(cloud, "v1").done().values()
    assert ids(points) == ["s3", "b2", "s1"]
    assert [(one.kind, one.back_end, one.status) for one in points] == [
        ("snapshot", "same", "creating"), ("backup", "backup", "available"), ("snapshot", "same", "available"),
    ]  # fmt: skip
    assert points[1].incremental
    assert points[1].taken_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert not any(one.own or one.policy for one in points)


def test_what_the_journal_knows_is_said_and_what_metadata_say_proves_nothing() -> None:
    marked = {"created_by": "p9_auto_snapshots", "policy": "daily_5", "qdeck_consistency": "quiesced"}
    cloud = cloud_of([snapshot("s1", "v1", 1, metadata=marked), snapshot("s2", "v1", 2, metadata=marked)])
    own = Point("east", "r1", "s2", "snapshot", "v1", policy="weekly", own=True, consistency="quiesced", proof="why")
    gone = Point("east", "r1", "s9", "snapshot", "v1", own=True, taken_at=datetime(2026, 3, 9, tzinfo=UTC))
    journal = Journal(own, gone)
    (points,) = read(cloud, "v1", journal=journal).done().values()
    assert [(one.id, one.own, one.policy, one.consistency) for one in points] == [
        ("s2", True, "weekly", "quiesced"), ("s1", False, "daily_5", ""),
    ]  # fmt: skip
    # The machine's image is noted under no volume.
    assert set(journal.asked[0] or ()) == {"v1", ""}


def test_an_image_of_a_volume_booted_machine_groups_its_snapshots() -> None:
    mapping = json.dumps([{"snapshot_id": "s1", "boot_index": 0}, {"snapshot_id": "s2"}])
    image = {"id": "i1", "owner": "p1", "status": "active", "created_at": DAY.format(1), "size": 0,
             "block_device_mapping": mapping}  # fmt: skip
    cloud = cloud_of([snapshot("s1", "v1", 1), snapshot("s2", "v2", 1), snapshot("s3", "v2", 2)], images=[image])
    found = read(cloud, "v1", "v2").done()
    assert {one.id: one.group for points in found.values() for one in points} == {"s1": "i1", "s2": "i1", "s3": ""}
    assert "" not in found


def test_images_are_the_points_of_a_root_that_is_no_volume() -> None:
    def image(id: str, server: str, **more: Any) -> dict[str, Any]:
        return {"id": id, "name": id, "owner": "p1", "status": "active", "created_at": DAY.format(1),
                "instance_uuid": server, "min_disk": 5, "size": 3 << 30, **more}  # fmt: skip

    cloud = cloud_of(images=[image("i1", "m1"), image("i2", "m0", created_at=DAY.format(2), virtual_size=7 << 30),
                             image("i3", "other")])  # fmt: skip
    found = read(cloud, servers=["m1", "m0"], image_root=True).done()[""]
    assert [(one.id, one.kind, one.size_gb, one.group) for one in found] == [
        ("i2", "image", 7, ""), ("i1", "image", 5, ""),
    ]  # fmt: skip


def test_points_of_the_volumes_that_a_volume_took_the_place_of_are_its_points() -> None:
    cloud = cloud_of([snapshot("s1", "v1", 2), snapshot("s0", "v0", 1)], [backup("b0", "v0", 3)])
    found = read(cloud, "v1", older={"v1": ("v0",)}).done()
    assert ids(found["v1"]) == ["b0", "s1", "s0"]
    assert [one.volume_id for one in found["v1"]] == ["v0", "v1", "v0"]
    assert list(found) == ["v1"]


def test_backups_of_another_project_are_never_offered_and_snapshots_say_whose_they_are() -> None:
    cloud = cloud_of([snapshot("s1", "v1", 1, "admin")], [backup("b1", "v1", 1, "p2"), backup("b2", "v1", 2)])
    (points,) = read(cloud, "v1").done().values()
    assert ids(points) == ["b2", "s1"]
    assert points[1].project_id == "admin"


def test_backups_that_cannot_be_read_are_said_to_be_missing() -> None:
    cloud = cloud_of([snapshot("s1", "v1", 1)])
    cloud.put("block-storage", "/backups/detail", refused(503))
    reading = read(cloud, "v1")
    assert ids(reading.done()["v1"]) == ["s1"]
    assert len(reading.unread) == 1
    assert "backups could not be read" in reading.unread[0]


@pytest.mark.parametrize(("service", "path"), [("block-storage", "/snapshots/detail"), ("image", "/images")])
def test_snapshots_and_images_that_cannot_be_read_stop_it(service: str, path: str) -> None:
    cloud = cloud_of([snapshot("s1", "v1", 1)])
    cloud.put(service, path, refused(503))
    with pytest.raises(NotDone):
        read(cloud, "v1").done()


def test_hostile_rows_are_no_points_of_others() -> None:
    # A cloud that answers with more than it was asked for.
    cloud = cloud_of()
    rows = [snapshot("s1", "v9", 1), {"id": 7}, "x", snapshot("s2", "v1", 1, metadata=7, created_at=5, size="many")]
    cloud.put("block-storage", "/snapshots/detail", {"snapshots": rows})
    cloud.put("block-storage", "/backups/detail", {"backups": [backup("b1", "v9", 1)]})
    (points,) = read(cloud, "v1").done().values()
    assert [(one.id, one.taken_at, one.size_gb) for one in points] == [("s2", None, 0)]


def test_a_machine_without_a_volume_asks_for_no_others() -> None:
    cloud = cloud_of()
    assert read(cloud, image_root=True).done() == {"": ()}
    assert cloud.paths("image") == ["/images"]
    assert cloud.paths("block-storage") == []
