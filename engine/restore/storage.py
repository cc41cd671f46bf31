"""Old storage of a restore that succeeded: the old machine's root volume, and the snapshot that it came from.

What the restore did not make is deleted here, because somebody asks for exactly that; so it is looked at twice: the new
machine is there, the old one is not kept, nothing has the volume, and it has no snapshots, which are restore points.
Nothing cascades: what cannot go is skipped, with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.api.errors import ApiError
from engine.clouds.errors import CloudError
from engine.gate.models import Actor, Call, NoRole
from engine.gate.refusals import Refused
from engine.restore import rules
from engine.restore.cleaning import wait_gone
from engine.restore.models import Plan
from engine.restore.records import BEGUN, MADE
from engine.restore.using import Get, Unsure, owner, read, volume_used

if TYPE_CHECKING:
    from engine.restore.cleaning import Gate
    from engine.restore.records import Records

ACTION = "restore.cleanup_storage"


class Storage:
    """See the module. Thread-safe; blocks as long as the cloud takes."""

    def __init__(self, records: Records, gate: Gate, sleep: Callable[[float], object] = time.sleep) -> None:
        self._records, self._gate, self._sleep = records, gate, sleep

    def clean(self, caller: Caller, plan: Plan, old_volume: bool, source_snapshot: bool) -> dict[str, Any]:
        """{deleted_volumes, deleted_snapshots, errors, skipped}, as documented. Raises Refused when it cannot look."""
        result: dict[str, Any] = {"deleted_volumes": [], "deleted_snapshots": [], "errors": [], "skipped": []}
        actor = Actor(caller, rules.ADMIN, ACTION, plan_id=plan.id, job=plan.id)
        cloud, region, _ = plan.machine.key
        about = Call(
            cloud, region, "block-storage", "GET", "/volumes", session="tenant", project_id=plan.machine.project_id,
            what="look at the old storage of a restore", type="volume",
        )  # fmt: skip
        try:
            self._gate.hold_role(actor, about)
            get = self._gate.reader(cloud, region, plan.machine.project_id)
            if old_volume:
                self._one(actor, get, plan, "volume", _old_root(plan), self._volume_kept, result)
            if source_snapshot:
                self._one(actor, get, plan, "snapshot", _source(plan), self._snapshot_kept, result)
        except NoRole as error:
            raise Refused("no_role", str(error), command=error.command) from error
        finally:
            self._gate.release({}, plan.id)
        return result

    def _one(
        self, actor: Actor, get: Get, plan: Plan, type: str, chosen: tuple[str, str], kept: Any, result: dict[str, Any]
    ) -> None:
        """Delete one, or say why not. `chosen`: its id, or "" with the reason."""
        id, why = chosen
        if not id:
            result["skipped"].append({"type": type, "id": None, "reason": why})
            return
        try:
            why = kept(get, plan, id) or ""
            if why:
                result["skipped"].append({"type": type, "id": id, "reason": why})
                return
            self._gate.perform(actor, _deletion(plan, type, id))
            if not wait_gone(get, type, id, self._sleep):
                result["errors"].append(f"the {type} {id} is being deleted, and still there: look again later")
                return
            result[f"deleted_{type}s"].append(id)
        except Unsure as error:
            result["skipped"].append({"type": type, "id": id, "reason": str(error)})
        except (ApiError, CloudError) as error:
            result["errors"].append(str(getattr(error, "detail", None) or error))

    def _volume_kept(self, get: Get, plan: Plan, id: str) -> str | None:
        """Why the old root volume stays; None when it can go."""
        cloud, region, server = plan.machine.key
        name = plan.machine.name
        if self._records.keeps(cloud, region, server) is not None:
            return f"it belongs to the old {name}, which is kept: remove that first"
        if self._records.keeps(cloud, region, id) is not None:
            return "it is kept: remove it there"
        if any(
            row["job_id"] == plan.id or row["state"] in (BEGUN, MADE) for row in self._records.by_id(cloud, region, id)
        ):
            return "a restore made it, and it is not only an old volume"
        new = self._records.found(plan.id, "server")
        document = read(get, "server", new["id"]) if new is not None and new["id"] else None
        if document is None or document.get("status") in ("ERROR", "DELETED", "BUILD"):
            return f"the new {name} is not there as it should be: the old volume may be all that is left"
        volume = read(get, "volume", id)
        if volume is None:
            return "it is gone already"
        if held := self._gate.held("volume", (cloud, region, id)):
            return held
        return _foreign("volume", volume, plan) or volume_used(get, volume)

    def _snapshot_kept(self, get: Get, plan: Plan, id: str) -> str | None:
        """Why the source snapshot stays; None when it can go."""
        cloud, region, _ = plan.machine.key
        snapshot = read(get, "snapshot", id)
        if snapshot is None:
            return "it is gone already"
        if str(snapshot.get("status") or "").lower() != "available":
            return f"it is {snapshot.get('status')}"
        if held := self._gate.held("snapshot", (cloud, region, id)):
            return held
        return _foreign("snapshot", snapshot, plan)


def _old_root(plan: Plan) -> tuple[str, str]:
    """(id of the old machine's root volume, "") where the restore replaced it; ("", why not)."""
    if plan.way != "REPLACE":
        return "", "the old volume is still its machine's: only REPLACE leaves one"
    root = next((disk for disk in plan.disks if disk.root), None)
    if root is None or not root.volume_id:
        return "", "the old machine did not boot from a volume"
    if root.choice != "restore_point" or root.source is None:
        return "", "the old root volume went to the new machine"
    return root.volume_id, ""


def _source(plan: Plan) -> tuple[str, str]:
    if plan.point is None or plan.point.kind != "snapshot":
        word = "nothing" if plan.point is None else "an image" if plan.point.kind == "image" else "a backup"
        return "", f"the restore came from {word}, not from a snapshot of a volume"
    return plan.point.id, ""


def _foreign(type: str, document: dict[str, Any], plan: Plan) -> str | None:
    its = owner(type, document)
    return None if its == plan.machine.project_id else f"it belongs to the project {its or 'of nobody'}"


def _deletion(plan: Plan, type: str, id: str) -> Call:
    cloud, region, _ = plan.machine.key
    return Call(
        cloud, region, "block-storage", "DELETE", f"/{type}s/{id}", session="tenant",
        project_id=plan.machine.project_id, what=f"delete the old {type} {id} of {plan.machine.name}",
        key=(cloud, region, id), type=type,
    )  # fmt: skip
