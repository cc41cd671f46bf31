"""What becomes of the old machine once the new one has taken its place: kept for a time, or deleted as was asked for.

Nothing is deleted unless the new machine has shown that it answers; what is deleted is looked at once more before.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from engine.jobs.models import StepResult
from engine.restore.steps import looking, parking, proving, volumes
from engine.restore.steps.failing import Cancelled, Failed
from engine.restore.steps.looking import action
from engine.restore.steps.work import Work

MOST_NAME = 255
DELETE_SECONDS = 600.0
TRY_SECONDS = 20.0  # that a removal is asked for which may be refused for good
LOCK_REASON = "2.73"  # microversion that knows locked_reason


def keep_old_machine(work: Work) -> StepResult:
    """KEEP_OLD_MACHINE: renamed, locked with a reason, and noted until when."""
    return _keep(work, "")


def _keep(work: Work, why: str) -> StepResult:
    plan, id = work.plan, work.server_id
    if looking.server(work, id) is None:
        return work.done(f"{looking.name(work)} is gone: somebody deleted it", kept=False)
    days = plan.request.keep_days
    until = work.now() + timedelta(days=days)
    called = old_name(plan.machine.name or id, work.context.number)
    rename = work.call(
        "compute", "PUT", f"/servers/{id}", {"server": {"name": called}}, session="admin",
        what=f"rename {looking.name(work)} to {called}", type="server", id=id,
    )  # fmt: skip
    work.act(rename, lambda: (looking.server(work, id) or {}).get("name") == called)
    reason = f"replaced by {plan.new_name} ({work.made('server')}), restore job {work.context.number}; kept until "
    reason = f"{reason}{until:%Y-%m-%d}"[:255]
    lock = action(
        work, id, {"lock": {"locked_reason": reason}}, f"lock {called}", admin=True, microversion=LOCK_REASON
    )  # fmt: skip
    work.act(lock, lambda: (looking.server(work, id) or {}).get("locked") is True)
    parked = looking.status(looking.server(work, id))
    work.records.keep(
        work.job_id, "machine", looking.server_key(work, id), work.project_id, called, until,
        detail=f"the old machine of {plan.new_name}, {parked}",
    )  # fmt: skip
    said = f"{called} is kept for {days} days, {parked.lower().replace('_', ' ')} and locked"
    return work.done(f"{said}; {why}" if why else said, kept=True, name=called)


def old_name(name: str, number: int) -> str:
    """What a machine is called once another has taken its place."""
    end = f"-old-{number}"
    return f"{name[: MOST_NAME - len(end)]}{end}"


def delete_old_machine(work: Work) -> StepResult:
    """DELETE_OLD_MACHINE: asked for, and done only when the new one has shown that it answers; else it is kept."""
    id = work.server_id
    if looking.server(work, id) is None:
        return work.done(f"{looking.name(work)} is gone", deleted=True)
    if not proving.proven(work):
        return _keep(work, "it is not deleted, for nothing has shown that the new machine answers")
    if problem := _not_replaced(work):
        return _keep(work, f"it is not deleted: {problem}")
    looking.old_machine(work)
    ports = [nic for nic in work.plan.nics if looking.port(work, nic.port_id) is not None]
    # Whatever is still attached stays: only what was asked for goes.
    parking.preserve(work, id)
    if any(row.get("delete_on_termination") is True for row in looking.attachments(work, id)):
        raise Failed(f"volumes of {looking.name(work)} would be deleted with it: it is left alone")
    call = work.call(
        "compute", "DELETE", f"/servers/{id}", what=f"delete {looking.name(work)}", type="server", id=id
    )  # fmt: skip

    def is_so() -> bool:
        found = looking.server(work, id)
        return found is None or looking.task(found) == "deleting"

    work.act(call, is_so)
    if work.until("server", id, lambda found: _gone(found), DELETE_SECONDS) is None:
        raise Failed(f"{looking.name(work)} was not deleted after {DELETE_SECONDS / 60:g} minutes")
    left = [nic.name or nic.port_id for nic in ports if looking.port(work, nic.port_id) is not None]
    said = f"{looking.name(work)} ({id}) is deleted; its volumes are kept"
    if left:
        said += f"; its ports {', '.join(left)} were not made with it, and stay"
    return work.done(said, deleted=True, ports=left)


def _not_replaced(work: Work) -> str:
    """Why the old machine must stay just now: its successor does not run."""
    found = looking.server(work, work.made("server") or work.server_id)
    if found is None or found.get("id") == work.server_id:
        return f"{work.plan.new_name} is gone"
    return "" if looking.status(found) == "ACTIVE" else f"{work.plan.new_name} is {looking.status(found)}"


def _gone(found: dict[str, Any] | None) -> bool | None:
    return True if found is None or looking.status(found) in looking.GONE else None


# Old storage


def cleanup_old_storage(work: Work) -> StepResult:
    """CLEANUP_OLD_STORAGE: the old root volume and the source snapshot, where that was asked and nothing needs them.

    What cannot go is left, with the reason: that fails no restore.
    """
    request, said = work.plan.request, []
    # The snapshot first: as long as it is there its volume cannot go.
    if request.delete_source_snapshot and work.plan.point is not None:
        said.append(_try(work, work.plan.point.kind, work.plan.point.id))
    if request.cleanup_old_storage and work.plan.way == "REPLACE":
        said += [_try(work, "volume", disk.volume_id) for disk in work.plan.disks if _replaced_root(disk)]
    return work.done("; ".join(said) or "nothing was asked for", said=said)


def _replaced_root(disk: Any) -> bool:
    return bool(disk.root and disk.volume_id and disk.choice == "restore_point")


def _try(work: Work, kind: str, id: str) -> str:
    if not proving.proven(work):
        return f"skipped: the {kind} {id} stays, for nothing has shown that the new machine answers"
    try:
        why = remove_volume(work, id) if kind == "volume" else remove_snapshot(work, kind, id)
    except Cancelled:
        raise
    except Failed as problem:
        why = problem.detail
    return f"skipped: the {kind} {id} stays: {why}" if why else f"the {kind} {id} is deleted"


def remove_volume(work: Work, id: str) -> str:
    """Delete a volume that no machine has and no snapshot is of; "" when it is gone, else why it stays."""
    found = volumes.document(work, id)
    if found is None:
        return ""
    if volumes.servers_of(found):
        return "a machine has it"
    if volumes.status(found) not in ("available", "error", "deleting"):
        return f"it is {volumes.status(found)}"
    query = [("volume_id", id)]
    rows = (work.get("block-storage", "/snapshots/detail", "", query) or {}).get("snapshots")
    of_it = [row for row in rows or () if isinstance(row, dict) and row.get("volume_id") == id]
    if of_it:
        return f"it has {len(of_it)} restore points" if len(of_it) > 1 else "it has a restore point"
    call = work.call(
        "block-storage", "DELETE", f"/volumes/{id}", what=f"delete the old volume {id}", type="volume", id=id
    )

    def is_so() -> bool:
        return volumes.status(volumes.document(work, id)) in ("gone", "deleting")

    work.act(call, is_so, seconds=TRY_SECONDS)
    gone = work.until("volume", id, lambda found: True if found is None else _stuck(found), DELETE_SECONDS)
    return "" if gone is True else "the cloud did not delete it"


def remove_snapshot(work: Work, kind: str, id: str) -> str:
    """Delete the snapshot that was restored from; "" when it is gone, else why it stays."""
    if kind != "snapshot":
        return f"only snapshots are deleted, not a {kind}"
    found = _snapshot(work, id)
    if found is None:
        return ""
    if found.get("status") not in ("available", "error", "deleting"):
        return f"it is {found.get('status')}"
    call = work.call("block-storage", "DELETE", f"/snapshots/{id}", what=f"delete the snapshot {id}", type="snapshot",
                     id=id)  # fmt: skip
    work.act(call, lambda: (_snapshot(work, id) or {"status": "deleting"}).get("status") == "deleting",
             seconds=TRY_SECONDS)  # fmt: skip
    gone = work.until("snapshot", id, lambda found: True if found is None else _stuck(found), DELETE_SECONDS)
    return "" if gone is True else "the cloud did not delete it: on some storage a volume made of it holds it"


def _snapshot(work: Work, id: str) -> dict[str, Any] | None:
    found = (work.get("block-storage", f"/snapshots/{id}") or {}).get("snapshot")
    return found if isinstance(found, dict) else None


def _stuck(found: dict[str, Any]) -> str | None:
    """A removal that the cloud gave up."""
    return "stuck" if str(found.get("status")) in ("error_deleting", "error") else None


STEPS = {
    "KEEP_OLD_MACHINE": keep_old_machine,
    "DELETE_OLD_MACHINE": delete_old_machine,
    "CLEANUP_OLD_STORAGE": cleanup_old_storage,
}
