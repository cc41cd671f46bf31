"""The documented routes of policy sets and assignments."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.mounting import mount
from engine.api.paging import Page, page
from engine.snapshots.policies import answers
from engine.snapshots.policies.desk import PolicyDesk
from engine.snapshots.policies.models import AssignmentBody, SetBody, SetChange

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Paged = Annotated[Page, Depends(page)]


def routes(desk: PolicyDesk, access: AccessService) -> APIRouter:
    """`/snapshot-policies` and `/snapshot-assignments`."""
    router = APIRouter(tags=["snapshots"], default_response_class=JsonAnswer)
    mount(router, _sets(desk, access))
    mount(router, _assignments(desk, access))
    return router


def _sets(desk: PolicyDesk, access: AccessService) -> APIRouter:
    router = APIRouter()
    reader = Annotated[Caller, Depends(access.requires("snapshot_policy_sets:read"))]
    admin = Annotated[Caller, Depends(access.requires("snapshot_policy_sets:admin"))]

    @router.get("/snapshot-policies", response_model=answers.Sets)
    def sets(caller: reader, page: Paged) -> Response:
        """All snapshot policy sets, in the order in which they decide."""
        rows = desk.listing.sets(caller)
        return JsonAnswer(page.answer(len(rows), rows[page.offset : page.offset + page.limit]))

    @router.post("/snapshot-policies", response_model=answers.SetAnswer, status_code=201)
    def add(body: SetBody, caller: admin) -> Response:
        """Create a policy set."""
        row = desk.changing.add_set(caller, body)
        return JsonAnswer(desk.listing.one_set(caller, row["id"]), status_code=201)

    @router.put("/snapshot-policies/{policy_id}", response_model=answers.SetAnswer)
    def change(policy_id: Number, body: SetChange, caller: admin) -> Response:
        """Update a policy set; what is left out stays."""
        desk.changing.change_set(caller, policy_id, body)
        return JsonAnswer(desk.listing.one_set(caller, policy_id))

    @router.delete("/snapshot-policies/{policy_id}", response_model=answers.SetGone)
    def remove(policy_id: Number, caller: admin) -> Response:
        """Delete a policy set, and the assignments of it."""
        _, gone = desk.changing.remove_set(caller, policy_id)
        return JsonAnswer({"status": "deleted", "id": policy_id, "assignments_removed": gone})

    return router


def _assignments(desk: PolicyDesk, access: AccessService) -> APIRouter:
    router = APIRouter()
    reader = Annotated[Caller, Depends(access.requires("snapshot_assignments:read"))]
    admin = Annotated[Caller, Depends(access.requires("snapshot_assignments:admin"))]

    @router.get("/snapshot-assignments", response_model=answers.Assignments)
    def assignments(
        caller: reader,
        page: Paged,
        volume_id: Annotated[str | None, Query(max_length=255)] = None,
        policy_set_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    ) -> Response:
        """Snapshot policy assignments of volumes."""
        rows, sets = desk.giving.assignments(caller, volume_id, policy_set_id), desk.service.state().sets
        shown = rows[page.offset : page.offset + page.limit]
        return JsonAnswer(page.answer(len(rows), [answers.assignment(row, sets) for row in shown]))

    @router.post("/snapshot-assignments", response_model=answers.Assigned, status_code=201)
    def assign(body: AssignmentBody, caller: admin) -> Response:
        """Assign a policy set, or policies, to one volume or many."""
        rows, new = desk.giving.assign(caller, body)
        sets = desk.service.state().sets
        items = [answers.assignment(row, sets) for row in rows]
        return JsonAnswer({"created": new, "updated": len(rows) - new, "items": items}, status_code=201)

    @router.delete("/snapshot-assignments/{assignment_id}", response_model=answers.Gone)
    def unassign(assignment_id: Number, caller: admin) -> Response:
        """Remove a policy assignment."""
        desk.giving.unassign(caller, [assignment_id])
        return JsonAnswer({"status": "deleted", "id": assignment_id})

    return router
