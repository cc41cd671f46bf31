"""In place: the machine's root is written anew from an image, and everything else of the machine stays.

Whether a rebuild was asked for is seen by the machine itself (its task, its image, or the image that its root volume
was loaded from) and by Nova's list of actions, compared with what was in it before. Nothing but the image is given, so
name, key, metadata and user data are not touched; the password in Nova's answer is dropped by the gate.
"""

from __future__ import annotations

from typing import Any

from engine.jobs.models import StepResult
from engine.restore.models import Source
from engine.restore.steps import hands, images, looking, safety, volumes
from engine.restore.steps.failing import Failed
from engine.restore.steps.looking import task
from engine.restore.steps.work import Work

_REBUILD = "2.93"  # microversion from which a root volume is written anew, too
_STOPPING_SECONDS = 120.0
_FIXED = ("ACTIVE", "SHUTOFF", "ERROR", "DELETED", "gone")
UNDO_VOLUME, UNDO_IMAGE = "undo-temporary", "undo-image"


def server(work: Work) -> dict[str, Any] | None:
    """The machine as Nova has it now; None when it is gone."""
    return looking.server(work, work.server_id)


def loaded(work: Work, document: dict[str, Any] | None) -> str:
    """Id of the image that the root has its content from, as far as the cloud says."""
    if work.plan.machine.boot == "image":
        found = (document or {}).get("image")
        return str(found.get("id") or "") if isinstance(found, dict) else ""
    metadata = (volumes.document(work, images.root_of(work).volume_id) or {}).get("volume_image_metadata")
    return str(metadata.get("image_id") or "") if isinstance(metadata, dict) else ""


def _image(work: Work) -> str:
    image = work.plan.root_image or work.made(images.IMAGE)
    if not image:
        raise Failed("there is no image to rebuild from any more: retry the restore")
    return image


def asked(work: Work) -> bool:
    """Whether a rebuild was asked for since the safety snapshot was ready."""
    before = work.result("WAIT_SAFETY_SNAPSHOT").get("rebuilds")
    known = set(before) if isinstance(before, list) else set()
    return any(id not in known for id in safety.rebuilds(work))


def rebuild_server(work: Work) -> StepResult:
    """REBUILD_SERVER: from the image of the restore point."""
    image = _image(work)
    if not work.result("WAIT_SAFETY_SNAPSHOT"):
        raise Failed("there is no safety snapshot that can be used, so nothing is overwritten")
    _ask(work, image, lambda: asked(work) or task(server(work)).startswith("rebuild"))
    return work.done(f"rebuild from the image {image} asked for", image=image)


def _ask(work: Work, image: str, is_so: Any) -> None:
    call = work.call(
        "compute", "POST", f"/servers/{work.server_id}/action", {"rebuild": {"imageRef": image}},
        microversion=_REBUILD, what=f"rebuild {work.plan.machine.name}", type="server", id=work.server_id,
    )  # fmt: skip
    work.act(call, is_so)


def wait_rebuilt(work: Work) -> StepResult:
    """WAIT_SERVER_REBUILT: until Nova is done, and it runs or is off as it was."""
    image = _image(work)
    document = rebuilt(work, image)
    return work.done(f"{str(document.get('status')).lower()}, with the root of the image {image}")


def rebuilt(work: Work, image: str) -> dict[str, Any]:
    """The machine once a rebuild has ended well. Raises Failed otherwise."""
    machine, size = work.plan.machine, _size(work)
    seconds = volumes.patience(size)

    def ended(found: dict[str, Any] | None) -> dict[str, Any] | None:
        if found is None:
            return {"status": "gone"}
        return found if not task(found) and str(found.get("status")) in _FIXED else None

    def off(found: dict[str, Any] | None) -> dict[str, Any] | None:
        return found or {"status": "gone"} if volumes.status(found) in ("shutoff", "error", "gone") else None

    if work.until("server", work.server_id, ended, seconds) is None:
        raise Failed(f"{machine.name} was not rebuilt after {seconds / 60:.0f} minutes: look at Nova")
    document = server(work)
    if document is not None and document.get("status") == "ACTIVE" and not work.plan.was_running:
        # Nova starts it for the rebuild and stops it again; when it does not, it is left running.
        work.until("server", work.server_id, off, _STOPPING_SECONDS)
        document = server(work)
    if document is None:
        raise Failed(f"{machine.name} was deleted while it was rebuilt")
    if document.get("status") == "ERROR":
        raise Failed(f"the rebuild of {machine.name} failed: {looking.fault(document)}")
    # What is not shown says nothing: then the list of actions, which was asked before, has to do.
    if (now := loaded(work, document)) and now != image:
        raise Failed(f"{machine.name} is {document.get('status')}, but its root is from {now}, not {image}")
    return document


def _size(work: Work) -> int:
    if work.plan.machine.boot == "image":
        return int(work.plan.machine.flavor.get("disk") or 0)
    return images.root_of(work).size_gb


def remove_temporary(work: Work) -> StepResult:
    """REMOVE_TEMPORARY: the image and the volume that were only made for it; the root says again what it was."""
    root = images.root_of(work)
    notes: list[str] = []
    if (volume := volumes.document(work, root.volume_id)) is not None:
        notes = volumes.mend_image_metadata(work, root.volume_id, volume, root.image_metadata, whole=True)
    if image := work.made(images.IMAGE):
        images.remove_image(work, images.IMAGE, image)
    purpose = volumes.purpose_of(work, root)
    if copy := work.made(purpose):
        volumes.remove_volume(work, purpose, copy)
    return work.done("; ".join(["removed", *notes]))


# Back


def undo_rebuild(work: Work) -> StepResult:
    """UNDO_REBUILD: the root as the safety snapshot has it, when a rebuild was asked for."""
    if not work.begun("REBUILD_SERVER"):
        return work.done("nothing to take back: the root was not touched", written=False)
    if not (asked(work) or work.wait(lambda: asked(work) or None, hands.LOST_SECONDS)):
        return work.done("nothing to take back: the rebuild did not reach Nova", written=False)
    work.progress("the root is written back from the safety snapshot")
    if not _written_back(work):
        _quiet(work)
        image = _safe_image(work)
        _usable_root(work)
        if loaded(work, server(work)) != image:
            _ask(work, image, lambda: loaded(work, server(work)) == image or task(server(work))[:7] == "rebuild")
        rebuilt(work, image)
    _tidy(work)
    return work.done("the root is as the safety snapshot has it", written=True)


def _written_back(work: Work) -> bool:
    """Whether an earlier attempt wrote the root back, and was only about to remove what it did it with."""
    row = work.records.found(work.job_id, UNDO_IMAGE)
    if row is None or not row["id"]:
        return False
    document = server(work)
    there = looking.settled(document, "ACTIVE", "SHUTOFF") and loaded(work, document) == row["id"]
    return there or row["state"] == "removed"


def _quiet(work: Work) -> None:
    """A rebuild that runs is not disturbed: Nova would refuse another one."""
    seconds = volumes.patience(_size(work))
    if work.until("server", work.server_id, lambda found: None if task(found) else True, seconds) is None:
        raise Failed(
            f"{work.plan.machine.name} is still being rebuilt after {seconds / 60:.0f} minutes: rebuild it from its "
            "safety snapshot by hand when that has ended"
        )


def _usable_root(work: Work) -> None:
    """A root volume whose loading failed is in error, and Nova does not rebuild on it until that is taken back."""
    if work.plan.machine.boot == "image":
        return
    id = images.root_of(work).volume_id
    if volumes.status(volumes.document(work, id)) != "error":
        return
    body = {"os-reset_status": {"status": "in-use", "attach_status": "attached"}}
    call = work.call(
        "block-storage", "POST", f"/volumes/{id}/action", body, session="admin",
        what=f"the root volume {id} out of its error", type="volume", id=id,
    )  # fmt: skip
    work.act(call, lambda: volumes.status(volumes.document(work, id)) == "in-use")


def _safe_image(work: Work) -> str:
    """The image of the root as it was: the safety image, or one that is made of the safety snapshot."""
    if work.plan.machine.boot == "image":
        if not (image := work.made(safety.IMAGE)):
            raise Failed(f"the safety image of {work.plan.machine.name} is gone: its root cannot be written back")
        return image
    root = images.root_of(work)
    snapshot = work.made(safety.purpose_of(root.volume_id))
    if not snapshot:
        raise Failed(f"the safety snapshot of {root.name or root.volume_id} is gone: it cannot be written back")
    volume = volumes.from_source(work, UNDO_VOLUME, root, Source("snapshot", snapshot, size_gb=root.size_gb))
    image = work.made(UNDO_IMAGE)
    if not image:
        found = volumes.available(work, volume, root.size_gb)
        volumes.mend_image_metadata(work, volume, found, root.image_metadata)
        image = images.upload(work, UNDO_IMAGE, volume)
    images.ready(work, image, volume, root.size_gb)
    return image


def _tidy(work: Work) -> None:
    """What was only made for the way back goes; the root says again which image it was."""
    if work.plan.machine.boot == "image":
        return
    root = images.root_of(work)
    if image := work.made(UNDO_IMAGE):
        images.remove_image(work, UNDO_IMAGE, image)
    if volume := work.made(UNDO_VOLUME):
        volumes.remove_volume(work, UNDO_VOLUME, volume)
    if (found := volumes.document(work, root.volume_id)) is not None:
        volumes.mend_image_metadata(work, root.volume_id, found, root.image_metadata, whole=True)


STEPS = {
    "REBUILD_SERVER": rebuild_server,
    "WAIT_SERVER_REBUILT": wait_rebuilt,
    "REMOVE_TEMPORARY": remove_temporary,
    "UNDO_REBUILD": undo_rebuild,
}
