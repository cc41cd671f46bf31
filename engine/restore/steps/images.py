"""The image that a volume-booted machine is rebuilt from: Nova rebuilds from images only.

The new volume of the restore point is uploaded. Cinder takes no mark for the image that it makes, so the mark is its
name; with the volume's image metadata its properties are those of the original.
"""

from __future__ import annotations

from typing import Any

from engine.jobs.models import StepResult
from engine.restore.models import Disk
from engine.restore.steps import finding, volumes
from engine.restore.steps.failing import Failed
from engine.restore.steps.work import Work

IMAGE = "image"  # its purpose in the records
_UPLOAD = "3.1"  # microversion of Cinder from which an upload can be private
_COMING = ("queued", "saving", "importing", "")


def root_of(work: Work) -> Disk:
    """The volume that the machine boots from. Raises Failed when the plan has none."""
    root = next((disk for disk in work.plan.disks if disk.root), None)
    if root is None:
        raise Failed(f"the plan has no root volume of {work.plan.machine.name}: make a new plan")
    return root


def create_image(work: Work) -> StepResult:
    """CREATE_IMAGE: the new root volume as an image."""
    volume = work.made(volumes.purpose_of(work, root_of(work)))
    if not volume:
        raise Failed("the volume of the restore point is not there any more: retry the restore")
    image = upload(work, IMAGE, volume)
    return work.done(f"image {image} of the volume {volume}", created=image)


def upload(work: Work, purpose: str, volume: str) -> str:
    """Have a volume of ours uploaded as an image; answers the image's id."""
    mark = work.mark(purpose)[: volumes.MOST]
    body = {"image_name": mark, "container_format": "bare", "disk_format": "raw", "visibility": "private"}
    call = work.call(
        "block-storage", "POST", f"/volumes/{volume}/action", {"os-volume_upload_image": body}, microversion=_UPLOAD,
        creates=True, what=f"image of the volume {volume}", type="volume", id=volume,
    )  # fmt: skip
    return work.create(purpose, "image", call, lambda: finding.image(work.get, mark), name=mark)


def wait_image(work: Work) -> StepResult:
    """WAIT_IMAGE_ACTIVE: until the copy is whole."""
    image = work.made(IMAGE)
    if not image:
        raise Failed("the image of the restore point is not there any more: retry the restore")
    root = root_of(work)
    ready(work, image, work.made(volumes.purpose_of(work, root)), root.size_gb)
    return work.done("can be used")


def ready(work: Work, image: str, volume: str, size_gb: int) -> None:
    """Wait until an upload has ended. Raises Failed when it came to nothing."""
    seconds = volumes.patience(size_gb)

    def ended(found: dict[str, Any] | None) -> str | None:
        state = volumes.status(found)
        if state == "queued" and volumes.status(volumes.document(work, volume)) in ("available", "error", "gone"):
            # Cinder has given up, and the image stays as it was begun. Both change one after the other: looked again.
            again = volumes.status(work.get("image", f"/images/{image}"))
            return again if again not in _COMING[1:] else None
        return None if state in _COMING else state

    state = work.until("image", image, ended, seconds)
    if state is None:
        raise Failed(f"the image {image} was not ready after {seconds / 60:.0f} minutes: look at Cinder, then retry")
    if state != "active":
        raise Failed(f"the volume {volume} could not be uploaded (its image is {state}): {volumes.why(work, volume)}")


def remove_image(work: Work, purpose: str, image: str) -> None:
    """Delete an image that this job made."""
    call = work.call("image", "DELETE", f"/images/{image}", what=f"delete the image {image}", type="image", id=image)
    work.remove(purpose, call, lambda: work.get("image", f"/images/{image}") is None)


STEPS = {"CREATE_IMAGE": create_image, "WAIT_IMAGE_ACTIVE": wait_image}
