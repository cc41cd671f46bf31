"""What every service of the demo cloud is made of: a call, a table of routes, pages of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson

from engine.demo.access import Token
from engine.demo.answers import Refusal
from engine.demo.serving import Request, Response

Version = tuple[int, int]
Route = Callable[..., Response]
Test = Callable[[Any], bool]


@dataclass(slots=True)
class Call:
    """One request with what the service needs to answer it."""

    request: Request
    token: Token
    path: str
    base: str
    request_id: str
    version: Version = (0, 0)
    now: int = 0

    def document(self, key: str) -> Any:
        """The value under `key` of the JSON body. Raises Refusal(400) in Nova's and Cinder's words."""
        body = self.json()
        if not isinstance(body, dict) or key not in body:
            raise Refusal(400, f"'{key}' is a required property")
        return body[key]

    def json(self) -> Any:
        """The body. Raises Refusal(400) when it is no JSON."""
        if not self.request.body:
            return {}
        try:
            return orjson.loads(self.request.body)
        except orjson.JSONDecodeError:
            raise Refusal(400, "Malformed request body") from None


class Service(Protocol):
    """One of the cloud's services."""

    name: str

    def handle(self, request: Request, path: str, request_id: str) -> Response:
        """Answers a request. Raises Refusal."""
        ...

    def refused(self, refusal: Refusal, call_id: str) -> Response:
        """The refusal in the service's own shape."""
        ...


@dataclass
class Routes:
    """Method and path pattern to function; `{name}` in a pattern is one segment."""

    _routes: list[tuple[str, re.Pattern[str], Route]] = field(default_factory=list)

    def on(self, method: str, pattern: str) -> Callable[[Route], Route]:
        expression = re.compile("^" + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", pattern) + "$")

        def keep(route: Route) -> Route:
            self._routes.append((method, expression, route))
            return route

        return keep

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route; None for an unknown path. Raises Refusal(405) for a known path with another method."""
        other = False
        for wanted, expression, route in self._routes:
            match = expression.match(path)
            if match:
                if wanted == method:
                    return route, match.groupdict()
                other = True
        if other:
            raise Refusal(405, "The method is not allowed for this resource.")
        return None


WORDS = {str: "string", int: "integer", list: "array", dict: "object", bool: "boolean"}


def check_types(body: dict[str, Any], types: dict[str, type | tuple[type, ...]]) -> None:
    """Raises Refusal(400) in the words of the services' schemas for the first value of another type; null passes."""
    for name, wanted in types.items():
        value = body.get(name)
        kinds = wanted if isinstance(wanted, tuple) else (wanted,)
        if value is None or (isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))):
            continue
        words = ", ".join(f"'{WORDS[kind]}'" for kind in kinds)
        raise Refusal(
            400, f"Invalid input for field/attribute {name}. Value: {value}. {value!r} is not of type {words}"
        )


def where(read: Callable[[Any], Any], wanted: Any) -> Test:
    """Rows whose value equals the wanted one."""
    return lambda row: read(row) == wanted


def among(read: Callable[[Any], Any], wanted: Collection[Any]) -> Test:
    """Rows whose value is one of the wanted ones."""
    return lambda row: read(row) in wanted


def take(rows: Iterable[Any], limit: int) -> list[Any]:
    """The first `limit` rows."""
    found = []
    if limit > 0:
        for row in rows:
            found.append(row)
            if len(found) == limit:
                break
    return found


def keep(rows: Iterator[Any], tests: list[Test]) -> Iterator[Any]:
    """The rows that pass every test."""
    if not tests:
        return rows
    if len(tests) == 1:
        return filter(tests[0], rows)
    return (row for row in rows if all(test(row) for test in tests))


def next_url(base: str, path: str, query: list[tuple[str, str]], marker: str, *, ordered: bool = False) -> str:
    """The address of the page after `marker`: the same question with the marker last."""
    pairs = [(key, value) for key, value in query if key != "marker"]
    if ordered:
        pairs.sort()
    return f"{base}{path}?{urlencode([*pairs, ('marker', marker)])}"


def version_of(text: str, low: Version, high: Version) -> Version:
    """A microversion as the services read it. Raises Refusal: 400 malformed, 406 outside the range."""
    if text == "latest":
        return high
    match = re.fullmatch(r"([1-9]\d*)\.([1-9]\d*|0)", text)
    if not match:
        raise Refusal(400, f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum.")
    version = (int(match[1]), int(match[2]))
    if not low <= version <= high:
        raise Refusal(
            406,
            f"Version {text} is not supported by the API. Minimum is {low[0]}.{low[1]} "
            f"and maximum is {high[0]}.{high[1]}.",
        )
    return version


def asked_version(request: Request, service: str, legacy: str | None = None) -> str | None:
    """The microversion text for the service out of OpenStack-API-Version, else the older header."""
    for part in request.headers.get("openstack-api-version", "").split(","):
        name, _, version = part.strip().partition(" ")
        if name.lower() == service and version:
            return version.strip()
    return request.headers.get(legacy) if legacy else None
