"""`GET /q/resources/{type}/{id}/events` and `GET /q/servers/{id}/console-log`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access import rules
from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import BadRequest, Conflict, NotFound
from engine.inventory.console_log import LINES, MOST_LINES, ConsoleLogs
from engine.inventory.events import Timeline
from engine.inventory.events_models import ConsoleLogAnswer, EventsAnswer
from engine.inventory.reads import InventoryReads, find_type, in_region, scope_of
from store import times
from store.estate.reading.models import Key, Scope
from store.types import registry
from store.types.declaration import ResourceType

MOST = 1000
Name = Annotated[str | None, Query(max_length=255)]
Since = Annotated[str | None, Query(max_length=40, description="RFC 3339, like 2026-02-08T09:00:00Z.")]


def routes(reads: InventoryReads, timeline: Timeline, access: AccessService) -> APIRouter:
    """The time line. It blocks as long as the cloud takes, so it is a plain function on a thread.

    To be mounted before the inventory's own routes: `/q/resources/{type}/{id}` takes ids with slashes.
    """
    router = APIRouter(tags=["events"], default_response_class=JsonAnswer)
    reader = Annotated[Caller, Depends(access.requires("inventory:read"))]

    @router.get("/q/resources/{type}/{id:path}/events", response_model=EventsAnswer)
    def events(
        type: Annotated[str, Path(max_length=64)],
        id: Annotated[str, Path(max_length=1024)],
        caller: reader,
        cloud: Name = None,
        region: Name = None,
        since: Since = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 200,
    ) -> Response:
        """Everything that is known to have happened to a resource, also to one that is gone; the newest first."""
        declared = find_type(type)
        access.check(caller, f"{rules.resource_of_type(declared.plural)}:read")
        scope = in_region(scope_of(caller, [cloud] if cloud else None), region or None)
        try:
            after = None if since is None else times.parse(since)
        except ValueError as error:
            raise BadRequest(f"Invalid parameter: since: {error}") from None
        key = the_key(reads, declared, id, scope)
        return JsonAnswer(timeline.of(caller, declared, key, scope, after, limit))

    return router


def console_routes(reads: InventoryReads, logs: ConsoleLogs, access: AccessService) -> APIRouter:
    """The console log. Asking the cloud blocks, so it is a plain function on a thread too."""
    router = APIRouter(tags=["events"], default_response_class=JsonAnswer)
    reader = Annotated[Caller, Depends(access.requires("servers:read"))]

    @router.get("/q/servers/{id}/console-log", response_model=ConsoleLogAnswer)
    def console_log(
        id: Annotated[str, Path(max_length=255)],
        caller: reader,
        cloud: Name = None,
        region: Name = None,
        length: Annotated[int, Query(ge=1, le=MOST_LINES, description="So many of the last lines.")] = LINES,
    ) -> Response:
        """The end of a server's console log, without escape sequences; 403 where the cloud's account may not."""
        scope = in_region(scope_of(caller, [cloud] if cloud else None), region or None)
        key = the_key(reads, registry.ALL["server"], id, scope)
        return JsonAnswer(logs.read(caller, key, scope, length))

    return router


def the_key(reads: InventoryReads, type: ResourceType, id: str, scope: Scope) -> Key:
    """The one resource of that id, also when it is gone. Raises NotFound, Conflict when a choice is left."""
    keys = reads.keys(type, id, None, scope)
    if len(keys) > 1:
        places = ", ".join("/".join(part for part in key[:2] if part) for key in keys[:10])
        raise Conflict(f"{type.name} {id!r:.80} is in {places}: say which with cloud and region")
    if not keys:
        raise NotFound(f"there is no {type.name} {id!r:.80}")
    return keys[0]
