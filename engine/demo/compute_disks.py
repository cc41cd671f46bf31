"""The disks that POST /servers asks for: which volumes, made of what, in which order, and from which it boots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.demo.answers import Refusal
from engine.demo.lifecycle import Lifecycle
from engine.demo.machines import DEVICES
from engine.demo.records import Image, Server, Snapshot, Volume
from engine.demo.routing import Call
from engine.demo.state import State

INVALID = "Block Device Mapping is Invalid: "
SEQUENCE = INVALID + "Boot sequence for the instance and image/block device mapping combination is not valid."


@dataclass(frozen=True)
class Disk:
    """One disk of a new machine: a volume that is there, or what a new one is made of. Size in GB."""

    boot: int
    keeps: bool
    tag: str | None
    volume: Volume | None = None
    image: Image | None = None
    snapshot: Snapshot | None = None
    size: int = 1
    kind: str = "standard"


def asked(state: State, call: Call, body: dict[str, Any], image: Image | None) -> list[Disk]:
    """The disks in boot order. Raises Refusal(400) in Nova's words."""
    rows = body.get("block_device_mapping_v2") or []
    disks = []
    boots = 0
    for row in rows:
        if not isinstance(row, dict):
            raise Refusal(400, f"Invalid input for field/attribute 0. Value: {row}. {row} is not of type 'object'")
        first = str(row.get("boot_index")) == "0"
        boots += first
        if row.get("source_type") == "image" and row.get("destination_type") != "volume":
            # The local disk, which Nova wants to be told of as soon as there are others.
            continue
        disks.append(_disk(state, call, row, 0 if first else 1))
    if rows and boots != 1:
        raise Refusal(400, SEQUENCE)
    if not rows and image is None:
        raise Refusal(400, "Invalid imageRef provided.")
    return sorted(disks, key=lambda disk: disk.boot)


def _disk(state: State, call: Call, row: dict[str, Any], boot: int) -> Disk:
    source, id = row.get("source_type"), str(row.get("uuid"))
    keeps, tag = not row.get("delete_on_termination"), row.get("tag")
    if source == "volume":
        return Disk(boot, keeps, tag, volume=_volume(state, call, id, boot))
    given = int(row.get("volume_size") or 0)
    kind = str(row.get("volume_type") or "standard")
    if source == "snapshot":
        snapshot = state.snapshots.get(id)
        if snapshot is None or not _sees(call, snapshot.project):
            raise Refusal(400, f"{INVALID}failed to get snapshot {id}.")
        volume = state.volumes.get(snapshot.volume)
        kind = volume.type if volume else kind
        return Disk(boot, keeps, tag, snapshot=snapshot, size=given or snapshot.size, kind=kind)
    image = state.images.get(id) if source == "image" else None
    if source == "image" and image is None:
        raise Refusal(400, f"{INVALID}failed to get image {id}.")
    return Disk(boot, keeps, tag, image=image, size=given or (image.min_disk if image else 1) or 1, kind=kind)


def _sees(call: Call, project: str) -> bool:
    return project == call.token.project_id or call.token.admin


def _volume(state: State, call: Call, id: str, boot: int) -> Volume:
    volume = state.volumes.get(id)
    if volume is None or not _sees(call, volume.project):
        raise Refusal(400, f"{INVALID}failed to get volume {id}.")
    if boot == 0 and not volume.bootable:
        raise Refusal(400, f"Block Device {id} is not bootable.")
    if volume.status != "available" and not (volume.multiattach and volume.status == "in-use"):
        raise Refusal(
            400,
            f"Invalid volume: Invalid input received: Invalid volume: Volume {id} status must be available or "
            f"downloading to reserve, but the current status is {volume.status}. (HTTP 400) "
            f"(Request-ID: {call.request_id})",
        )
    return volume


def give(state: State, lifecycle: Lifecycle, call: Call, server: Server, disks: list[Disk]) -> None:
    """Reserves the volumes for the machine, and makes those that are not there yet."""
    net = lifecycle.net(server.project)
    # Where a local disk is the first device, volumes come after it.
    letters = DEVICES if not server.from_volume else f"a{DEVICES}"
    for disk, letter in zip(disks, letters, strict=False):
        volume = disk.volume
        if volume is None:
            volume = lifecycle.maker.volume(net, "", disk.size, disk.kind, call.now, image=disk.image)
            volume.user = call.token.user.id
            if disk.snapshot:
                origin = state.volumes.get(disk.snapshot.volume)
                volume.snapshot, volume.bootable = disk.snapshot.id, bool(origin and origin.bootable)
                volume.image, volume.image_meta = (origin.image, origin.image_meta) if origin else (None, None)
        state.add_attachment(
            volume, server, f"/dev/vd{letter}", call.now, delete_on_termination=not disk.keeps, tag=disk.tag,
            root=disk.boot == 0, status="reserved",
        )  # fmt: skip
        volume.status, volume.updated = "reserved", call.now
