"""Reading the audit."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import BadRequest
from engine.api.paging import Page, page
from engine.audit.models import Records, Verification
from engine.audit.service import AuditService
from store import times

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
    ) -> Response:
        """Records, newest first. `actor` also finds the login behind sudo; `action` may end in `*`.

        A caller whose role is limited to clouds, domains or projects sees what he did himself.
        """
        total, items = service.page(
            since=_time("since", since),
            until=_time("until", until),
            actor=actor,
            action=action,
            outcome=outcome,
            text=text,
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

    return router


def _time(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return times.parse(text)
    except ValueError as error:
        raise BadRequest(f"Invalid parameter: {name}: {error}") from error
