"""Reading the audit."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import NotFound
from engine.api.instants import instant
from engine.api.paging import Page, page
from engine.audit.models import Records, SealedRecord, Verification
from engine.audit.service import AuditService

Text = Annotated[str | None, Query(max_length=255)]
Time = Annotated[str | None, Query(max_length=40, description="RFC 3339, like 2026-02-08T09:00:00Z.")]


def routes(service: AuditService, access: AccessService) -> APIRouter:
    """`/q/audit` and `/q/audit/verification`."""
    router = APIRouter(tags=["audit"], default_response_class=JsonAnswer)
    reader = access.requires("audit:read")
    verifier = access.requires("audit:admin")  # reads the whole chain: seconds for a long one

    @router.get("/q/audit", response_model=Records)
    def audit(
        caller: Annotated[Caller, Depends(reader)],
        page: Annotated[Page, Depends(page)],
        since: Time = None,
        until: Time = None,
        actor: Text = None,
        action: Text = None,
        outcome: Text = None,
        text: Text = None,
        ticket: Text = None,
        target: Text = None,
        cloud: Text = None,
    ) -> Response:
        """Records, newest first. `actor` also finds the login behind sudo; `action` may end in `*`; `ticket` is whole.

        A caller whose role is limited to clouds, domains or projects sees what he did himself.
        """
        total, items = service.page(
            since=instant("since", since),
            until=instant("until", until),
            actor=actor,
            action=action,
            outcome=outcome,
            text=text,
            ticket=ticket,
            target=target,
            cloud=cloud,
            only=caller if caller.limited else None,
            limit=page.limit,
            offset=page.offset,
        )
        return JsonAnswer(page.answer(total, items))

    @router.get("/q/audit/verification", response_model=Verification)
    def verification(caller: Annotated[Caller, Depends(verifier)]) -> Response:
        """Whether the whole chain is as it was written, and the hash of its newest record to note elsewhere."""
        found = service.verify()
        return JsonAnswer(asdict(found))

    @router.get("/q/audit/{seq}", response_model=SealedRecord)
    def record(seq: Annotated[int, Path(ge=1)], caller: Annotated[Caller, Depends(reader)]) -> Response:
        """One record, and whether it is as it was written (`sealed`)."""
        found = service.one(seq, caller if caller.limited else None)
        if found is None:
            raise NotFound(f"there is no audit record {seq}, or you may not see it")
        return JsonAnswer(found)

    return router
