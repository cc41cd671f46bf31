"""The documented routes of restores. They block as long as clouds take, so they are plain functions on threads.

Every one takes `cloud` and `region`; where restores are switched off all but /restore/config answer 404.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.inventory.documented import Place, Where
from engine.restore import bodies
from engine.restore.desk import Desk
from engine.restore.models import JobStatus

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")]
Completed = Literal["COMPLETED"]
Text = Annotated[str | None, Query(max_length=255)]


def routes(desk: Desk, access: AccessService) -> APIRouter:
    """`/restore/...`."""
    router = APIRouter(tags=["restore"], default_response_class=JsonAnswer)
    reader = Annotated[Caller, Depends(access.requires("restore:read"))]
    writer = Annotated[Caller, Depends(access.requires("restore:write"))]
    administrator = Annotated[Caller, Depends(access.requires("restore:admin"))]

    @router.get("/restore/config", response_model=bodies.ConfigAnswer)
    def config(caller: reader, place: Where) -> Response:
        """The three switches, for one cloud or in general, and the clouds where they differ."""
        return JsonAnswer(desk.config(caller, place.cloud or ""))

    @router.get("/restore/snapshots")
    def snapshots(
        caller: reader, place: Where, tenant_name: Annotated[str, Query(min_length=1, max_length=255)]
    ) -> Response:
        """The snapshots of a tenant that something can be restored from, newest first."""
        return JsonAnswer(desk.snapshots(caller, tenant_name, place.cloud or "", place.region))

    @router.get("/restore/vm/{vm_id}/restore-points")
    def points(
        vm_id: Id, caller: reader, place: Where, project_id: Annotated[str, Query(min_length=1, max_length=64)]
    ) -> Response:
        """The restore points of a machine's boot volume, read live, newest first."""
        return JsonAnswer(desk.restore_points(caller, vm_id, project_id, place.cloud or "", place.region))

    @router.post("/restore/plan", response_model=bodies.RestoreJob)
    def plan(body: bodies.PlanBody, caller: writer, place: Where) -> Response:
        """Make a plan: everything is read live and judged. Nothing is changed."""
        return JsonAnswer(desk.documented_plan(caller, body, place.cloud, place.region))

    @router.get("/restore/networks/{network_id}/available-ips")
    def addresses(network_id: Id, caller: reader, place: Where, project_id: Text = None) -> Response:
        """Free addresses of a network, at most 200 of each subnet."""
        return JsonAnswer(desk.addresses(caller, network_id, project_id or "", place.cloud or "", place.region))

    @router.post("/restore/execute", response_model=bodies.RestoreJob)
    def execute(body: bodies.ExecuteBody, caller: writer, place: Where) -> Response:
        """Carry a plan out, once: everything is looked at again, then a job begins. REPLACE needs the exact phrase."""
        return JsonAnswer(desk.documented_execute(caller, body, _at(place)))

    @router.get("/restore/jobs", response_model=bodies.RestoreJobs)
    def jobs(
        caller: reader,
        place: Where,
        status: Annotated[JobStatus | Completed | None, Query(description="Only with this status.")] = None,
        vm_id: Annotated[str | None, Query(max_length=64, description="Only of this machine.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    ) -> Response:
        """Restores, newest first. COMPLETED is SUCCEEDED: the documents have both."""
        chosen = "SUCCEEDED" if status == "COMPLETED" else status or ""
        return JsonAnswer(desk.jobs(caller, chosen, vm_id or "", limit, offset, place.cloud or "", place.region))

    @router.get("/restore/jobs/{job_id}", response_model=bodies.RestoreJob)
    def job(job_id: Id, caller: reader, place: Where) -> Response:
        """One restore with its plan and all its steps."""
        return JsonAnswer(desk.detail(caller, job_id, _at(place)))

    @router.post("/restore/cancel/{job_id}", response_model=bodies.RestoreJob)
    def cancel(job_id: Id, caller: writer, place: Where, body: bodies.CancelBody | None = None) -> Response:
        """End a restore: what it changed is taken back. A plan that was not carried out is given up."""
        return JsonAnswer(desk.cancel(caller, job_id, (body.reason if body else None) or "", _at(place)))

    @router.post("/restore/jobs/{job_id}/cleanup", response_model=bodies.CleanupAnswer)
    def cleanup(job_id: Id, caller: administrator, place: Where, body: bodies.CleanupBody | None = None) -> Response:
        """Delete what a restore left that failed, was cancelled or broke off; what stays is told with the reason."""
        given = body or bodies.CleanupBody()
        typed = given.confirm_cloud or ""
        return JsonAnswer(desk.cleanup(caller, job_id, given.delete_volume, typed, _at(place)))

    @router.post("/restore/jobs/{job_id}/retry", response_model=bodies.RetryAnswer)
    def retry(job_id: Id, caller: administrator, place: Where, body: bodies.RetryBody | None = None) -> Response:
        """Begin a new job that goes on with what a failed one made; REPLACE needs the exact phrase."""
        given = body or bodies.RetryBody()
        typed = " ".join(part for part in (given.confirm_cloud, given.confirm_destructive) if part)
        return JsonAnswer(desk.retry(caller, job_id, typed, given.ip_strategy_override, _at(place)))

    @router.post("/restore/jobs/{job_id}/cleanup-storage", response_model=bodies.StorageAnswer)
    def cleanup_storage(
        job_id: Id,
        caller: administrator,
        place: Where,
        delete_old_volume: Annotated[bool, Query(description="The old machine's root volume.")] = True,
        delete_source_snapshot: Annotated[bool, Query(description="The snapshot it came from.")] = False,
        confirm_cloud: Annotated[str, Query(max_length=63, description="Name of a production cloud.")] = "",
    ) -> Response:
        """Delete old storage that a REPLACE left; what is in use, kept, or has restore points is skipped."""
        return JsonAnswer(
            desk.cleanup_storage(caller, job_id, delete_old_volume, delete_source_snapshot, confirm_cloud, _at(place))
        )

    return router


def _at(place: Place) -> tuple[str, str | None]:
    return place.cloud or "", place.region
