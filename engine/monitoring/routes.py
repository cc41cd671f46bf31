"""Health, metrics and logs, as documented, and the description of the whole API."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.negotiation import prefers_json
from engine.api.statistics import CONTENT_TYPE, Statistics
from engine.monitoring.models import Health, Logs, Metrics
from engine.monitoring.service import MonitoringService

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
_FORMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus' text format, or JSON"}
}


def routes(
    statistics: Statistics, access: AccessService, log_folder: Path, checks: tuple[Callable[[], str | None], ...] = ()
) -> APIRouter:
    """`/health`, `/metrics`, `/api/metrics`, `/api/logs` and `/openapi.json`; the arguments are MonitoringService's."""
    service = MonitoringService(statistics, access, log_folder, checks)
    router = APIRouter(tags=["monitoring"], default_response_class=JsonAnswer)
    public = access.requires("public")
    authenticated = access.requires("authenticated")
    logs_reader = access.requires("system_logs:admin")

    @router.get("/health", response_model=Health)
    def health(caller: Annotated[Caller, Depends(public)]) -> Response:
        """Whether the engine works."""
        found = service.health()
        if found["detail"] is None:
            del found["detail"]
        return JsonAnswer(found, status_code=200 if found["status"] == "ok" else 503)

    @router.get("/metrics", response_model=Metrics, responses=_FORMS)
    def metrics(
        caller: Annotated[Caller, Depends(public)], accept: Annotated[str, Header(max_length=1024)] = ""
    ) -> Response:
        """Figures in Prometheus' text format; in the documented JSON when `Accept` prefers that."""
        if prefers_json(accept):
            return JsonAnswer(service.metrics(), headers={"Vary": "Accept"})
        return Response(service.exposition(), headers={"Vary": "Accept", "Content-Type": CONTENT_TYPE})

    @router.get("/api/metrics", response_model=Metrics)
    def api_metrics(caller: Annotated[Caller, Depends(authenticated)]) -> Response:
        """The documented figures."""
        return JsonAnswer(service.metrics())

    @router.get("/api/logs", response_model=Logs)
    def logs(
        caller: Annotated[Caller, Depends(logs_reader)],
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        level: Annotated[Level | None, Query()] = None,
        source: Annotated[str | None, Query(max_length=64)] = None,
        log_file: Annotated[str | None, Query(max_length=128)] = None,
    ) -> Response:
        """The newest entries of the engine's log files, newest first."""
        return JsonAnswer(service.logs(limit, level, source, log_file))

    @router.get("/openapi.json", include_in_schema=False)
    def openapi(request: Request, caller: Annotated[Caller, Depends(authenticated)]) -> Response:
        """The description of the whole API."""
        return JsonAnswer(request.app.openapi())

    return router
