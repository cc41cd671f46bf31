"""/q/snapshot/clouds: where policy runs may work although the cloud is read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from engine.access.models import Caller
from engine.api.answers import JsonAnswer

if TYPE_CHECKING:
    from engine.access.service import AccessService
    from engine.snapshots.standing import PolicyClouds

Cloud = Annotated[str, Path(max_length=63)]
Words = Annotated[str, Field(max_length=1000)]


class EnableBody(BaseModel):
    """Why policy runs may change the cloud; `typed` is the name of a production cloud."""

    model_config = ConfigDict(extra="forbid")

    reason: Words = ""
    typed: Words = ""


class PolicyCloud(BaseModel):
    """One cloud; a `demo` has no read-only mode, so policies always run there."""

    cloud: str
    enabled: bool
    demo: bool
    production: bool
    enabled_by: str | None
    enabled_at: str | None
    reason: str | None


class PolicyCloudStates(BaseModel):
    """The clouds that the caller may see."""

    items: list[PolicyCloud]


def routes(clouds: PolicyClouds, access: AccessService) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/q/snapshot/clouds", tags=["snapshots"], default_response_class=JsonAnswer)
    reads = Depends(access.requires("snapshot_runs:read"))
    admin = Depends(access.requires("snapshot_policy_sets:admin"))

    @router.get("", response_model=PolicyCloudStates)
    def policy_clouds(caller: Caller = reads) -> Response:
        """Where policy runs may make and remove restore points while the cloud is read-only."""
        return JsonAnswer({"items": clouds.page(caller)})

    @router.post("/{cloud}", response_model=PolicyCloud)
    def enable(cloud: Cloud, body: EnableBody, caller: Caller = admin) -> Response:
        """Let policy runs work there, until that is disabled; a production cloud asks its name."""
        return JsonAnswer(clouds.enable(caller, cloud, body.reason, body.typed))

    @router.delete("/{cloud}", response_model=PolicyCloud)
    def disable(cloud: Cloud, reason: Annotated[str, Query(max_length=1000)] = "", caller: Caller = admin) -> Response:
        """No policy run changes the cloud any more while it is read-only; a run that works there stops at once."""
        return JsonAnswer(clouds.disable(caller, cloud, reason))

    return router
