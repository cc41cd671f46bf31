"""Routes of shifts and the hand-over."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.instants import instant
from engine.shift import rendering
from engine.shift.models import Handover, Mark, Shift, ShiftStart
from engine.shift.service import HandoverService, ShiftService

Time = Annotated[str | None, Query(max_length=40, description="RFC 3339, like 2026-02-08T09:00:00Z.")]

_TEXT = {"schema": {"type": "string"}}
_FORMS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/markdown": _TEXT, "text/csv": _TEXT}}}


def routes(shifts: ShiftService, handover: HandoverService, access: AccessService) -> APIRouter:
    """`/q/shift` and `/q/handover`."""
    router = APIRouter(tags=["shift"], default_response_class=JsonAnswer)
    reader = access.requires("inventory:read")
    writer = access.requires("tickets:write")

    @router.get("/q/shift", response_model=Shift)
    def shift(caller: Annotated[Caller, Depends(reader)]) -> Response:
        """The caller's own mark, and the newest of everybody."""
        return JsonAnswer({"mine": shifts.mark(caller), "items": shifts.recent(caller)})

    @router.post("/q/shift/start", response_model=Mark, status_code=201)
    def start(body: ShiftStart, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Begin a shift: the hand-over will tell what happened from now on."""
        return JsonAnswer(shifts.start(caller, body.note), status_code=201)

    @router.get("/q/handover", response_model=Handover, responses=_FORMS)
    def page(
        caller: Annotated[Caller, Depends(reader)],
        since: Time = None,
        until: Time = None,
        format: Annotated[Literal["json", "markdown", "csv"], Query()] = "json",
    ) -> Response:
        """The page: from the caller's mark, or 12 hours ago, until now. As JSON, Markdown or CSV."""
        found = handover.page(caller, instant("since", since), instant("until", until))
        if format == "json":
            return JsonAnswer(found)
        text, kind = (
            (rendering.markdown(found), "text/markdown")
            if format == "markdown"
            else (rendering.comma_separated(found), "text/csv")
        )
        name = f"handover-{found['until']:%Y%m%d-%H%M}.{'md' if format == 'markdown' else 'csv'}"
        return Response(text, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    return router
