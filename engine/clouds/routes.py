"""/q/clouds: the clouds that are watched, and clouds.yaml entries that could be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends

from engine.access.models import Caller
from engine.api.errors import ApiError, BadRequest, Conflict, NotFound
from engine.clouds.errors import CloudError
from engine.clouds.models import CloudAdd, EntryTest

if TYPE_CHECKING:
    from engine.access.service import AccessService
    from engine.clouds.service import CloudService

_MISSING = ("unknown", "no_entry", "no_file")


def refused(error: CloudError) -> ApiError:
    """What a caller of the API is told about a CloudError."""
    if error.kind in _MISSING:
        return NotFound(str(error))
    return Conflict(str(error)) if error.kind == "exists" else BadRequest(str(error))


def routes(clouds: CloudService, access: AccessService) -> APIRouter:
    """The routes. Handlers block (login, disk), so they are plain functions: FastAPI runs them on threads."""
    router = APIRouter(prefix="/q/clouds", tags=["clouds"])
    reads = Depends(access.requires("clouds:read"))
    writes = Depends(access.requires("clouds:write"))

    @router.get("")
    def list_clouds(caller: Caller = reads) -> dict[str, Any]:
        items = [item for item in clouds.clouds() if may_see(caller, item["name"])]
        return {"items": items}

    @router.get("/candidates")
    def list_candidates(caller: Caller = writes) -> dict[str, Any]:
        try:
            return {"items": clouds.candidates()}
        except CloudError as error:
            if error.kind == "no_file":
                return {"items": [], "reason": str(error)}
            raise refused(error) from None

    @router.post("/candidates/test")
    def test_candidate(body: EntryTest, caller: Caller = writes) -> dict[str, Any]:
        """Log in with an entry without adding it: who that is, where, and what of the cloud does not answer."""
        if caller.clouds is not None:
            raise NotFound("only a caller who may see all clouds can add one")
        try:
            return clouds.try_entry(body.account, Path(body.file) if body.file else None)
        except CloudError as error:
            raise refused(error) from None

    @router.post("", status_code=201)
    def add_cloud(body: CloudAdd, caller: Caller = writes) -> dict[str, Any]:
        if caller.clouds is not None:
            raise NotFound("only a caller who may see all clouds can add one")
        try:
            return clouds.add(caller, body.account, body.name, Path(body.file) if body.file else None)
        except CloudError as error:
            raise refused(error) from None

    @router.get("/{name}")
    def show_cloud(name: str, caller: Caller = reads) -> dict[str, Any]:
        return _do(clouds.cloud, name, caller)

    @router.post("/{name}/test")
    def test_cloud(name: str, caller: Caller = writes) -> dict[str, Any]:
        return _do(clouds.test, name, caller)

    @router.delete("/{name}")
    def remove_cloud(name: str, caller: Caller = writes) -> dict[str, Any]:
        _do(lambda name: clouds.remove(caller, name), name, caller)
        return {"name": name, "removed": True}

    return router


def may_see(caller: Caller, cloud: str) -> bool:
    """Whether the caller's role is limited to other clouds."""
    return caller.clouds is None or cloud in caller.clouds


def _do(work: Any, name: str, caller: Caller) -> Any:
    if not may_see(caller, name):
        raise NotFound(f"there is no cloud {name!r:.80} here")
    try:
        return work(name)
    except CloudError as error:
        raise refused(error) from None
