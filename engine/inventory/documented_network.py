"""The documented lists of networks, addresses and security groups."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.mounting import mount
from engine.inventory.documented import Lists, Paging, Paging50, Sorting, Text, Where, item_of, items_of
from engine.inventory.reads import InventoryReads, in_region, scope_of
from store import filters
from store.estate.reading.models import Window
from store.filters import Filter, Match, Value
from store.types import registry

MOST_PARTS = 10_000  # rules, servers or networks of one security group


def routes(reads: InventoryReads, access: AccessService) -> APIRouter:
    """/networks, /subnets, /ports, /floatingips and the security groups."""
    router = APIRouter(tags=["infrastructure"], default_response_class=JsonAnswer)
    lists = Lists(reads)
    mount(router, _addresses(lists, access))
    mount(router, _groups(lists, access))
    return router


def _addresses(lists: Lists, access: AccessService) -> APIRouter:
    router = APIRouter()

    @router.get("/networks")
    async def networks(
        caller: Annotated[Caller, Depends(access.requires("networks:read"))],
        page: Paging,
        sort: Sorting,
        place: Where,
        project_id: Text = None,
        status: Text = None,
    ) -> Response:
        """All networks."""
        return await lists.answer("network", caller, page, sort, place, {"project_id": project_id, "status": status})

    @router.get("/subnets")
    async def subnets(
        caller: Annotated[Caller, Depends(access.requires("subnets:read"))],
        page: Paging,
        sort: Sorting,
        place: Where,
        project_id: Text = None,
        network_id: Text = None,
    ) -> Response:
        """All subnets with CIDR and gateway."""
        wanted = {"project_id": project_id, "network_id": network_id}
        return await lists.answer("subnet", caller, page, sort, place, wanted)

    @router.get("/ports")
    async def ports(
        caller: Annotated[Caller, Depends(access.requires("ports:read"))],
        page: Paging,
        sort: Sorting,
        place: Where,
        project_id: Text = None,
        network_id: Text = None,
        device_id: Text = None,
        status: Text = None,
    ) -> Response:
        """All ports with the device they are attached to."""
        wanted = {"project_id": project_id, "network_id": network_id, "device_id": device_id, "status": status}
        return await lists.answer("port", caller, page, sort, place, wanted)

    @router.get("/floatingips")
    async def floatingips(
        caller: Annotated[Caller, Depends(access.requires("floatingips:read"))],
        page: Paging,
        sort: Sorting,
        place: Where,
        project_id: Text = None,
        status: Text = None,
    ) -> Response:
        """All floating IPs."""
        wanted = {"project_id": project_id, "status": status}
        return await lists.answer("floating_ip", caller, page, sort, place, wanted)

    return router


def _groups(lists: Lists, access: AccessService) -> APIRouter:
    router = APIRouter()
    reader = Annotated[Caller, Depends(access.requires("security_groups:read"))]

    @router.get("/security-groups")
    async def groups(
        caller: reader,
        page: Paging50,
        sort: Sorting,
        place: Where,
        domain_name: Text = None,
        tenant_name: Text = None,
        name: Text = None,
        project_id: Text = None,
    ) -> Response:
        """All security groups with the numbers of their rules, servers and networks; `name` may be a part of it."""
        wanted = {"domain_name": domain_name, "project_name": tenant_name, "project_id": project_id}
        also: Filter = Match("name", (Value("", name),)) if name else filters.EVERYTHING
        return await lists.answer("security_group", caller, page, sort, place, wanted, also)

    @router.get("/security-groups/{sg_id}")
    async def group(sg_id: Annotated[str, Path(max_length=255)], caller: reader, place: Where) -> Response:
        """One security group with its rules, and the servers and networks that its ports attach it to."""
        declared = registry.ALL["security_group"]
        one = await lists.one("security_group", sg_id, caller, place)
        return JsonAnswer({**item_of(declared, one), **await lists.reads.run(_parts, lists, one, caller)})

    @router.get("/security-group-rules")
    async def rules(
        caller: reader,
        page: Paging50,
        sort: Sorting,
        place: Where,
        security_group_id: Text = None,
        direction: Text = None,
        protocol: Text = None,
        project_id: Text = None,
    ) -> Response:
        """All security group rules."""
        wanted = {
            "security_group_id": security_group_id,
            "direction": direction,
            "protocol": protocol,
            "project_id": project_id,
        }
        return await lists.answer("security_group_rule", caller, page, sort, place, wanted)

    return router


def _parts(lists: Lists, one: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """Rules, attached servers and attached networks of a group."""
    cloud, region, id = one["key"]
    place = in_region(scope_of(caller, [cloud]), region or None)

    def rows(type: str, columns: tuple[str, ...], column: str) -> tuple[list[str], list[list[Any]]]:
        filter = Match(column, (Value("=", id),))
        window = Window(type=type, columns=columns, filter=filter, scope=place)
        _, names, found = lists.reads.page(window, 0, MOST_PARTS)
        return names, found

    declared = registry.ALL["security_group_rule"]
    names, found = rows(declared.name, tuple(column.name for column in declared.view_columns), "security_group_id")
    rules = items_of(declared, names, found, False)
    names, found = rows(
        "port", ("device_owner", "device_id", "server_name", "network_id", "network_name"), "security_group_ids"
    )
    servers: dict[str, Any] = {}
    networks: dict[str, Any] = {}
    for row in found:
        port = dict(zip(names, row, strict=True))
        if (port["device_owner"] or "").startswith("compute:") and port["device_id"]:
            servers[port["device_id"]] = {"vm_id": port["device_id"], "vm_name": port["server_name"]}
        if port["network_id"]:
            networks[port["network_id"]] = {"network_id": port["network_id"], "network_name": port["network_name"]}
    ingress = [rule for rule in rules if rule["direction"] == "ingress"]
    return {
        "rules": rules,
        "ingress_rules": ingress,
        "egress_rules": [rule for rule in rules if rule["direction"] == "egress"],
        "attached_vms": list(servers.values()),
        "attached_networks": list(networks.values()),
    }
