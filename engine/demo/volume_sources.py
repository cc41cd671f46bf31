"""What a new volume is made of: nothing, an image, a snapshot, another volume, a backup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.demo.answers import Refusal
from engine.demo.lifecycle import DISK
from engine.demo.records import Backup, Image, Snapshot, Volume
from engine.demo.routing import Call
from engine.demo.state import State
from engine.demo.volume_lists import Lists

COPY = 1.0  # seconds that bytes take which have to be copied


@dataclass(frozen=True)
class Source:
    """What the volume gets from where it comes; `least` is the smallest size in GB, "" a kind that may be any."""

    size: int | None = None
    least: int = 0
    kind: str = ""
    what: str = ""
    bootable: bool = False
    image: Image | None = None
    image_meta: dict[str, str] | None = None
    snapshot: str | None = None
    volume: str | None = None
    seconds: float = DISK


class Sources:
    """Looks the source up, as the token may see it."""

    def __init__(self, state: State, lists: Lists) -> None:
        self.state, self.lists = state, lists

    def asked(self, call: Call, body: dict[str, Any]) -> Source:
        """The source of POST /volumes. Raises Refusal: 400, 404."""
        if body.get("snapshot_id"):
            return self._snapshot(self.lists.find(call, str(body["snapshot_id"]), "snapshots"))
        if body.get("source_volid"):
            origin: Volume = self.lists.find(call, str(body["source_volid"]), "volumes")
            return Source(
                origin.size, origin.size, origin.type, "source volume", origin.bootable, origin.image,
                origin.image_meta, volume=origin.id,
            )  # fmt: skip
        if body.get("backup_id") and call.version >= (3, 47):
            return self.backup(self.lists.find(call, str(body["backup_id"]), "backups"))
        if body.get("imageRef"):
            return self._image(call, str(body["imageRef"]))
        return Source()

    def _snapshot(self, snapshot: Snapshot) -> Source:
        if snapshot.status != "available":
            raise Refusal(
                400, f"Invalid snapshot: Originating snapshot status must be one of 'available' values "
                f"(status is {snapshot.status})"
            )  # fmt: skip
        origin: Volume | None = self.state.volumes.get(snapshot.volume)
        if origin is None:
            return Source(snapshot.size, snapshot.size, what="snapshot", snapshot=snapshot.id)
        return Source(
            snapshot.size, snapshot.size, origin.type, "snapshot", origin.bootable, origin.image, origin.image_meta,
            snapshot=snapshot.id,
        )  # fmt: skip

    def backup(self, backup: Backup) -> Source:
        """What a volume of the backup gets."""
        if backup.status != "available":
            raise Refusal(400, f"Invalid backup: Backup status must be available and not {backup.status}.")
        origin: Volume | None = self.state.volumes.get(backup.volume)
        image, meta = (origin.image, origin.image_meta) if origin else (None, None)
        bootable = bool(origin and origin.bootable)
        return Source(None, backup.size, "", "backup", bootable, image, meta, seconds=COPY)

    def _image(self, call: Call, id: str) -> Source:
        image: Image | None = self.state.images.get(id)
        if image is None or not (
            image.owner == call.token.project_id or image.visibility != "private" or call.token.admin
        ):
            raise Refusal(400, "Invalid image identifier or unable to access requested image.")
        if image.status != "active":
            raise Refusal(400, f"Invalid input received: Image {id} is not active.")
        return Source(None, image.min_disk, "", "image", True, image, seconds=COPY)

    @staticmethod
    def check_size(source: Source, size: int) -> None:
        """Raise Refusal(400) when the volume would be smaller than what it is made of."""
        if size >= source.least:
            return
        if source.what == "image":
            raise Refusal(
                400, f"Invalid input received: Volume size {size}GB cannot be smaller than the image minDisk size "
                f"{source.least}GB."
            )  # fmt: skip
        if source.what == "backup":
            raise Refusal(
                400, f"Invalid volume: volume size {size} is too small to restore backup of size {source.least}."
            )
        raise Refusal(
            400,
            f"Invalid input received: Volume size '{size}'GB cannot be smaller than the {source.what} size "
            f"{source.least}GB. They must be >= original {source.what} size.",
        )

    def check_kind(self, source: Source, kind: str) -> None:
        """Raise Refusal(400) for another type than the one that the source lies on."""
        if source.kind and source.kind != kind:
            id = next((row[0] for row in self.state.volume_types if row[1] == kind), kind)
            raise Refusal(
                400,
                f"Invalid input received: Invalid volume_type provided: {id} (requested type is not compatible; "
                "recommend omitting the type argument).",
            )
