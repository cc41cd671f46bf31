"""Cinder v3: versions, project in the address, and policy; its routes are in the modules volume_*."""

from __future__ import annotations

from typing import Any

from engine.demo.access import Token, Tokens
from engine.demo.answers import Refusal, answer, empty, openstack_fault, unauthorized
from engine.demo.compute import denied
from engine.demo.lifecycle import Lifecycle
from engine.demo.routing import Call, Routes, Version, asked_version, version_of
from engine.demo.serving import Request, Response
from engine.demo.state import State

LOW, HIGH = (3, 0), (3, 71)


class BlockStorage:
    """Cinder: the root of its routes, with its microversions and its refusals."""

    name = "volume"

    def __init__(self, state: State, tokens: Tokens, roots: dict[str, str], lifecycle: Lifecycle) -> None:
        from engine.demo.volume_changes import add_changes
        from engine.demo.volume_groups import add_groups
        from engine.demo.volume_lists import add_lists
        from engine.demo.volume_messages import add_messages
        from engine.demo.volume_service import add_service

        self.state, self.tokens, self.lifecycle = state, tokens, lifecycle
        self.auth_url = roots["identity"]
        self.url = roots["volume"]
        self.routes = Routes()
        add_lists(self)
        add_service(self)
        add_messages(self)
        add_changes(self)
        add_groups(self)

    def refused(self, refusal: Refusal, call_id: str) -> Response:
        return openstack_fault(refusal)

    def handle(self, request: Request, path: str, request_id: str) -> Response:
        if path in ("", "/"):
            return self._tagged(answer({"versions": [self._version()]}, 300), "3.0")
        text = asked_version(request, "volume")
        try:
            version = version_of(text, LOW, HIGH) if text else LOW
        except Refusal as refusal:
            known = refusal.status == 406 and (text or "").startswith("3.")
            return self._tagged(openstack_fault(refusal), text if known else None)
        token = self.tokens.find(request.headers.get("x-auth-token"))
        if token is None:
            return unauthorized(self.auth_url, "volume")
        said = f"{version[0]}.{version[1]}"
        if path == "/v3":
            return empty(302, Location=f"{self.url}/v3/")
        if path == "/v3/":
            return self._tagged(answer({"versions": [self._version()]}), said)
        try:
            response = self._route(request, path, request_id, token, version)
        except Refusal as refusal:
            response = openstack_fault(refusal)
        return self._tagged(response, said)

    def _route(self, request: Request, path: str, request_id: str, token: Token, version: Version) -> Response:
        rest = path.removeprefix("/v3")
        segment, _, tail = rest.removeprefix("/").partition("/")
        if len(segment) == 32 and all(letter in "0123456789abcdef" for letter in segment):
            if segment != token.project_id:
                raise Refusal(400, "Malformed request url")
            rest = f"/{tail}"
        found = self.routes.find(request.method, rest) if path.startswith("/v3/") else None
        if found is None:
            message = "The resource could not be found.<br /><br />\n\n\n"
            return answer({"message": message, "code": "404 Not Found", "title": "Not Found"}, 404)
        route, parameters = found
        base = f"{self.url}/v3/{token.project_id}" if token.project else f"{self.url}/v3"
        return route(Call(request, token, path, base, request_id, version, self.state.now()), **parameters)

    @staticmethod
    def _tagged(response: Response, version: str | None) -> Response:
        if version is not None:
            response.headers += [("OpenStack-API-Version", f"volume {version}"), ("Vary", "OpenStack-API-Version")]
        return response

    def _version(self) -> dict[str, Any]:
        kind = "application/vnd.openstack.volume+json;version=3"
        return {
            "id": "v3.0",
            "status": "CURRENT",
            "version": f"{HIGH[0]}.{HIGH[1]}",
            "min_version": f"{LOW[0]}.{LOW[1]}",
            "updated": "2023-08-31T00:00:00Z",
            "links": [
                {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
                {"rel": "self", "href": f"{self.url}/v3/"},
            ],
            "media-types": [{"base": "application/json", "type": kind}],
        }


def sees(call: Call, project: str) -> bool:
    """Cinder's administrator is the role on any scope; all others see their own project."""
    return call.token.admin or project == call.token.project_id


def require_admin(call: Call, rule: str) -> None:
    """Raise Refusal(403) naming the policy rule, unless it is an administrator's token."""
    if not call.token.admin:
        raise denied(rule)


def require_reader(call: Call, rule: str) -> None:
    """Raise Refusal(403) naming the policy rule, unless the token may read."""
    if not call.token.reads and not call.token.admin:
        raise denied(rule)


def require_member(call: Call, rule: str) -> None:
    """Raise Refusal(403) naming the policy rule, unless the token may change things."""
    if not call.token.writes:
        raise denied(rule)
