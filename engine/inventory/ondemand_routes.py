"""`POST /q/collections/on-demand`: rows of a type that no collection reads, for one resource, read now."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from engine.access import rules
from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import ApiError, BadRequest, Conflict, NotFound
from engine.clouds.errors import CloudError
from engine.inventory.collect import CollectionService
from engine.inventory.models import Text, WindowAnswer
from engine.inventory.ondemand import Wanted
from engine.inventory.reads import InventoryReads, find_type, in_region, scope_of
from store import filters, times
from store.estate.reading import single
from store.estate.reading.models import Key, Scope, Window
from store.types import registry
from store.types.declaration import ResourceType

MOST_ROWS = 1000
_STATUS = {"unknown": 404, "bad_request": 400, "timeout": 504, "busy": 503}


class OnDemandBody(BaseModel):
    """Which rows: those of `type` that belong to the resource. Cloud and region only where its id leaves a choice."""

    model_config = ConfigDict(extra="forbid")

    type: Text
    resource_id: Annotated[str, Field(min_length=1, max_length=255)]
    cloud: Text | None = None
    region: Text | None = None


class OnDemandAnswer(WindowAnswer):
    """The rows as a window of the stored list; who read them and when, and the state that this listing ended in."""

    filter: str
    read_at: str
    account: str
    state: str
    reason: str


def routes(reads: InventoryReads, collections: CollectionService, access: AccessService) -> APIRouter:
    """The one route. It blocks as long as the cloud takes, so it is a plain function on a thread."""
    router = APIRouter(tags=["collections"])
    reader = Annotated[Caller, Depends(access.requires("inventory:read"))]

    @router.post("/q/collections/on-demand", response_model=OnDemandAnswer)
    def on_demand(body: OnDemandBody, caller: reader) -> Response:
        """Read rows that belong to one resource from the cloud, now, and answer them; at most a thousand."""
        type = find_type(body.type)
        access.check(caller, f"{rules.resource_of_type(type.plural)}:read")
        if not type.listing.on_demand:
            raise BadRequest(f"Invalid parameter: type: {type.plural} belong to every collection; ask for a window")
        wanted = _place(reads, type, body, caller)
        began = reads.clock()
        try:
            done = collections.on_demand.read(wanted)
        except CloudError as error:
            known = error.status is None or error.kind in ("timeout", "busy")
            raise ApiError(str(error), _STATUS.get(error.kind, 502) if known else 502) from None
        text = _filter(type, wanted.cloud, done.region, body.resource_id)
        # Whoever may see the resource may see its rows, also where they do not name its project.
        names = tuple(column.name for column in type.view_columns)
        window = Window(type=type.name, columns=names, filter=text, after=MOST_ROWS, scope=Scope())
        answer: dict[str, Any] = reads.window(window)
        read = {"read_at": times.text(began), "account": done.account, "state": done.state, "reason": done.reason}
        return JsonAnswer({**answer, "filter": text, **read})

    return router


def _place(reads: InventoryReads, type: ResourceType, body: OnDemandBody, caller: Caller) -> Wanted:
    """Where the resource is, as far as the caller may see it. Raises NotFound, Conflict."""
    scope = in_region(scope_of(caller, [body.cloud] if body.cloud else None), body.region or None)
    found: dict[tuple[str, str], tuple[ResourceType, Key]] = {}
    for parent, _ in registry.parents(type):
        if rules.allows(caller.role, f"{rules.resource_of_type(parent.plural)}:read"):
            for key in reads.keys(parent, body.resource_id, None, scope):
                found[key[:2]] = (parent, key)
    if len(found) > 1:
        places = ", ".join("/".join(filter(None, place)) for place in sorted(found)[:10])
        raise Conflict(f"{body.resource_id!r:.80} is in {places}: say which with cloud and region")
    if found:
        ((parent, key),) = found.values()
        one = reads.read(lambda connection: single.read_one(connection, parent, key, None, scope))
        project = str(one["row"].get(parent.owner) or "") if one else ""
        return Wanted(type, key[0], key[1], body.resource_id, project)
    if caller.limited or not body.cloud:
        names = " or ".join(parent.name for parent, _ in registry.parents(type))
        raise NotFound(
            f"there is no {names} {body.resource_id!r:.80} here" + ("" if caller.limited else "; name its cloud")
        )
    return Wanted(type, body.cloud, body.region or "", body.resource_id)


def _filter(type: ResourceType, cloud: str, region: str, resource_id: str) -> str:
    column = registry.parents(type)[0][1]
    pairs = ((column, resource_id), ("cloud", cloud), ("region", region))
    terms = [filters.Match(name, (filters.Value("=", value),)) for name, value in pairs if value]
    return filters.format(filters.all_of(*terms))
