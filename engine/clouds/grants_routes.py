"""/q/grants: roles that the engine's own user has for the length of a job, and has not given back yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.api.answers import JsonAnswer
from engine.clouds.models import GrantState, GrantStates

if TYPE_CHECKING:
    from engine.access.service import AccessService
    from engine.clouds.grants import Grants


def routes(grants: Grants, access: AccessService) -> APIRouter:
    """The routes. Taking back waits for the cloud, so they are plain functions on threads."""
    router = APIRouter(prefix="/q/grants", tags=["clouds"], default_response_class=JsonAnswer)
    reads = Depends(access.requires("clouds:read"))
    writes = Depends(access.requires("clouds:write"))

    @router.get("", response_model=GrantStates)
    def grants_now(caller: Caller = reads) -> Response:
        """Roles given for jobs; one with a `problem` could not be taken back, and is tried again by itself."""
        return JsonAnswer({"items": grants.page(caller)})

    @router.delete("/{id}", response_model=GrantState)
    def take_back(
        id: Annotated[str, Path(max_length=36)],
        forget: Annotated[bool, Query(description="Somebody took it back by hand: nothing is sent.")] = False,
        caller: Caller = writes,
    ) -> Response:
        """Take a role back now, or note that somebody did. 502 with the sentence when the cloud does not."""
        return JsonAnswer(grants.take_back(caller, id, forget=forget))

    return router
