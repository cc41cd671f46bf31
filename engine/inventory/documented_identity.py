"""The documented lists of domains, projects and people."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.mounting import mount
from engine.api.paging import Page, Sort
from engine.audit.service import AuditService
from engine.inventory.documented import Lists, Paging, Place, Sorting, Text, Where, equal_to, item_of
from engine.inventory.reads import InventoryReads, in_region, scope_of
from store import times
from store.estate.reading.models import Window
from store.filters import Match, Value
from store.types import registry

Flag = Annotated[bool | None, Query()]


def routes(reads: InventoryReads, access: AccessService, audit: AuditService | None) -> APIRouter:
    """/domains, /projects, /tenants, /users, /roles, /role-assignments and /user-activity-summary."""
    router = APIRouter(default_response_class=JsonAnswer)
    lists = Lists(reads)
    mount(router, _tenants(lists, access), tags=["infrastructure"])
    mount(router, _people(lists, access), tags=["user management"])
    mount(router, _activity(lists, access, audit), tags=["user management"])
    return router


def _tenants(lists: Lists, access: AccessService) -> APIRouter:
    router = APIRouter()

    @router.get("/domains")
    async def domains(
        caller: Annotated[Caller, Depends(access.requires("domains:read"))],
        page: Paging,
        sort: Sorting,
        place: Where,
        enabled: Flag = None,
    ) -> Response:
        """All domains with the number of their projects."""
        return await lists.answer("domain", caller, page, sort, place, {"enabled": enabled})

    async def projects(
        caller: Annotated[Caller, Depends(access.requires("projects:read"))],
        page: Paging,
        sort: Sorting,
        place: Where,
        domain_id: Text = None,
        domain_name: Text = None,
        enabled: Flag = None,
    ) -> Response:
        """All projects with the numbers of their resources."""
        wanted = {"domain_id": domain_id, "domain_name": domain_name, "enabled": enabled}
        return await lists.answer("project", caller, page, sort, place, wanted)

    for path in ("/projects", "/tenants"):
        router.add_api_route(path, projects, methods=["GET"], name=path[1:])
    return router


def _people(lists: Lists, access: AccessService) -> APIRouter:
    router = APIRouter()
    # The cloud's people, not the console's: the matrix's `users` are those.
    reader = Annotated[Caller, Depends(access.requires("resources:read"))]
    Id = Annotated[str, Path(max_length=255)]

    @router.get("/users")
    async def users(
        caller: reader, page: Paging, sort: Sorting, place: Where, domain_id: Text = None, enabled: Flag = None
    ) -> Response:
        """All users of all domains."""
        return await lists.answer("user", caller, page, sort, place, {"domain_id": domain_id, "enabled": enabled})

    @router.get("/users/{user_id}")
    async def user(user_id: Id, caller: reader, place: Where) -> Response:
        """One user with his role assignments."""
        one = await lists.one("user", user_id, caller, place)
        found = await lists.reads.run(_assignments, lists, one, caller, "user_id")
        return JsonAnswer({**item_of(registry.ALL["user"], one), "role_assignments": found})

    @router.get("/roles")
    async def roles(caller: reader, page: Paging, sort: Sorting, place: Where, domain_id: Text = None) -> Response:
        """All roles."""
        return await lists.answer("role", caller, page, sort, place, {"domain_id": domain_id})

    @router.get("/roles/{role_id}")
    async def role(role_id: Id, caller: reader, place: Where) -> Response:
        """One role with its assignments."""
        one = await lists.one("role", role_id, caller, place)
        found = await lists.reads.run(_assignments, lists, one, caller, "role_id")
        return JsonAnswer({**item_of(registry.ALL["role"], one), "role_assignments": found})

    @router.get("/role-assignments")
    async def assignments(
        caller: reader,
        page: Paging,
        sort: Sorting,
        place: Where,
        user_id: Text = None,
        project_id: Text = None,
        role_id: Text = None,
        group_id: Text = None,
        domain_id: Text = None,
    ) -> Response:
        """Who has which role on what."""
        wanted = {
            "user_id": user_id,
            "project_id": project_id,
            "role_id": role_id,
            "group_id": group_id,
            "domain_id": domain_id,
        }
        return await lists.answer("role_assignment", caller, page, sort, place, wanted)

    return router


def _assignments(lists: Lists, one: dict[str, Any], caller: Caller, column: str) -> list[dict[str, Any]]:
    """Role assignments that name a user or role, at most 1000."""
    names = (
        *("role_id", "role_name", "user_id", "user_name", "group_id", "group_name", "scope_kind"),
        *("project_id", "project_name", "domain_id", "domain_name", "inherited"),
    )
    window = Window(
        type="role_assignment",
        columns=names,
        filter=Match(column, (Value("=", one["key"][2]),)),
        scope=scope_of(caller, [one["key"][0]]),
    )
    _, columns, rows = lists.reads.page(window, 0, 1000)
    return [dict(zip(columns[3:], row[3:], strict=True)) for row in rows]


def _activity(lists: Lists, access: AccessService, audit: AuditService | None) -> APIRouter:
    router = APIRouter()

    @router.get("/user-activity-summary")
    async def summary(
        caller: Annotated[Caller, Depends(access.requires("audit:read"))],
        page: Paging,
        sort: Sorting,
        place: Where,
        domain_id: Text = None,
        enabled: Flag = None,
    ) -> Response:
        """Every cloud user with what the console's audit holds of a person of that name.

        Neither Keystone nor this console knows a user's activity elsewhere: without records `last_activity` is null.
        """
        return JsonAnswer(await lists.reads.run(_summary, lists, caller, page, sort, place, domain_id, enabled, audit))

    return router


def _summary(
    lists: Lists,
    caller: Caller,
    page: Page,
    sort: Sort,
    place: Place,
    domain_id: str | None,
    enabled: bool | None,
    audit: AuditService | None,
) -> dict[str, Any]:
    declared = registry.ALL["user"]
    window = Window(
        type="user",
        columns=("name", "domain_name", "email", "enabled"),
        filter=equal_to({"domain_id": domain_id, "enabled": enabled}),
        sort=lists.sort_of(declared, sort),
        scope=in_region(scope_of(caller, [place.cloud] if place.cloud else None), place.region),
    )
    total, columns, rows = lists.reads.page(window, page.offset, page.limit)
    items = []
    for row in rows:
        values = dict(zip(columns, row, strict=True))
        count, last = _actions(audit, values["name"])
        items.append(
            {
                "user_id": values["id"],
                "user_name": values["name"],
                "domain_name": values["domain_name"],
                "email": values["email"],
                "enabled": values["enabled"],
                "action_count": count,
                "last_action": last["action"] if last else None,
                "last_activity": times.text(last["at"]) if last else None,
                "cloud": values["cloud"],
                "region": values["region"],
            }
        )
    return page.answer(total, items, "results" if page.by_offset else "items")


def _actions(audit: AuditService | None, name: str | None) -> tuple[int, dict[str, Any] | None]:
    """How many records the audit has of an actor, and the newest."""
    if audit is None or not name:
        return 0, None
    count, records = audit.page(actor=name, limit=1)
    return count, records[0] if records else None
