"""Answers of the monitoring room."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


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


class LogEntry(BaseModel):
    """One entry of a log file, with whatever other fields it was written with."""

    model_config = ConfigDict(extra="allow")

    timestamp: str | None
    level: str
    source: str
    message: str
    log_file: str


class Logs(BaseModel):
    """The newest entries and the names of the files there are."""

    total: int
    logs: list[LogEntry]
    log_files: list[str]
