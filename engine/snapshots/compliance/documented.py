"""The documented compliance report."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.paging import Page
from engine.inventory.documented import Lists, Paging, Paging50, Place, Sorting, Text, Where
from engine.inventory.reads import InventoryReads, in_region, scope_of
from engine.snapshots.compliance.answers import Answers, Choice
from engine.snapshots.compliance.models import Report, Status
from engine.snapshots.compliance.telling import Item, documented
from engine.snapshots.points import Journal, named_policy
from store.estate.reading.models import Scope

Days = Annotated[
    int | None, Query(ge=1, le=365, description="Days that the newest point may be old; the policy's own when absent.")
]
Statuses = Annotated[list[Status] | None, Query(description="May be repeated.")]
Policies = Annotated[list[str] | None, Query(description="Only these policies; may be repeated.")]


def scope_at(caller: Caller, place: Place, project: str | None) -> Scope:
    """What the caller may see, within the chosen cloud, region and project."""
    chosen = scope_of(caller, [place.cloud] if place.cloud else None, None, [project] if project else None)
    return in_region(chosen, place.region)


def routes(reads: InventoryReads, answers: Answers, register: Journal, access: AccessService) -> APIRouter:
    """`/snapshot/compliance` and `/snapshots`."""
    router = APIRouter(tags=["snapshots"], default_response_class=JsonAnswer)
    lists = Lists(reads)

    @router.get("/snapshots", tags=["infrastructure"])
    async def snapshots(
        caller: Annotated[Caller, Depends(access.requires("snapshots:read"))],
        page: Paging,
        sort: Sorting,
        place: Where,
        project_id: Text = None,
        tenant_id: Text = None,
        volume_id: Text = None,
        status: Text = None,
    ) -> Response:
        """All volume snapshots. `policy` made it (null: a person, or who knows), `own`: this console did; and
        `compliance_status` says whether that policy is kept on its volume (null: it has no such policy)."""
        wanted = {"project_id": project_id or tenant_id, "volume_id": volume_id, "status": status}
        found = await lists.page("snapshot", caller, page, sort, place, wanted)
        items = found["results" if page.by_offset else "items"]
        await reads.run(complied, items, scope_at(caller, place, None), answers, register)
        return JsonAnswer(found)

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


def complied(items: list[Item], scope: Scope, answers: Answers, register: Journal) -> None:
    """Say of documented snapshots which policy made each, and whether it is kept on the snapshot's volume."""
    own = {}
    for cloud, region in {(item["cloud"], item["region"]) for item in items}:
        volumes = [item["volume_id"] for item in items if (item["cloud"], item["region"]) == (cloud, region)]
        own.update({point.key: point.policy for point in register.own(cloud, region, volumes)})
    states = {(*row.volume.key, row.promise.policy): row.status for row in answers.service.rows(scope)}
    for item in items:
        place = (item["cloud"], item["region"])
        ours = own.get((*place, item["snapshot_id"]))
        item["own"] = ours is not None
        item["policy"] = (named_policy(item.get("metadata")) if ours is None else ours) or None
        item["compliance_status"] = states.get((*place, item["volume_id"], item["policy"]))


def _page(answers: Answers, scope: Scope, choice: Choice, page: Page) -> Item:
    rows, head = answers.report(scope, choice)
    items = [documented(row, head["timestamp"]) for row in rows[page.offset : page.offset + page.limit]]
    return page.answer(len(rows), items, "results" if page.by_offset else "items", **head)
