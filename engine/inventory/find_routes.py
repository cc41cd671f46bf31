"""`GET /q/find`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from engine.access import rules
from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.audit.service import AuditService
from engine.inventory.find import Finder
from engine.inventory.find_models import FindAnswer
from engine.inventory.lineage import Lineage, none
from engine.inventory.reads import InventoryReads, moment, scope_of
from store.types import registry

MOST = 500
DEFAULT = 50


def routes(
    reads: InventoryReads, access: AccessService, audit: AuditService | None = None, lineage: Lineage = none
) -> APIRouter:
    """The one route of "find anything"."""
    router = APIRouter(tags=["find"], default_response_class=JsonAnswer)
    finder = Finder(reads, audit, lineage)
    reader = Annotated[Caller, Depends(access.requires("inventory:read"))]

    @router.get("/q/find", response_model=FindAnswer)
    async def find(
        caller: reader,
        q: Annotated[str, Query(min_length=1, max_length=255, description="Address, MAC, name, part of an id")],
        at: Annotated[str | None, Query(max_length=40, description="RFC 3339; all times when absent.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = DEFAULT,
        cloud: Annotated[str | None, Query(max_length=255)] = None,
    ) -> Response:
        """What the text is or was: machines, ports, volumes, anything; current and gone, in all clouds."""
        types = [
            type
            for type in registry.ALL.values()
            if rules.allows(caller.role, f"{rules.resource_of_type(type.plural)}:read")
        ]
        auditor = caller if rules.allows(caller.role, "audit:read") else None
        scope = scope_of(caller, [cloud] if cloud else None)
        when = moment(at, reads.clock())
        answer = await reads.run(lambda: finder.find(q, types, when, scope, limit, auditor=auditor))
        return JsonAnswer(answer)

    return router
