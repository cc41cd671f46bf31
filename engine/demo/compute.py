"""Nova: versions and policy, and which function answers which path."""

from __future__ import annotations

from typing import Any

from engine.demo.access import Tokens
from engine.demo.answers import Refusal, answer, openstack_fault, unauthorized
from engine.demo.lifecycle import Lifecycle
from engine.demo.routing import Call, Routes, asked_version, version_of
from engine.demo.serving import Request, Response
from engine.demo.state import State

LOW, HIGH = (2, 1), (2, 100)


class Compute:
    """The compute service; its routes are added by the modules compute_*."""

    name = "compute"

    def __init__(self, state: State, tokens: Tokens, roots: dict[str, str], lifecycle: Lifecycle) -> None:
        from engine.demo.compute_actions import add_actions
        from engine.demo.compute_attachments import add_attachments
        from engine.demo.compute_diagnostics import add_diagnostics
        from engine.demo.compute_events import add_events
        from engine.demo.compute_flavors import add_flavors
        from engine.demo.compute_keys import add_keys
        from engine.demo.compute_labels import add_labels
        from engine.demo.compute_lists import add_lists
        from engine.demo.compute_projects import add_projects
        from engine.demo.compute_servers import add_servers

        self.state, self.tokens, self.lifecycle = state, tokens, lifecycle
        self.auth_url = roots["identity"]
        self.bookmark = roots["compute"]
        self.url = f"{self.bookmark}/v2.1"
        self.routes = Routes()
        add_servers(self)
        add_actions(self)
        add_attachments(self)
        add_labels(self)
        add_keys(self)
        add_events(self)
        add_diagnostics(self)
        add_lists(self)
        add_flavors(self)
        add_projects(self)

    def refused(self, refusal: Refusal, call_id: str) -> Response:
        return openstack_fault(refusal)

    def handle(self, request: Request, path: str, request_id: str) -> Response:
        if path in ("", "/"):
            return self._tagged(answer({"versions": [self._old(), self._version()]}), None)
        text = asked_version(request, "compute", "x-openstack-nova-api-version")
        if path in ("/v2.1", "/v2.1/"):
            return self._tagged(answer({"version": self._detail()}), "2.1")
        try:
            version = version_of(text, LOW, HIGH) if text else LOW
        except Refusal as refusal:
            return self._tagged(openstack_fault(refusal), text if refusal.status == 406 else None)
        token = self.tokens.find(request.headers.get("x-auth-token"))
        if token is None:
            return unauthorized(self.auth_url, "compute")
        said = f"{version[0]}.{version[1]}"
        try:
            response = self._route(request, path, request_id, token, version)
        except Refusal as refusal:
            response = openstack_fault(refusal)
        return self._tagged(response, said)

    def _route(self, request: Request, path: str, request_id: str, token: Any, version: Any) -> Response:
        found = self.routes.find(request.method, path.removeprefix("/v2.1"))
        if found is None or not path.startswith("/v2.1/"):
            message = "The resource could not be found.<br /><br />\n\n\n"
            return answer({"message": message, "code": "404 Not Found", "title": "Not Found"}, 404)
        route, parameters = found
        now = self.state.now()
        call = Call(request, token, path, self.bookmark, request_id, version, now)
        return route(call, **parameters)

    @staticmethod
    def _tagged(response: Response, version: str | None) -> Response:
        if version is not None:
            response.headers += [
                ("OpenStack-API-Version", f"compute {version}"),
                ("X-OpenStack-Nova-API-Version", version),
                ("Vary", "OpenStack-API-Version, X-OpenStack-Nova-API-Version"),
            ]
        return response

    def _old(self) -> dict[str, Any]:
        links = [{"rel": "self", "href": f"{self.bookmark}/v2/"}]
        head = {"id": "v2.0", "status": "DEPRECATED", "version": "", "min_version": ""}
        return {**head, "updated": "2025-07-04T12:00:00Z", "links": links}

    def _version(self) -> dict[str, Any]:
        return {
            "id": "v2.1",
            "status": "CURRENT",
            "version": f"{HIGH[0]}.{HIGH[1]}",
            "min_version": f"{LOW[0]}.{LOW[1]}",
            "updated": "2013-07-23T11:33:21Z",
            "links": [{"rel": "self", "href": f"{self.url}/"}],
        }

    def _detail(self) -> dict[str, Any]:
        version = self._version()
        version["links"].append({"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"})
        kind = "application/vnd.openstack.compute+json;version=2.1"
        return {**version, "media-types": [{"base": "application/json", "type": kind}]}


def denied(rule: str) -> Refusal:
    """Nova's and Cinder's 403."""
    return Refusal(403, f"Policy doesn't allow {rule} to be performed.")


def require_admin(call: Call, rule: str) -> None:
    """Nova's administrator: the role on a project; system scope is refused everywhere."""
    if not call.token.project_admin:
        raise denied(rule)


def require_reader(call: Call, rule: str) -> None:
    """Raise Refusal(403) naming the policy rule, unless the token may read."""
    if not call.token.reads:
        raise denied(rule)


def require_member(call: Call, rule: str) -> None:
    """Raise Refusal(403) naming the policy rule, unless the token may change things."""
    if not call.token.writes:
        raise denied(rule)


TRUE, FALSE = ("1", "t", "true", "on", "y", "yes"), ("0", "f", "false", "off", "n", "no")


def yes(text: str | None) -> bool:
    """A boolean of a query string. Raises Refusal(400) in Nova's words."""
    if text is None:
        return False
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    words = ", ".join(f"'{word}'" for word in sorted((*TRUE, *FALSE)))
    raise Refusal(400, f"Unrecognized value '{text}', acceptable values are: {words}")
