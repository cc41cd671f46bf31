"""The user-access log as documented: events that front ends report about who reached what. Not part of the chain."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, select
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer, dump
from engine.api.errors import BadRequest
from store import times
from store.ids import uuid7
from store.ops.ops import Ops
from store.ops.tables import access_log

MOST_DETAIL_BYTES = 16_384


class AccessEvent(BaseModel):
    """Body of POST /admin/user-access-log. `user_name` is the caller when it is not given."""

    model_config = ConfigDict(extra="forbid")

    action: str = Field(min_length=1, max_length=128)
    user_name: str | None = Field(None, min_length=1, max_length=255)
    resource: str | None = Field(None, max_length=2048)
    success: bool = True
    ip_address: str | None = Field(None, max_length=64)
    user_agent: str | None = Field(None, max_length=255)
    details: dict[str, Any] = Field(default_factory=dict)


class AccessEventKept(BaseModel):
    """The event as it is kept."""

    id: str
    timestamp: str
    user_name: str
    action: str
    resource: str | None
    success: bool
    ip_address: str | None
    user_agent: str | None
    details: dict[str, Any]


class AccessLog:
    """Keeps events of the user-access log."""

    def __init__(self, ops: Ops) -> None:
        self._ops = ops

    def record(self, caller: Caller, event: AccessEvent) -> dict[str, Any]:
        """Keep one event and return it. Raises BadRequest for details over 16 KB, or with numbers beyond 64 bits."""
        try:
            size = len(dump(event.details))
        except TypeError as error:
            raise BadRequest(f"Invalid parameter: details cannot be kept: {error}") from None
        if size > MOST_DETAIL_BYTES:
            raise BadRequest(f"Invalid parameter: details may have {MOST_DETAIL_BYTES} bytes")
        row = {
            "id": uuid7(),
            "at": times.utcnow(),
            "user_name": event.user_name or caller.name[:255],
            "action": event.action,
            "resource": event.resource,
            "success": event.success,
            "address": event.ip_address,
            "agent": event.user_agent,
            # Who reported it stays with it: the event itself is only what that caller says.
            "detail": {"reported_by": caller.name, "details": event.details},
        }
        with self._ops.begin() as connection:
            connection.execute(insert(access_log).values(row))
        return _told(row)

    def newest(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest events first."""
        with self._ops.read() as connection:
            rows = connection.execute(select(access_log).order_by(access_log.c.at.desc()).limit(limit)).mappings()
            return [_told(dict(row)) for row in rows]


def routes(log: AccessLog, access: AccessService) -> APIRouter:
    """`/admin/user-access-log`."""
    router = APIRouter(tags=["audit"], default_response_class=JsonAnswer)
    writer = access.requires("system_logs:admin")

    @router.post("/admin/user-access-log", response_model=AccessEventKept, status_code=201)
    def user_access_log(event: AccessEvent, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Record that a user reached something."""
        return JsonAnswer(log.record(caller, event), status_code=201)

    return router


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "timestamp": row["at"],
        "user_name": row["user_name"],
        "action": row["action"],
        "resource": row["resource"],
        "success": row["success"],
        "ip_address": row["address"],
        "user_agent": row["agent"],
        "details": row["detail"].get("details", {}),
    }
