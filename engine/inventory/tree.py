"""`GET /q/tree`: what a resource uses and what uses it, one level of a tree at a time."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import Response

from engine.access import rules
from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import NotFound
from engine.inventory.reads import InventoryReads, find_type, moment, scope_of
from store.estate.reading import single
from store.estate.reading.models import Key, Scope
from store.types.declaration import ResourceType
from store.types.relations import Relation, relations

if TYPE_CHECKING:
    import duckdb

MOST_MEMBERS = 50  # of one group; its count says how many there are


class Group(BaseModel):
    """Resources of one type with the same relation to the one asked about; `filter` lists all of them."""

    direction: str
    type: str
    title: str
    filter: str
    count: int
    items: list[dict[str, Any]]


class TreeAnswer(BaseModel):
    """One resource and its neighbours; `gone` says that it is no longer there (at that time)."""

    type: str
    key: list[str]
    name: str | None
    status: str | None
    gone: bool
    groups: list[Group]


def routes(reads: InventoryReads, access: AccessService) -> APIRouter:
    """The one route."""
    router = APIRouter(tags=["tree"], default_response_class=JsonAnswer)
    reader = Annotated[Caller, Depends(access.requires("inventory:read"))]
    Word = Annotated[str, Query(max_length=255)]

    @router.get("/q/tree", response_model=TreeAnswer)
    async def tree(
        caller: reader,
        type: Annotated[str, Query(max_length=64)],
        id: Annotated[str, Query(min_length=1, max_length=1024)],
        cloud: Word,
        region: Word = "",
        at: Annotated[str | None, Query(max_length=40, description="RFC 3339; now when absent.")] = None,
    ) -> Response:
        """What the resource uses and what uses it, within what the caller may see; now, or at a time."""
        declared = find_type(type)
        access.check(caller, f"{rules.resource_of_type(declared.plural)}:read")
        seen = [
            relation
            for relation in relations(declared)
            if rules.allows(caller.role, f"{rules.resource_of_type(find_type(relation.link.type).plural)}:read")
        ]
        when, scope = moment(at, reads.clock()), scope_of(caller)
        return JsonAnswer(await reads.run(neighbours, reads, declared, (cloud, region, id), seen, when, scope))

    return router


def neighbours(
    reads: InventoryReads, type: ResourceType, key: Key, seen: list[Relation], at: datetime | None, scope: Scope
) -> dict[str, Any]:
    """The answer. Raises NotFound."""

    def work(connection: "duckdb.DuckDBPyConnection") -> dict[str, Any] | None:
        one = single.read_one(connection, type, key, at, scope)
        if one is None:
            return None
        groups = []
        for relation in seen:
            for group in single.links(connection, one, at, scope, (relation.link,)):
                if not group["count"]:
                    continue
                items = single.members(connection, one, relation.link, at, scope, MOST_MEMBERS)
                group.pop("on_demand")
                groups.append({"direction": relation.direction, **group, "items": items})
        status = next((column.name for column in type.columns if column.role == "status"), "")
        return {
            "type": type.name,
            "key": one["key"],
            "name": one["row"].get(single.label_column(type)),
            "status": one["row"].get(status),
            "gone": at is None and one["valid_to"] is not None,
            "groups": groups,
        }

    found = reads.read(work)
    if found is None:
        raise NotFound(f"there is no {type.name} {key[2]!r:.80}" + (" at that time" if at else ""))
    return found
