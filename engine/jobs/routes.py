"""Watching jobs, cancelling them, and beginning again what failed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.paging import Page, page
from engine.jobs.models import JobDetail, Jobs, JobState
from engine.jobs.service import JobService

Text = Annotated[str | None, Query(max_length=255)]


def routes(service: JobService, access: AccessService) -> APIRouter:
    """`/q/jobs`, `/q/jobs/{id}`, and its `cancel` and `retry`."""
    router = APIRouter(tags=["jobs"], default_response_class=JsonAnswer)
    reader = access.requires("resources:read")
    # What a job does was permitted when its plan was; who may change something may also stop changes.
    actor = access.requires("resources:write")

    @router.get("/q/jobs", response_model=Jobs)
    def jobs(
        caller: Annotated[Caller, Depends(reader)],
        page: Annotated[Page, Depends(page)],
        state: Annotated[list[JobState], Query(max_length=10, description="May be repeated.")] = [],  # noqa: B006
        kind: Text = None,
        by: Text = None,
    ) -> Response:
        """Jobs, newest first, without their steps. A caller whose role is limited sees his own."""
        total, items = service.page(caller, state=state, kind=kind, by=by, limit=page.limit, offset=page.offset)
        return JsonAnswer(page.answer(total, items))

    @router.get("/q/jobs/{id}", response_model=JobDetail)
    def job(id: str, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """One job with its steps, by id or number."""
        return JsonAnswer(service.job(id, caller))

    @router.post("/q/jobs/{id}/cancel", response_model=JobDetail)
    def cancel(id: str, caller: Annotated[Caller, Depends(actor)]) -> Response:
        """Begin no further step; what runs is finished."""
        return JsonAnswer(service.cancel(id, caller))

    @router.post("/q/jobs/{id}/retry", response_model=JobDetail, status_code=202)
    def retry(id: str, caller: Annotated[Caller, Depends(actor)]) -> Response:
        """A new job for what failed or was skipped."""
        return JsonAnswer(service.retry(id, caller), status_code=202)

    return router
