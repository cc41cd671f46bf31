"""Compliance, coverage and restore points as the console asks for them."""

import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response, StreamingResponse

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import BadRequest
from engine.api.paging import Page, page
from engine.audit.service import AuditService
from engine.inventory import export_formats
from engine.inventory.documented import Where
from engine.inventory.reads import InventoryReads
from engine.snapshots import points as restore_points
from engine.snapshots.compliance import answers as answering
from engine.snapshots.compliance import models
from engine.snapshots.compliance.answers import Answers, By, Choice
from engine.snapshots.compliance.documented import Days, Policies, Text, scope_at
from engine.snapshots.compliance.report import Reports
from engine.snapshots.compliance.telling import Item
from engine.snapshots.compliance.trend import Trend
from engine.snapshots.models import Point
from engine.snapshots.points import Points
from store.estate.reading.capacity_history import days_of
from store.estate.reading.models import Scope
from store.types import registry

Paging = Annotated[Page, Depends(page)]
Status = Literal["compliant", "missing", "pending", "quota_blocked", "excluded", "no_policy"]
Level = Literal["ok", "late", "lost", "pending", "excluded", "no_policy"]
Statuses = Annotated[list[Status] | None, Query(description="May be repeated; no_policy: no policy takes it.")]
Levels = Annotated[list[Level] | None, Query(description="May be repeated.")]
MOST = 20_000  # rows of one page
TREND_DAYS = 14
IN_MEMORY = 4 << 20  # bytes of a report; a longer one lies in a file without a name while it is sent


class Chosen:
    """Which volumes and policies, as every list of compliance may be told."""

    def __init__(
        self,
        tenant_id: Text = None,
        domain_id: Text = None,
        policy: Policies = None,
        status: Statuses = None,
        level: Levels = None,
        volume_id: Text = None,
        days: Days = None,
    ) -> None:
        self.tenant = tenant_id or None
        self.choice = Choice(status or (), level or (), policy or (), volume_id or None, domain_id or None, days)


def long_page(
    limit: Annotated[int, Query(ge=1, le=MOST, description="Rows.")] = 100,
    offset: Annotated[int, Query(ge=0, description="First row, from 0.")] = 0,
) -> Page:
    """A page of a list that is judged whole anyway: it may be asked for in one piece."""
    return Page(limit, offset, True)


Long = Annotated[Page, Depends(long_page)]
Choosing = Annotated[Chosen, Depends(Chosen)]


def routes(
    reads: InventoryReads,
    answers: Answers,
    trend: Trend,
    reports: Reports,
    points: Points,
    access: AccessService,
    audit: AuditService,
) -> APIRouter:
    """`/q/snapshot/compliance`, `/q/snapshot/coverage`, `/q/snapshot/points`."""
    router = APIRouter(tags=["snapshots"], default_response_class=JsonAnswer)
    Reader = Annotated[Caller, Depends(access.requires("snapshots:read"))]

    @router.get("/q/snapshot/compliance", response_model=models.Listing)
    async def compliance(
        caller: Reader, page: Long, place: Where, chosen: Choosing, by: Annotated[By, Query()] = "rows"
    ) -> Response:
        """What policies promise and whether it is kept: by policy of a volume, volume, tenant, domain or policy."""

        def work() -> Item:
            items, head = answers.listing(scope_at(caller, place, chosen.tenant), by, chosen.choice)
            return page.answer(len(items), items[page.offset : page.offset + page.limit], **head)

        return JsonAnswer(await reads.run(work))

    @router.get("/q/snapshot/compliance/summary", response_model=models.Overview)
    async def overview(caller: Reader, place: Where) -> Response:
        """The counts of the first page: what is kept, what is not, what covers the volumes."""
        return JsonAnswer(await reads.run(_overview, answers, trend, scope_at(caller, place, None)))

    @router.get("/q/snapshot/compliance/trend", response_model=models.Trend)
    async def course(
        caller: Reader,
        place: Where,
        days: Annotated[int, Query(ge=1, le=400, description="Days, today among them.")] = 30,
        policy: Text = None,
        tenant_id: Text = None,
    ) -> Response:
        """Compliance day by day, as it was judged then; today as it is now."""
        scope = scope_at(caller, place, tenant_id)
        return JsonAnswer(await reads.run(_trend, answers, trend, scope, days, policy or None))

    @router.get("/q/snapshot/compliance/report", response_class=Response)
    async def report(
        caller: Reader,
        place: Where,
        chosen: Choosing,
        by: Annotated[By, Query()] = "rows",
        format: Annotated[Literal["xlsx", "csv", "json"], Query()] = "xlsx",
    ) -> Response:
        """The report as a file: a workbook with all its sheets, or one table. `x-qdeck-rows` says how many rows."""
        made = export_formats.FORMATS[format]
        scope, at = scope_at(caller, place, chosen.tenant), answers.service.now

        def work() -> tuple[IO[bytes], int]:
            file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
            count = reports.write(scope, by, chosen.choice, format, file)
            audit.record(caller, "snapshot.compliance.export", by, {"format": format, "rows": count})
            return file, count

        file, count = await reads.run(work)
        headers = {
            "content-disposition": f'attachment; filename="compliance-{at:%Y%m%d-%H%M}.{made.ending}"',
            "x-qdeck-rows": str(count),
        }
        return StreamingResponse(_sent(file), media_type=made.media_type, headers=headers)

    @router.get("/q/snapshot/coverage", response_model=models.Coverage)
    async def coverage(
        caller: Reader,
        page: Paging,
        place: Where,
        coverage: Annotated[Literal["both", "backup", "snapshots", "nothing"] | None, Query()] = None,
        tenant_id: Text = None,
    ) -> Response:
        """What each volume can be restored from, those with the most to lose first."""

        def work() -> Item:
            rows = answers.service.coverage(scope_at(caller, place, tenant_id))
            items, counts = answering.coverage(rows, coverage)
            return page.answer(len(items), items[page.offset : page.offset + page.limit], summary=counts)

        return JsonAnswer(await reads.run(work))

    @router.get("/q/snapshot/points", response_model=models.Points)
    async def restorable(
        caller: Reader,
        page: Paging,
        place: Where,
        volume: Annotated[str | None, Query(max_length=255, description="Id, also of a volume that is gone.")] = None,
        server: Annotated[str | None, Query(max_length=255, description="Id of a machine.")] = None,
        gone: Annotated[bool, Query(description="Points whose volume is gone.")] = False,
        policy: Text = None,
        grouped: Annotated[bool, Query(description="Points made as one are one item with `parts`.")] = False,
    ) -> Response:
        """What a volume or a machine can be restored from, the newest first: snapshots, images, backups; whose they
        are, and what proves the state of their data."""
        if sum((volume is not None, server is not None, gone)) != 1:
            raise BadRequest("Invalid parameter: give one of volume, server and gone=true")
        scope = scope_at(caller, place, None)

        def work() -> Item:
            if server is not None:
                keys = reads.keys(registry.ALL["server"], server, None, scope)
                found = [point for key in keys for point in points.of_server(scope, key)]
            else:
                found = points.gone(scope) if volume is None else points.of_volume_id(scope, volume)
            wanted = [point for point in found if policy in (None, point.policy)]
            groups = restore_points.grouped(wanted) if grouped else [(point, []) for point in wanted]
            shown = _page(groups, page)
            return page.answer(len(groups), [restore_points.told(one, parts) for one, parts in shown])

        return JsonAnswer(await reads.run(work))

    return router


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from export_formats.blocks(file)


def _page(groups: Sequence[tuple[Point, list[Point]]], page: Page) -> Sequence[tuple[Point, list[Point]]]:
    return groups[page.offset : page.offset + page.limit]


def _overview(answers: Answers, trend: Trend, scope: Scope) -> Item:
    """A models.Overview."""
    found, dates = answers.overview(scope), days_of(answers.service.now, TREND_DAYS)
    for item in found["policies"]:
        days = trend.days(scope, dates, item["policy"])
        item["trend"] = [*(day.rows.percent if day else None for day in days[:-1]), item["percent"]]
    return {**found, "failed": answers.service.failed_runs(scope)}


def _trend(answers: Answers, trend: Trend, scope: Scope, days: int, policy: str | None) -> Item:
    """A models.Trend."""
    now = answers.service.now
    dates = days_of(now, days)
    recorded = trend.days(scope, dates, policy)
    found: list[Item] = []
    for day, one in zip(dates[:-1], recorded, strict=False):
        counts = {"rows": one.rows.told(), "volumes": one.volumes.told()} if one else {"rows": None, "volumes": None}
        found.append({"date": day.isoformat(), "recorded": one is not None, **counts})
    choice = Choice(policies=(policy,) if policy else ())
    _, head = answers.report(scope, choice)
    live = {"rows": head["summary"]["rows"], "volumes": head["summary"]["volumes"]}
    found.append({"date": dates[-1].isoformat(), "recorded": True, **live})
    return {"days": days, "policy": policy, "trend": found}
