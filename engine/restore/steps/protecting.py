"""A restored machine is protected as the old one was: its policies go over to the new volumes, and that is checked.

What took whose place is noted, so that restore points and history of the old ones are found from the new ones. Where an
old volume has been replaced, policies leave it alone from then on: else it would be snapshotted for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.gate.models import Call
from engine.jobs.models import StepResult
from engine.restore.models import Disk
from engine.restore.planning.steps import restored
from engine.restore.steps import volumes
from engine.restore.steps.failing import Failed
from engine.restore.steps.work import Work
from engine.snapshots.models import Volume

_REPLACES = ("REPLACE", "DATA_VOLUME_BACK")  # ways after which the old volumes are not in use any more
_MACHINES = ("NEW", "REPLACE")  # ways that make a machine
SERVER = "server"  # the new machine's purpose in the records


def protect(work: Work) -> StepResult:
    """PROTECT: policies, assignments, exclusions and lineage; raises Failed when a policy of the old is missing."""
    told: list[str] = []
    missing: list[str] = []
    for disk, id in _pairs(work):
        document = volumes.document(work, id)
        if document is None:
            missing.append(f"the volume {id} is gone")
            continue
        old, new = _volume(work, disk, disk.volume_id, None), _volume(work, disk, id, document)
        if id != disk.volume_id:
            told += work.kit.protection.take_over(work.context.caller, old, new, _sender(work), _why(work))
            work.records.lineage(work.job_id, "volume", old.key, new.key)
        missing += _lacking(work, disk, old, id)
    _machines(work)
    if missing:
        raise Failed(f"not everything is protected as it was: {'; '.join(missing[:5])}")
    if work.plan.way in _REPLACES:
        told += _retired(work)
    return work.done("; ".join(told)[:900] or "protected as it was")


def _pairs(work: Work) -> Iterator[tuple[Disk, str]]:
    """Each disk that came from a restore point, and the volume that it is now; in place, that is the same one."""
    if work.plan.way == "IN_PLACE":
        yield from ((disk, disk.volume_id) for disk in work.plan.disks if disk.root)
        return
    for disk in restored(work.plan):
        id = work.made(volumes.purpose_of(work, disk))
        if not id:
            raise Failed(f"the new volume of {disk.name or disk.volume_id} is not there any more")
        yield disk, id


def _lacking(work: Work, disk: Disk, old: Volume, id: str) -> list[str]:
    """What protected the old volume and does not protect the new one; read anew."""
    now = _volume(work, disk, id, volumes.document(work, id))
    lost = sorted(set(work.kit.protection.held(old)) - set(work.kit.protection.held(now)))
    return [f"{now.name or id} has not the policy {one}" for one in lost]


def _retired(work: Work) -> list[str]:
    told = []
    for disk in restored(work.plan):
        document = volumes.document(work, disk.volume_id)
        if document is not None:
            old = _volume(work, disk, disk.volume_id, document)
            told.append(work.kit.protection.retire(old, _sender(work)))
    return [one for one in told if one]


def _machines(work: Work) -> None:
    if work.plan.way in _MACHINES and (new := work.made(SERVER)):
        work.records.lineage(work.job_id, "server", work.plan.machine.key, (work.cloud, work.region, new))


def _volume(work: Work, disk: Disk, id: str, document: Mapping[str, Any] | None) -> Volume:
    """A volume as policies look at it: as planned without a document, else with what Cinder says now."""
    machine = work.plan.machine
    metadata = disk.metadata if document is None else document.get("metadata")
    name = disk.name if document is None else document.get("name")
    return Volume(
        work.cloud, work.region, id, str(name or ""), size_gb=disk.size_gb, volume_type=disk.volume_type,
        bootable=disk.bootable, project_id=machine.project_id, project_name=machine.project_name,
        domain_name=machine.domain_name, server_ids=(work.server_id,), server_name=machine.name,
        metadata={str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, Mapping) else {},
    )  # fmt: skip


def _sender(work: Work) -> Any:
    """Sends a change of metadata, again after what passes: writing the same twice changes nothing."""

    def send(call: Call) -> None:
        id = str(call.key[2]) if call.key else ""
        _, _, key = call.path.partition("/metadata/")
        wanted = (call.body or {}).get("metadata") or {}

        def is_so() -> bool:
            found = (volumes.document(work, id) or {}).get("metadata")
            entries = found if isinstance(found, Mapping) else {}
            return key not in entries if key else all(entries.get(name) == value for name, value in wanted.items())

        work.act(call, is_so)

    return send


def _why(work: Work) -> str:
    return f"taken over from the volume that it replaces (restore job {work.context.number})"


STEPS = {"PROTECT": protect}
