"""The engine with one more kind of job: its steps make effects that a test can count after any number of kills."""

import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI

import engine.app
from engine.access.models import Caller
from engine.api.mounting import mount
from engine.app import EngineParts
from engine.process.control import Control
from engine.process.models import Home
from tests.engine.jobs.backend import Effects


def open_engine(home: Home, *, demo: bool = False, servers: int | None = None, **more: Any) -> EngineParts:
    """The engine's own services, and a back end for the kind `effects` in its home."""
    parts = engine.app.open_engine(home, demo=demo, servers=servers, **more)
    parts.jobs.register("effects", Effects(Path(os.environ.get("QDECK_TEST_EFFECTS", home.path))))
    return parts


def create_app(parts: EngineParts, control: Control) -> FastAPI:
    """The engine's own API, and a way to submit."""
    app = engine.app.create_app(parts, control)
    router = APIRouter()
    allowed = parts.access.requires("resources:write")

    @router.post("/q/test/jobs")
    def submit(caller: Annotated[Caller, Depends(allowed)], body: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        return parts.jobs.submit("effects", body["title"], caller, body["plan"], body["options"])

    mount(app, router)
    return app
