"""Snapshots of Cinder's groups: all volumes of a group at the same instant, made and removed as one. Pure.

A group is made by whoever owns the volumes; nothing here makes one, or puts a volume into one. A group snapshot has no
metadata: the token of the step that made it ends its description. Its members have no metadata of ours either, and
Cinder refuses to delete one of them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.gate.models import Call
from engine.snapshots import making
from engine.snapshots.models import TOKEN, Key

# Microversions of Cinder that answer what is asked here.
GROUP_OF_VOLUME = "3.13"  # a volume's document has `group_id`
VOLUMES_OF_GROUP = "3.25"  # a group's document has `volumes`, when asked for
GROUP_TYPES = "3.11"
SNAPSHOTS = "3.14"  # group snapshots, and `group_snapshot_id` of a snapshot
CONSISTENT = "consistent_group_snapshot_enabled"
_SERVICE = "block-storage"
_WORDS = 150


def create(server: Key, project_id: str, group_id: str, name: str, policy: str, token: str) -> Call:
    """POST of a snapshot of a group, in its project. Answers 202 with {"group_snapshot": {"id"}}."""
    description = f"{making.policy_description(policy)[:_WORDS]} {TOKEN}={token}"
    body = {"group_id": group_id, "name": name[: making.MOST], "description": description}
    return Call(
        server[0], server[1], _SERVICE, "POST", "/group_snapshots", {"group_snapshot": body}, SNAPSHOTS,
        session="tenant", project_id=project_id, what=f"snapshot of the group {group_id}", key=server, type="server",
        creates=True,
    )  # fmt: skip


def delete(snapshot: Key, project_id: str, name: str = "") -> Call:
    """DELETE of a group snapshot with all its members."""
    cloud, region, id = snapshot
    return Call(
        cloud, region, _SERVICE, "DELETE", f"/group_snapshots/{id}", None, SNAPSHOTS, session="tenant",
        project_id=project_id, what=f"delete the group snapshot {name or id}", key=snapshot, type="snapshot",
    )  # fmt: skip


def has_token(document: Mapping[str, Any], token: str) -> bool:
    """Whether the step of that token made the group snapshot."""
    return bool(token) and str(document.get("description") or "").endswith(f" {TOKEN}={token}")


def show(get: making.Get, id: str) -> dict[str, Any] | None:
    """A group snapshot's document; None when it is gone."""
    return _inner(get(_SERVICE, f"/group_snapshots/{id}", SNAPSHOTS), "group_snapshot")


def find(get: making.Get, token: str) -> dict[str, Any] | None:
    """The group snapshot that a step with this token made; None when there is none.

    At that microversion Cinder answers the newest thousand of the project, unpaged.
    """
    found = get(_SERVICE, "/group_snapshots/detail", SNAPSHOTS) or {}
    rows = [row for row in found.get("group_snapshots") or () if isinstance(row, dict)]
    return next((row for row in rows if has_token(row, token)), None)


def member(get: making.Get, id: str, volume_id: str) -> dict[str, Any] | None:
    """The snapshot of that volume in a group snapshot; None when it has none."""
    rows = making.snapshots_of(get, volume_id, SNAPSHOTS)
    return next((row for row in rows if row.get("group_snapshot_id") == id), None)


def group_of(get: making.Get, volume_id: str) -> str:
    """The id of the group that a volume is in; "" when it is in none."""
    volume = _inner(get(_SERVICE, f"/volumes/{volume_id}", GROUP_OF_VOLUME), "volume") or {}
    return str(volume.get("group_id") or "")


def group(get: making.Get, id: str) -> dict[str, Any] | None:
    """A group's document with the ids of its `volumes`; None when it is gone."""
    return _inner(get(_SERVICE, f"/groups/{id}", VOLUMES_OF_GROUP, [("list_volume", "true")]), "group")


def group_type(get: making.Get, id: str) -> dict[str, Any] | None:
    """A group type's document; its `group_specs` are shown to administrators alone."""
    return _inner(get(_SERVICE, f"/group_types/{id}", GROUP_TYPES), "group_type")


def is_consistent(specs: Mapping[str, Any]) -> bool:
    """Whether groups of a type with these specs are taken at one instant, as Cinder reads it."""
    return str(specs.get(CONSISTENT) or "").split() == ["<is>", "True"]


def _inner(answer: Mapping[str, Any] | None, key: str) -> dict[str, Any] | None:
    found = (answer or {}).get(key)
    return found if isinstance(found, dict) else None
