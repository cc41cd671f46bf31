"""Answers of the monitoring room."""

from __future__ import annotations

from pydantic import BaseModel


class Health(BaseModel):
    """The documented answer of `/health`. `status` is "ok", or "degraded" with the reason in `detail`."""

    status: str
    service: str
    timestamp: str
    detail: str | None = None


class Metrics(BaseModel):
    """The documented figures: seconds, count, milliseconds, share of 5xx answers (0 to 1), count."""

    uptime_seconds: int
    request_count: int
    avg_response_time_ms: float
    error_rate: float
    active_sessions: int
