"""The inventory's HTTP API: windows, resources and collections under `/q/`, and the documented lists."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access import rules
from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.changes import ChangeFeed
from engine.api.errors import ApiError, BadRequest, Conflict, NotFound
from engine.api.mounting import mount
from engine.audit.service import AuditService
from engine.clouds.errors import CloudError
from engine.inventory import (
    asked,
    documented,
    documented_identity,
    documented_network,
    exports_routes,
    ondemand_routes,
    tree,
)
from engine.inventory.collect import CollectionService
from engine.inventory.models import (
    CollectionStart,
    Decision,
    Hints,
    Items,
    PositionAnswer,
    ResourceAnswer,
    WindowAnswer,
    WindowBody,
)
from engine.inventory.reads import InventoryReads, find_type, in_region, moment, scope_of
from store import times
from store.estate.reading.models import Window
from store.types import registry
from store.types.declaration import ResourceType

LONGEST_WAIT = 60.0  # seconds of a long poll

Name = Annotated[str | None, Query(max_length=255)]
At = Annotated[str | None, Query(max_length=40, description="RFC 3339, like 2026-02-08T09:00:00Z; now when absent.")]


def routes(
    reads: InventoryReads,
    collections: CollectionService,
    access: AccessService,
    feed: ChangeFeed | None = None,
    audit: AuditService | None = None,
) -> APIRouter:
    """All routes of the room.

    feed   what `GET /q/changes` waits for
    audit  keeps the record of decisions about suspect listings, and has the activity of people
    Both are the collections' own unless given.
    """
    feed = feed or getattr(collections, "_feed", None)
    audit = audit or getattr(collections, "_audit", None)
    router = APIRouter(default_response_class=JsonAnswer)
    mount(router, _windows(reads, access))
    mount(router, _resources(reads, access))
    mount(router, _changes(access, feed or ChangeFeed()))
    mount(router, _listings(reads, access, audit))
    mount(router, _collections(collections, access))
    mount(router, ondemand_routes.routes(reads, collections, access))
    mount(router, exports_routes.routes(reads, access, audit))
    mount(router, tree.routes(reads, access))
    mount(router, documented.routes(reads, access))
    mount(router, documented_network.routes(reads, access))
    mount(router, documented_identity.routes(reads, access, audit))
    return router


def permitted(access: AccessService, caller: Caller, type: ResourceType) -> None:
    """Raise Forbidden unless the caller may read resources of this type."""
    access.check(caller, f"{rules.resource_of_type(type.plural)}:read")


def _windows(reads: InventoryReads, access: AccessService) -> APIRouter:
    router = APIRouter(tags=["windows"])
    reader = Annotated[Caller, Depends(access.requires("inventory:read"))]

    def window_of(body: WindowBody, caller: Caller) -> Window:
        permitted(access, caller, find_type(body.type))
        return asked.window_of(body, caller, reads.clock())

    @router.post("/q/windows", response_model=WindowAnswer)
    async def windows(body: WindowBody, caller: reader) -> Response:
        """The rows around an anchor of a sorted, filtered list, now or as of a time."""
        window = window_of(body, caller)
        return JsonAnswer(reads.ready_window(window) or await reads.run(reads.window, window))

    @router.post("/q/windows/position", response_model=PositionAnswer)
    async def position(body: WindowBody, caller: reader) -> Response:
        """How long the list is, and how many of its rows lie before the anchor."""
        return JsonAnswer(await reads.run(reads.position, window_of(body, caller)))

    return router


def _resources(reads: InventoryReads, access: AccessService) -> APIRouter:
    router = APIRouter(tags=["resources"])
    reader = Annotated[Caller, Depends(access.requires("inventory:read"))]

    @router.get("/q/resources/{type}/{id:path}", response_model=ResourceAnswer)
    async def resource(
        type: Annotated[str, Path(max_length=64)],
        id: Annotated[str, Path(max_length=1024)],
        caller: reader,
        cloud: Name = None,
        region: Name = None,
        at: At = None,
    ) -> Response:
        """One resource by its id: row, document, links. One that is gone is answered as it was last."""
        declared = find_type(type)
        permitted(access, caller, declared)
        scope = in_region(scope_of(caller, [cloud] if cloud else None), region or None)
        when = moment(at, reads.clock())

        def work() -> dict[str, Any]:
            keys = reads.keys(declared, id, when, scope)
            if len(keys) > 1:
                raise Conflict(f"{declared.name} {id!r:.80} is in {_places(keys)}: say which with cloud and region")
            if not keys:
                raise NotFound(f"there is no {declared.name} {id!r:.80}" + (" at that time" if when else ""))
            return reads.resource(declared, keys[0], when, scope)

        return JsonAnswer(await reads.run(work))

    @router.get("/q/resolve", response_model=Items)
    async def resolve(
        caller: reader,
        ref: Annotated[str, Query(min_length=1, max_length=1024)],
        type: Annotated[str | None, Query(max_length=64)] = None,
        at: At = None,
        cloud: Name = None,
        region: Name = None,
    ) -> Response:
        """Who `ref` means: an id, else a name, else the beginning (4 characters) of an id; of every type without
        `type`.
        """
        if type is not None:
            types = [find_type(type)]
            permitted(access, caller, types[0])
        else:
            types = [t for t in registry.ALL.values() if _may(access, caller, t)]
        scope = in_region(scope_of(caller, [cloud] if cloud else None), region or None)
        when = moment(at, reads.clock())
        return JsonAnswer({"items": await reads.run(reads.candidates, types, ref, when, scope)})

    return router


def _may(access: AccessService, caller: Caller, type: ResourceType) -> bool:
    return rules.allows(caller.role, f"{rules.resource_of_type(type.plural)}:read")


def _places(keys: list[tuple[str, str, str]]) -> str:
    return ", ".join("/".join(part for part in key[:2] if part) for key in keys[:10])


def _changes(access: AccessService, feed: ChangeFeed) -> APIRouter:
    router = APIRouter(tags=["changes"])
    reader = Annotated[Caller, Depends(access.requires("inventory:read"))]

    @router.get("/q/changes", response_model=Hints)
    async def changes(
        caller: reader,
        since: Annotated[int | None, Query(ge=0, lt=2**63, description="`seq` of the last answer.")] = None,
        wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT, description="Seconds.")] = 25.0,
    ) -> Response:
        """Hints about what changed after `since`; waits for the first. Without `since` it tells where to begin."""
        answer = await feed.wait(since, wait)
        hints = [
            hint
            for hint in answer["hints"]
            if caller.clouds is None or "cloud" not in hint or hint["cloud"] in caller.clouds
        ]
        return JsonAnswer({"seq": answer["seq"], "hints": hints})

    return router


def _listings(reads: InventoryReads, access: AccessService, audit: AuditService | None) -> APIRouter:
    router = APIRouter(tags=["listings"])
    reader = Annotated[Caller, Depends(access.requires("inventory:read"))]
    decider = Annotated[Caller, Depends(access.requires("collections:write"))]

    @router.get("/q/listings", response_model=Items)
    async def listings(caller: reader, cloud: Name = None) -> Response:
        """How every (cloud, region, type) was listed last: state, rows, age, and who saw it."""
        states = await reads.run(reads.states, caller.clouds)
        items = [_in_text(state) for state in states if cloud is None or state["cloud"] == cloud]
        return JsonAnswer({"items": items})

    @router.post("/q/suspects/decision")
    async def decision(body: Decision, caller: decider) -> Response:
        """Say of rows that vanished suspiciously whether they are gone (`accept`) or still there."""
        type = find_type(body.type)
        if caller.clouds is not None and body.cloud not in caller.clouds:
            raise NotFound(f"there is no cloud {body.cloud!r:.80}")
        target = "/".join(part for part in (body.cloud, body.region, type.plural) if part)

        def work() -> dict[str, Any]:
            if audit is not None:
                audit.record(caller, "suspects.decide", target, {"accept": body.accept}, "intent")
            try:
                answer = reads.estate.decide(body.cloud, body.region, type.name, body.accept)
            except KeyError as error:
                raise NotFound(str(error.args[0])) from None
            if audit is not None:
                audit.record(caller, "suspects.decide", target, {"accept": body.accept, **answer})
            return answer

        return JsonAnswer(_in_text(await reads.run(work)))

    return router


def _in_text(state: dict[str, Any]) -> dict[str, Any]:
    return {name: times.text(value) if isinstance(value, datetime) else value for name, value in state.items()}


def _collections(collections: CollectionService, access: AccessService) -> APIRouter:
    router = APIRouter(tags=["collections"])
    reader = Annotated[Caller, Depends(access.requires("collections:read"))]
    writer = Annotated[Caller, Depends(access.requires("collections:write"))]
    Id = Annotated[str, Path(max_length=64)]

    @router.post("/q/collections", status_code=202, response_model=Items)
    def start(body: CollectionStart, caller: writer) -> Response:
        """Collect clouds: running or queued, one per cloud at a time. Ask again by the ids answered."""
        types = None if body.types is None else [find_type(word).name for word in body.types]
        try:
            items = collections.start(caller, body.clouds, types, body.full)
        except CloudError as error:
            raise ApiError(str(error), 404 if error.kind == "unknown" else 502) from None
        except KeyError as error:
            raise BadRequest(f"Invalid parameter: {error.args[0]}") from None
        return JsonAnswer({"items": items}, status_code=202)

    @router.get("/q/collections", response_model=Items)
    def index(caller: reader) -> Response:
        """Collections that wait, run, or ended lately; the newest first."""
        return JsonAnswer({"items": collections.list(caller)})

    @router.get("/q/collections/{id}")
    def one(id: Id, caller: reader) -> Response:
        """One collection: per type its state, rows and rate."""
        return JsonAnswer(_known(collections, id, caller))

    @router.delete("/q/collections/{id}")
    def cancel(id: Id, caller: writer) -> Response:
        """Cancel a collection; what it has already stored stays."""
        _known(collections, id, caller)
        return JsonAnswer(collections.cancel(caller, id))

    return router


def _known(collections: CollectionService, id: str, caller: Caller) -> dict[str, Any]:
    try:
        return collections.get(id, caller)
    except KeyError:
        raise NotFound(f"there is no collection {id!r:.80}; ended ones are forgotten after a while") from None
