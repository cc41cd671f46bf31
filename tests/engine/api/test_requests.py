"""What every request passes: ids, protocol, size, errors in one shape, counts and the log."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
import structlog
from fastapi import Body, Depends, FastAPI, Query
from starlette.responses import PlainTextResponse, StreamingResponse

from engine.api import errors
from engine.api.answers import JsonAnswer, dump
from engine.api.middleware import RequestLayer
from engine.api.paging import Page, Sort, page, sort
from engine.api.reference import markdown
from engine.api.shadowing import shadowed
from engine.api.statistics import Statistics
from tests.engine.api.furniture import client


class Strange(Exception):
    pass


@pytest.fixture(autouse=True)
def log() -> Iterator[list[Any]]:
    """Entries of the log, whatever other tests made of its configuration."""
    before = structlog.get_config()
    capture = structlog.testing.LogCapture()
    wrapper = structlog.make_filtering_bound_logger(0)
    structlog.configure(processors=[capture], wrapper_class=wrapper, logger_factory=structlog.ReturnLoggerFactory())
    yield capture.entries
    structlog.configure(**before)


@pytest.fixture
def statistics() -> Statistics:
    return Statistics()


@pytest.fixture
def app(statistics: Statistics) -> FastAPI:
    made = FastAPI(openapi_url=None)

    @made.get("/things/{name}")
    def thing(name: str) -> Any:
        raise errors.NotFound(f"no thing is named {name}")

    @made.get("/fail")
    def fail() -> Any:
        raise RuntimeError("secret internals")

    @made.get("/strange")
    def strange() -> Any:
        raise Strange("it is strange; wait")

    @made.get("/half")
    def half() -> Any:
        def body() -> Any:
            yield b"begun"
            raise RuntimeError("secret internals")

        return StreamingResponse(body())

    @made.post("/q/echo")
    def echo(body: Annotated[Any, Body()]) -> Any:
        return JsonAnswer(body)

    @made.get("/q/engine")
    def engine() -> Any:
        return JsonAnswer({})

    @made.get("/list")
    def listed(
        found: Annotated[Page, Depends(page)], order: Annotated[Sort, Depends(sort)], mode: Annotated[int, Query()] = 1
    ) -> Any:
        order.within(["name", "size"])
        return JsonAnswer(found.answer(345, ["x"]))

    errors.install(made, {Strange: 503})
    made.add_middleware(RequestLayer, statistics=statistics, protocol=3, version="1.2.3", most_body=1000)
    return made


async def get(app: FastAPI, path: str, **options: Any) -> httpx.Response:
    async with client(app, {}) as http:
        return await http.request(options.pop("method", "GET"), path, **options)


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/things/x", 404, "no thing is named x"),
        ("GET", "/nowhere", 404, "Resource not found"),
        ("DELETE", "/things/x", 405, "Method Not Allowed"),
        ("GET", "/strange", 503, "it is strange; wait"),
        ("GET", "/list?mode=x", 422, "Invalid parameter: mode should be a valid integer"),
        ("GET", "/list?page=0", 422, "Invalid parameter: page should be greater than or equal to 1"),
        ("GET", "/list?limit=1001", 422, "Invalid parameter: limit should be less than or equal to 1000"),
        ("GET", "/list?limit=5&page=1", 400, "not both"),
        ("GET", "/list?offset=9950", 400, "10000 rows deep"),
        ("GET", "/list?page=101", 400, "10000 rows deep"),
        ("GET", "/list?sort_by=age", 400, "sort_by must be one of name, size"),
        ("GET", "/list?sort_dir=up", 422, "sort_dir"),
        ("POST", "/q/echo", 422, "Invalid parameter: body is required"),
    ],
)
async def test_errors_have_one_shape(app: FastAPI, method: str, path: str, status: int, detail: str) -> None:
    answer = await get(app, path, method=method)
    assert (answer.status_code, set(answer.json())) == (status, {"detail"})
    assert detail in answer.json()["detail"]


async def test_broken_json_is_told_as_such(app: FastAPI) -> None:
    answer = await get(app, "/q/echo", method="POST", content=b"{x", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (422, {"detail": "Invalid parameter: body is not valid JSON"})


async def test_an_unforeseen_error_is_logged_and_not_shown(app: FastAPI, log: list[Any]) -> None:
    answer = await get(app, "/fail", headers={"X-Request-Id": "abc-123-def"})
    assert answer.status_code == 500
    assert answer.json() == {"detail": "Internal server error", "request_id": "abc-123-def"}
    assert answer.headers["X-Request-Id"] == "abc-123-def"
    failure = next(entry for entry in log if entry["event"] == "unforeseen error")
    assert failure["exc_info"] and failure["log_level"] == "error"


async def test_an_answer_that_breaks_off_is_no_whole_answer(app: FastAPI) -> None:
    with pytest.raises(RuntimeError):
        await get(app, "/half")


@pytest.mark.parametrize("given", ["x" * 65, "a b", "a\tb", ""])
async def test_strange_request_ids_are_replaced(app: FastAPI, given: str) -> None:
    answer = await get(app, "/q/engine", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] != given and len(answer.headers["X-Request-Id"]) == 36


@pytest.mark.parametrize(
    ("sent", "path", "status", "advice"),
    [
        (None, "/q/echo", 200, ""),
        ("3", "/q/echo", 200, ""),
        ("4", "/q/echo", 426, "qdeck engine restart"),
        ("2", "/q/echo", 426, "install qdeck 1.2.3"),
        ("x", "/q/echo", 426, "install qdeck 1.2.3"),
        ("", "/q/echo", 426, "install qdeck 1.2.3"),
        ("4", "/q/engine", 200, ""),
        ("4", "/things/x", 404, ""),
    ],
)
async def test_protocol(app: FastAPI, sent: str | None, path: str, status: int, advice: str) -> None:
    headers = {} if sent is None else {"X-Qdeck-Protocol": sent}
    method = "POST" if path == "/q/echo" else "GET"
    answer = await get(app, path, method=method, headers=headers, json={} if method == "POST" else None)
    assert answer.status_code == status
    assert (answer.headers["X-Qdeck-Protocol"], answer.headers["X-Qdeck-Version"]) == ("3", "1.2.3")
    if status == 426:
        assert advice in answer.json()["detail"]
        assert (answer.json()["protocol"], answer.json()["version"]) == (3, "1.2.3")


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_over_the_limit_is_refused(app: FastAPI, announced: bool) -> None:
    body = b'"' + b"x" * 1000 + b'"'

    async def pieces() -> Any:
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    headers = {"Content-Type": "application/json"}
    answer = await get(app, "/q/echo", method="POST", content=body if announced else pieces(), headers=headers)
    assert (answer.status_code, answer.json()) == (
        413,
        {"detail": "The body is too large: at most 1000 bytes are accepted"},
    )
    small = await get(app, "/q/echo", method="POST", content=b'"' + b"x" * 900 + b'"', headers=headers)
    assert small.status_code == 200


@pytest.mark.parametrize("length", ["-1", "1e3", "abc"])
async def test_a_nonsensical_length_is_refused(app: FastAPI, length: str) -> None:
    assert (await get(app, "/q/echo", method="POST", headers={"Content-Length": length})).status_code == 413


async def test_counts_by_route_template(app: FastAPI, statistics: Statistics) -> None:
    for path in ("/things/a", "/things/b", "/nowhere", "/fail", "/q/engine"):
        await get(app, path)
    await get(app, "/nowhere", method="BREW")
    text = statistics.exposition().decode()
    assert 'qdeck_requests_total{method="GET",route="/things/{name}",status="404"} 2.0' in text
    assert 'qdeck_requests_total{method="OTHER",route="none",status="404"} 1.0' in text
    summary = statistics.summary()
    assert (summary["request_count"], summary["error_rate"]) == (6, round(1 / 6, 4))
    assert summary["avg_response_time_ms"] > 0


async def test_the_log_has_one_line_a_request_and_quiet_polls_have_none(app: FastAPI, log: list[Any]) -> None:
    @app.get("/health")
    def health() -> Any:
        return PlainTextResponse("ok")

    await get(app, "/things/a?token=secret")
    await get(app, "/health")
    [entry] = log
    assert (entry["event"], entry["method"], entry["path"], entry["status"]) == ("request", "GET", "/things/a", 404)
    assert "secret" not in str(entry)


# -- paging -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"page": 1, "page_size": 100}),
        ("page=3&page_size=50", {"page": 3, "page_size": 50}),
        ("page_size=1000&page=10", {"page": 10, "page_size": 1000}),
        ("limit=50&offset=100", {"page": 3, "page_size": 50, "limit": 50, "offset": 100}),
        ("offset=9900", {"page": 100, "page_size": 100, "limit": 100, "offset": 9900}),
    ],
)
async def test_pages(app: FastAPI, query: str, expected: dict) -> None:
    answer = await get(app, f"/list?{query}")
    assert answer.json() == {"total": 345, "items": ["x"], **expected}


# -- JSON -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 2, 8, 9, tzinfo=UTC), '"2026-02-08T09:00:00Z"'),
        (datetime(2026, 2, 8, 9, 0, 0, 5, tzinfo=UTC), '"2026-02-08T09:00:00.000005Z"'),
        ((1, {"b"}, frozenset()), '[1,["b"],[]]'),
        (math.nan, "null"),
        ({1: "a"}, '{"1":"a"}'),
        (Path("/x"), '"/x"'),
        ("ü\u2028</script>", '"ü\u2028</script>"'),
    ],
)
def test_json(value: Any, text: str) -> None:
    assert dump(value).decode() == text


def test_what_has_no_json_form_is_an_error() -> None:
    with pytest.raises(TypeError):
        dump(object())


# -- pages about the routes -------------------------------------------------------------------------------------


def test_routes_that_can_never_be_reached_are_found(app: FastAPI) -> None:
    assert shadowed(app) == []

    @app.get("/things/bulk")
    def bulk() -> None: ...

    @app.post("/things/bulk")
    def create() -> None: ...

    @app.get("/{anything}/{name}")
    def catch_all() -> None: ...

    @app.get("/other/{name}")
    def other() -> None: ...

    assert shadowed(app) == [
        ("GET /things/{name}", "GET /things/bulk"),
        ("GET /{anything}/{name}", "GET /other/{name}"),
    ]


def test_the_page_of_routes(app: FastAPI) -> None:
    text = markdown(app)
    assert "| GET | `/list` |  | `mode`, `page`, `page_size`, `limit`, `offset`, `sort_by`, `sort_dir` |" in text


def test_the_description_tells_the_shape_of_errors(app: FastAPI) -> None:
    schema = app.openapi()
    responses = schema["paths"]["/list"]["get"]["responses"]
    assert set(responses) == {"200", "4XX", "5XX"}
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    assert app.openapi() is schema
