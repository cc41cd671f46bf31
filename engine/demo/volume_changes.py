"""What Cinder does when asked: volumes, snapshots and backups made, extended, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.machines import POOLS
from engine.demo.quotas import volume_usage
from engine.demo.records import Snapshot, Volume
from engine.demo.routing import Call, check_types
from engine.demo.serving import Response
from engine.demo.volume import require_member
from engine.demo.volume_actions import add_actions
from engine.demo.volume_backups import add_backups
from engine.demo.volume_lists import Lists
from engine.demo.volume_render import snapshot_document, volume_document
from engine.demo.volume_sources import Sources

if TYPE_CHECKING:
    from engine.demo.volume import BlockStorage

REMOVABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")


TEXTS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "description": str,
    "metadata": dict,
    "imageRef": str,
    "snapshot_id": str,
    "source_volid": str,
}


def add_changes(storage: BlockStorage) -> None:
    """Route what makes, changes and removes volumes, snapshots and backups."""
    changes = Changes(storage)
    on = storage.routes.on
    on("POST", "/volumes")(changes.create_volume)
    on("PUT", "/volumes/{id}")(changes.update_volume)
    on("DELETE", "/volumes/{id}")(changes.delete_volume)
    on("GET", "/volumes/{id}/metadata")(changes.metadata)
    on("POST", "/volumes/{id}/metadata")(changes.set_metadata)
    on("PUT", "/volumes/{id}/metadata")(changes.replace_metadata)
    on("DELETE", "/volumes/{id}/metadata/{key}")(changes.delete_metadata)
    on("GET", "/snapshots/{id}/metadata")(changes.snapshot_metadata)
    on("POST", "/snapshots/{id}/metadata")(changes.set_snapshot_metadata)
    on("POST", "/snapshots")(changes.create_snapshot)
    on("DELETE", "/snapshots/{id}")(changes.delete_snapshot)
    add_backups(changes, storage)
    add_actions(changes, storage)


class Changes:
    """Cinder's calls that change something, with its checks of states and quotas."""

    def __init__(self, storage: BlockStorage) -> None:
        self.state, self.lifecycle = storage.state, storage.lifecycle
        self.lists = Lists(storage)
        self.sources = Sources(self.state, self.lists)

    def _now(self) -> float:
        return self.state.clock.now()

    def quota(self, call: Call, kind: str, size: int, type: str = "") -> None:
        """Raise Refusal(413) when the project has no room for one more `kind` of `size` GB."""
        project = call.token.project
        assert project is not None
        used = volume_usage(self.state, project.id).get(project.id, {})
        quota = project.volume_quota
        if 0 <= quota["gigabytes"] < used.get("gigabytes", 0) + size and kind != "backup":
            raise Refusal(
                413,
                "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. "
                f"Requested {size}G, quota is {quota['gigabytes']}G and {used.get('gigabytes', 0)}G has been consumed.",
            )
        if 0 <= quota[f"{kind}s"] < used.get(f"{kind}s", 0) + 1:
            name = {"volume": "VolumeLimitExceeded", "snapshot": "SnapshotLimitExceeded"}.get(
                kind, "BackupLimitExceeded"
            )
            raise Refusal(
                413, f"{name}: Maximum number of {kind}s allowed ({quota[f'{kind}s']}) exceeded for quota '{kind}s'."
            )
        if type:
            self._type_quota(quota, used, kind, size, type)

    @staticmethod
    def _type_quota(quota: dict[str, int], used: Mapping[str, int], kind: str, size: int, type: str) -> None:
        """Limits of one volume type, where a project has them."""
        gigabytes, count = f"gigabytes_{type}", f"{kind}s_{type}"
        if 0 <= quota.get(gigabytes, -1) < used.get(gigabytes, 0) + size:
            raise Refusal(
                413,
                f"VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed {gigabytes} quota. "
                f"Requested {size}G, quota is {quota[gigabytes]}G and {used.get(gigabytes, 0)}G has been consumed.",
            )
        if 0 <= quota.get(count, -1) < used.get(count, 0) + 1:
            name = {"volume": "VolumeLimitExceeded", "snapshot": "SnapshotLimitExceeded"}[kind]
            raise Refusal(
                413, f"{name}: Maximum number of {kind}s allowed ({quota[count]}) exceeded for quota '{count}'."
            )

    # Volumes

    def create_volume(self, call: Call) -> Response:
        require_member(call, "volume:create")
        body = object_of(call.document("volume"), "volume")
        check_types(body, TEXTS)
        source = self.sources.asked(call, body)
        size = body.get("size", source.size)
        if not isinstance(size, int | str) or isinstance(size, bool) or not str(size).isdigit():
            raise Refusal(
                400, f"Invalid input for field/attribute size. Value: {size}. {size} is not of type 'integer'"
            )
        if int(size) < 1:
            raise Refusal(
                400, f"Invalid input for field/attribute size. Value: {size}. {size} is less than the minimum of 1"
            )
        self.sources.check_size(source, int(size))
        wanted = body.get("volume_type")
        kind = self._kind(wanted) if wanted or not source.kind else source.kind
        self.sources.check_kind(source, kind)
        self.quota(call, "volume", int(size), kind)
        volume = Volume(
            self.state.dice.uuid(), body.get("name") or "", call.token.project_id, call.token.user.id, int(size),
            kind, "creating", call.now, None, source.bootable, POOLS[kind], [], texts(body.get("metadata")),
            source.image, source.snapshot, source.volume, body.get("description"), multiattach=kind == "shared",
        )  # fmt: skip
        volume.image_meta = source.image_meta
        fails = (volume.metadata or {}).get("lab_fault") == "create"
        self.lifecycle.create_volume(volume, self._now(), fails=fails, seconds=source.seconds)
        document = volume_document(volume, call.version, call.token.admin, call.base, self.state, created=True)
        return answer({"volume": document}, 202)

    def _kind(self, wanted: Any) -> str:
        if wanted is None:
            return "standard"
        for id, name, _, _ in self.state.volume_types:
            if wanted in (id, name):
                return name
        raise Refusal(404, f"Volume type with name {wanted} could not be found.")

    def update_volume(self, call: Call, id: str) -> Response:
        require_member(call, "volume:update")
        body = object_of(call.document("volume"), "volume")
        volume: Volume = self.lists.find(call, id, "volumes")
        volume.name = str(body.get("name", volume.name))
        volume.description = body.get("description", volume.description)
        if "metadata" in body:
            volume.metadata = texts(body["metadata"])
        volume.updated = call.now
        document = volume_document(volume, call.version, call.token.admin, call.base, self.state)
        return answer({"volume": document})

    def delete_volume(self, call: Call, id: str) -> Response:
        volume: Volume = self.lists.find(call, id, "volumes")
        require_member(call, "volume:delete")
        held = volume.attachments or volume.group or self.lifecycle.has_snapshots(volume)
        if volume.status not in REMOVABLE or held:
            raise Refusal(
                400,
                "Invalid volume: Volume status must be available or error or error_restoring or error_extending or "
                "error_managing and must not be migrating, attached, belong to a group, have snapshots, awaiting a "
                "transfer, or be disassociated from snapshots after volume transfer.",
            )
        self.lifecycle.delete_volume(volume, self._now())
        return empty(202)

    def metadata(self, call: Call, id: str) -> Response:
        return answer({"metadata": self.lists.find(call, id, "volumes").metadata or {}})

    def set_metadata(self, call: Call, id: str) -> Response:
        require_member(call, "volume:create_volume_metadata")
        volume: Volume = self.lists.find(call, id, "volumes")
        volume.metadata = {**(volume.metadata or {}), **short(call.document("metadata"))}
        volume.updated = call.now
        return answer({"metadata": volume.metadata})

    def replace_metadata(self, call: Call, id: str) -> Response:
        require_member(call, "volume:update_volume_metadata")
        volume: Volume = self.lists.find(call, id, "volumes")
        volume.metadata, volume.updated = short(call.document("metadata")), call.now
        return answer({"metadata": volume.metadata})

    def delete_metadata(self, call: Call, id: str, key: str) -> Response:
        require_member(call, "volume:delete_volume_metadata")
        volume: Volume = self.lists.find(call, id, "volumes")
        if key not in (volume.metadata or {}):
            raise Refusal(404, f"Volume {id} has no metadata with key {key}.")
        volume.metadata = {name: text for name, text in (volume.metadata or {}).items() if name != key}
        volume.updated = call.now
        return empty(200)

    def snapshot_metadata(self, call: Call, id: str) -> Response:
        return answer({"metadata": self.lists.find(call, id, "snapshots").metadata or {}})

    def set_snapshot_metadata(self, call: Call, id: str) -> Response:
        require_member(call, "volume:update_snapshot_metadata")
        snapshot: Snapshot = self.lists.find(call, id, "snapshots")
        snapshot.metadata = {**(snapshot.metadata or {}), **short(call.document("metadata"))}
        snapshot.updated = call.now
        return answer({"metadata": snapshot.metadata})

    # Snapshots

    def create_snapshot(self, call: Call) -> Response:
        require_member(call, "volume:create_snapshot")
        body = object_of(call.document("snapshot"), "snapshot")
        check_types(body, TEXTS)
        volume: Volume = self.lists.find(call, str(body.get("volume_id")), "volumes")
        forced = call.version >= (3, 66) or str(body.get("force")).lower() in ("true", "1")
        if volume.status != "available" and not (volume.status == "in-use" and forced):
            raise Refusal(
                400,
                f"Invalid volume: Volume {volume.id} status must be available, but current status is: {volume.status}.",
            )
        self.quota(call, "snapshot", volume.size, volume.type)
        snapshot = Snapshot(
            self.state.dice.uuid(), body.get("name") or "", call.token.project_id, call.token.user.id, volume.id,
            volume.size, "creating", call.now, None, texts(body.get("metadata")), body.get("description"),
        )  # fmt: skip
        self.lifecycle.create_snapshot(snapshot, self._now())
        return answer({"snapshot": snapshot_document(snapshot, call.version, created=True)}, 202)

    def delete_snapshot(self, call: Call, id: str) -> Response:
        snapshot: Snapshot = self.lists.find(call, id, "snapshots")
        require_member(call, "volume:delete_snapshot")
        if snapshot.status not in ("available", "error") or snapshot.group_snapshot:
            raise Refusal(
                400, "Invalid snapshot: Snapshot status must be available or error and must not be part of a group."
            )
        self.lifecycle.delete_snapshot(snapshot, self._now())
        return empty(202)


def object_of(value: Any, name: str) -> dict[str, Any]:
    """The value as an object. Raises Refusal(400) in the schema's words."""
    if not isinstance(value, dict):
        raise Refusal(400, f"Invalid input for field/attribute {name}. Value: {value}. {value} is not of type 'object'")
    return value


def short(value: Any) -> dict[str, str]:
    """Metadata as Cinder takes it: texts of at most 255 characters."""
    found = object_of(value, "metadata")
    for key, text in found.items():
        if not isinstance(text, str) or not 1 <= len(key) <= 255 or len(text) > 255:
            raise Refusal(400, f"Invalid input for field/attribute metadata. Value: {found}.")
    return dict(found)


def texts(value: Any) -> dict[str, str]:
    """Metadata whatever its types were."""
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else {}
