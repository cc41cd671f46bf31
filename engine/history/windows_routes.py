"""The history as the console reads it: windows of changes between two times, counts by period, two states compared."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.history import asked
from engine.history.lists import Asked, ChangeLists
from engine.history.models import ChangesBody, ChangesPosition, ChangesWindow, Comparison, RankAnchor, RowAnchor
from engine.history.service import HistoryService
from engine.history.versions import ResourceHistory
from engine.inventory.reads import in_region, scope_of

Name = Annotated[str | None, Query(max_length=255)]
Names = Annotated[list[str] | None, Query(max_length=255)]
Time = Annotated[str | None, Query(max_length=40, description="RFC 3339, like 2026-02-08T09:00:00Z.")]


def routes(history: HistoryService, access: AccessService) -> APIRouter:
    """`/q/history/…`."""
    router = APIRouter(tags=["history"], default_response_class=JsonAnswer)
    reader = Annotated[Caller, Depends(access.requires("history:read"))]
    lists, histories, reads = ChangeLists(history), ResourceHistory(history), history.reads

    def list_of(body: ChangesBody, caller: Caller) -> Asked:
        span = asked.span_for(body.from_, body.to, reads.clock())
        types = tuple(type.name for type in asked.types_for(access, caller, body.types or ()))
        scope = scope_of(caller, body.clouds, body.regions, body.projects)
        return Asked(body.mode, span, body.to is None, types, scope)

    @router.post("/q/history/windows", response_model=ChangesWindow)
    async def windows(body: ChangesBody, caller: reader) -> Response:
        """Rows of what changed between two times."""
        given, anchor = list_of(body, caller), _anchor(body)
        run = reads.run
        return JsonAnswer(await run(lists.window, given, body.filter, body.sort, anchor, body.before, body.after))

    @router.post("/q/history/windows/position", response_model=ChangesPosition)
    async def position(body: ChangesBody, caller: reader) -> Response:
        """How long that list is, and where a row stands in it."""
        return JsonAnswer(await reads.run(lists.position, list_of(body, caller), body.filter, body.sort, _anchor(body)))

    @router.get("/q/history/periods")
    async def periods(
        caller: reader,
        since: Annotated[str | None, Query(alias="from", max_length=40)] = None,
        to: Time = None,
        types: Annotated[list[str] | None, Query(max_length=64)] = None,
        clouds: Names = None,
        projects: Names = None,
    ) -> Response:
        """Changes between two times, counted by the hour, or by the day when it is more than two days."""
        span = asked.span_for(since, to, reads.clock())
        chosen = asked.types_for(access, caller, types or ())
        return JsonAnswer(await reads.run(history.periods, chosen, scope_of(caller, clouds, None, projects), span))

    @router.get("/q/history/compare/{type}/{id:path}", response_model=Comparison)
    async def compare(
        type: Annotated[str, Path(max_length=64)],
        id: Annotated[str, Path(max_length=1024)],
        caller: reader,
        since: Annotated[str | None, Query(alias="from", max_length=40)] = None,
        to: Time = None,
        cloud: Name = None,
        region: Name = None,
    ) -> Response:
        """One resource at two times, field by field; what it was not there at is null."""
        declared = asked.type_for(access, caller, type)
        scope = in_region(scope_of(caller, [cloud] if cloud else None), region or None)
        now = reads.clock()
        then, until = asked.instants_for(since, to, now)

        def work() -> dict[str, Any]:
            key = asked.key_for(reads, declared, id, scope)
            return histories.between(declared, key, scope, then, until)

        return JsonAnswer(await reads.run(work))

    return router


def _anchor(body: ChangesBody) -> Any:
    if isinstance(body.anchor, RowAnchor):
        return tuple(body.anchor.key)
    return body.anchor.rank if isinstance(body.anchor, RankAnchor) else body.anchor
