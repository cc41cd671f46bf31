"""New volumes from restore points: made once each, filled, waited for, and made like the originals.

A snapshot (or image) becomes a volume by one request. A backup is restored into an empty volume of our own making: what
Cinder makes for a restore by itself carries no mark, and could not be found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.jobs.models import StepResult
from engine.restore.models import Disk, Source
from engine.restore.planning.steps import restored
from engine.restore.steps import finding, looking
from engine.restore.steps.failing import Cancelled, Failed
from engine.restore.steps.work import Work
from engine.snapshots.policies import metadata as policy_metadata
from store.redact import HIDDEN

USED = "qdeck_used"  # metadata key: a machine may have written to it, so it is the restore point no more
MOST = 255  # characters of a name, a description, a metadata value
READY_SECONDS = 900.0  # the longest that an empty volume, or a small one, is waited for
SECONDS_PER_GB = 60.0  # and more for each GB: some back ends copy
_MESSAGES = "3.5"  # microversion of Cinder from which messages can be asked for by resource
_DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")
# What an image was when it was loaded; it belongs to what is on the disk, not to how the disk is used.
IDENTITY = frozenset(
    {"image_id", "image_name", "checksum", "container_format", "disk_format", "min_disk", "min_ram", "size",
     "os_hash_algo", "os_hash_value", "signature_verified"}
)  # fmt: skip
# Metadata that Cinder or Nova write for themselves.
_SYSTEM = frozenset({"attached_mode", "readonly", "src_backup_id"})


def purpose_of(work: Work, disk: Disk) -> str:
    """What the new volume of a disk is called in the records."""
    kind = "temporary" if work.plan.way == "IN_PLACE" else "volume"
    return f"{kind}:{disk.volume_id}"


def document(work: Work, id: str) -> dict[str, Any] | None:
    """A volume as Cinder has it now; None when it is gone."""
    found = (work.get("block-storage", f"/volumes/{id}") or {}).get("volume")
    return found if isinstance(found, dict) else None


def status(volume: Mapping[str, Any] | None) -> str:
    """Cinder's word for it; "gone" when there is none."""
    return "gone" if volume is None else str(volume.get("status") or "").lower()


def servers_of(volume: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Ids of the machines that have it."""
    found = (volume or {}).get("attachments") or ()
    return tuple(str(one["server_id"]) for one in found if isinstance(one, Mapping) and one.get("server_id"))


def patience(size_gb: int) -> float:
    """Seconds that a volume of that size is waited for."""
    return READY_SECONDS + SECONDS_PER_GB * max(size_gb, 0)


def called(work: Work, disk: Disk) -> str:
    """What the new volume is called: a data disk that takes the place of another keeps its name."""
    machine = work.plan.machine.name
    if disk.root:
        return f"restore-{machine}-root"[:MOST]
    if work.plan.way in ("DISK_BESIDE", "IN_PLACE"):
        return f"restore-{machine}-{disk.name or disk.order}"[:MOST]
    return disk.name[:MOST] or f"restore-{machine}-{disk.order}"[:MOST]


# Making


def create_volumes(work: Work) -> StepResult:
    """CREATE_VOLUME_FROM_SNAPSHOT: a volume of every disk that comes from a restore point."""
    made = {}
    disks = restored(work.plan)
    for number, disk in enumerate(disks, 1):
        work.progress(f"volume {number} of {len(disks)}: {called(work, disk)}")
        made[disk.volume_id] = _make(work, disk)
    # Only now: an empty volume takes a moment, and all of them may take it together.
    for disk in disks:
        if disk.source is not None and disk.source.kind == "backup":
            _fill(work, disk, disk.source, made[disk.volume_id])
    first = next(iter(made.values()), "")
    return work.done(f"{len(made)} asked for" if len(made) != 1 else f"volume {first}", created=first, volumes=made)


def _make(work: Work, disk: Disk) -> str:
    """The id of the disk's new volume, made now or before."""
    purpose = purpose_of(work, disk)
    if id := work.made(purpose):
        if _usable(document(work, id)):
            return id
        _give_up(work, purpose, id)
    source = disk.source
    assert source is not None
    return from_source(work, purpose, disk, source)


def from_source(work: Work, purpose: str, disk: Disk, source: Source) -> str:
    """Have a volume made that is like the disk, with the content of `source` (of a backup: empty as yet)."""
    name = called(work, disk)
    call = work.call(
        "block-storage", "POST", "/volumes", {"volume": _body(work, disk, source, purpose)}, creates=True,
        what=f"volume {name} from the {source.kind} {source.name or source.id}", type="volume",
    )  # fmt: skip
    mark = work.mark(purpose)[:MOST]
    return work.create(purpose, "volume", call, lambda: finding.volume(work.get, mark), name=name)


def _body(work: Work, disk: Disk, source: Source, purpose: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": called(work, disk),
        "size": max(disk.size_gb, source.size_gb),
        "description": disk.description[:MOST],
        "metadata": _metadata(work, disk) | work.marks(purpose),
    }
    if disk.volume_type:
        body["volume_type"] = disk.volume_type
    if disk.zone:
        body["availability_zone"] = disk.zone
    if source.kind == "snapshot":
        body["snapshot_id"] = source.id
    elif source.kind == "image":
        body["imageRef"] = source.id
    return body


def _metadata(work: Work, disk: Disk) -> dict[str, str]:
    """What people wrote to the original; its policies go over in PROTECT, and a copy beside it gets none of it."""
    if work.plan.way in ("DISK_BESIDE", "IN_PLACE"):
        return {}
    policies = policy_metadata.relevant(disk.metadata)
    ours = work.marks()
    return {
        key: value[:MOST]
        for key, value in disk.metadata.items()
        if key not in policies and key not in _SYSTEM and key not in ours and value != HIDDEN
    }


def _usable(volume: Mapping[str, Any] | None) -> bool:
    """Whether a volume that was made before, perhaps by the job that this one retries, will do."""
    if volume is None or status(volume).startswith(("error", "deleting")) or servers_of(volume):
        return False
    return not used(volume)


def used(volume: Mapping[str, Any]) -> bool:
    """Whether a machine may have written to it since it was made."""
    metadata = volume.get("metadata")
    return isinstance(metadata, Mapping) and USED in metadata


def tell_used(work: Work, id: str) -> None:
    """Have a new volume itself say that a machine may have written to it: a retry then makes another one."""
    call = work.call(
        "block-storage", "POST", f"/volumes/{id}/metadata", {"metadata": {USED: "true"}},
        what=f"note that {id} was in use", type="volume", id=id,
    )  # fmt: skip

    def is_so() -> bool:
        found = document(work, id)
        return found is None or used(found)

    work.act(call, is_so)


def _give_up(work: Work, purpose: str, id: str) -> None:
    """An earlier attempt's volume came to nothing: it goes when it is ours to delete, and another one is made."""
    row = work.records.found(work.job_id, purpose)
    if row is None:  # of the job that this one retries: its clean-up knows it
        return
    volume = document(work, id)
    if servers_of(volume):
        raise Failed(f"the volume {id}, made by this restore, is attached to a machine already: look at it first")
    if row["state"] != "made":
        return
    remove_volume(work, purpose, id)


def remove_volume(work: Work, purpose: str, id: str) -> None:
    """Delete a volume that this job made; never with its snapshots, and never one that a machine has."""
    volume = document(work, id)
    if volume is not None and (servers_of(volume) or status(volume) == "in-use"):
        raise Failed(f"the volume {id} that this restore made is attached to a machine: it is left as it is")
    call = work.call(
        "block-storage", "DELETE", f"/volumes/{id}", what=f"delete the volume {id}", type="volume", id=id
    )  # fmt: skip
    work.remove(purpose, call, lambda: document(work, id) is None)


def deletable(volume: Mapping[str, Any] | None) -> bool:
    """Whether Cinder deletes a volume in its present status."""
    return volume is None or status(volume) in _DELETABLE


def _fill(work: Work, disk: Disk, source: Source, id: str) -> None:
    """Have a backup restored into the empty volume. Asked for again, it would only write the same once more."""
    empty = work.until("volume", id, lambda found: _left(found, "creating"), READY_SECONDS)
    if empty is None:
        raise Failed(f"the volume {id} was not ready for its backup after {READY_SECONDS / 60:g} minutes")
    if status(empty).startswith("error"):
        raise Failed(f"the volume {id} is in error: {why(work, id)}")
    call = work.call(
        "block-storage", "POST", f"/backups/{source.id}/restore", {"restore": {"volume_id": id}},
        what=f"restore the backup {source.name or source.id}", type="volume", id=id,
    )  # fmt: skip
    work.act(call, lambda: _filled(document(work, id), source.id), seconds=READY_SECONDS)


def _filled(volume: Mapping[str, Any] | None, backup: str) -> bool:
    """Whether the backup was restored into it, or is being: Cinder notes which one it was when it has ended."""
    if status(volume).startswith(("restoring", "error")):
        return True
    metadata = (volume or {}).get("metadata")
    return isinstance(metadata, Mapping) and metadata.get("src_backup_id") == backup


def _left(volume: dict[str, Any] | None, *states: str) -> dict[str, Any] | None:
    """The document once its status is none of these; {} for one that is gone."""
    if volume is None:
        return {"status": "gone"}
    return None if status(volume) in states else volume


# Waiting, and making them like the originals


def wait_volumes(work: Work) -> StepResult:
    """WAIT_VOLUME_AVAILABLE: until every new volume can be used; then compared with its original and mended."""
    disks, notes = restored(work.plan), []
    for number, disk in enumerate(disks, 1):
        id = work.made(purpose_of(work, disk))
        if not id:
            raise Failed(f"the volume of {disk.name or disk.volume_id} is not there any more: retry the restore")
        work.progress(f"volume {number} of {len(disks)}: {called(work, disk)}")
        notes += mend(work, disk, available(work, id, max(disk.size_gb, 1)))
    said = "can be used" if len(disks) == 1 else f"all {len(disks)} can be used"
    return work.done("; ".join([said, *notes]), differs=notes)


def available(work: Work, id: str, size_gb: int) -> dict[str, Any]:
    """The volume's document once it is available. Raises Failed with Cinder's own words when it comes to nothing."""
    seconds = patience(size_gb)

    def ended(found: dict[str, Any] | None) -> dict[str, Any] | None:
        now = status(found)
        return found or {"status": "gone"} if now in ("available", "gone", "in-use") or now[:5] == "error" else None

    volume = work.until("volume", id, ended, seconds)
    if volume is None:
        raise Failed(f"the volume {id} was not ready after {seconds / 60:.0f} minutes: look at Cinder, then retry")
    if status(volume) == "gone":
        raise Failed(f"the volume {id} was deleted while it was waited for")
    if status(volume).startswith("error"):
        raise Failed(f"the volume {id} is in status {status(volume)}: {why(work, id)}")
    if status(volume) == "in-use":
        raise Failed(f"the volume {id} is attached to a machine already, which this restore did not do")
    # What a watcher saw may be older than what is compared here.
    return document(work, id) or volume


def why(work: Work, id: str) -> str:
    """What Cinder tells its users of a resource's failure."""
    query = [("resource_uuid", id), ("sort", "created_at:desc"), ("limit", "5")]
    try:
        found = (work.get("block-storage", "/messages", _MESSAGES, query) or {}).get("messages")
    except Cancelled:
        raise
    except Failed:
        found = None  # a cloud without messages: that it failed is known without them
    for one in found or ():
        text = one.get("user_message") if isinstance(one, Mapping) else None
        if isinstance(text, str) and one.get("resource_uuid") == id:
            return looking.line(text)
    return "Cinder does not say why; its logs do"


def mend(work: Work, disk: Disk, volume: Mapping[str, Any]) -> list[str]:
    """Make a new volume like its original where that can be done; sentences about what stays different.

    Raises Failed where it must not be used: not encrypted as the original was, or a root that cannot boot.
    """
    id, name = str(volume["id"]), disk.name or disk.volume_id
    if disk.encrypted and volume.get("encrypted") is False:
        raise Failed(f"{name} is encrypted, and its new volume {id} is not: it is not used")
    if disk.bootable and str(volume.get("bootable")).lower() != "true":
        call = _action(work, id, {"os-set_bootable": {"bootable": True}}, f"mark {id} as bootable")
        work.act(call, lambda: str((document(work, id) or {}).get("bootable")).lower() == "true")
    _remark(work, disk, volume)
    notes = mend_image_metadata(work, id, volume, disk.image_metadata)
    if disk.volume_type and volume.get("volume_type") != disk.volume_type:
        notes.append(f"{name} is of type {volume.get('volume_type')} now, not {disk.volume_type}")
    if disk.multiattach and volume.get("multiattach") is False:
        notes.append(f"{name} could be attached to several machines, its new volume cannot")
    return notes


def _remark(work: Work, disk: Disk, volume: Mapping[str, Any]) -> None:
    """A backup brings the metadata of its time with it, and takes our mark away: both are put right."""
    if disk.source is None or disk.source.kind != "backup":
        return
    id = str(volume["id"])
    row = work.records.found(work.job_id, purpose_of(work, disk))
    wanted = _metadata(work, disk) | work.marks() | ({} if row is None else {"qdeck_mark": str(row["token"])})

    def entries() -> Mapping[str, Any]:
        found = (document(work, id) or {}).get("metadata")
        return found if isinstance(found, Mapping) else {}

    call = work.call(
        "block-storage", "POST", f"/volumes/{id}/metadata", {"metadata": wanted}, what=f"metadata of {id}",
        type="volume", id=id,
    )  # fmt: skip
    work.act(call, lambda: wanted.items() <= dict(entries()).items())


def mend_image_metadata(
    work: Work, id: str, volume: Mapping[str, Any], original: Mapping[str, str], *, whole: bool = False
) -> list[str]:
    """Give a volume the image metadata of its original; sentences about what could not be.

    What says which image it was is only filled in where it is missing, for it belongs to what is on the disk; with
    `whole` it is written over, too.
    """
    found = volume.get("volume_image_metadata")
    has = found if isinstance(found, Mapping) else {}
    wanted = {
        key: value
        for key, value in original.items()
        if has.get(key) != value and value != HIDDEN and (whole or key not in IDENTITY or not has)
    }
    if not wanted:
        return []

    def is_so() -> bool:
        now = (document(work, id) or {}).get("volume_image_metadata")
        return isinstance(now, Mapping) and wanted.items() <= dict(now).items()

    call = _action(work, id, {"os-set_image_metadata": {"metadata": wanted}}, f"image metadata of {id}")
    try:
        work.act(call, is_so)
    except Cancelled:
        raise
    except Failed as problem:
        return [f"the image metadata {', '.join(sorted(wanted))[:100]} could not be given to {id}: {problem}"]
    return []


def _action(work: Work, id: str, body: Mapping[str, Any], what: str) -> Any:
    return work.call("block-storage", "POST", f"/volumes/{id}/action", body, what=what, type="volume", id=id)


STEPS = {"CREATE_VOLUME_FROM_SNAPSHOT": create_volumes, "WAIT_VOLUME_AVAILABLE": wait_volumes}
