"""createImage: an image of a machine's local disk, or snapshots of all its volumes under an image of no bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.compute_render import VM_STATES
from engine.demo.quotas import volume_usage
from engine.demo.records import Image, Server, Snapshot, Volume
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.lifecycle import Lifecycle
    from engine.demo.state import State

UPLOAD = 1.5  # seconds that a local disk takes
GIB = 1 << 30
_STATES = ("ACTIVE", "SHUTOFF", "SUSPENDED")
_YES = ("true", "yes", "1", "on")


class MachineImages:
    """Nova's createImage, with its checks of states and of Cinder's quotas."""

    def __init__(self, state: State, lifecycle: Lifecycle) -> None:
        self.state, self.lifecycle = state, lifecycle

    def create(self, call: Call, server: Server, value: Any) -> Response:
        """The answer to createImage; whatever is made belongs to the token's project."""
        name, metadata = self._asked(value)
        self._ready(server)
        image = self._of_volumes(call, server, name) if server.from_volume else self._of_disk(call, server, name)
        image.properties |= metadata
        self.state.images.add(image)
        if call.version >= (2, 45):
            return answer({"image_id": image.id}, 202)
        return empty(202, Location=f"{call.base.partition('/v2')[0]}/images/{image.id}")

    @staticmethod
    def _asked(value: Any) -> tuple[str, dict[str, str]]:
        name = value.get("name") if isinstance(value, dict) else None
        if not isinstance(name, str) or not 1 <= len(name) <= 255:
            raise Refusal(400, f"Invalid input for field/attribute name. Value: {name}.")
        metadata = value.get("metadata") or {}
        if not isinstance(metadata, dict) or not all(
            isinstance(text, str) and len(text) <= 255 and 1 <= len(key) <= 255 for key, text in metadata.items()
        ):
            raise Refusal(400, f"Invalid input for field/attribute metadata. Value: {metadata}.")
        return name, dict(metadata)

    @staticmethod
    def _ready(server: Server) -> None:
        if server.task:
            raise Refusal(409, f"Cannot 'createImage' instance {server.id} while it is in task_state {server.task}")
        if server.status not in _STATES and not (server.status == "PAUSED" and not server.from_volume):
            state = VM_STATES.get(server.status, "active")
            raise Refusal(409, f"Cannot 'createImage' instance {server.id} while it is in vm_state {state}")

    def _image(self, call: Call, server: Server, name: str, size: int, status: str) -> Image:
        source = self._source(server)
        properties = dict(source.properties) if source else {}
        properties |= {"base_image_ref": source.id if source and not server.from_volume else ""}
        return Image(
            self.state.dice.uuid(), name, call.token.project_id, "private", size, None,
            source.disk_format if source else "qcow2", source.min_disk if source else 0,
            source.min_ram if source else 0, properties, call.now, call.now, status,
        )  # fmt: skip

    def _source(self, server: Server) -> Image | None:
        """What it was booted from, itself or its first volume."""
        if server.image is not None or not server.volumes:
            return server.image
        volume: Volume | None = self.state.volumes.get(server.volumes[0].volume)
        return volume.image if volume else None

    # Of volumes

    def _of_volumes(self, call: Call, server: Server, name: str) -> Image:
        found = ((row, self.state.volumes.get(row.volume)) for row in server.volumes)
        volumes = [(row, volume) for row, volume in found if volume is not None]
        self._frozen(server)
        self._room(call, [volume for _, volume in volumes])
        image = self._image(call, server, name, 0, "active")
        mapping: list[dict[str, Any]] = []
        for place, (attachment, volume) in enumerate(volumes):
            snapshot = Snapshot(
                self.state.dice.uuid(), f"snapshot for {name}"[:255], call.token.project_id, call.token.user.id,
                volume.id, volume.size, "creating", call.now, None, {}, "",
            )  # fmt: skip
            self.lifecycle.create_snapshot(snapshot, self.state.clock.now())
            mapping.append(
                {
                    "source_type": "snapshot",
                    "destination_type": "volume",
                    "snapshot_id": snapshot.id,
                    "volume_id": None,
                    "image_id": None,
                    "volume_size": volume.size,
                    "volume_type": None,
                    "boot_index": 0 if place == 0 else None,
                    "device_name": attachment.device,
                    "device_type": "disk",
                    "disk_bus": "virtio",
                    "guest_format": None,
                    "delete_on_termination": attachment.delete_on_termination,
                    "no_device": None,
                    "tag": None,
                }
            )
        image.properties |= {
            "block_device_mapping": json.dumps(mapping),
            "bdm_v2": "True",
            "root_device_name": server.volumes[0].device if server.volumes else "/dev/vda",
        }
        return image

    def _frozen(self, server: Server) -> None:
        """An image that insists on a frozen guest needs its agent; without that it is only tried."""
        source = self._source(server)
        wanted = {key: str(text).lower() in _YES for key, text in (source.properties if source else {}).items()}
        if server.status == "ACTIVE" and wanted.get("os_require_quiesce") and not wanted.get("hw_qemu_guest_agent"):
            raise Refusal(409, f"Quiescing is not supported in instance {server.id}: QEMU guest agent is not enabled")

    def _room(self, call: Call, volumes: list[Volume]) -> None:
        """Nova tells that Cinder had no room, and leaves none of the snapshots behind."""
        project = call.token.project
        assert project is not None
        used, quota = volume_usage(self.state, project.id).get(project.id, {}), project.volume_quota
        wanted = {"snapshots": len(volumes), "gigabytes": sum(volume.size for volume in volumes)}
        for volume in volumes:
            for name, more in ((f"snapshots_{volume.type}", 1), (f"gigabytes_{volume.type}", volume.size)):
                wanted[name] = wanted.get(name, 0) + more
        for name, more in wanted.items():
            if 0 <= quota.get(name, -1) < used.get(name, 0) + more:
                raise Refusal(403, f"Quota exceeded for resources: ['{name}']")

    # Of the local disk

    def _of_disk(self, call: Call, server: Server, name: str) -> Image:
        image = self._image(call, server, name, server.flavor.disk * GIB // 4, "queued")
        image.properties |= {"image_type": "snapshot", "instance_uuid": server.id, "user_id": call.token.user.id}
        server.task, server.updated = "image_uploading", call.now

        def finish(due: int) -> None:
            server.task, server.updated = None, due
            if self.state.failing("image", name):
                # Nova takes away what it could not finish.
                self.state.images.remove(image.id)
                return
            image.status, image.updated = "active", due

        if not self.lifecycle.silent(server):
            self.state.clock.takes(UPLOAD, finish)
        return image
