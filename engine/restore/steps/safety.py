"""The safety snapshot: what a restore overwrites or moves can be had back as it was a moment before.

Made like a restore point by hand, so that it is shown as one and no retention ever counts it; it stays when the restore
is over, for a person to remove.
"""

from __future__ import annotations

from typing import Any

from engine.jobs.models import StepResult
from engine.restore.models import Disk
from engine.restore.steps import finding, looking, volumes
from engine.restore.steps.failing import Failed
from engine.restore.steps.work import Work
from engine.snapshots import making
from engine.snapshots.models import Volume

_REMOVE_SECONDS = 30.0
IMAGE = "safety:root"  # purpose of the image of a root that is no volume


def purpose_of(volume_id: str) -> str:
    """What a volume's safety snapshot is called in the records."""
    return f"safety:{volume_id}"


def safety_snapshot(work: Work) -> StepResult:
    """SAFETY_SNAPSHOT: a snapshot of each volume of the step, or an image of the root."""
    wanted = [disk for disk in work.plan.disks if disk.volume_id in work.step.args["volumes"]]
    document = looking.old_machine(work)
    made = {}
    if work.step.args["image"]:
        made["root"] = _image(work, document)
    for disk in wanted:
        made[disk.volume_id] = _snapshot(work, disk, document, len(wanted))
    return work.done(f"{len(made)} asked for", created=next(iter(made.values()), ""), snapshots=made)


def _name(work: Work, what: str) -> str:
    return f"safety-{making.part(work.plan.machine.name)}-{what}-{making.stamp(work.now())}".replace("--", "-")


def _snapshot(work: Work, disk: Disk, server: dict[str, Any], count: int) -> str:
    purpose, machine = purpose_of(disk.volume_id), work.plan.machine
    mark = work.mark(purpose)[: making.MOST]
    volume = Volume(
        work.cloud, work.region, disk.volume_id, disk.name, size_gb=disk.size_gb, project_id=work.project_id,
        server_ids=(work.server_id,), server_name=machine.name,
    )  # fmt: skip
    what, _ = making.consistency(server, disk.image_metadata, by_nova=False, volumes=count)
    metadata = making.hand_metadata(work.project_id, mark, work.now(), volume_id=disk.volume_id, consistency=what)
    name = _name(work, "root" if disk.root else making.part(disk.name) or disk.volume_id[:8])
    call = making.create_snapshot(volume, name, f"As it was before the restore of {machine.name}", metadata
                                  | work.marks(purpose))  # fmt: skip
    return work.create(
        purpose, "snapshot", call, lambda: finding.snapshot(work.get, mark, disk.volume_id), name=name
    )  # fmt: skip


def _image(work: Work, server: dict[str, Any]) -> str:
    mark = work.mark(IMAGE)[: making.MOST]
    what, _ = making.consistency(server, {}, by_nova=True)
    metadata = making.hand_metadata(work.project_id, mark, work.now(), consistency=what) | work.marks(IMAGE)
    name = _name(work, "root")
    call = making.create_image(work.plan.machine.key, work.project_id, name, metadata, work.plan.machine.name)
    return work.create(IMAGE, "image", call, lambda: finding.image(work.get, mark), name=name)


def wait_safety_snapshot(work: Work) -> StepResult:
    """WAIT_SAFETY_SNAPSHOT: until each can be used; nothing is overwritten before."""
    sizes = {disk.volume_id: disk.size_gb for disk in work.plan.disks}
    made = {}
    if work.step.args["image"]:
        made["root"] = _image_ready(work)
    for id in work.step.args["volumes"]:
        made[id] = _snapshot_ready(work, id, sizes.get(id, 0))
    return work.done("can be used", snapshots=made, rebuilds=rebuilds(work))


def _snapshot_ready(work: Work, volume_id: str, size_gb: int) -> str:
    id, seconds = work.made(purpose_of(volume_id)), volumes.patience(size_gb)
    if not id:
        raise Failed(f"the safety snapshot of {volume_id} is not there any more: nothing was overwritten")
    found = work.until("snapshot", id, _settled("creating", ""), seconds)
    state = volumes.status(found) if found is not None else ""
    if state == "available":
        return id
    if found is None:
        raise Failed(
            f"the safety snapshot {id} was not ready after {seconds / 60:.0f} minutes: nothing was overwritten"
        )
    raise Failed(f"the safety snapshot {id} is {state}: {volumes.why(work, id)}; nothing was overwritten")


def _image_ready(work: Work) -> str:
    id, seconds = work.made(IMAGE), volumes.patience(int(work.plan.machine.flavor.get("disk") or 0))
    if not id:
        raise Failed("the safety image of the root disk is not there any more: nothing was overwritten")
    found = work.until("image", id, _settled("queued", "saving", "importing", ""), seconds)
    state = volumes.status(found) if found is not None else ""
    if state == "active":
        return id
    if found is None:
        raise Failed(f"the safety image {id} was not ready after {seconds / 60:.0f} minutes: nothing was overwritten")
    raise Failed(f"the safety image {id} is {state}, so Nova could not save the root disk: nothing was overwritten")


def _settled(*states: str) -> Any:
    """The document once its status is none of these; {"status": "gone"} for one that is not there."""

    def check(found: dict[str, Any] | None) -> dict[str, Any] | None:
        if found is None:
            return {"status": "gone"}
        return None if volumes.status(found) in states else found

    return check


def needed(work: Work) -> bool:
    """Whether anything was overwritten, or may be, that only a safety snapshot has: of a job that is taken back."""
    if work.plan.way == "IN_PLACE":
        return work.begun("REBUILD_SERVER") and bool(work.result("UNDO_REBUILD").get("written", True))
    return work.begun("CREATE_SERVER")


def remove_snapshot(work: Work, purpose: str, id: str) -> None:
    """Delete a snapshot that this job made."""
    call = making.delete_snapshot((work.cloud, work.region, id), work.project_id, purpose)
    work.remove(
        purpose, call, lambda: work.get("block-storage", f"/snapshots/{id}") is None, seconds=_REMOVE_SECONDS
    )  # fmt: skip


def rebuilds(work: Work) -> list[str]:
    """Request ids of the rebuilds that Nova has noted of the machine: a new one shows that one was asked for."""
    found = (work.get("compute", f"/servers/{work.server_id}/os-instance-actions") or {}).get("instanceActions")
    return sorted(
        str(one.get("request_id") or "")
        for one in found or ()
        if isinstance(one, dict) and one.get("action") == "rebuild"
    )


STEPS = {"SAFETY_SNAPSHOT": safety_snapshot, "WAIT_SAFETY_SNAPSHOT": wait_safety_snapshot}
