"""A demo cloud in the test's own process, with a clock that stands still unless it is moved."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from engine.demo.access import Token
from engine.demo.cloud import Cloud
from engine.demo.faults import SERVICES
from engine.demo.serving import Request, Response

PASSWORD = "a password for tests only"
EPOCH = 1_770_000_000  # 2026-02-02T02:40:00Z
VERSIONS = {"compute": "compute 2.100", "volume": "volume 3.71", "placement": "placement 1.39"}


class Answer:
    """A response with its JSON at hand."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers}

    @property
    def json(self) -> Any:
        return orjson.loads(self.response.body)


@dataclass
class Wire:
    """Calls the cloud's services without sockets; `role` is admin, member, reader, manager or system."""

    cloud: Cloud
    tokens: dict[str, Token] = field(default_factory=dict)

    @classmethod
    def new(
        cls,
        servers: int = 60,
        seed: str = "test",
        *,
        still: bool = True,
        start: float | None = None,
        until: float | None = None,
    ) -> Wire:
        roots = {name: f"http://127.0.0.1:{port}" for port, name in enumerate(SERVICES, 9001)}
        cloud = Cloud(
            roots=roots, password=PASSWORD, servers=servers, seed=seed, epoch=EPOCH, start=start or EPOCH, still=still,
            until=until, wall=lambda: 0.0,
        )  # fmt: skip
        return cls(cloud)

    def token(self, role: str) -> Token:
        found = self.tokens.get(role)
        if found is None or found.revoked:
            state = self.cloud.state
            user = next(row for row in state.users if row.name == ("admin" if role == "system" else role))
            name = "admin" if role == "admin" else "demo"
            scope: dict[str, Any] = {"project": next(row for row in state.projects if row.name == name)}
            if role == "system":
                scope = {"system": True}
            if role == "manager":
                scope = {"domain": next(row for row in state.domains if row.name == "retail")}
            token = self.cloud.tokens.issue(user, ["password"], **scope)
            assert token is not None
            found = self.tokens[role] = token
        return found

    def __call__(
        self,
        service: str,
        target: str,
        role: str | None = "admin",
        method: str = "GET",
        body: Any = None,
        **headers: str,
    ) -> Answer:
        """One call; block storage paths get the token's project, versions are the highest unless given."""
        given = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        if role:
            token = self.token(role)
            given.setdefault("x-auth-token", token.id)
            if service == "volume" and token.project and not target.startswith("/v3"):
                target = f"/v3/{token.project_id}{target}"
        if service == "volume" and not target.startswith("/v3"):
            target = f"/v3{target}"
        if service in VERSIONS:
            given.setdefault("openstack-api-version", VERSIONS[service])
        path, _, query = target.partition("?")
        content = b"" if body is None else orjson.dumps(body)
        request = Request(method, path, target, parse_qsl(query, keep_blank_values=True), given, content)
        return Answer(asyncio.run(self.cloud.handle(service, request)))

    def rows(self, service: str, target: str, key: str, role: str = "admin", **headers: str) -> list[dict[str, Any]]:
        """All rows of a listing, following its links to the end; AssertionError when a page is refused."""
        found: list[dict[str, Any]] = []
        while target:
            answer = self(service, target, role, **headers)
            assert answer.status == 200, answer.response.body
            document = answer.json
            found += document[key]
            target = next_page(document, key)
        return found

    def advance(self, seconds: float) -> None:
        self.cloud.advance(seconds)


def next_page(document: dict[str, Any], key: str) -> str:
    """The target of the next page, without scheme and host; empty at the end."""
    if isinstance(document.get("next"), str):
        return document["next"]
    for link in document.get(f"{key}_links", ()):
        if link["rel"] == "next":
            parts = urlsplit(link["href"])
            return f"{parts.path}?{parts.query}"
    return ""
