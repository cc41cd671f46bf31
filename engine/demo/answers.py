"""Answers and refusals in the shapes and words of each service."""

from __future__ import annotations

import html
from typing import Any

import orjson

from engine.demo.serving import Response

JSON = ("Content-Type", "application/json")


class Refusal(Exception):
    """A call that the service refuses; which service it is decides how that looks on the wire."""

    def __init__(self, status: int, message: str, kind: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.headers = status, message, kind, headers


def answer(document: Any, status: int = 200, **headers: str) -> Response:
    """The document as JSON; header names are given with underscores."""
    more = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Response(status, orjson.dumps(document), [JSON, *more])


def empty(status: int, **headers: str) -> Response:
    """An answer without a body; header names with underscores for hyphens."""
    return Response(status, b"", [(name.replace("_", "-"), value) for name, value in headers.items()])


FAULTS = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    406: "computeFault", 409: "conflictingRequest", 413: "overLimit", 429: "overLimit", 501: "notImplemented",
    503: "serviceUnavailable",
}  # fmt: skip
TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 409: "Conflict", 413: "Request Entity Too Large", 415: "Unsupported Media Type",
    429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


def openstack_fault(refusal: Refusal) -> Response:
    """Nova's and Cinder's: {"badRequest": {"code": 400, "message": ...}}."""
    inner: dict[str, Any] = {"code": refusal.status, "message": refusal.message}
    if refusal.status == 413:
        inner["retryAfter"] = "0"
        refusal.headers.setdefault("Retry_After", "0")
    return answer({FAULTS.get(refusal.status, "computeFault"): inner}, refusal.status, **refusal.headers)


def webob_fault(refusal: Refusal) -> Response:
    """Glance's: the text with WebOb's line breaks."""
    title = TITLES.get(refusal.status, "Error")
    body = {"message": f"{refusal.message}<br /><br />\n\n\n", "code": f"{refusal.status} {title}", "title": title}
    return answer(body, refusal.status, **refusal.headers)


def keystone_fault(refusal: Refusal) -> Response:
    """The refusal in Keystone's words: {"error": {code, message, title}}."""
    title = TITLES.get(refusal.status, "Error")
    return answer(
        {"error": {"code": refusal.status, "message": refusal.message, "title": title}},
        refusal.status,
        **refusal.headers,
    )


def neutron_fault(refusal: Refusal) -> Response:
    """The refusal in Neutron's words: {"NeutronError": {type, message, detail}}."""
    kind = refusal.kind or "HTTPBadRequest"
    return answer(
        {"NeutronError": {"type": kind, "message": refusal.message, "detail": ""}}, refusal.status, **refusal.headers
    )


def placement_fault(refusal: Refusal, request_id: str) -> Response:
    """The refusal in Placement's words: {"errors": [...]}, with the request's id."""
    title = TITLES.get(refusal.status, "Error")
    error: dict[str, Any] = {"status": refusal.status, "title": title, "detail": refusal.message}
    if refusal.kind:
        error["code"] = refusal.kind
    error["request_id"] = request_id
    if refusal.status == 406:
        error.update(max_version="1.39", min_version="1.0")
    return answer({"errors": [error]}, refusal.status)


def unauthorized(auth_url: str, service: str) -> Response:
    """401 of the token middleware: JSON everywhere, except Glance, which answers with a page."""
    challenge = {"WWW_Authenticate": f'Keystone uri="{auth_url}/v3"'}
    if service == "image":
        text = (
            "This server could not verify that you are authorized to access the document you requested. Either you "
            "supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply "
            "the credentials required."
        )
        page = (
            f"<html>\n <head>\n  <title>401 Unauthorized</title>\n </head>\n <body>\n  <h1>401 Unauthorized</h1>\n"
            f"  {html.escape(text, quote=False)}<br /><br />\n\n\n\n </body>\n</html>"
        )
        headers = [("Content-Type", "text/html; charset=UTF-8"), *_named(challenge)]
        return Response(401, page.encode(), headers)
    error = {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}
    return answer({"error": error}, 401, **challenge)


def not_found_page(text: str) -> Response:
    """Keystone's answer for a path that it doesn't have at all."""
    page = (
        "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
        f"<p>{html.escape(text)}</p>\n"
    )
    return Response(404, page.encode(), [("Content-Type", "text/html; charset=utf-8")])


def _named(headers: dict[str, str]) -> list[tuple[str, str]]:
    return [(name.replace("_", "-"), value) for name, value in headers.items()]
