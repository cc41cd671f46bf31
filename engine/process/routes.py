"""/q/engine: the engine itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from engine.access.models import Caller
from engine.api.errors import BadRequest, Conflict
from engine.process.control import BackupRefused, Control
from engine.settings.loading import SettingsError

if TYPE_CHECKING:
    from engine.access.service import AccessService


class BackupRequest(BaseModel):
    """Where the copies go: an existing folder of the engine's host, as an absolute path."""

    model_config = ConfigDict(extra="forbid")

    directory: str = Field(min_length=1, max_length=4096)


def routes(control: Control, access: AccessService) -> APIRouter:
    """Status, stop, restart and backup."""
    router = APIRouter(prefix="/q/engine", tags=["engine"])
    reads = Depends(access.requires("engine:read"))
    writes = Depends(access.requires("engine:write"))
    rules = Depends(access.requires("engine:admin"))

    def note(caller: Caller, action: str, detail: dict[str, Any] | None = None, outcome: str = "ok") -> None:
        if control.record is not None:
            # An engine whose disk is full can be stopped all the same.
            control.record(caller, action, "engine", detail or {}, outcome, ending=True)

    @router.get("")
    def status(caller: Caller = reads) -> dict[str, Any]:
        found = control.status()
        if caller.clouds is not None:
            found["clouds"] = [cloud for cloud in found["clouds"] if cloud.get("name") in caller.clouds]
            found["collecting"] = [name for name in found.get("collecting", ()) if name in caller.clouds]
        return found

    @router.post("/stop", status_code=202)
    def stop(caller: Caller = rules) -> dict[str, Any]:
        note(caller, "engine.stop")
        control.stop()
        return {"state": "stopping"}

    @router.post("/restart", status_code=202)
    def restart(caller: Caller = writes) -> dict[str, Any]:
        try:
            control.restart()
        except SettingsError as error:
            raise Conflict(f"the engine would not start again: {error}") from None
        note(caller, "engine.restart")
        return {"state": "restarting"}

    @router.post("/backup", status_code=201)
    def backup(body: BackupRequest, caller: Caller = rules) -> dict[str, Any]:
        note(caller, "engine.backup", {"directory": body.directory}, "intent")
        try:
            made = control.backup(Path(body.directory))
        except BackupRefused as error:
            note(caller, "engine.backup", {"directory": body.directory, "reason": str(error)}, "failed")
            raise BadRequest(str(error)) from None
        note(caller, "engine.backup", made)
        return made

    return router
