"""Routes of tenant health, as documented."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.clouds.quota import LiveQuota
from engine.inventory.kept import Kept
from engine.inventory.reads import InventoryReads, in_region, scope_of
from engine.tenants.models import Detail, Heatmap, Overview, Quota, Trends
from engine.tenants.service import TenantHealth
from store.estate.reading.models import Scope

Project = Annotated[str, Path(max_length=255)]
Domain = Annotated[str | None, Query(max_length=255, description="Only projects of this domain (id).")]
SortBy = Literal["health_score", "project_name", "domain_name", "total_servers", "total_volumes", "total_networks",
                 "total_drift_events", "compliance_pct"]  # fmt: skip


class Place:
    """The optional `cloud` and `region` of every documented read."""

    def __init__(
        self,
        cloud: Annotated[str | None, Query(max_length=63, description="Only this cloud; all when absent.")] = None,
        region: Annotated[str | None, Query(max_length=255, description="Only this region.")] = None,
    ) -> None:
        self.cloud, self.region = cloud or None, region or None

    def scope(self, caller: Caller) -> Scope:
        """The caller's limits and this choice."""
        return in_region(scope_of(caller, [self.cloud] if self.cloud else None), self.region)


Where = Annotated[Place, Depends(Place)]


def routes(
    reads: InventoryReads, health: TenantHealth, quota: LiveQuota, access: AccessService, kept: Kept
) -> APIRouter:
    """`/tenant-health`."""
    router = APIRouter(tags=["tenant health"], default_response_class=JsonAnswer)
    Reader = Annotated[Caller, Depends(access.requires("tenant_health:read"))]

    async def answer(of: Callable[..., Any], caller: Caller, *given: Any) -> Response:
        return Response(await reads.run(kept.json, of, caller, *given), media_type="application/json")

    @router.get("/tenant-health/overview", response_model=Overview)
    async def overview(
        caller: Reader,
        place: Where,
        domain_id: Domain = None,
        search: Annotated[str | None, Query(max_length=255, description="In names of tenant and domain.")] = None,
        sort_by: SortBy = "health_score",
        sort_dir: Literal["asc", "desc"] = "desc",
    ) -> Response:
        """All tenants with their score, its reasons, and what they own."""
        order = (sort_by, sort_dir == "desc")
        return await answer(health.overview, caller, place.scope(caller), domain_id, search, order)

    @router.get("/tenant-health/heatmap", response_model=Heatmap)
    async def heatmap(caller: Reader, place: Where, domain_id: Domain = None) -> Response:
        """How much of what they own tenants use: 60 % machines that run, 40 % volumes in use."""
        return await answer(health.heatmap, caller, place.scope(caller), domain_id)

    @router.get("/tenant-health/trends/{project_id}", response_model=Trends)
    async def trends(
        project_id: Project,
        caller: Reader,
        place: Where,
        days: Annotated[int, Query(ge=1, le=365, description="Days, today among them.")] = 30,
    ) -> Response:
        """A tenant day by day: drift, snapshots made, compliance and score."""
        return await answer(health.trends, caller, project_id, place.scope(caller), days)

    @router.get("/tenant-health/quota/{project_id}", response_model=Quota)
    async def live_quota(project_id: Project, caller: Reader, place: Where) -> Response:
        """A tenant's quota as the cloud has it now, or why that cannot be said."""

        def work() -> dict[str, object]:
            cloud, project = health.one(caller, project_id, place.scope(caller))
            return {**quota.read(cloud, place.region or "", project), "cloud": cloud, "project_id": project}

        return JsonAnswer(await reads.run(work))

    @router.get("/tenant-health/{project_id}", response_model=Detail)
    async def detail(project_id: Project, caller: Reader, place: Where) -> Response:
        """One tenant: states of what it owns, its largest volumes, recent drift."""
        return await answer(health.detail, caller, project_id, place.scope(caller))

    return router
