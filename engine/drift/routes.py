"""Routes of drift: /q/drift/... See engine/drift/models.py for what each answers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.instants import instant
from engine.api.paging import Page, page
from engine.drift import messages
from engine.drift.models import PARAMETERS, SORTS, EventFilter, Order
from engine.drift.service import DriftService, check_unlimited

Many = Annotated[list[str] | None, Query(max_length=50)]
Text = Annotated[str, Query(max_length=255)]
Time = Annotated[str | None, Query(max_length=40, description="RFC 3339, like 2026-02-08T09:00:00Z.")]
EventId = Annotated[int, Path(ge=0, le=2**63 - 1)]


def asked(
    state: Annotated[list[str] | None, Query(max_length=50, description=PARAMETERS["state"])] = None,
    severity: Many = None,
    type: Many = None,
    cloud: Many = None,
    region: Many = None,
    project: Many = None,
    rule: Annotated[list[int] | None, Query(max_length=100)] = None,
    grade: Many = None,
    field: Text = "",
    id: Text = "",
    text: Text = "",
    flapping: Annotated[bool | None, Query()] = None,
    since: Time = None,
    until: Time = None,
) -> EventFilter:
    """FastAPI dependency: which events. Raises BadRequest for what is no time."""
    return EventFilter(
        states=tuple(state or ()),
        severities=tuple(severity or ()),
        types=tuple(type or ()),
        clouds=tuple(cloud or ()),
        regions=tuple(region or ()),
        projects=tuple(project or ()),
        rules=tuple(rule or ()),
        grades=tuple(grade or ()),
        field=field,
        id=id,
        text=text.strip(),
        flapping=flapping,
        since=instant("since", since),
        until=instant("until", until),
    )


def order(
    sort_by: Annotated[str, Query(max_length=64, description="Column to sort by.")] = "opened_at",
    sort_dir: Annotated[str | None, Query(pattern="^(asc|desc)$", description="Direction.")] = None,
) -> Order:
    """FastAPI dependency: the order; the newest, worst or most first unless a direction is given. Raises BadRequest."""
    if sort_by not in SORTS:
        from engine.api.errors import BadRequest

        raise BadRequest(f"Invalid parameter: sort_by must be one of {', '.join(SORTS)}")
    first = sort_by in ("opened_at", "detected_at", "severity", "count")
    return Order(sort_by, first if sort_dir is None else sort_dir == "desc")


def routes(service: DriftService, access: AccessService) -> APIRouter:
    """`/q/drift/...`."""
    router = APIRouter(tags=["drift"], default_response_class=JsonAnswer)
    reader, writer = access.requires("drift:read"), access.requires("drift:write")
    _add_events(router, service, reader, writer)
    _add_rules(router, service, reader, writer)
    return router


def _add_events(router: APIRouter, service: DriftService, reader: Any, writer: Any) -> None:
    @router.get("/q/drift/events", response_model=messages.EventPage)
    def events(
        caller: Annotated[Caller, Depends(reader)],
        wanted: Annotated[EventFilter, Depends(asked)],
        order: Annotated[Order, Depends(order)],
        page: Annotated[Page, Depends(page)],
    ) -> Response:
        """Drift events, the newest first; those to be looked at with state=triage."""
        version = service.version
        total, items = service.page(caller, wanted, order, page.limit, page.offset)
        return JsonAnswer(page.answer(total, items, version=version))

    @router.get("/q/drift/events/{id}", response_model=messages.EventDetail)
    def event(
        id: EventId,
        caller: Annotated[Caller, Depends(reader)],
        ask: Annotated[bool, Query(description="Ask the cloud who did it, when that is not known yet.")] = True,
    ) -> Response:
        """One event with its rule, its acknowledgements, and what else happened to the same resource."""
        return JsonAnswer(service.event(caller, id, ask=ask))

    @router.get("/q/drift/summary", response_model=messages.Summary)
    def summary(caller: Annotated[Caller, Depends(reader)]) -> Response:
        """How many events there are, by state and severity, and where."""
        return JsonAnswer(service.summary(caller))

    @router.post("/q/drift/acknowledge", response_model=messages.Acked)
    def acknowledge(body: messages.AckBody, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Accept events, one or many, with a note, for a while or for good."""
        wanted = filter_of(body.filter) if body.filter is not None else None
        until = _end(service, body.until, body.minutes)
        found, missing = service.choose(caller, body.ids, wanted, instant("seen", body.seen))
        done, already, batch = service.decisions.acknowledge(caller, found, body.note, until)
        answer = {"acknowledged": done, "already": already, "missing": missing, "batch": batch, "until": until}
        return JsonAnswer(answer)

    @router.post("/q/drift/unacknowledge", response_model=messages.Undone)
    def unacknowledge(body: messages.UndoBody, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Take acknowledgements back."""
        ids = body.ids if body.batch is None else service.decisions.of_batch(body.batch)
        found, _ = service.choose(caller, ids, None)
        undone = service.decisions.undo(caller, found)
        return JsonAnswer({"undone": len(undone), "ids": undone})


def _add_rules(router: APIRouter, service: DriftService, reader: Any, writer: Any) -> None:
    decisions = service.decisions

    @router.get("/q/drift/rules", response_model=messages.Rules)
    def rules(caller: Annotated[Caller, Depends(reader)]) -> Response:
        """All rules: the 24 documented ones, and those for what they miss."""
        items = service.rules(caller)
        return JsonAnswer({"total": len(items), "items": items})

    @router.put("/q/drift/rules/{number}", response_model=messages.RuleAnswer)
    def change(number: int, body: messages.RuleChange, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Switch a rule on or off, or give its events another severity."""
        return JsonAnswer(service.change_rule(caller, number, body.model_dump(exclude_unset=True)))

    @router.get("/q/drift/ignores", response_model=messages.Ignores)
    def ignores(caller: Annotated[Caller, Depends(reader)]) -> Response:
        """What is ignored, and why."""
        return JsonAnswer({"items": service.exempt(caller, "ignore")})

    @router.post("/q/drift/ignores", response_model=messages.IgnoreAnswer, status_code=201)
    def ignore(body: messages.IgnoreAdd, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Ignore events by name, tag, project, cloud, type, field, rule or severity."""
        values = {**body.model_dump(), "until": instant("until", body.until)}
        return JsonAnswer(service.add_exempt(caller, "ignore", values), status_code=201)

    @router.delete("/q/drift/ignores/{id}", status_code=204)
    def attend(id: Annotated[str, Path(max_length=36)], caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Ignore it no longer."""
        check_unlimited(caller)
        decisions.remove_exempt(caller, "ignore", id)
        return Response(status_code=204)

    @router.get("/q/drift/windows", response_model=messages.Windows)
    def windows(caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Maintenance windows, past ones too."""
        return JsonAnswer({"items": service.exempt(caller, "window")})

    @router.post("/q/drift/windows", response_model=messages.WindowAnswer, status_code=201)
    def window(body: messages.WindowAdd, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Say that work is going on: what changes meanwhile is ignored."""
        values = body.model_dump(exclude={"minutes"})
        values["since"] = instant("since", body.since) or service.reads.clock()
        values["until"] = _end(service, body.until, body.minutes, values["since"])
        return JsonAnswer(service.add_exempt(caller, "window", values), status_code=201)

    @router.delete("/q/drift/windows/{id}", status_code=204)
    def end(id: Annotated[str, Path(max_length=36)], caller: Annotated[Caller, Depends(writer)]) -> Response:
        """The work is over, or is not done; what a window covered stays ignored."""
        check_unlimited(caller)
        decisions.remove_exempt(caller, "window", id)
        return Response(status_code=204)


def records(take: Callable[[str, list[str | dict[str, Any]]], int], access: AccessService) -> APIRouter:
    """`/q/drift/records`: what a forwarder of logs sends. It says who did what, so only administrators may."""
    router = APIRouter(tags=["drift"], default_response_class=JsonAnswer)
    admin = access.requires("drift:admin")

    @router.post("/q/drift/records", response_model=messages.RecordsTaken)
    def add(body: messages.RecordBody, caller: Annotated[Caller, Depends(admin)]) -> Response:
        """Lines of access logs or notifications, which tell who asked a cloud's services for what."""
        check_unlimited(caller)
        taken = take(body.cloud, body.lines)
        return JsonAnswer({"taken": taken, "passed_over": max(0, len(body.lines) - taken)})

    return router


def _end(
    service: DriftService, until: str | None, minutes: int | None, since: datetime | None = None
) -> datetime | None:
    if minutes is None:
        return instant("until", until)
    return (since or service.reads.clock()) + timedelta(minutes=minutes)


def filter_of(body: messages.FilterBody) -> EventFilter:
    """The choice that a body states. Raises BadRequest for what is no time."""
    return EventFilter(
        states=tuple(body.state),
        severities=tuple(body.severity),
        types=tuple(body.type),
        clouds=tuple(body.cloud),
        regions=tuple(body.region),
        projects=tuple(body.project),
        rules=tuple(body.rule),
        grades=tuple(body.grade),
        field=body.field,
        id=body.id,
        text=body.text.strip(),
        flapping=body.flapping,
        since=instant("since", body.since),
        until=instant("until", body.until),
    )
