"""What a restore that came to nothing has made of volumes and images: removed, or left for a retry and clean-up.

What was asked for without an answer is looked for by its mark first: a volume that nobody knows of would stay for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.jobs.models import StepResult
from engine.restore.steps import finding, hands, images, looking, safety, volumes
from engine.restore.steps.failing import Failed
from engine.restore.steps.rebuilding import UNDO_IMAGE, UNDO_VOLUME
from engine.restore.steps.work import Work

_SETTLE_SECONDS = 120.0  # the longest that a volume is waited for which cannot be deleted yet
# Of no use to a retry, which makes its own.
_TEMPORARY = (UNDO_VOLUME, images.IMAGE, UNDO_IMAGE)
_WAY_BACK = (UNDO_VOLUME, UNDO_IMAGE)
_BOOTS = ("NEW", "REPLACE")  # ways in which a machine has run with the new volumes, once it was to be proven
_FIND: Mapping[str, Callable[..., dict[str, Any] | None]] = {
    "volume": finding.volume, "snapshot": finding.snapshot, "image": finding.image,
}  # fmt: skip
_SAFETY = "safety:"  # purposes of what has the state before, where anything was overwritten


def undo_volumes(work: Work) -> StepResult:
    """UNDO_VOLUMES: temporary images and volumes go; new volumes wait for a retry, unless set otherwise."""
    told, problems = [], []
    for row in sorted(work.records.of_job(work.job_id), key=lambda row: row["type"] != "image"):
        if row["type"] not in _FIND or row["state"] not in ("begun", "made"):
            continue
        try:
            if said := _one(work, str(row["purpose"]), row):
                told.append(said)
        except Failed as problem:
            problems.append(problem.detail)
    if problems:
        raise Failed("; ".join([*problems, *told])[:900])
    return work.done("; ".join(told)[:900] or "nothing was made that stays")


def _one(work: Work, purpose: str, row: Mapping[str, Any]) -> str:
    """What became of one resource; "" when it never came to be. Raises Failed."""
    id = str(row["id"]) if row["state"] == "made" else _found(work, purpose, row)
    if not id:
        work.records.removed(work.job_id, purpose)
        return ""
    if purpose.startswith(_SAFETY) and safety.needed(work):
        return f"the safety {row['type']} {id} stays"
    if purpose in _WAY_BACK and work.begun("UNDO_REBUILD") and not work.result("UNDO_REBUILD"):
        return f"the {row['type']} {id} stays: {work.plan.machine.name} can be rebuilt with it by hand"
    if row["type"] == "snapshot":
        safety.remove_snapshot(work, purpose, id)
        return f"the snapshot {id} is removed"
    if row["type"] == "image":
        _unused(work, id)
        images.remove_image(work, purpose, id)
        return f"the image {id} is removed"
    if purpose not in _TEMPORARY and not work.settings.cleanup_volumes:
        if work.plan.way in _BOOTS and work.begun("PROVE_IT_ANSWERS"):
            volumes.tell_used(work, id)
        return f"the volume {id} waits for a retry, or for clean-up"
    _deletable(work, id)
    volumes.remove_volume(work, purpose, id)
    return f"the volume {id} is removed"


def _unused(work: Work, image: str) -> None:
    """Raises Failed while a machine is rebuilt, perhaps from this image."""
    if work.plan.way == "IN_PLACE" and looking.task(looking.server(work, work.server_id)).startswith("rebuild"):
        raise Failed(f"the image {image} stays while {work.plan.machine.name} is rebuilt: clean-up removes it later")


def _found(work: Work, purpose: str, row: Mapping[str, Any]) -> str:
    """The id of what was asked for without an answer; "" when it is not there."""
    mark = str(row["token"])
    look = _FIND[str(row["type"])]
    found = work.wait(lambda: look(work.get, mark), hands.LOST_SECONDS)
    if found is None:
        return ""
    work.records.made(work.job_id, purpose, str(found["id"]))
    return str(found["id"])


def _deletable(work: Work, id: str) -> None:
    """Cinder deletes nothing that it is still working at."""
    ready = work.until("volume", id, lambda found: True if volumes.deletable(found) else None, _SETTLE_SECONDS)
    if ready is None:
        state = volumes.status(volumes.document(work, id))
        raise Failed(f"the volume {id} is still {state}: clean-up removes it when that has ended")


STEPS = {"UNDO_VOLUMES": undo_volumes}
