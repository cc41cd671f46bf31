"""Our routes of policies: /q/snapshot/policies, sets/preview, exclusions, why, due. They block, on threads."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.mounting import mount
from engine.snapshots.policies import answers, schedule_routes
from engine.snapshots.policies.desk import PolicyDesk
from engine.snapshots.policies.models import (
    AssignmentBody,
    ExclusionBody,
    ExclusionChange,
    PolicyBody,
    PolicyChange,
    PreviewBody,
    WriteBody,
)

Name = Annotated[str, Path(max_length=64, description="Of the policy.")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Place = Annotated[str | None, Query(max_length=255)]


def routes(desk: PolicyDesk, access: AccessService) -> APIRouter:
    """`/q/snapshot/...`, as far as it is about who has which policy."""
    router = APIRouter(tags=["snapshots"], default_response_class=JsonAnswer)
    for part in (_policies, _exclusions, _asking, schedule_routes.routes):
        mount(router, part(desk, access))
    return router


def _policies(desk: PolicyDesk, access: AccessService) -> APIRouter:
    router = APIRouter()
    reader = Annotated[Caller, Depends(access.requires("snapshot_policy_sets:read"))]
    admin = Annotated[Caller, Depends(access.requires("snapshot_policy_sets:admin"))]

    @router.get("/q/snapshot/policies", response_model=answers.Policies)
    def policies(caller: reader) -> Response:
        """Every policy: those that somebody made, and names that are just in use."""
        version, items = desk.service.version, desk.listing.policies(caller)
        return JsonAnswer({"total": len(items), "version": version, "items": items})

    @router.get("/q/snapshot/policies/{name}", response_model=answers.PolicyAnswer)
    def policy(name: Name, caller: reader) -> Response:
        """One policy."""
        return JsonAnswer(desk.listing.policy(caller, name))

    @router.post("/q/snapshot/policies", response_model=answers.PolicyAnswer, status_code=201)
    def add(body: PolicyBody, caller: admin) -> Response:
        """Make a policy: when it is due, and how many restore points are kept."""
        desk.changing.add_policy(caller, body)
        return JsonAnswer(desk.listing.policy(caller, body.name), status_code=201)

    @router.put("/q/snapshot/policies/{name}", response_model=answers.PolicyAnswer)
    def change(name: Name, body: PolicyChange, caller: admin) -> Response:
        """Change a policy; what is left out stays."""
        desk.changing.change_policy(caller, name, body)
        return JsonAnswer(desk.listing.policy(caller, name))

    @router.delete("/q/snapshot/policies/{name}", response_model=answers.PolicyGone)
    def remove(name: Name, caller: admin) -> Response:
        """Remove a policy that no set and no assignment names."""
        return JsonAnswer({"status": "deleted", "name": name, "now": desk.remove_policy(caller, name)})

    @router.post("/q/snapshot/sets/preview", response_model=answers.Preview)
    def preview(body: PreviewBody, caller: reader) -> Response:
        """Which volumes a set would take, and what that costs in snapshots and gigabytes."""
        return JsonAnswer(desk.previewer.of_set(caller, body))

    return router


def _exclusions(desk: PolicyDesk, access: AccessService) -> APIRouter:
    router = APIRouter()
    reader = Annotated[Caller, Depends(access.requires("snapshot_exclusions:read"))]
    writer = Annotated[Caller, Depends(access.requires("snapshot_exclusions:write"))]

    @router.get("/q/snapshot/exclusions", response_model=answers.Exclusions)
    def exclusions(
        caller: reader,
        owners: Annotated[bool, Query(description="Also volumes whose owner's metadata say no.")] = False,
    ) -> Response:
        """What no policy takes, and why."""
        items = [answers.exclusion(row) for row in desk.giving.exclusions(caller)]
        total, found = desk.listing.owners(caller) if owners else (None, None)
        return JsonAnswer({"total": len(items), "items": items, "owners": found, "owners_total": total})

    @router.post("/q/snapshot/exclusions", response_model=answers.ExclusionAnswer, status_code=201)
    def exclude(body: ExclusionBody, caller: writer) -> Response:
        """Keep policies away from a volume, a tenant, or what matches."""
        return JsonAnswer(answers.exclusion(desk.giving.exclude(caller, body)), status_code=201)

    @router.put("/q/snapshot/exclusions/{id}", response_model=answers.ExclusionAnswer)
    def change(id: Number, body: ExclusionChange, caller: writer) -> Response:
        """Another reason, or another end; `expires_at` null: for good."""
        return JsonAnswer(answers.exclusion(desk.giving.change_exclusion(caller, id, body)))

    @router.delete("/q/snapshot/exclusions/{id}", response_model=answers.Gone)
    def include(id: Number, caller: writer) -> Response:
        """Take an exclusion back."""
        desk.giving.include(caller, id)
        return JsonAnswer({"status": "deleted", "id": id})

    return router


def _asking(desk: PolicyDesk, access: AccessService) -> APIRouter:
    router = APIRouter()
    reader = Annotated[Caller, Depends(access.requires("snapshot_assignments:read"))]
    admin = Annotated[Caller, Depends(access.requires("snapshot_assignments:admin"))]

    @router.get("/q/snapshot/why/{cloud}/{region}/{volume_id}", response_model=answers.Why)
    def why(
        cloud: Annotated[str, Path(max_length=63)],
        region: Annotated[str, Path(max_length=255, description="- for none.")],
        volume_id: Annotated[str, Path(max_length=255)],
        caller: reader,
    ) -> Response:
        """Why a volume has its policies."""
        return JsonAnswer(desk.service.why(caller, (cloud, "" if region == "-" else region, volume_id)))

    @router.get("/q/snapshot/due", response_model=answers.Due)
    def due(caller: reader, cloud: Place = None, region: Place = None) -> Response:
        """What is due now, and what comes next."""
        return JsonAnswer({"now": desk.service.clock(), "items": desk.listing.due(caller, cloud, region)})

    @router.post("/q/snapshot/assignments/preview", response_model=answers.Preview)
    def preview(body: AssignmentBody, caller: reader) -> Response:
        """What assigning would do, and cost."""
        return JsonAnswer(desk.previewer.of_assignment(caller, body))

    @router.post("/q/snapshot/assignments/write", response_model=answers.Writing, status_code=202)
    def write(body: WriteBody, caller: admin) -> Response:
        """Write what was decided for these volumes to their metadata, for other tools to read."""
        return JsonAnswer({"jobs": desk.write(caller, body)}, status_code=202)

    return router
