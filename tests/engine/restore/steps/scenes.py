"""Whole restores of disks in the simulated cloud, and what is there when they are over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.restore.models import Source
from engine.restore.records import Records
from tests.engine.restore.steps.cloud import FakeCloud
from tests.engine.restore.steps.job import Job, disk, plan

IMAGE_METADATA = {"image_id": "img-linux", "image_name": "linux", "hw_qemu_guest_agent": "yes", "os_distro": "debian"}
POLICIES = {"auto_snapshot": "true", "snapshot_policies": "daily", "retention_daily": "5"}


@dataclass
class Scene:
    """A machine whose disks say "now", with points of them that say "then", and the job that brings one back.

    does, undoes  the steps under test, in their order
    """

    cloud: FakeCloud
    job: Job
    server: str
    root: str
    data: list[str]
    does: tuple[str, ...]
    undoes: tuple[str, ...]

    def __post_init__(self) -> None:
        self.first = {*self.cloud.volumes, *self.cloud.snapshots, *self.cloud.images}  # ids of what was there before

    def picture(self) -> dict[str, Any]:
        """What people see of it: what is on which disk, and how much of everything there is; no ids."""
        self.cloud.settle()
        cloud, contents = self.cloud, self.cloud.contents
        volumes = [
            (one["name"], one["status"], contents[one["id"]], one["bootable"], len(one["attachments"]),
             one.get("volume_image_metadata"), _said(one["metadata"]))
            for one in cloud.volumes.values()
        ]  # fmt: skip
        return {
            "root": cloud.content(self.server),
            "state": cloud.servers[self.server]["status"],
            "disks": [(device, contents[id]) for device, id in cloud.hanging(self.server)],
            "ends": [(one["device"], one["tag"], one["delete_on_termination"]) for one in _by_device(self)],
            "volumes": sorted(volumes, key=str),
            "snapshots": sorted((one["volume_id"], contents[one["id"]]) for one in cloud.snapshots.values()),
            "images": sorted(contents[id] for id in cloud.images),
        }

    def rows(self) -> list[tuple[str, str]]:
        """What the records have of it: (purpose, state)."""
        return [(row["purpose"], row["state"]) for row in self.job.records.of_job(self.job.plan.id)]


def _said(metadata: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if not key.startswith("qdeck_")}


def _by_device(scene: Scene) -> list[dict[str, Any]]:
    return sorted(scene.cloud.attachments[scene.server], key=lambda one: one["device"])


def _machine(cloud: FakeCloud, **more: Any) -> tuple[str, str, list[str]]:
    root = cloud.add_volume("root now", name="web-root", bootable="true", metadata=dict(POLICIES),
                            volume_image_metadata=dict(IMAGE_METADATA))  # fmt: skip
    data = [cloud.add_volume(f"{name} now", name=name, metadata={**POLICIES, "owner": "db"}) for name in ("db", "logs")]
    server = cloud.add_server([root, *data], **more)
    cloud.attachments[server][1] |= {"tag": "database", "delete_on_termination": True}
    return server, root, data


def beside(records: Records) -> Scene:
    """A copy of the root, beside it."""
    cloud = FakeCloud()
    server, root, data = _machine(cloud)
    point = Source("snapshot", cloud.add_snapshot(root, "root then"), volume_id=root)
    made = plan("DISK_BESIDE", server, disk(cloud, root, point, root=True, device="/dev/vda"))
    does = ("CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE", "ATTACH_VOLUME")
    return Scene(cloud, Job(cloud, records, made), server, root, data, does, ("UNDO_ATTACH", "UNDO_VOLUMES"))


def back(records: Records) -> Scene:
    """The database's volume, in its place."""
    return _back(records, backup=False)


def from_backup(records: Records) -> Scene:
    """The same out of a backup, which brings the metadata of its time with it."""
    return _back(records, backup=True)


def _back(records: Records, *, backup: bool) -> Scene:
    cloud = FakeCloud()
    server, root, data = _machine(cloud)
    if backup:
        cloud.volumes[data[0]]["metadata"] = {"auto_snapshot": "true", "snapshot_policies": "hourly", "owner": "old"}
        point = Source("backup", cloud.add_backup(data[0], "db then"), volume_id=data[0])
        cloud.volumes[data[0]]["metadata"] = {**POLICIES, "owner": "db"}
    else:
        point = Source("snapshot", cloud.add_snapshot(data[0], "db then"), volume_id=data[0])
    disks = (
        disk(cloud, root, None, root=True, device="/dev/vda"),
        disk(cloud, data[0], point, order=1, device="/dev/vdb", tag="database", delete_on_termination=True),
        disk(cloud, data[1], None, order=2, device="/dev/vdc"),
    )
    made = plan("DATA_VOLUME_BACK", server, *disks)
    does = ("CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE", "DETACH_CURRENT_VOLUME", "ATTACH_RESTORED_VOLUME",
            "PROTECT", "KEEP_OLD_VOLUME")  # fmt: skip
    return Scene(cloud, Job(cloud, records, made), server, root, data, does, ("UNDO_DATA_VOLUME", "UNDO_VOLUMES"))


def in_place(records: Records) -> Scene:
    """The root of a volume-booted machine, written anew."""
    cloud = FakeCloud()
    server, root, data = _machine(cloud)
    point = Source("snapshot", cloud.add_snapshot(root, "root then"), volume_id=root)
    disks = [disk(cloud, root, point, root=True, device="/dev/vda")]
    disks += [disk(cloud, id, None, order=number) for number, id in enumerate(data, 1)]
    does = ("SAFETY_SNAPSHOT", "WAIT_SAFETY_SNAPSHOT", "CREATE_VOLUME_FROM_SNAPSHOT", "WAIT_VOLUME_AVAILABLE",
            "CREATE_IMAGE", "WAIT_IMAGE_ACTIVE", "REBUILD_SERVER", "WAIT_SERVER_REBUILT", "REMOVE_TEMPORARY",
            "PROTECT")  # fmt: skip
    job = Job(cloud, records, plan("IN_PLACE", server, *disks))
    return Scene(cloud, job, server, root, data, does, ("UNDO_REBUILD", "UNDO_VOLUMES"))


def in_place_off(records: Records) -> Scene:
    """The same of a machine that is off, and was rebuilt once before."""
    scene = in_place(records)
    scene.cloud.servers[scene.server] |= {"status": "SHUTOFF"}
    scene.cloud.actions[scene.server].append({"action": "rebuild", "request_id": "req-long-ago"})
    made = scene.job.plan
    job = Job(scene.cloud, records, plan("IN_PLACE", scene.server, *made.disks, was_running=False, status="SHUTOFF"))
    return Scene(scene.cloud, job, scene.server, scene.root, scene.data, scene.does, scene.undoes)


def image_booted(records: Records) -> Scene:
    """The root of a machine that boots from an image; it is from the very image that it goes back to."""
    cloud = FakeCloud()
    image = cloud.add_image("root then")
    data = [cloud.add_volume("db now", name="db")]
    server = cloud.add_server(data, image=image, content="root now")
    made = plan("IN_PLACE", server, disk(cloud, data[0], None, order=1), boot="image", root_image=image)
    does = ("SAFETY_SNAPSHOT", "WAIT_SAFETY_SNAPSHOT", "REBUILD_SERVER", "WAIT_SERVER_REBUILT", "PROTECT")
    return Scene(cloud, Job(cloud, records, made), server, "", data, does, ("UNDO_REBUILD", "UNDO_VOLUMES"))


Make = Callable[[Records], Scene]
ALL: tuple[Make, ...] = (beside, back, from_backup, in_place, in_place_off, image_booted)
