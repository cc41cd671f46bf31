"""Routes of saved views and column choices."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.views.models import ColumnChoice, ColumnChoices, ColumnsKeep, SavedView, SavedViews, ViewKeep
from engine.views.service import ViewService

Name = Annotated[str, Path(max_length=64)]
Shared = Annotated[bool, Query(description="The shared view of this name.")]


def routes(service: ViewService, access: AccessService) -> APIRouter:
    """`/q/views` and `/q/columns`: each caller's own, so any known caller may."""
    router = APIRouter(tags=["views"], default_response_class=JsonAnswer)
    anyone = access.requires("authenticated")

    @router.get("/q/views", response_model=SavedViews)
    def views(caller: Annotated[Caller, Depends(anyone)]) -> Response:
        """The caller's saved views, then the shared ones."""
        return JsonAnswer({"items": service.views(caller)})

    @router.get("/q/views/{name}", response_model=SavedView)
    def view(name: Name, caller: Annotated[Caller, Depends(anyone)]) -> Response:
        """One saved view: the caller's own, else the shared one."""
        return JsonAnswer(service.view(caller, name))

    @router.put("/q/views/{name}", response_model=SavedView)
    def keep(name: Name, body: ViewKeep, caller: Annotated[Caller, Depends(anyone)]) -> Response:
        """Save a view under a name."""
        return JsonAnswer(service.keep(caller, name, body.text, body.columns, body.cloud, shared=body.shared))

    @router.delete("/q/views/{name}", status_code=204)
    def remove(name: Name, caller: Annotated[Caller, Depends(anyone)], shared: Shared = False) -> Response:
        """Delete a saved view."""
        service.remove(caller, name, shared=shared)
        return Response(status_code=204)

    @router.get("/q/columns", response_model=ColumnChoices)
    def choices(caller: Annotated[Caller, Depends(anyone)]) -> Response:
        """Every column choice of the caller."""
        return JsonAnswer({"items": service.choices(caller)})

    @router.get("/q/columns/{type}", response_model=ColumnChoice)
    def choice(type: Name, caller: Annotated[Caller, Depends(anyone)]) -> Response:
        """The columns of a type's list, as the caller chose them."""
        return JsonAnswer(service.choice(caller, type))

    @router.put("/q/columns/{type}", response_model=ColumnChoice)
    def choose(type: Name, body: ColumnsKeep, caller: Annotated[Caller, Depends(anyone)]) -> Response:
        """Keep the columns of a type's list, and their order."""
        return JsonAnswer(service.choose(caller, type, body.columns, wide=body.wide))

    @router.delete("/q/columns/{type}", status_code=204)
    def forget(type: Name, caller: Annotated[Caller, Depends(anyone)]) -> Response:
        """Go back to the declared columns."""
        service.forget(caller, type)
        return Response(status_code=204)

    return router
