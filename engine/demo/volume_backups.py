"""Backups: full ones and chains of incremental ones, and volumes that are made of them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.machines import POOLS
from engine.demo.records import Backup, Snapshot, Volume
from engine.demo.routing import Call
from engine.demo.serving import Response
from engine.demo.volume import require_admin, require_member
from engine.demo.volume_render import links

if TYPE_CHECKING:
    from engine.demo.volume import BlockStorage
    from engine.demo.volume_changes import Changes

COPY = 1.0  # seconds that a backup takes, made or read
REMOVABLE = ("available", "error")


def add_backups(changes: Changes, storage: BlockStorage) -> None:
    """Route what makes, reads and removes backups."""
    backups = Backups(changes)
    on = storage.routes.on
    on("POST", "/backups")(backups.create)
    on("POST", "/backups/{id}/restore")(backups.restore)
    on("POST", "/backups/{id}/action")(backups.act)
    on("DELETE", "/backups/{id}")(backups.delete)


class Backups:
    """Cinder's calls that change backups."""

    def __init__(self, changes: Changes) -> None:
        self.changes, self.state = changes, changes.state

    def create(self, call: Call) -> Response:
        from engine.demo.volume_changes import object_of, texts

        require_member(call, "backup:create")
        body = object_of(call.document("backup"), "backup")
        volume: Volume = self.changes.lists.find(call, str(body.get("volume_id")), "volumes")
        snapshot: Snapshot | None = None
        if body.get("snapshot_id"):
            snapshot = self.changes.lists.find(call, str(body["snapshot_id"]), "snapshots")
        forced = str(body.get("force")).lower() in ("true", "1")
        if snapshot is None and volume.status != "available" and not (forced and volume.status == "in-use"):
            raise Refusal(
                400,
                f"Invalid volume: The volume to be backed up must be available or in-use, but the current status is "
                f'"{volume.status}".',
            )
        incremental = str(body.get("incremental")).lower() in ("true", "1")
        parent = self._newest(volume) if incremental else None
        if incremental and parent is None:
            raise Refusal(400, "Invalid backup: No backups available to do an incremental backup.")
        self.changes.quota(call, "backup", volume.size)
        backup = Backup(
            self.state.dice.uuid(), body.get("name") or "", call.token.project_id, call.token.user.id, volume.id,
            volume.size, "creating", call.now, call.now, incremental, body.get("description"),
            parent=parent.id if parent else None, metadata=texts(body.get("metadata")),
            snapshot=snapshot.id if snapshot else None,
        )  # fmt: skip
        self.state.backups.add(backup)
        before = volume.status
        if snapshot is None:
            volume.status = "backing-up"

        def finish(due: int) -> None:
            if volume.status == "backing-up":
                volume.status, volume.updated = before, due
            if backup.status == "creating":
                wrong = self.state.failing("backup", backup.name)
                backup.status, backup.updated, backup.fail_reason = ("error" if wrong else "available"), due, wrong

        self.state.clock.takes(COPY, finish)
        document = {"id": backup.id, "name": backup.name, "links": links("backups", backup.id, call.base)}
        return answer({"backup": document}, 202)

    def _newest(self, volume: Volume) -> Backup | None:
        mine = [row for row in self.state.backups.having("volume", volume.id) if row.status == "available"]
        leaves = [row for row in mine if not self.state.backups.having("parent", row.id)]
        return max(leaves, key=lambda row: (row.created, row.incremental, row.id), default=None)

    # Reading them again

    def restore(self, call: Call, id: str) -> Response:
        """Into a new volume, which gets the old one's metadata too, or into one that is there. Raises Refusal."""
        from engine.demo.volume_changes import object_of

        require_member(call, "backup:restore")
        body = object_of(call.document("restore"), "restore")
        backup: Backup = self.changes.lists.find(call, id, "backups")
        source = self.changes.sources.backup(backup)
        if body.get("volume_id"):
            volume: Volume = self.changes.lists.find(call, str(body["volume_id"]), "volumes")
            if volume.status != "available":
                raise Refusal(400, "Invalid volume: Volume to be restored to must be available")
            if volume.size < backup.size:
                raise Refusal(
                    400,
                    f"Invalid volume: volume size {volume.size} is too small to restore backup of size {backup.size}.",
                )
        else:
            volume = self._new(call, backup, str(body.get("name") or f"restore_backup_{backup.id}"))
        volume.status, backup.status = "restoring-backup", "restoring"
        volume.bootable, volume.image, volume.image_meta = source.bootable, source.image, source.image_meta

        def finish(due: int) -> None:
            if backup.status == "restoring":
                backup.status, backup.updated = "available", due
            if volume.status == "restoring-backup":
                wrong = self.state.failing("restore", volume.name)
                volume.status, volume.updated = ("error_restoring" if wrong else "available"), due

        self.state.clock.takes(COPY, finish)
        told = {"backup_id": backup.id, "volume_id": volume.id, "volume_name": volume.name}
        return answer({"restore": told}, 202)

    def _new(self, call: Call, backup: Backup, name: str) -> Volume:
        origin: Volume | None = self.state.volumes.get(backup.volume)
        kind = origin.type if origin else "standard"
        try:
            self.changes.quota(call, "volume", backup.size, kind)
        except Refusal as refusal:
            # The backup's own words leave the name of the fault out.
            raise Refusal(refusal.status, refusal.message.partition(": ")[2] or refusal.message) from None
        metadata = {**((origin.metadata if origin else None) or {}), "src_backup_id": backup.id}
        volume = Volume(
            self.state.dice.uuid(), name, call.token.project_id, call.token.user.id, backup.size, kind, "creating",
            call.now, None, False, POOLS[kind], [], metadata, description="auto-created_from_restore_from_backup",
        )  # fmt: skip
        return self.state.volumes.add(volume)

    def act(self, call: Call, id: str) -> Response:
        """os-reset_status, for administrators."""
        body: Any = call.json()
        backup: Backup = self.changes.lists.find(call, id, "backups")
        value = body.get("os-reset_status") if isinstance(body, dict) else None
        if not isinstance(value, dict):
            raise Refusal(400, "There is no such action")
        require_admin(call, "volume_extension:backup_admin_actions:reset_status")
        backup.status, backup.updated = str(value.get("status")), call.now
        return empty(202)

    def delete(self, call: Call, id: str) -> Response:
        backup: Backup = self.changes.lists.find(call, id, "backups")
        require_member(call, "backup:delete")
        if backup.status not in REMOVABLE:
            raise Refusal(400, "Invalid backup: Backup status must be available or error")
        if self.state.backups.having("parent", backup.id):
            raise Refusal(400, "Invalid backup: Incremental backups exist for this backup.")
        backup.status = "deleting"

        def finish(due: int) -> None:
            self.state.backups.remove(backup.id)

        self.state.clock.takes(COPY, finish)
        return empty(202)
