"""Our own routes of restores: /q/restore. They block as long as clouds take, so they are plain functions on threads."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.restore import bodies
from engine.restore.desk import Desk
from engine.restore.models import JobStatus

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")]
Cloud = Annotated[str, Query(max_length=63)]
Region = Annotated[str, Query(max_length=255)]
Resource = Annotated[str, Query(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")]
ANYWHERE = ("", None)


def routes(desk: Desk, access: AccessService) -> APIRouter:
    """`/q/restore/...`."""
    router = APIRouter(tags=["restore"], default_response_class=JsonAnswer)
    reader = Annotated[Caller, Depends(access.requires("restore:read"))]
    writer = Annotated[Caller, Depends(access.requires("restore:write"))]
    administrator = Annotated[Caller, Depends(access.requires("restore:admin"))]

    @router.get("/q/restore/start")
    def start(caller: reader, id: Resource, cloud: Cloud, region: Region = "") -> Response:
        """What is known of a machine, read live: what is wrong with it, the ways back, its points, disks and ports."""
        return JsonAnswer(desk.start(caller, (cloud, region, id)))

    @router.get("/q/restore/user-data")
    def user_data(caller: writer, id: Resource, cloud: Cloud, region: Region = "") -> Response:
        """The first lines of a machine's user data, read live and kept nowhere: before a new one gets them again.

        They may hold passwords: that somebody looked is in the audit.
        """
        return JsonAnswer(desk.user_data(caller, (cloud, region, id)))

    @router.post("/q/restore/plans")
    def make(body: bodies.RequestBody, caller: writer) -> Response:
        """Make a plan: everything is read live and judged. Nothing is changed."""
        return JsonAnswer(desk.plan(caller, body))

    @router.get("/q/restore/plans/{id}")
    def plan(id: Id, caller: reader) -> Response:
        """A plan as it was made, and what carrying it out asks for."""
        return JsonAnswer(desk.service.get(caller, id))

    @router.post("/q/restore/plans/{id}/execute", response_model=bodies.RestoreJob, status_code=202)
    def execute(id: Id, body: bodies.GivenBody, caller: writer) -> Response:
        """Carry a plan out, once: everything is looked at again, then a job begins."""
        found = desk.service.execute(caller, id, body.reason, body.ticket, body.typed, body.hash)
        return JsonAnswer(found, status_code=202)

    @router.get("/q/restore/jobs", response_model=bodies.RestoreJobs)
    def jobs(
        caller: reader,
        status: JobStatus | None = None,
        vm_id: Annotated[str, Query(max_length=64)] = "",
        cloud: Cloud = "",
        region: Annotated[str | None, Query(max_length=255)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    ) -> Response:
        """Restores, newest first."""
        return JsonAnswer(desk.jobs(caller, status or "", vm_id, limit, offset, cloud, region))

    @router.get("/q/restore/jobs/{id}", response_model=bodies.RestoreJob)
    def job(id: Id, caller: reader) -> Response:
        """One restore: its plan, its steps with their times, what it made and asks, and what may be asked of it."""
        return JsonAnswer(desk.detail(caller, id, ANYWHERE))

    @router.post("/q/restore/jobs/{id}/cancel", response_model=bodies.RestoreJob)
    def cancel(id: Id, caller: writer, body: bodies.CancelBody) -> Response:
        """End a restore: what it changed is taken back."""
        return JsonAnswer(desk.cancel(caller, id, body.reason or "", ANYWHERE))

    @router.post("/q/restore/jobs/{id}/retry", response_model=bodies.RetryAnswer, status_code=202)
    def retry(id: Id, caller: administrator, body: bodies.AgainBody) -> Response:
        """Begin a new job that goes on with what a failed one made."""
        found = desk.retry(caller, id, body.typed, body.ip_strategy_override, ANYWHERE)
        return JsonAnswer(found, status_code=202)

    @router.post("/q/restore/jobs/{id}/answer", response_model=bodies.RestoreJob)
    def answer(id: Id, caller: writer, body: bodies.AnswerBody) -> Response:
        """Say whether the machine answers, when its restore asks."""
        return JsonAnswer(desk.service.answer(caller, id, body.answer))

    @router.get("/q/restore/jobs/{id}/left")
    def left(id: Id, caller: reader) -> Response:
        """What a restore left, looked at live: what of it clean-up would delete, and why not the rest."""
        return JsonAnswer({"items": desk.left(caller, id)})

    @router.post("/q/restore/jobs/{id}/cleanup", response_model=bodies.CleanupAnswer)
    def cleanup(id: Id, caller: administrator, body: bodies.SweepBody) -> Response:
        """Delete what a restore left that failed, was cancelled or broke off; what stays is told with the reason."""
        return JsonAnswer(desk.cleanup(caller, id, body.delete_volume, body.typed, ANYWHERE))

    @router.post("/q/restore/jobs/{id}/cleanup-storage", response_model=bodies.StorageAnswer)
    def cleanup_storage(id: Id, caller: administrator, body: bodies.StorageBody) -> Response:
        """Delete old storage that a REPLACE left; what is in use, kept, or has restore points is skipped."""
        found: Any = desk.cleanup_storage(
            caller, id, body.delete_old_volume, body.delete_source_snapshot, body.typed, ANYWHERE
        )
        return JsonAnswer(found)

    @router.get("/q/restore/kept", response_model=bodies.Kept)
    def kept(caller: reader, cloud: Cloud = "", region: Region = "") -> Response:
        """What is kept for a time after restores; what ends first before the rest."""
        return JsonAnswer({"items": desk.keeping.page(caller, cloud=cloud, region=region)})

    @router.post("/q/restore/kept/{id}/extend")
    def extend(id: Id, caller: writer, body: bodies.ExtendBody) -> Response:
        """Keep it longer."""
        return JsonAnswer(desk.keeping.extend(caller, id, body.days))

    @router.post("/q/restore/kept/{id}/release")
    def release(id: Id, caller: writer, body: bodies.ReleaseBody) -> Response:
        """Keep it no longer, and leave it where it is."""
        return JsonAnswer(desk.keeping.release(caller, id, body.rename))

    @router.post("/q/restore/kept/{id}/remove")
    def remove(id: Id, caller: administrator, body: bodies.RemoveBody) -> Response:
        """Delete it: its name has to be typed."""
        return JsonAnswer(desk.keeping.remove(caller, id, body.typed))

    @router.get("/q/restore/addresses")
    def addresses(
        caller: reader,
        network: Resource,
        cloud: Cloud,
        region: Annotated[str | None, Query(max_length=255)] = None,
        project: Annotated[str, Query(max_length=64)] = "",
    ) -> Response:
        """Free addresses of a network, at most 200 of each subnet, read live."""
        return JsonAnswer(desk.addresses(caller, network, project, cloud, region))

    return router
