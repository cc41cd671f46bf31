"""Errors of the API: one shape, `{"detail": "..."}`, for everything that can go wrong.

Services raise `ApiError` (or a subclass of their own) without knowing about HTTP frameworks; exceptions of the store
are given a status once, with `also`. What nobody foresaw becomes a 500 with the request's id, never its traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.api.answers import JsonAnswer


class ApiError(Exception):
    """A refusal that the caller is told: `status` (HTTP) and `detail`, one clear sentence; `fields` stand beside it."""

    status = 400
    fields: Mapping[str, Any] = {}

    def __init__(self, detail: str, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers
        if status is not None:
            self.status = status


class BadRequest(ApiError):
    """A parameter makes no sense (400)."""


class NotAuthenticated(ApiError):
    """No valid token came with a request over TCP (401)."""

    status = 401

    def __init__(self, detail: str = "Not authenticated") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ApiError):
    """The caller may not do this (403)."""

    status = 403


class NotFound(ApiError):
    """The thing named does not exist (404)."""

    status = 404

    def __init__(self, detail: str = "Resource not found") -> None:
        super().__init__(detail)


class Conflict(ApiError):
    """The state of things does not allow it (409)."""

    status = 409


class TooManyRequests(ApiError):
    """A rate limit is used up (429)."""

    status = 429


class Unavailable(ApiError):
    """Something the answer needs is out of reach just now (503)."""

    status = 503


def install(app: FastAPI, also: Mapping[type[Exception], int] | None = None) -> None:
    """Put the handlers on `app`, and their shape into its description.

    also  further exception classes whose `str()` is the detail, and their status
    """

    async def api_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, ApiError)
        return answer(error.status, error.detail, error.headers, error.fields)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        # The framework's words for a path that no route serves, in the documented ones.
        detail = "Resource not found" if error.detail == "Not Found" else str(error.detail)
        return answer(error.status_code, detail, error.headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(422, describe(error.errors()))

    app.add_exception_handler(ApiError, api_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind, status in (also or {}).items():
        app.add_exception_handler(kind, _with_status(status))
    _describe_errors(app)


def answer(
    status: int, detail: str, headers: Mapping[str, str] | None = None, fields: Mapping[str, Any] | None = None
) -> JsonAnswer:
    """The error as a response."""
    return JsonAnswer({"detail": detail, **(fields or {})}, status_code=status, headers=dict(headers or {}))


def describe(problems: Any) -> str:
    """Pydantic's list of problems as one sentence: "Invalid parameter: limit must be ..."; names at most three."""
    parts = []
    for problem in list(problems)[:3]:
        place = [str(p) for p in problem.get("loc", ()) if p not in ("query", "path", "body", "header")]
        words = str(problem.get("msg", "is not valid"))
        words = words.removeprefix("Value error, ").removeprefix("Input ")
        if problem.get("type") == "missing":
            words = "is required"
        elif problem.get("type") == "json_invalid":
            place, words = ["body"], "is not valid JSON"
        parts.append(f"{'.'.join(place) or 'body'} {words[:1].lower()}{words[1:]}")
    more = len(list(problems)) - len(parts)
    return "Invalid parameter: " + "; ".join(parts) + (f" (and {more} more)" if more > 0 else "")


def _with_status(status: int) -> Any:
    async def handler(request: Request, error: Exception) -> Response:
        return answer(status, str(error))

    return handler


_ERROR_SCHEMA = {
    "type": "object",
    "title": "Error",
    "description": "What happened, what it means, what to do.",
    "properties": {
        "detail": {"type": "string"},
        "request_id": {"type": "string", "description": "With 500: names the entry in the engine's log."},
    },
    "required": ["detail"],
}
_ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def _describe_errors(app: FastAPI) -> None:
    """Make the OpenAPI description tell the one shape of errors instead of the framework's."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        schema = plain()
        for path in schema.get("paths", {}).values():
            for operation in path.values():
                responses = operation.get("responses", {})
                responses.pop("422", None)
                responses["4XX"] = {"description": "The request is refused", "content": _ERROR_CONTENT}
                responses["5XX"] = {"description": "The engine failed", "content": _ERROR_CONTENT}
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        for framework in ("HTTPValidationError", "ValidationError"):
            schemas.pop(framework, None)
        schemas["Error"] = _ERROR_SCHEMA
        return schema

    cast(Any, app).openapi = openapi
