"""Cinder's groups: volumes whose snapshots are taken at once. One machine's volumes are such a group from the start."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.clock import micro_time
from engine.demo.quotas import volume_usage
from engine.demo.records import GroupSnapshot, Snapshot, Volume, VolumeGroup
from engine.demo.routing import Call, Version
from engine.demo.serving import Response
from engine.demo.volume import require_member, require_reader, sees

if TYPE_CHECKING:
    from engine.demo.state import State
    from engine.demo.volume import BlockStorage

CONSISTENT = "consistent"  # the group type of the group that is there
_GROUPS: Version = (3, 13)
_SNAPSHOTS: Version = (3, 14)


def add_groups(storage: BlockStorage) -> None:
    """Route group types, groups and their snapshots."""
    groups = Groups(storage)
    on = storage.routes.on
    on("GET", "/group_types")(groups.types)
    on("GET", "/group_types/{id}")(groups.type)
    on("GET", "/groups/detail")(groups.groups)
    on("GET", "/groups/{id}")(groups.group)
    on("GET", "/group_snapshots/detail")(groups.snapshots)
    on("GET", "/group_snapshots/{id}")(groups.snapshot)
    on("POST", "/group_snapshots")(groups.create)
    on("DELETE", "/group_snapshots/{id}")(groups.delete)


class Groups:
    """See the module."""

    def __init__(self, storage: BlockStorage) -> None:
        self.state, self.lifecycle = storage.state, storage.lifecycle
        _found(self.state)

    # Types and groups

    def _types(self, call: Call) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [
            {"id": self.state.named_id("group-type"), "name": "default_cgsnapshot_type",
             "description": "Default group type for migrating cgsnapshot", "is_public": True},
            {"id": self.state.named_id("group-type-consistent"), "name": CONSISTENT,
             "description": "All volumes at the same instant", "is_public": True},
        ]  # fmt: skip
        for row in rows if call.token.admin else ():
            row["group_specs"] = {"consistent_group_snapshot_enabled": "<is> True"}
        return rows

    def types(self, call: Call) -> Response:
        return answer({"group_types": self._types(call)})

    def type(self, call: Call, id: str) -> Response:
        found = next((row for row in self._types(call) if row["id"] == id), None)
        if found is None:
            raise Refusal(404, f"Group type {id} could not be found.")
        return answer({"group_type": found})

    def groups(self, call: Call) -> Response:
        require_reader(call, "group:get_all")
        rows = _visible(call, self.state.volume_groups)
        return answer({"groups": [self._group(call, row) for row in rows]})

    def group(self, call: Call, id: str) -> Response:
        _since(call, _GROUPS)
        return answer({"group": self._group(call, self._find(call, id))})

    def _find(self, call: Call, id: str) -> VolumeGroup:
        found = self.state.volume_groups.get(id)
        if found is None or not sees(call, found.project):
            raise Refusal(404, f"Group {id} could not be found.")
        return found

    def _members(self, group: VolumeGroup) -> list[Volume]:
        return [volume for volume in self.state.volumes.having("project", group.project) if volume.group == group.id]

    def _group(self, call: Call, group: VolumeGroup) -> dict[str, Any]:
        members = self._members(group)
        kinds = {volume.type for volume in members}
        document: dict[str, Any] = {
            "id": group.id,
            "status": "available",
            "availability_zone": "nova",
            "created_at": micro_time(group.created),
            "name": group.name,
            "description": None,
            "group_type": group.type,
            "volume_types": [id for id, name, _, _ in self.state.volume_types if name in kinds],
            "group_snapshot_id": None,
            "source_group_id": None,
        }
        if call.version >= (3, 25) and (call.request.first("list_volume") or "").lower() == "true":
            document["volumes"] = sorted(volume.id for volume in members)
        if call.version >= (3, 38):
            document["replication_status"] = "disabled"
        if call.version >= (3, 58):
            document["project_id"] = group.project
        return document

    # Snapshots

    def snapshots(self, call: Call) -> Response:
        require_reader(call, "group:get_all_group_snapshots")
        rows = [self._document(call, row) for row in _visible(call, self.state.group_snapshots) if self._there(row)]
        return answer({"group_snapshots": rows})

    def snapshot(self, call: Call, id: str) -> Response:
        _since(call, _SNAPSHOTS)
        return answer({"group_snapshot": self._document(call, self._snapshot(call, id))})

    def create(self, call: Call) -> Response:
        _since(call, _SNAPSHOTS)
        require_member(call, "group:create_group_snapshot")
        asked = call.document("group_snapshot")
        if not isinstance(asked, dict):
            raise Refusal(400, f"Invalid input for field/attribute group_snapshot. Value: {asked}.")
        group = self._find(call, str(asked.get("group_id")))
        members = self._members(group)
        if not members:
            raise Refusal(400, f"Invalid Group: Group snapshot cannot be created: group {group.id} has no volumes.")
        for volume in members:
            if volume.status not in ("available", "in-use"):
                raise Refusal(400, f"Invalid volume: Volume {volume.id} is {volume.status}.")
        self._quota(group, members)
        name, description = str(asked.get("name") or ""), str(asked.get("description") or "")
        id, now = self.state.dice.uuid(), self.state.clock.now()
        made = []
        for volume in members:
            snapshot = Snapshot(
                self.state.dice.uuid(), name, group.project, call.token.user.id, volume.id, volume.size, "creating",
                call.now, None, {}, description, id,
            )  # fmt: skip
            self.lifecycle.create_snapshot(snapshot, now)
            made.append(snapshot)
        row = GroupSnapshot(id, name, description, group.project, group.id, group.type, call.now, made)
        self.state.group_snapshots.add(row)
        return answer({"group_snapshot": {"id": id, "name": name, "group_type_id": group.type}}, 202)

    def delete(self, call: Call, id: str) -> Response:
        _since(call, _SNAPSHOTS)
        found = self._snapshot(call, id)
        require_member(call, "group:delete_group_snapshot")
        if self._status(found) not in ("available", "error"):
            raise Refusal(400, "Invalid GroupSnapshot: Group snapshot status must be available or error.")
        for snapshot in found.members:
            self.lifecycle.delete_snapshot(snapshot, self.state.clock.now())
        return empty(202)

    def _quota(self, group: VolumeGroup, members: list[Volume]) -> None:
        quota = self.state.projects.rows[group.project].volume_quota
        used = volume_usage(self.state, group.project).get(group.project, {})
        size = sum(volume.size for volume in members)
        if 0 <= quota["snapshots"] < used.get("snapshots", 0) + len(members):
            raise Refusal(413, f"SnapshotLimitExceeded: Maximum number of snapshots allowed ({quota['snapshots']}) "
                               "exceeded for quota 'snapshots'.")  # fmt: skip
        if 0 <= quota["gigabytes"] < used.get("gigabytes", 0) + size:
            raise Refusal(413, "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed "
                               f"gigabytes quota. Requested {size}G, quota is {quota['gigabytes']}G.")  # fmt: skip

    def _there(self, row: GroupSnapshot) -> bool:
        """Whether it is: it goes with the last of its members."""
        return any(snapshot.id in self.state.snapshots for snapshot in row.members)

    def _snapshot(self, call: Call, id: str) -> GroupSnapshot:
        found = self.state.group_snapshots.get(id)
        if found is None or not sees(call, found.project) or not self._there(found):
            raise Refusal(404, f"GroupSnapshot {id} could not be found.")
        return found

    def _status(self, row: GroupSnapshot) -> str:
        statuses = {snapshot.status for snapshot in row.members if snapshot.id in self.state.snapshots}
        return next((one for one in ("deleting", "creating", "error") if one in statuses), "available")

    def _document(self, call: Call, row: GroupSnapshot) -> dict[str, Any]:
        document = {
            "id": row.id,
            "group_id": row.group,
            "status": self._status(row),
            "created_at": micro_time(row.created),
            "name": row.name,
            "description": row.description,
            "group_type_id": row.type,
        }
        return document | ({"project_id": row.project} if call.version >= (3, 58) else {})


def _found(state: State) -> None:
    """The group that somebody made: all volumes of the first machine that boots from one and has another."""
    if len(state.volume_groups):
        return
    for server in state.servers:
        volumes = [state.volumes.get(one.volume) for one in state.attachments.having("server", server.id)]
        own = [volume for volume in volumes if volume is not None and not volume.multiattach]
        if server.from_volume and server.status == "ACTIVE" and len(own) == len(volumes) > 1:
            id = state.named_id("group")
            for volume in own:
                volume.group = id
            state.volume_groups.add(
                VolumeGroup(id, f"{server.name}-disks", server.project, state.named_id("group-type-consistent"),
                      server.created)
            )  # fmt: skip
            return


def _visible(call: Call, rows: Iterable[Any]) -> list[Any]:
    everybody = call.token.admin and (call.request.first("all_tenants") or "").lower() in ("1", "true", "t", "yes")
    own = (row for row in rows if everybody or row.project == call.token.project_id)
    return sorted(own, key=lambda row: (row.created, row.id), reverse=True)


def _since(call: Call, version: Version) -> None:
    if call.version < version:
        raise Refusal(404, "The resource could not be found.")
