"""The documented changes of flavors: POST /admin/flavors, DELETE /admin/flavors/{flavor_id}. Administrators only."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.compute.models import FlavorBody, Given, given
from engine.compute.service import Changes

Asked = Annotated[Given, Depends(given)]


def routes(changes: Changes, access: AccessService) -> APIRouter:
    """They block until the change is done, so they are plain functions on threads."""
    router = APIRouter(tags=["infrastructure"], default_response_class=JsonAnswer)
    admin = Annotated[Caller, Depends(access.requires("flavors:admin"))]

    @router.post("/admin/flavors", status_code=201)
    def create(body: FlavorBody, asked: Asked, caller: admin) -> Response:
        """Create a flavor; answers it as the list of flavors does."""
        made = changes.create(caller, "flavor.create", body.options(), asked.over(body))
        return JsonAnswer(made, status_code=201)

    @router.delete("/admin/flavors/{flavor_id}")
    def delete(flavor_id: Annotated[str, Path(max_length=255)], asked: Asked, caller: admin) -> Response:
        """Delete a flavor; machines made with it keep running."""
        return JsonAnswer(changes.delete(caller, "flavor.delete", flavor_id, asked))

    return router
