"""What is done to one volume: sizes, the bootable mark, image metadata, an image made of it, states set by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.records import Image, Volume
from engine.demo.routing import Call
from engine.demo.serving import Response
from engine.demo.volume import require_admin, require_member
from engine.demo.volume_render import image_metadata

if TYPE_CHECKING:
    from engine.demo.volume import BlockStorage
    from engine.demo.volume_changes import Changes

UPLOAD = 1.5  # seconds
GIB = 1 << 30
Action = Callable[[Call, Volume, dict[str, Any]], Response]


def add_actions(changes: Changes, storage: BlockStorage) -> None:
    """Route the actions of volumes."""
    storage.routes.on("POST", "/volumes/{id}/action")(Actions(changes).act)


class Actions:
    """POST /volumes/{id}/action."""

    def __init__(self, changes: Changes) -> None:
        self.changes, self.state = changes, changes.state
        self._actions: dict[str, tuple[str, Action]] = {
            "os-extend": ("volume:extend", self._extend),
            "os-set_bootable": ("volume_extension:volume_actions:set_bootable", self._bootable),
            "os-set_image_metadata": ("volume_extension:volume_image_metadata:set", self._set_metadata),
            "os-unset_image_metadata": ("volume_extension:volume_image_metadata:remove", self._unset_metadata),
            "os-show_image_metadata": ("volume_extension:volume_image_metadata:show", self._show_metadata),
            "os-volume_upload_image": ("volume_extension:volume_actions:upload_image", self._upload),
            "os-reset_status": ("volume_extension:volume_admin_actions:reset_status", self._reset),
        }

    def act(self, call: Call, id: str) -> Response:
        body = call.json()
        name = next(iter(body), "") if isinstance(body, dict) else ""
        if not isinstance(body, dict) or len(body) != 1 or name not in self._actions:
            raise Refusal(400, f"There is no such action: {name}")
        rule, action = self._actions[name]
        require_member(call, rule)
        volume: Volume = self.changes.lists.find(call, id, "volumes")
        value = body[name]
        return action(call, volume, value if isinstance(value, dict) else {})

    def _extend(self, call: Call, volume: Volume, value: dict[str, Any]) -> Response:
        size = value.get("new_size")
        if not isinstance(size, int) or isinstance(size, bool):
            raise Refusal(400, f"Invalid input for field/attribute new_size. Value: {size}.")
        if size <= volume.size:
            raise Refusal(
                400,
                "Invalid input received: New size for extend must be greater than current size. "
                f"(current: {volume.size}, extended: {size}).",
            )
        self.changes.quota(call, "volume", size - volume.size)
        volume.size, volume.updated = size, call.now
        return empty(202)

    @staticmethod
    def _bootable(call: Call, volume: Volume, value: dict[str, Any]) -> Response:
        wanted = str(value.get("bootable")).lower()
        if wanted not in ("true", "false", "1", "0"):
            raise Refusal(400, f"Invalid input for field/attribute bootable. Value: {value.get('bootable')}.")
        volume.bootable, volume.updated = wanted in ("true", "1"), call.now
        return empty(200)

    @staticmethod
    def _set_metadata(call: Call, volume: Volume, value: dict[str, Any]) -> Response:
        given = value.get("metadata")
        if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
            raise Refusal(400, f"Invalid input for field/attribute metadata. Value: {given}.")
        volume.image_meta, volume.updated = {**image_metadata(volume), **given}, call.now
        return answer({"metadata": volume.image_meta})

    @staticmethod
    def _unset_metadata(call: Call, volume: Volume, value: dict[str, Any]) -> Response:
        meta, key = image_metadata(volume), value.get("key")
        if key not in meta:
            raise Refusal(404, f"Glance metadata for volume/snapshot {volume.id} cannot be found.")
        volume.image_meta = {name: text for name, text in meta.items() if name != key}
        volume.updated = call.now
        return empty(200)

    @staticmethod
    def _show_metadata(call: Call, volume: Volume, value: dict[str, Any]) -> Response:
        return answer({"metadata": image_metadata(volume)})

    def _upload(self, call: Call, volume: Volume, value: dict[str, Any]) -> Response:
        """An image of the whole volume; the volume is busy until it is there."""
        name = value.get("image_name")
        if not isinstance(name, str) or not 1 <= len(name) <= 255:
            raise Refusal(400, f"Invalid input for field/attribute image_name. Value: {name}.")
        forced = str(value.get("force")).lower() in ("true", "1")
        if volume.status != "available" and not (forced and volume.status == "in-use"):
            raise Refusal(
                400,
                f"Invalid volume: Volume {volume.id} status must be available, but current status is: {volume.status}.",
            )
        meta = {
            key: text
            for key, text in image_metadata(volume).items()
            if key not in ("image_id", "image_name", "container_format", "disk_format", "min_disk", "min_ram", "size")
        }
        image = Image(
            self.state.dice.uuid(), name, call.token.project_id, str(value.get("visibility") or "private"),
            volume.size * GIB, volume.size * GIB, str(value.get("disk_format") or "raw"), 0, 0, meta, call.now,
            call.now, "queued", bool(value.get("protected")),
        )  # fmt: skip
        self.state.images.add(image)
        before, volume.status, volume.updated = volume.status, "uploading", call.now

        def finish(due: int) -> None:
            if volume.status == "uploading":
                volume.status, volume.updated = before, due
            if self.state.failing("image", name):
                self.state.images.remove(image.id)
                return
            image.status, image.updated = "active", due

        self.state.clock.takes(UPLOAD, finish)
        kind = next((row for row in self.state.volume_types if row[1] == volume.type), None)
        document = {
            "id": volume.id,
            "status": "uploading",
            "size": volume.size,
            "volume_type": {"id": kind[0], "name": kind[1]} if kind else None,
            "image_id": image.id,
            "image_name": name,
            "container_format": "bare",
            "disk_format": image.disk_format,
            "visibility": image.visibility,
            "protected": image.protected,
            "display_description": volume.description,
            "updated_at": None,
        }
        return answer({"os-volume_upload_image": document}, 202)

    @staticmethod
    def _reset(call: Call, volume: Volume, value: dict[str, Any]) -> Response:
        require_admin(call, "volume_extension:volume_admin_actions:reset_status")
        wanted = value.get("status", volume.status)
        if not isinstance(wanted, str):
            raise Refusal(400, f"Invalid input for field/attribute status. Value: {wanted}.")
        volume.status, volume.updated = wanted, call.now
        return empty(202)
