"""What a restore that came to nothing has made of volumes and images: removed, or left for a retry and clean-up.

What was asked for without an answer is looked for by its mark first: a volume that nobody knows of would stay for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.jobs.models import StepResult
from engine.restore.steps import finding, hands, images, volumes
from engine.restore.steps.failing import Failed
from engine.restore.steps.rebuilding import UNDO_IMAGE, UNDO_VOLUME
from engine.restore.steps.work import Work

_SETTLE_SECONDS = 120.0  # the longest that a volume is waited for which cannot be deleted yet
# Of no use to a retry, which makes its own.
_TEMPORARY = ("temporary:", UNDO_VOLUME, images.IMAGE, UNDO_IMAGE)
_KEPT = ("safety:",)  # the last of what was there before: a person removes it


def undo_volumes(work: Work) -> StepResult:
    """UNDO_VOLUMES: temporary images and volumes go; new volumes wait for a retry, unless set otherwise."""
    told, problems = [], []
    for row in sorted(work.records.of_job(work.job_id), key=lambda row: row["type"] != "image"):
        if row["type"] not in ("volume", "image", "snapshot") or row["state"] not in ("begun", "made"):
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
    if purpose.startswith(_KEPT):
        return f"the safety {row['type']} {id} stays"
    if row["type"] == "image":
        images.remove_image(work, purpose, id)
        return f"the image {id} is removed"
    if not purpose.startswith(_TEMPORARY) and not work.settings.cleanup_volumes:
        return f"the volume {id} waits for a retry, or for clean-up"
    _deletable(work, id)
    volumes.remove_volume(work, purpose, id)
    return f"the volume {id} is removed"


def _found(work: Work, purpose: str, row: Mapping[str, Any]) -> str:
    """The id of what was asked for without an answer; "" when it is not there."""
    mark = str(row["token"])
    look: Callable[[], dict[str, Any] | None]
    if row["type"] == "snapshot":
        look = lambda: finding.snapshot(work.get, mark)  # noqa: E731
    elif row["type"] == "volume":
        look = lambda: finding.volume(work.get, mark)  # noqa: E731
    else:
        look = lambda: finding.image(work.get, mark) or images.by_name(work, str(row["name"]))  # noqa: E731
    found = work.wait(look, hands.LOST_SECONDS)
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
