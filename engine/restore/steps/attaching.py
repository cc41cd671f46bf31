"""Volumes on machines and off them: a copy beside a disk, and a restored volume in the place of another.

Whether a volume is on a machine is Nova's list of attachments; whether it is on its way, Cinder's status. Both are
looked at before anything is sent, so that a repeated step sends nothing that an earlier attempt has sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from engine.gate.models import Call
from engine.gate.refusals import NotDone
from engine.jobs.models import StepResult
from engine.restore.models import Disk
from engine.restore.planning.steps import restored
from engine.restore.steps import hands, looking, volumes
from engine.restore.steps.failing import Cancelled, Failed
from engine.restore.steps.work import Work
from store import times

_TAKES = "2.79"  # microversion that takes tag and delete_on_termination
DETACHES_SHELVED = "2.20"  # microversion from which a shelved machine lets go of a volume
_SECONDS = 300.0  # the longest that Nova is waited for
_TRIED_SECONDS = 15.0  # that an attachment is asked for again which may as well be made otherwise


def attachments(work: Work, server_id: str) -> list[dict[str, Any]]:
    """What hangs on the machine, as Nova has it. Raises Failed when the machine is gone."""
    found = looking.attachments(work, server_id)
    if not found and looking.server(work, server_id) is None:
        raise Failed(f"the machine {server_id} is gone: nothing can be attached to it, or detached")
    return found


def attached(work: Work, server_id: str, volume_id: str) -> dict[str, Any] | None:
    """The attachment of the volume to the machine; None when it has none."""
    return next((one for one in attachments(work, server_id) if one.get("volumeId") == volume_id), None)


def attach(work: Work, server_id: str, volume_id: str, like: Disk | None) -> str:
    """Attach a volume and wait until it is there; answers its device. `like`: device, tag and end as that disk had.

    Raises Failed when Nova refuses it, or gives it up.
    """

    def there() -> bool:
        return attached(work, server_id, volume_id) is not None

    for number, body in enumerate(bodies := _bodies(volume_id, like), 1):
        last = number == len(bodies)
        call = _attach_call(work, server_id, volume_id, body)
        try:
            work.act(call, there, seconds=_SECONDS if last else _TRIED_SECONDS)
            break
        except Cancelled:
            raise
        except Failed as problem:
            if last or not _otherwise(problem):
                raise
    device = _wait_attached(work, server_id, volume_id)
    if like is not None:
        _keep_end(work, server_id, volume_id, like)
    return device


def _bodies(volume_id: str, like: Disk | None) -> list[dict[str, Any]]:
    """What is asked for, the best first: some clouds choose devices themselves, some know no tags yet."""
    plain: dict[str, Any] = {"volumeId": volume_id}
    if like is None:
        return [plain]
    more: dict[str, Any] = {"tag": like.tag} if like.tag else {}
    if like.delete_on_termination:
        more["delete_on_termination"] = True
    wanted = [plain | more | ({"device": like.device} if like.device else {}), plain | more, plain]
    return [body for number, body in enumerate(wanted) if body not in wanted[:number]]


def _attach_call(work: Work, server_id: str, volume_id: str, body: Mapping[str, Any]) -> Call:
    return work.call(
        "compute", "POST", f"/servers/{server_id}/os-volume_attachments", {"volumeAttachment": dict(body)},
        microversion=_TAKES, what=f"attach {volume_id}", type="server", id=server_id,
    )  # fmt: skip


def _otherwise(problem: Failed) -> bool:
    """Whether the same without device or tag may be taken."""
    cause = problem.__cause__ or problem.__context__
    return isinstance(cause, NotDone) and cause.cloud_status in (400, 409)


def _wait_attached(work: Work, server_id: str, volume_id: str) -> str:
    """The device, once Cinder has the volume in use by the machine. Raises Failed when it comes to nothing."""

    def there(found: dict[str, Any] | None) -> str | None:
        state = volumes.status(found)
        if state == "in-use" and server_id in volumes.servers_of(found):
            return "there"
        # A shelved machine is nowhere: its volumes are only reserved until it comes back.
        if state == "reserved" and looking.status(looking.server(work, server_id)) in looking.SHELVED:
            return "there" if attached(work, server_id, volume_id) is not None else None
        # Nova gives an attachment up without a word, and the volume is free again.
        if state == "available" and attached(work, server_id, volume_id) is None:
            return "given up"
        return state if state == "gone" or state.startswith("error") else None

    state = work.until("volume", volume_id, there, _SECONDS)
    if state is None:
        raise Failed(f"the volume {volume_id} was not attached to {server_id} after {_SECONDS / 60:g} minutes")
    if state != "there":
        raise Failed(f"the volume {volume_id} could not be attached to {server_id} ({state}): Nova's log says why")
    return str((attached(work, server_id, volume_id) or {}).get("device") or "")


def _keep_end(work: Work, server_id: str, volume_id: str, like: Disk) -> None:
    """delete_on_termination as it was, where it was left out above."""

    def is_so() -> bool:
        return bool((attached(work, server_id, volume_id) or {}).get("delete_on_termination")) == wanted

    wanted = like.delete_on_termination
    call = looking.keep_at_end(work, server_id, volume_id, not wanted, like.name)
    try:
        work.act(call, is_so, seconds=_TRIED_SECONDS)
    except Cancelled:
        raise
    except Failed:
        return  # the volume is where it belongs; that it outlives its machine harms nobody


def detach(work: Work, server_id: str, volume_id: str) -> None:
    """Detach a volume and wait until the machine has let go of it. Raises Failed when it does not."""
    call = work.call(
        "compute", "DELETE", f"/servers/{server_id}/os-volume_attachments/{volume_id}", microversion=DETACHES_SHELVED,
        what=f"detach {volume_id}", type="server", id=server_id,
    )  # fmt: skip

    def off() -> bool:
        return attached(work, server_id, volume_id) is None or volumes.status(volumes.document(work, volume_id)) == (
            "detaching"
        )

    work.act(call, off, seconds=_SECONDS)
    _wait_detached(work, server_id, volume_id)


def _wait_detached(work: Work, server_id: str, volume_id: str) -> None:
    def free(found: dict[str, Any] | None) -> bool | None:
        state = volumes.status(found)
        if state == "gone" or (
            state in ("available", "in-use", "reserved") and server_id not in volumes.servers_of(found)
        ):
            return True if attached(work, server_id, volume_id) is None else None
        return None

    if work.until("volume", volume_id, free, _SECONDS) is None:
        raise Failed(
            f"the machine has not let go of the volume {volume_id} after {_SECONDS / 60:g} minutes, so its guest holds "
            "it: restore again, and have the machine stopped meanwhile"
        )


# A disk beside


def target_of(work: Work) -> str:
    """The machine that a copy is attached to: the helper, else the machine itself."""
    return work.plan.helper[2] if work.plan.helper else work.server_id


def attach_copy(work: Work) -> StepResult:
    """ATTACH_VOLUME: the copy of a disk, beside what the machine has."""
    [disk] = restored(work.plan)
    copy = _new(work, disk)
    where = work.plan.helper_name or work.plan.machine.name
    device = attach(work, target_of(work), copy, None)
    said = f"attached to {where}" + (f" as {device}" if device else "")
    return work.done(said, volume=copy, device=device, server=target_of(work))


def _new(work: Work, disk: Disk) -> str:
    if id := work.made(volumes.purpose_of(work, disk)):
        return id
    raise Failed(f"the new volume of {disk.name or disk.volume_id} is not there any more: retry the restore")


def undo_attach(work: Work) -> StepResult:
    """UNDO_ATTACH: the copy off the machine again."""
    told = []
    for disk in restored(work.plan):
        if (copy := work.made(volumes.purpose_of(work, disk))) and _off(work, target_of(work), copy, "ATTACH_VOLUME"):
            told.append(f"{copy} is off {work.plan.helper_name or work.plan.machine.name}")
    return work.done("; ".join(told) or "nothing to take back")


def _off(work: Work, server_id: str, volume_id: str, step: str) -> bool:
    """Detach a volume of ours if it is on the machine, or may be on its way there by an interrupted `step`."""
    if not work.begun(step) or looking.server(work, server_id) is None:
        return False

    def seen() -> bool | None:
        if attached(work, server_id, volume_id) is not None:
            return True
        # Reserved is how an attachment begins.
        return None if volumes.status(volumes.document(work, volume_id)) in ("reserved", "attaching") else False

    found = seen()
    if not found and not work.result(step):
        found = work.wait(lambda: seen() or None, hands.LOST_SECONDS)
    if not found:
        return False
    _arrive(work, volume_id)
    if attached(work, server_id, volume_id) is None:
        return False  # Nova has given it up meanwhile
    volumes.tell_used(work, volume_id)
    detach(work, server_id, volume_id)
    return True


def _arrive(work: Work, volume_id: str) -> None:
    """An attachment that is being made can only be taken back when it is there."""
    moving = ("reserved", "attaching", "detaching")
    work.until("volume", volume_id, lambda found: None if volumes.status(found) in moving else True, _SECONDS)


def keep_copies(work: Work) -> None:
    """Note that copies of disks are only there for a time: part of FINALIZE, for a copy that is taken back is not."""
    request, helper = work.plan.request, work.plan.helper_name or work.plan.machine.name
    until = work.now() + timedelta(days=request.keep_days)
    for disk in restored(work.plan):
        key = (work.cloud, work.region, _new(work, disk))
        work.records.keep(
            work.job_id, "disk_beside", key, work.project_id, volumes.called(work, disk), until,
            at_end="delete", detail=f"copy of {disk.name or disk.volume_id}, beside the disks of {helper}",
        )  # fmt: skip


# A data volume in the place of another


def detach_current(work: Work) -> StepResult:
    """DETACH_CURRENT_VOLUME: the volume that is replaced, off the machine; it stays as it is."""
    looking.old_machine(work)
    disks = restored(work.plan)
    for disk in reversed(disks):
        if disk.root:
            raise Failed(
                f"{disk.name or disk.volume_id} is the root of {work.plan.machine.name}: it cannot be detached"
            )
        work.progress(f"detaching {disk.name or disk.volume_id}")
        detach(work, work.server_id, disk.volume_id)
    told = f"{', '.join(disk.name or disk.volume_id for disk in disks)} detached"
    return work.done(told, volumes=[disk.volume_id for disk in disks])


def attach_restored(work: Work) -> StepResult:
    """ATTACH_RESTORED_VOLUME: the new volumes where the old ones were, in their order."""
    devices = {}
    for disk in sorted(restored(work.plan), key=lambda one: one.order):
        new = _new(work, disk)
        work.progress(f"attaching {new}")
        devices[new] = attach(work, work.server_id, new, disk)
    told = [f"{id} attached" + (f" as {device}" if device else "") for id, device in devices.items()]
    return work.done("; ".join(told), devices=devices)


def undo_data_volume(work: Work) -> StepResult:
    """UNDO_DATA_VOLUME: the new volume off, and the one that was there before back in its place."""
    if not work.begun("DETACH_CURRENT_VOLUME"):
        return work.done("nothing to take back: nothing was detached")
    disks, back = restored(work.plan), []
    for disk in disks:
        new = work.made(volumes.purpose_of(work, disk))
        if new:
            _off(work, work.server_id, new, "ATTACH_RESTORED_VOLUME")
    for disk in sorted(disks, key=lambda one: one.order):
        if _back(work, disk):
            back.append(disk.name or disk.volume_id)
    return work.done(f"{', '.join(back)} back in place" if back else "nothing to take back: nothing was detached")


def _back(work: Work, disk: Disk) -> bool:
    """Attach the old volume again, unless it is where it was."""
    name = disk.name or disk.volume_id
    if not work.result("DETACH_CURRENT_VOLUME"):
        # A request that was sent without an answer may only be seen now.
        work.wait(lambda: _leaving(work, disk.volume_id) or None, hands.LOST_SECONDS)
    _arrive(work, disk.volume_id)
    if attached(work, work.server_id, disk.volume_id) is not None:
        return False
    volume = volumes.document(work, disk.volume_id)
    if volume is None:
        raise Failed(f"{name} is gone, though this restore did not delete it: it cannot be attached again")
    if others := [id for id in volumes.servers_of(volume) if id not in (work.server_id, *disk.attached_elsewhere)]:
        raise Failed(f"{name} was attached to another machine meanwhile ({others[0]}): attach it again by hand")
    attach(work, work.server_id, disk.volume_id, disk)
    return True


def _leaving(work: Work, volume_id: str) -> bool:
    return (
        attached(work, work.server_id, volume_id) is None
        or volumes.status(volumes.document(work, volume_id)) != "in-use"
    )


def keep_old_volume(work: Work) -> StepResult:
    """KEEP_OLD_VOLUME: what was replaced stays for a time, and says so itself."""
    request = work.plan.request
    until = work.now() + timedelta(days=request.keep_days)
    kept = []
    for disk in restored(work.plan):
        new, name = _new(work, disk), disk.name or disk.volume_id
        told = f"Replaced by {new} in a restore; kept until {times.text(until)[:10]}"
        if volumes.document(work, disk.volume_id) is None:
            raise Failed(f"the old volume {name} is gone: somebody has deleted it")
        _describe(work, disk, told)
        work.records.keep(
            work.job_id, "volume", (work.cloud, work.region, disk.volume_id), work.project_id, name, until,
            at_end="delete" if request.end == "delete" else "none", detail=f"replaced by {new}",
        )  # fmt: skip
        kept.append(name)
    return work.done(f"{', '.join(kept)} kept, detached, until {times.text(until)[:10]}", until=times.text(until))


def _describe(work: Work, disk: Disk, told: str) -> None:
    wanted = (f"{told}. {disk.description}" if disk.description else told)[: volumes.MOST]
    call = work.call(
        "block-storage", "PUT", f"/volumes/{disk.volume_id}", {"volume": {"description": wanted}},
        what=f"describe {disk.name or disk.volume_id}", type="volume", id=disk.volume_id,
    )  # fmt: skip

    def is_so() -> bool:
        # As it was described by an earlier attempt, perhaps a day before.
        now = str((volumes.document(work, disk.volume_id) or {}).get("description") or "")
        return now.startswith(told.partition(";")[0])

    work.act(call, is_so)


STEPS = {
    "ATTACH_VOLUME": attach_copy,
    "UNDO_ATTACH": undo_attach,
    "DETACH_CURRENT_VOLUME": detach_current,
    "ATTACH_RESTORED_VOLUME": attach_restored,
    "UNDO_DATA_VOLUME": undo_data_volume,
    "KEEP_OLD_VOLUME": keep_old_volume,
}
