"""Settings and the view each person left. Takes the access room's `requires`, which stands above this one."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path
from starlette.responses import Response

from engine.api.answers import JsonAnswer, dump
from engine.api.errors import BadRequest
from engine.settings.messages import Change, Item, Items
from engine.settings.service import SettingsService

Key = Annotated[str, Path(max_length=128, description="Dotted key, like collection.interval_minutes.")]


def routes(service: SettingsService, requires: Callable[[str], Any], record: Callable[..., Any]) -> APIRouter:
    """`/q/settings` and `/q/session-view`.

    requires  AccessService.requires
    record    AuditService.record: changes and their audit record are one transaction
    """
    router = APIRouter(tags=["settings"], default_response_class=JsonAnswer)
    reader, writer, anyone = (requires(p) for p in ("settings:read", "settings:write", "authenticated"))

    @router.get("/q/settings", response_model=Items)
    def settings(caller: Annotated[Any, Depends(reader)]) -> Response:
        """Every setting: value, default, where it comes from, whether the file locks it, and what is allowed."""
        return JsonAnswer({"file": service.file, "items": service.items()})

    @router.get("/q/settings/{key}", response_model=Item)
    def setting(key: Key, caller: Annotated[Any, Depends(reader)]) -> Response:
        """One setting."""
        return JsonAnswer(service.item(key))

    @router.put("/q/settings/{key}", response_model=Item)
    def change(key: Key, change: Change, caller: Annotated[Any, Depends(writer)]) -> Response:
        """Change a setting. 409 when the configuration file sets it, or only it may."""
        before = service.item(key)["value"]

        def also(connection: Any) -> None:
            detail = {"before": before, "after": change.value}
            record(caller, "settings.change", key, detail, connection=connection)

        return JsonAnswer(service.change(key, change.value, caller.name, also))

    @router.delete("/q/settings/{key}", response_model=Item)
    def reset(key: Key, caller: Annotated[Any, Depends(writer)]) -> Response:
        """Go back to the default of a setting."""
        before = service.item(key)["value"]

        def also(connection: Any) -> None:
            record(caller, "settings.reset", key, {"before": before}, connection=connection)

        return JsonAnswer(service.reset(key, also))

    @router.get("/q/session-view")
    def session_view(caller: Annotated[Any, Depends(anyone)]) -> Response:
        """The view the caller left; null when there is none."""
        return Response(service.view(caller.owner) or b"null", media_type="application/json")

    @router.put("/q/session-view", status_code=204)
    def keep_session_view(view: Annotated[Any, Body()], caller: Annotated[Any, Depends(anyone)]) -> Response:
        """Keep the caller's view: any JSON of at most 16 KB."""
        try:
            text = dump(view).decode()
        except TypeError as error:
            raise BadRequest(f"Invalid parameter: body is JSON that not every reader understands: {error}") from error
        service.keep_view(caller.owner, text)
        return Response(status_code=204)

    return router
