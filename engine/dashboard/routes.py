"""The eleven documented routes of the dashboard; docs/dashboard.md defines every number."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.dashboard import models
from engine.dashboard.figures import Figures
from engine.dashboard.growing import Growing
from engine.dashboard.protecting import Protection
from engine.inventory.kept import Kept
from engine.inventory.reads import InventoryReads
from engine.tenants.routes import Where

Hours = Annotated[int, Query(ge=1, le=720, description="Hours to look back.")]
Hosts = Annotated[int, Query(ge=1, le=20)]
Period = Annotated[Literal[7, 30, 90], BeforeValidator(lambda value: int(value) if str(value).isdigit() else value)]
Days = Annotated[int, Query(ge=1, le=180, description="Days, today among them.")]


def routes(
    reads: InventoryReads, figures: Figures, protection: Protection, growing: Growing, access: AccessService, kept: Kept
) -> APIRouter:
    """`/dashboard`."""
    router = APIRouter(tags=["dashboard"], default_response_class=JsonAnswer)
    Reader = Annotated[Caller, Depends(access.requires("dashboard:read"))]

    async def answer(of: Callable[..., Any], caller: Caller, *given: Any) -> Response:
        return Response(await reads.run(kept.json, of, caller, *given), media_type="application/json")

    @router.get("/dashboard/health-summary", response_model=models.HealthSummary)
    async def health_summary(caller: Reader, place: Where) -> Response:
        """The estate in numbers: tenants, machines, volumes, networks, utilisation, problems."""
        return JsonAnswer(await reads.run(figures.health_summary, caller, place.scope(caller)))

    @router.get("/dashboard/snapshot-sla-compliance", response_model=models.SnapshotSla)
    async def sla(
        caller: Reader,
        place: Where,
        days: Annotated[
            int | None,
            Query(ge=1, le=365, description="Days that the newest may be old; the policy's own when absent."),
        ] = None,
    ) -> Response:
        """Who keeps what snapshot policies promise, by tenant, with the volumes that do not."""
        return await answer(protection.sla, caller, place.scope(caller), days)

    @router.get("/dashboard/top-hosts-utilization", response_model=models.TopHosts)
    async def top_hosts(
        caller: Reader, place: Where, limit: Hosts = 10, sort: Literal["cpu", "memory"] = "cpu"
    ) -> Response:
        """The busiest hosts."""
        return await answer(figures.top_hosts, caller, place.scope(caller), limit, sort)

    @router.get("/dashboard/recent-changes", response_model=models.RecentChanges)
    async def recent(
        caller: Reader, place: Where, hours: Hours = 24, limit: Annotated[int, Query(ge=1, le=200)] = 20
    ) -> Response:
        """What was made, deleted and changed lately, the newest first."""
        return await answer(growing.recent, caller, place.scope(caller), hours, limit)

    @router.get("/dashboard/coverage-risks", response_model=models.CoverageRisks)
    async def coverage(caller: Reader, place: Where, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> Response:
        """Volumes that neither snapshot nor backup protects, most at risk first."""
        return await answer(protection.coverage, caller, place.scope(caller), limit)

    @router.get("/dashboard/capacity-pressure", response_model=models.CapacityPressure)
    async def pressure(caller: Reader, place: Where) -> Response:
        """Pools and hosts near their limit, and when they are full."""
        return await answer(growing.pressure, caller, place.scope(caller))

    @router.get("/dashboard/vm-hotspots", response_model=models.Hotspots)
    async def hotspots(
        caller: Reader, place: Where, limit: Hosts = 10, sort: Literal["cpu", "memory", "storage"] = "cpu"
    ) -> Response:
        """The heaviest running machines."""
        return await answer(figures.hotspots, caller, place.scope(caller), limit, sort)

    @router.get("/dashboard/tenant-risk-scores", response_model=models.TenantRisks)
    async def risks(caller: Reader, place: Where) -> Response:
        """How much each tenant risks, by several factors, and what to do."""
        return await answer(protection.risks, caller, place.scope(caller))

    @router.get("/dashboard/compliance-drift", response_model=models.ComplianceDrift)
    async def compliance(caller: Reader, place: Where, days: Days = 7) -> Response:
        """How compliance with the promise of snapshots moved, day by day."""
        return await answer(protection.compliance, caller, place.scope(caller), days)

    @router.get("/dashboard/capacity-trends", response_model=models.CapacityTrends)
    async def capacity_trends(caller: Reader, place: Where, days: Days = 7) -> Response:
        """Storage and CPU day by day, and when they are full."""
        return await answer(growing.capacity_trends, caller, place.scope(caller), days)

    @router.get("/dashboard/trendlines", response_model=models.Trendlines)
    async def trendlines(caller: Reader, place: Where, period: Period = 7) -> Response:
        """How the estate grows, and what it comes to in 30 days."""
        return await answer(growing.trendlines, caller, place.scope(caller), period)

    return router
