"""The documented lists of infrastructure: /servers, /volumes and their neighbours.

One rule for all: filters are exact unless a text says otherwise, `cloud` and `region` narrow every list and are in
every item, paging is `page`/`page_size` or `limit`/`offset` up to 10,000 rows deep. A list asked for by offset answers
`results`, else `items`.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import BadRequest, Conflict, NotFound
from engine.api.mounting import mount
from engine.api.paging import Page, Sort, page, sort
from engine.inventory.reads import InventoryReads, in_region, scope_of
from store import filters
from store.estate.reading.models import Window
from store.filters import Filter, Match, Value
from store.types import registry
from store.types.declaration import ResourceType

Text = Annotated[str | None, Query(max_length=255)]
Paging = Annotated[Page, Depends(page)]
Sorting = Annotated[Sort, Depends(sort)]
POLICY_KEYS = ("auto_snapshot", "snapshot_policies", "snapshot_policy", "retention", "sla_days")
POLICY_PREFIXES = ("retention_", "snapshot_retention_")


def page_of_50(
    page_number: Annotated[int | None, Query(ge=1, alias="page", description="Page, from 1.")] = None,
    page_size: Annotated[int | None, Query(ge=1, le=1000, description="Rows a page; 50 unless given.")] = None,
    limit: Annotated[int | None, Query(ge=1, le=1000, description="Rows; 100 unless given.")] = None,
    offset: Annotated[int | None, Query(ge=0, description="First row, from 0.")] = None,
) -> Page:
    """As engine.api.paging.page, for the lists whose documented page has 50 rows."""
    by_offset = limit is not None or offset is not None
    return page(page_number, page_size if page_size or by_offset else 50, limit, offset)


Paging50 = Annotated[Page, Depends(page_of_50)]


class Place:
    """The optional `cloud` and `region` of every documented read."""

    def __init__(
        self,
        cloud: Annotated[str | None, Query(max_length=63, description="Only this cloud; all when absent.")] = None,
        region: Annotated[str | None, Query(max_length=255, description="Only this region.")] = None,
    ) -> None:
        self.cloud = cloud or None
        self.region = region or None


Where = Annotated[Place, Depends(Place)]


class Lists:
    """Answers documented lists and single items out of the store."""

    def __init__(self, reads: InventoryReads) -> None:
        self.reads = reads

    async def answer(
        self,
        type: str,
        caller: Caller,
        page: Page,
        sort: Sort,
        place: Place,
        exact: Mapping[str, Any] | None = None,
        also: Filter = filters.EVERYTHING,
        only: bool = False,
    ) -> Response:
        """`page` as JSON."""
        return JsonAnswer(await self.page(type, caller, page, sort, place, exact, also, only))

    async def page(
        self,
        type: str,
        caller: Caller,
        page: Page,
        sort: Sort,
        place: Place,
        exact: Mapping[str, Any] | None = None,
        also: Filter = filters.EVERYTHING,
        only: bool = False,
    ) -> dict[str, Any]:
        """A page of the type.

        exact   column -> value wanted, None = any
        only    nothing but the documented fields (and cloud and region)
        """
        declared = registry.ALL[type]
        window = Window(
            type=type,
            columns=tuple(fields(declared, only).values()),
            filter=filters.all_of(equal_to(exact or {}), also),
            sort=self.sort_of(declared, sort),
            scope=in_region(scope_of(caller, [place.cloud] if place.cloud else None), place.region),
        )
        total, columns, rows = await self.reads.run(self.reads.page, window, page.offset, page.limit)
        items = items_of(declared, columns, rows, only)
        return page.answer(total, items, "results" if page.by_offset else "items")

    @staticmethod
    def sort_of(type: ResourceType, sort: Sort) -> tuple[tuple[str, bool], ...]:
        known = {**{column.name: column.name for column in type.view_columns}, "id": "id", **type.documented}
        known |= {"cloud": "cloud", "region": "region"}
        sort.within(known)
        return ((known[sort.column], sort.descending),) if sort.column else ()

    async def one(self, type: str, id: str, caller: Caller, place: Place) -> dict[str, Any]:
        """{row, doc, key, ...} of the one resource with this id now. Raises NotFound, Conflict for several clouds."""
        declared = registry.ALL[type]
        scope = in_region(scope_of(caller, [place.cloud] if place.cloud else None), place.region)

        def work() -> dict[str, Any]:
            keys = self.reads.keys(declared, id, None, scope)
            found = [
                one for key in keys if (one := self.reads.resource(declared, key, None, scope))["valid_to"] is None
            ]
            if not found:
                raise NotFound(f"{declared.name.replace('_', ' ').capitalize()} {id!r:.80} not found")
            if len(found) > 1:
                clouds = ", ".join(one["key"][0] for one in found)
                raise Conflict(f"{declared.name} {id!r:.80} is in several clouds ({clouds}): name one with cloud")
            return found[0]

        return await self.reads.run(work)


def equal_to(wanted: Mapping[str, Any]) -> Filter:
    """The filter that columns equal these values; None is any."""
    terms = []
    for column, value in wanted.items():
        if value is None:
            continue
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        if not text or any(character < " " or "\ud800" <= character <= "\udfff" for character in text):
            raise BadRequest(f"Invalid parameter: {column} is empty or has a control character in it")
        status = column in ("status", "state")
        terms.append(Match(column, (Value("" if status or isinstance(value, bool) else "=", text),)))
    return filters.all_of(*terms)


def fields(type: ResourceType, only: bool) -> dict[str, str]:
    """Field of the answer -> column: the documented fields, then (unless `only`) the id and all other columns of the
    view.
    """
    if only:
        return dict(type.documented)
    rest = {column.name: column.name for column in type.view_columns}
    return {"id": "id", **rest, **type.documented}


def items_of(type: ResourceType, columns: list[str], rows: list[list[Any]], only: bool) -> list[dict[str, Any]]:
    """Rows as documented items, each with cloud and region."""
    at = {name: index for index, name in enumerate(columns)}
    picked = [(field, at[column]) for field, column in fields(type, only).items()]
    picked += [("cloud", at["cloud"]), ("region", at["region"])]
    return [{field: row[index] for field, index in picked} for row in rows]


def item_of(type: ResourceType, one: dict[str, Any]) -> dict[str, Any]:
    """A single resource in the shape of its list's items."""
    row = {**one["row"], "id": one["key"][2]}
    found = {field: row.get(column) for field, column in fields(type, False).items()}
    return {**found, "cloud": one["key"][0], "region": one["key"][1]}


def routes(reads: InventoryReads, access: AccessService) -> APIRouter:
    """The documented reads of compute, images and block storage."""
    router = APIRouter(tags=["infrastructure"], default_response_class=JsonAnswer)
    lists = Lists(reads)
    mount(router, _compute(lists, access))
    mount(router, _storage(lists, access))
    return router


def _compute(lists: Lists, access: AccessService) -> APIRouter:
    router = APIRouter()

    @router.get("/servers")
    async def servers(
        caller: Annotated[Caller, Depends(access.requires("servers:read"))],
        page: Paging50,
        sort: Sorting,
        place: Where,
        domain_name: Text = None,
        tenant_id: Text = None,
        status: Text = None,
    ) -> Response:
        """All servers: resources, addresses, image, and what their host has and has given away."""
        wanted = {"domain_name": domain_name, "project_id": tenant_id, "status": status}
        return await lists.answer("server", caller, page, sort, place, wanted, only=True)

    @router.get("/flavors")
    async def flavors(
        caller: Annotated[Caller, Depends(access.requires("flavors:read"))], page: Paging, sort: Sorting, place: Where
    ) -> Response:
        """All flavors, private ones too."""
        return await lists.answer("flavor", caller, page, sort, place)

    @router.get("/images")
    async def images(
        caller: Annotated[Caller, Depends(access.requires("images:read"))],
        page: Paging,
        sort: Sorting,
        place: Where,
        status: Text = None,
        visibility: Text = None,
    ) -> Response:
        """All images."""
        wanted = {"status": status, "visibility": visibility}
        return await lists.answer("image", caller, page, sort, place, wanted)

    @router.get("/hypervisors")
    async def hypervisors(
        caller: Annotated[Caller, Depends(access.requires("hypervisors:read"))],
        page: Paging,
        sort: Sorting,
        place: Where,
        state: Text = None,
        status: Text = None,
    ) -> Response:
        """All compute hosts with their capacity and what is used of it."""
        wanted = {"state": state, "status": status}
        return await lists.answer("hypervisor", caller, page, sort, place, wanted)

    return router


def policy_metadata(metadata: Any) -> dict[str, str]:
    """The entries of a volume's metadata that speak of snapshot policies."""
    if not isinstance(metadata, dict):
        return {}
    return {
        key: str(value)
        for key, value in metadata.items()
        if key in POLICY_KEYS or (isinstance(key, str) and key.startswith(POLICY_PREFIXES))
    }


def _storage(lists: Lists, access: AccessService) -> APIRouter:
    router = APIRouter()
    volumes_reader = Annotated[Caller, Depends(access.requires("volumes:read"))]

    @router.get("/volumes")
    async def volumes(
        caller: volumes_reader,
        page: Paging,
        sort: Sorting,
        place: Where,
        project_id: Text = None,
        tenant_id: Text = None,
        status: Text = None,
    ) -> Response:
        """All volumes."""
        wanted = {"project_id": project_id or tenant_id, "status": status}
        return await lists.answer("volume", caller, page, sort, place, wanted)

    @router.get("/volumes/metadata/bulk")
    async def bulk_metadata(
        caller: volumes_reader, page: Paging, sort: Sorting, place: Where, project_id: Text = None
    ) -> Response:
        """Snapshot-policy metadata of every volume that has any metadata."""
        declared = registry.ALL["volume"]
        has_any = Match("metadata", (Value("any"),))
        window = Window(
            type="volume",
            columns=("name", "project_id", "project_name", "metadata"),
            filter=filters.all_of(equal_to({"project_id": project_id}), has_any),
            sort=lists.sort_of(declared, sort),
            scope=in_region(scope_of(caller, [place.cloud] if place.cloud else None), place.region),
        )
        total, columns, rows = await lists.reads.run(lists.reads.page, window, page.offset, page.limit)
        items = []
        for row in rows:
            values = dict(zip(columns, row, strict=True))
            pairs = dict(item.split("=", 1) for item in values["metadata"] or ())
            items.append(
                {
                    "volume_id": values["id"],
                    "volume_name": values["name"],
                    "project_id": values["project_id"],
                    "project_name": values["project_name"],
                    "metadata": policy_metadata(pairs),
                    "cloud": values["cloud"],
                    "region": values["region"],
                }
            )
        return JsonAnswer(page.answer(total, items, "results" if page.by_offset else "items"))

    @router.get("/volumes/{volume_id}/metadata")
    async def metadata(
        volume_id: Annotated[str, Path(max_length=255)], caller: volumes_reader, place: Where
    ) -> Response:
        """Snapshot-policy metadata of one volume."""
        one = await lists.one("volume", volume_id, caller, place)
        return JsonAnswer(
            {
                "volume_id": one["key"][2],
                "volume_name": one["row"].get("name"),
                "project_id": one["row"].get("project_id"),
                "project_name": one["row"].get("project_name"),
                "metadata": policy_metadata(one["doc"].get("metadata")),
                "cloud": one["key"][0],
                "region": one["key"][1],
            }
        )

    return router
