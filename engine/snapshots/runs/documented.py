"""The documented routes of snapshot runs and of the pipeline on demand."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.snapshots.models import RunStatus
from engine.snapshots.runs import models
from engine.snapshots.runs.pipeline import Pipeline
from engine.snapshots.runs.service import RunService

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def routes(runs: RunService, pipeline: Pipeline, access: AccessService) -> APIRouter:
    """`/snapshot-runs`, `/snapshot/runs` and `/snapshot/run-now`."""
    router = APIRouter(tags=["snapshots"], default_response_class=JsonAnswer)
    reader = Annotated[Caller, Depends(access.requires("snapshot_runs:read"))]

    @router.get("/snapshot-runs", response_model=models.Runs)
    def history(
        caller: reader,
        limit: Annotated[int, Query(ge=1, le=1000, description="At most so many.")] = 50,
        offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
        status: Annotated[RunStatus | None, Query(description="Only runs with this status.")] = None,
        cloud: Annotated[str, Query(max_length=63, description="Only of this cloud.")] = "",
        region: Annotated[str, Query(max_length=255, description="Only of this region.")] = "",
    ) -> Response:
        """Runs of snapshot policies, newest first."""
        total, rows = runs.page(caller, status, limit, offset, cloud, region)
        return JsonAnswer({"total": total, "page": offset // limit + 1, "page_size": limit, "items": rows})

    # Before `/snapshot/runs/{run_id}/progress`, which would take the word for a number.
    @router.get("/snapshot/runs/active/progress", response_model=models.Active)
    def active(caller: reader) -> Response:
        """Progress of the run that works now, if there is one."""
        return JsonAnswer(runs.active(caller))

    @router.get("/snapshot/runs/{run_id}/progress", response_model=models.Progress)
    def progress(run_id: Number, caller: reader) -> Response:
        """Progress of one run, with its batches and the volumes that quota kept out."""
        return JsonAnswer(runs.progress(run_id, caller))

    @router.post("/snapshot/run-now", response_model=models.Queued, status_code=202)
    def run_now(caller: Annotated[Caller, Depends(access.requires("snapshots:admin"))]) -> Response:
        """Policies to volumes, collect, snapshots, collect: begins at once; 409 while one is pending or running."""
        return JsonAnswer(pipeline.begin(caller), status_code=202)

    @router.get("/snapshot/run-now/status", response_model=models.PipelineStatus)
    def run_now_status(caller: Annotated[Caller, Depends(access.requires("snapshots:read"))]) -> Response:
        """The newest pipeline on demand, step by step."""
        return JsonAnswer(pipeline.status())

    return router
