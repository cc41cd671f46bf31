"""The documented compliance report."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.paging import Page
from engine.inventory.documented import Paging50, Place, Where
from engine.inventory.reads import InventoryReads, in_region, scope_of
from engine.snapshots.compliance.answers import Answers, Choice
from engine.snapshots.compliance.models import Report, Status
from engine.snapshots.compliance.telling import Item, documented
from store.estate.reading.models import Scope

Text = Annotated[str | None, Query(max_length=255)]
Days = Annotated[
    int | None, Query(ge=1, le=365, description="Days that the newest point may be old; the policy's own when absent.")
]
Statuses = Annotated[list[Status] | None, Query(description="May be repeated.")]
Policies = Annotated[list[str] | None, Query(description="Only these policies; may be repeated.")]


def scope_at(caller: Caller, place: Place, project: str | None) -> Scope:
    """What the caller may see, within the chosen cloud, region and project."""
    chosen = scope_of(caller, [place.cloud] if place.cloud else None, None, [project] if project else None)
    return in_region(chosen, place.region)


def routes(reads: InventoryReads, answers: Answers, access: AccessService) -> APIRouter:
    """`/snapshot/compliance`."""
    router = APIRouter(tags=["snapshots"], default_response_class=JsonAnswer)

    @router.get("/snapshot/compliance", response_model=Report)
    async def compliance(
        caller: Annotated[Caller, Depends(access.requires("snapshots:read"))],
        page: Paging50,
        place: Where,
        days: Days = None,
        tenant_id: Text = None,
        project_id: Text = None,
        policy: Policies = None,
        status: Statuses = None,
        volume_id: Text = None,
    ) -> Response:
        """Which volumes have the restore points that their policies promise: one row for each policy of a volume."""
        scope = scope_at(caller, place, project_id or tenant_id)
        choice = Choice(status or (), (), policy or (), volume_id, None, days)
        return JsonAnswer(await reads.run(_page, answers, scope, choice, page))

    return router


def _page(answers: Answers, scope: Scope, choice: Choice, page: Page) -> Item:
    rows, head = answers.report(scope, choice)
    items = [documented(row, head["timestamp"]) for row in rows[page.offset : page.offset + page.limit]]
    return page.answer(len(rows), items, "results" if page.by_offset else "items", **head)
