"""The routes of restores of many machines: /q/restore/bulk. They block as long as clouds take."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.restore.bulk import bodies
from engine.restore.bulk.service import BulkService

Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")]


def routes(service: BulkService, access: AccessService) -> APIRouter:
    """`/q/restore/bulk/...`."""
    router = APIRouter(tags=["restore"], default_response_class=JsonAnswer)
    reader = Annotated[Caller, Depends(access.requires("restore:read"))]
    writer = Annotated[Caller, Depends(access.requires("restore:write"))]

    @router.post("/q/restore/bulk")
    def make(body: bodies.BulkBody, caller: writer) -> Response:
        """Make one plan for many machines: a line for each, sums for all. Nothing is changed."""
        limits = service.limits(**body.limits.model_dump(), stop_after=body.stop_after)
        return JsonAnswer(service.plan(caller, body.machines(), body.wanted(), body.order, limits, body.prove.prove))

    @router.get("/q/restore/bulk")
    def all(caller: reader) -> Response:
        """Restores of many machines, newest first."""
        return JsonAnswer({"items": service.page(caller)})

    @router.get("/q/restore/bulk/{id}")
    def one(id: Id, caller: reader) -> Response:
        """One of them with where each machine stands."""
        return JsonAnswer(service.get(caller, id))

    @router.post("/q/restore/bulk/{id}/execute", status_code=202)
    def execute(id: Id, caller: writer, body: bodies.BulkExecuteBody) -> Response:
        """Begin it: an ordinary restore of each machine, at its turn."""
        found = service.execute(caller, id, body.reason, body.ticket, body.typed, body.hash, body.leave_out)
        return JsonAnswer(found, status_code=202)

    @router.post("/q/restore/bulk/{id}/pause")
    def pause(id: Id, caller: writer) -> Response:
        """Begin no further machine; those that run go on."""
        return JsonAnswer(service.pause(caller, id))

    @router.post("/q/restore/bulk/{id}/resume")
    def resume(id: Id, caller: writer) -> Response:
        """Go on, whatever has failed so far."""
        return JsonAnswer(service.resume(caller, id))

    @router.post("/q/restore/bulk/{id}/cancel")
    def cancel(id: Id, caller: writer, body: bodies.BulkCancelBody) -> Response:
        """Begin none of the rest; with `running` also end those that run."""
        return JsonAnswer(service.cancel(caller, id, body.running))

    return router
