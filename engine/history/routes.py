"""The documented API of the past: `/history/…` and two pages under `/audit/`."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import BadRequest
from engine.api.mounting import mount
from engine.api.paging import Page, page
from engine.history import asked, compliance, windows_routes
from engine.history.compliance import ComplianceReport
from engine.history.models import (
    ChangeDetails,
    Comparison,
    Compliance,
    MostChanged,
    RecentChanges,
    ResourceHistory,
    Timeframe,
    TypeTimeline,
)
from engine.history.service import HistoryService
from engine.history.versions import ResourceHistory as Histories
from engine.inventory.reads import in_region, scope_of
from store.estate.reading.models import Scope

MOST = 1000
LONGEST_HOURS = 168
LONGEST_DAYS = 3650
DELETION = "deletion"
Text = Annotated[str | None, Query(max_length=255)]
Word = Annotated[str, Path(max_length=64)]
Id = Annotated[str, Path(max_length=1024)]
Hash = Annotated[str, Query(min_length=1, max_length=128)]
Limit = Annotated[int, Query(ge=1, le=MOST)]


class Where:
    """The optional `cloud`, `region` and project of every read of the past."""

    def __init__(self, cloud: Text = None, region: Text = None, project_id: Text = None) -> None:
        self.cloud, self.region, self.project = cloud or None, region or None, project_id or None

    def scope(self, caller: Caller) -> Scope:
        """What the caller may see and wants to."""
        chosen = scope_of(caller, [self.cloud] if self.cloud else None, None, [self.project] if self.project else None)
        return in_region(chosen, self.region)


Place = Annotated[Where, Depends(Where)]


def routes(history: HistoryService, access: AccessService) -> APIRouter:
    """All routes of the room: the documented ones, and the console's own."""
    router = APIRouter(default_response_class=JsonAnswer)
    mount(router, _changes(history, access), tags=["history"])
    mount(router, _resources(history, Histories(history), access), tags=["history"])
    mount(router, _audit(history, access), tags=["audit"])
    mount(router, windows_routes.routes(history, access))
    return router


def _changes(history: HistoryService, access: AccessService) -> APIRouter:
    router = APIRouter()
    reader = Annotated[Caller, Depends(access.requires("history:read"))]
    Hours = Annotated[int, Query(ge=1, le=LONGEST_HOURS, description="So many hours back.")]
    Type = Annotated[str | None, Query(max_length=64, description="Only this type.")]

    @router.get("/history/recent-changes", response_model=RecentChanges)
    async def recent(
        caller: reader, place: Place, hours: Hours = 24, limit: Limit = 100, resource_type: Type = None
    ) -> Response:
        """The newest changes of all types, deletions among them."""
        types = asked.types_for(access, caller, [resource_type] if resource_type else ())
        run = history.reads.run
        return JsonAnswer(await run(history.recent, caller, types, place.scope(caller), hours, limit))

    @router.get("/history/most-changed", response_model=MostChanged)
    async def most(
        caller: reader, place: Place, hours: Hours = 24, limit: Limit = 20, resource_type: Type = None
    ) -> Response:
        """Resources with the highest number of recorded changes."""
        types = asked.types_for(access, caller, [resource_type] if resource_type else ())
        return JsonAnswer(await history.reads.run(history.most_changed, types, place.scope(caller), hours, limit))

    @router.get("/history/by-timeframe", response_model=Timeframe)
    async def timeframe(
        caller: reader,
        place: Place,
        hours: Annotated[int, Query(ge=1, le=24 * LONGEST_DAYS, description="So many hours back.")] = 24,
        resource_type: Type = None,
    ) -> Response:
        """Changes counted by hour, for more than two days by day."""
        types = asked.types_for(access, caller, [resource_type] if resource_type else ())
        return JsonAnswer(await history.reads.run(history.by_timeframe, types, place.scope(caller), hours))

    return router


def _resources(history: HistoryService, histories: Histories, access: AccessService) -> APIRouter:
    router = APIRouter()
    reader = Annotated[Caller, Depends(access.requires("history:read"))]

    @router.get("/history/resource/{resource_type}/{resource_id:path}", response_model=ResourceHistory)
    async def resource(
        resource_type: Word, resource_id: Id, caller: reader, place: Place, limit: Limit = 100
    ) -> Response:
        """Every change of one resource; `deletion` as the type finds what was deleted under that id."""
        scope = place.scope(caller)

        def work() -> dict[str, Any]:
            if resource_type == DELETION:
                items = histories.deletions(caller, asked.types_for(access, caller), resource_id, scope, limit)
                return _deletions(resource_id, items, limit)
            type = asked.type_for(access, caller, resource_type)
            key = asked.key_for(history.reads, type, resource_id, scope)
            about, items = histories.of(caller, type, key, scope, limit)
            return {**about, "history": items, "total_entries": len(items), "limit": limit}

        return JsonAnswer(await history.reads.run(work))

    @router.get("/history/details/{resource_type}/{resource_id:path}", response_model=ChangeDetails)
    async def details(
        resource_type: Word, resource_id: Id, caller: reader, place: Place, limit: Limit = 100
    ) -> Response:
        """Every change of one resource with its number, key fields, and what each field was before and after."""
        scope = place.scope(caller)

        def work() -> dict[str, Any]:
            if resource_type == DELETION:
                items = histories.deletions(caller, asked.types_for(access, caller), resource_id, scope, limit)
                found = _deletions(resource_id, items, limit)
                return {**found, "changes": found.pop("history"), "total_changes": found.pop("total_entries")}
            type = asked.type_for(access, caller, resource_type)
            key = asked.key_for(history.reads, type, resource_id, scope)
            about, items = histories.of(caller, type, key, scope, limit, full=True)
            return {**about, "changes": items, "total_changes": len(items), "limit": limit}

        return JsonAnswer(await history.reads.run(work))

    @router.get("/history/compare/{resource_type}/{resource_id:path}", response_model=Comparison)
    async def compare(
        resource_type: Word,
        resource_id: Id,
        caller: reader,
        place: Place,
        current_hash: Hash,
        previous_hash: Hash,
    ) -> Response:
        """Two states of one resource, field by field."""
        if resource_type == DELETION:
            info = "a deletion has one state, the last known one: there is nothing to compare it with"
            return JsonAnswer({"resource_type": DELETION, "resource_id": resource_id, "info": info, "changes": []})
        scope = place.scope(caller)

        def work() -> dict[str, Any]:
            type = asked.type_for(access, caller, resource_type)
            key = asked.key_for(history.reads, type, resource_id, scope)
            return histories.compare(type, key, scope, current_hash, previous_hash)

        return JsonAnswer(await history.reads.run(work))

    return router


def _deletions(id: str, items: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """The documented answer about deletions: nothing is no error."""
    return {"resource_type": DELETION, "resource_id": id, "history": items, "total_entries": len(items), "limit": limit}


def _audit(history: HistoryService, access: AccessService) -> APIRouter:
    router = APIRouter()
    reader = Annotated[Caller, Depends(access.requires("audit:read"))]
    report = ComplianceReport(history)

    @router.get("/audit/resource-timeline/{resource_type}", response_model=TypeTimeline)
    async def timeline(
        resource_type: Word,
        caller: reader,
        place: Place,
        paging: Annotated[Page, Depends(page)],
        days: Annotated[int, Query(ge=1, le=LONGEST_DAYS)] = 30,
    ) -> Response:
        """All changes of one type over some days: counted by day, and a page of them."""
        if resource_type == DELETION:
            raise BadRequest("Invalid parameter: resource_type: name one type; /history/recent-changes has deletions")
        type = asked.type_for(access, caller, resource_type)
        about, total, items = await history.reads.run(
            history.timeline, caller, type, place.scope(caller), days, paging.limit, paging.offset
        )
        return JsonAnswer(paging.answer(total, items, "results" if paging.by_offset else "items", **about))

    @router.get("/audit/compliance-report", response_model=Compliance)
    async def compliance_report(
        caller: reader,
        place: Place,
        start_date: Annotated[str | None, Query(max_length=40, description="A day or an instant.")] = None,
        end_date: Annotated[str | None, Query(max_length=40, description="A day, included, or an instant.")] = None,
    ) -> Response:
        """What changed in a period, 30 days unless told otherwise, and how completely that is known."""
        span = asked.days_for(start_date, end_date, history.reads.clock(), compliance.DEFAULT)
        types = asked.types_for(access, caller)
        return JsonAnswer(await history.reads.run(report.of, caller, types, place.scope(caller), span))

    return router
