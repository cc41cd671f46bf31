"""Runs beyond the documented routes: begun for chosen volumes, tried out, cancelled, read record by record."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.paging import Page, page
from engine.snapshots.models import RecordStatus
from engine.snapshots.runs import models
from engine.snapshots.runs.service import RunService
from store import times

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def routes(runs: RunService, access: AccessService) -> APIRouter:
    """`/q/snapshot/runs`."""
    router = APIRouter(prefix="/q/snapshot", tags=["snapshots"], default_response_class=JsonAnswer)
    reader = Annotated[Caller, Depends(access.requires("snapshot_runs:read"))]
    records = Annotated[Caller, Depends(access.requires("snapshot_records:read"))]
    admin = Annotated[Caller, Depends(access.requires("snapshot_runs:admin"))]

    @router.post("/runs", response_model=models.Run, status_code=202)
    def begin(body: models.RunBody, caller: admin) -> Response:
        """Begin a run now, whatever is due; with `dry_run` nothing is made, and the records say what would be."""
        return JsonAnswer(runs.begin(caller, body), status_code=202)

    @router.get("/runs/state", response_model=models.State)
    def state(caller: reader) -> Response:
        """Why nothing runs where something is due."""
        return JsonAnswer(runs.state(caller))

    @router.get("/runs/blocked", response_model=models.Blocks)
    def blocked(
        caller: records,
        hours: Annotated[float, Query(gt=0, le=8784, description="Of runs in the last so many hours.")] = 48,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    ) -> Response:
        """Volumes that quota kept out of runs lately."""
        since = times.utcnow() - timedelta(hours=hours)
        return JsonAnswer({"items": runs.blocked(caller, since=since, limit=limit)})

    @router.get("/runs/{run_id}", response_model=models.Run)
    def one(run_id: Number, caller: reader) -> Response:
        """One run."""
        return JsonAnswer(runs.run(run_id, caller))

    @router.get("/runs/{run_id}/records", response_model=models.Records)
    def of_run(
        run_id: Number,
        caller: records,
        page: Annotated[Page, Depends(page)],
        status: Annotated[RecordStatus | None, Query(description="Only records with this status.")] = None,
    ) -> Response:
        """What a run did, volume by volume."""
        total, rows = runs.records(run_id, caller, status or "", page.limit, page.offset)
        return JsonAnswer(page.answer(total, rows))

    @router.get("/runs/{run_id}/blocked", response_model=models.Blocks)
    def blocked_of(run_id: Number, caller: records) -> Response:
        """Volumes that quota kept out of a run."""
        return JsonAnswer({"items": runs.blocked(caller, run_id)})

    @router.post("/runs/{run_id}/cancel", response_model=models.Run)
    def cancel(run_id: Number, caller: admin) -> Response:
        """End a run between two restore points."""
        return JsonAnswer(runs.cancel(caller, run_id))

    return router
