"""Routes of problems."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import BadRequest
from engine.api.instants import instant
from engine.dashboard.problems import ProblemService
from engine.dashboard.problems_models import Mute, ProblemAnswer, Problems, Severity
from store import times

Id = Annotated[str, Path(max_length=32)]


def routes(service: ProblemService, access: AccessService) -> APIRouter:
    """`/q/problems`."""
    router = APIRouter(tags=["problems"], default_response_class=JsonAnswer)
    reader = access.requires("dashboard:read")
    writer = access.requires("problems:write")

    @router.get("/q/problems", response_model=Problems)
    def problems(
        caller: Annotated[Caller, Depends(reader)],
        severity: Annotated[Severity | None, Query()] = None,
        cloud: Annotated[str | None, Query(max_length=63)] = None,
        muted: Annotated[bool, Query(description="Also the muted ones, at the end.")] = True,
        limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    ) -> Response:
        """What is wrong now, worst first: of the clouds, and of the console itself."""
        return JsonAnswer(service.page(caller, severity=severity, cloud=cloud, muted=muted, limit=limit))

    @router.post("/q/problems/{id}/take", response_model=ProblemAnswer)
    def take(id: Id, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Say that one has it: everybody sees who does."""
        return JsonAnswer(service.take(caller, id))

    @router.delete("/q/problems/{id}/take", response_model=ProblemAnswer)
    def give_up(id: Id, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Nobody has it any more."""
        return JsonAnswer(service.give_up(caller, id))

    @router.post("/q/problems/{id}/mute", response_model=ProblemAnswer)
    def mute(id: Id, body: Mute, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Quiet until a time: no bell, no line, not counted."""
        until = instant("until", body.until)
        if (until is None) == (body.minutes is None):
            raise BadRequest("give one of until and minutes")
        if until is None:
            until = times.utcnow() + timedelta(minutes=body.minutes or 0)
        return JsonAnswer(service.mute(caller, id, until, body.reason))

    @router.delete("/q/problems/{id}/mute", response_model=ProblemAnswer)
    def unmute(id: Id, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """No longer quiet."""
        return JsonAnswer(service.unmute(caller, id))

    return router
