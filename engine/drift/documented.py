"""The documented routes of drift: /drift/..."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import NotFound
from engine.api.instants import instant
from engine.api.paging import Page, page
from engine.drift import messages
from engine.drift.models import EventFilter, Order
from engine.drift.routes import EventId, Many, Text, Time, order
from engine.drift.rules import RULES
from engine.drift.service import DriftService
from engine.inventory.reads import scope_of

LAST_DAYS = 30  # that the list covers unless asked otherwise


def routes(service: DriftService, access: AccessService) -> APIRouter:
    """`/drift/...`."""
    router = APIRouter(tags=["drift"], default_response_class=JsonAnswer)
    reader, writer = access.requires("drift:read"), access.requires("drift:write")

    @router.get("/drift/summary", response_model=messages.DocumentedSummary)
    def summary(
        caller: Annotated[Caller, Depends(reader)],
        cloud: Many = None,
        project_id: Text = "",
        domain_id: Text = "",
    ) -> Response:
        """Drift counts by severity, resource type and acknowledgement, and by day for a week."""
        scope = scope_of(caller, cloud, None, [project_id] if project_id else None)
        if domain_id:
            inside = scope.domains is None or domain_id in scope.domains
            scope = replace(scope, domains=(domain_id,) if inside else ())
        return JsonAnswer(service.documented_summary(caller, scope))

    @router.get("/drift/events", response_model=messages.EventPage)
    def events(
        caller: Annotated[Caller, Depends(reader)],
        order: Annotated[Order, Depends(order)],
        page: Annotated[Page, Depends(page)],
        severity: Many = None,
        resource_type: Many = None,
        acknowledged: Annotated[bool | None, Query()] = None,
        project_id: Many = None,
        domain_id: Many = None,
        cloud: Many = None,
        search: Text = "",
        start_date: Time = None,
        end_date: Time = None,
    ) -> Response:
        """Drift events with paging, sort, filters and free-text search; of the last 30 days unless asked otherwise."""
        since = instant("start_date", start_date)
        wanted = EventFilter(
            severities=tuple(severity or ()),
            types=tuple(resource_type or ()),
            acknowledged=acknowledged,
            projects=tuple(project_id or ()),
            domains=tuple(domain_id or ()),
            clouds=tuple(cloud or ()),
            text=search.strip(),
            since=since or service.reads.clock() - timedelta(days=LAST_DAYS),
            until=instant("end_date", end_date),
        )
        version = service.version
        total, items = service.page(caller, wanted, order, page.limit, page.offset)
        return JsonAnswer(page.answer(total, items, version=version))

    # Before the one with an id, which would take its words for one.
    @router.put("/drift/events/bulk-acknowledge", response_model=messages.BulkAcked)
    def acknowledge_many(body: messages.DocumentedBulkAck, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Acknowledge many drift events."""
        found, missing = service.choose(caller, body.event_ids, None)
        until = instant("until", body.until)
        done, already, _ = service.decisions.acknowledge(caller, found, body.note, until)
        return JsonAnswer({"acknowledged": done, "already_acknowledged": already, "not_found": missing})

    @router.get("/drift/events/{id}", response_model=messages.EventDetail)
    def event(id: EventId, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """One drift event with its rule."""
        return JsonAnswer(service.event(caller, id))

    @router.put("/drift/events/{id}/acknowledge", response_model=messages.EventDetail)
    def acknowledge(
        id: EventId,
        caller: Annotated[Caller, Depends(writer)],
        body: messages.DocumentedAck | None = None,
    ) -> Response:
        """Acknowledge one drift event: who did, and when."""
        said = body or messages.DocumentedAck.model_validate({})
        found, missing = service.choose(caller, [id], None)
        if missing:
            raise NotFound(f"there is no drift event {id}")
        service.decisions.acknowledge(caller, found, said.note, instant("until", said.until))
        return JsonAnswer(service.event(caller, id, ask=False))

    @router.get("/drift/rules", response_model=messages.Rules)
    def rules(
        caller: Annotated[Caller, Depends(reader)],
        all: Annotated[bool, Query(description="Also the rules beyond the 24.")] = False,
    ) -> Response:
        """The 24 built-in drift rules and whether each is on."""
        items = [one for one in service.rules(caller) if all or one["documented"]]
        return JsonAnswer({"total": len(items), "items": items})

    @router.put("/drift/rules/{rule_id}", response_model=messages.RuleAnswer)
    def change(
        rule_id: Annotated[int, Path(ge=1, le=max(RULES))],
        body: messages.RuleChange,
        caller: Annotated[Caller, Depends(writer)],
    ) -> Response:
        """Switch a drift rule on or off."""
        return JsonAnswer(service.change_rule(caller, rule_id, body.model_dump(exclude_unset=True)))

    return router
