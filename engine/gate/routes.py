"""/q/writes, /q/plans, /q/actions. They block as long as clouds take, so they are plain functions on threads."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.gate.bodies import (
    Actions,
    ExecuteBody,
    Executed,
    LiftBody,
    PlanAnswer,
    PlanBody,
    WriteState,
    WriteStates,
)
from engine.gate.service import Gate

Cloud = Annotated[str, Path(max_length=63)]
PlanId = Annotated[str, Path(max_length=36)]


def routes(gate: Gate, access: AccessService) -> APIRouter:
    """The routes. What an action needs is checked by the gate, by the action's own permission."""
    router = APIRouter(tags=["changes"], default_response_class=JsonAnswer)
    reader = Annotated[Caller, Depends(access.requires("clouds:read"))]
    lifter = Annotated[Caller, Depends(access.requires("clouds:write"))]
    known = Annotated[Caller, Depends(access.requires("authenticated"))]

    @router.get("/q/writes", response_model=WriteStates)
    def writes(caller: reader) -> Response:
        """Which clouds may be changed just now, and what changes of them need."""
        return JsonAnswer({"items": gate.writes(caller)})

    @router.post("/q/writes/{cloud}", response_model=WriteState)
    def lift(cloud: Cloud, body: LiftBody, caller: lifter) -> Response:
        """Lift a cloud's read-only mode for a time; a production cloud asks its name."""
        return JsonAnswer(gate.lift(caller, cloud, body.minutes, body.reason, body.typed))

    @router.delete("/q/writes/{cloud}", response_model=WriteState)
    def end(cloud: Cloud, caller: lifter) -> Response:
        """Make a cloud read-only again."""
        return JsonAnswer(gate.end(caller, cloud))

    @router.get("/q/actions", response_model=Actions)
    def actions(caller: known, type: Annotated[str | None, Query(max_length=64)] = None) -> Response:
        """What this engine can do to resources of a type, and what the caller's role may."""
        return JsonAnswer({"items": gate.actions(caller, type)})

    @router.post("/q/plans", response_model=PlanAnswer)
    def make(body: PlanBody, caller: known) -> Response:
        """Make a plan: every target is read live and judged. Nothing is changed."""
        return JsonAnswer(gate.plan(caller, body))

    @router.get("/q/plans/{id}", response_model=PlanAnswer)
    def plan(id: PlanId, caller: known) -> Response:
        """A plan of the caller's own, as it was made."""
        return JsonAnswer(gate.get(caller, id))

    @router.post("/q/plans/{id}/execute", response_model=Executed, status_code=202)
    def execute(id: PlanId, body: ExecuteBody, caller: known) -> Response:
        """Carry a plan out, once: everything is looked at again, then a job begins."""
        return JsonAnswer({"job": gate.execute(caller, id, body)}, status_code=202)

    return router
