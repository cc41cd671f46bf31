"""Keystone v3: discovery, tokens, and what a token may ask about itself."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from engine.demo.access import Token, Tokens
from engine.demo.answers import Refusal, answer, empty, keystone_fault, not_found_page
from engine.demo.catalogue import catalogue
from engine.demo.people import Domain, Project, User
from engine.demo.routing import Call, Routes
from engine.demo.serving import Request, Response
from engine.demo.state import State

UNAUTHORIZED = "The request you have made requires authentication."
FORBIDDEN = "You are not authorized to perform the requested action"


def wall_time(seconds: float) -> str:
    """Seconds since 1970 as Keystone writes a token's times: RFC 3339 with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Identity:
    """The identity service; its lists are in identity_lists."""

    name = "identity"

    def __init__(self, state: State, tokens: Tokens, roots: dict[str, str]) -> None:
        from engine.demo.identity_changes import add_changes
        from engine.demo.identity_lists import add_lists

        self.state, self.tokens, self.roots = state, tokens, roots
        self.url = roots["identity"]
        self.missing: set[str] = set()
        self.routes = Routes()
        on = self.routes.on
        on("GET", "/v3/auth/tokens")(self.validate)
        on("HEAD", "/v3/auth/tokens")(self.validate)
        on("DELETE", "/v3/auth/tokens")(self.revoke)
        on("GET", "/v3/auth/projects")(self.my_projects)
        on("GET", "/v3/auth/domains")(self.my_domains)
        on("GET", "/v3/auth/system")(self.my_system)
        on("GET", "/v3/auth/catalog")(self.my_catalogue)
        add_changes(self, add_lists(self))

    def refused(self, refusal: Refusal, call_id: str) -> Response:
        if refusal.status == 401:
            return unauthorized_keystone(self.url, refusal)
        return keystone_fault(refusal)

    def handle(self, request: Request, path: str, request_id: str) -> Response:
        if path in ("", "/"):
            return answer({"versions": {"values": [self._version()]}}, 300, Location=f"{self.url}/v3/")
        if path in ("/v3", "/v3/"):
            return answer({"version": self._version()})
        if path == "/v3/auth/tokens" and request.method == "POST":
            return self.authenticate(request)
        if not path.startswith("/v3/"):
            return not_found_page("The requested URL was not found on the server.")
        token = self.tokens.find(request.headers.get("x-auth-token"))
        if token is None:
            return unauthorized_keystone(self.url, Refusal(401, UNAUTHORIZED))
        found = self.routes.find(request.method, path)
        if found is None:
            return not_found_page("The requested URL was not found on the server.")
        route, parameters = found
        return route(Call(request, token, path, self.url, request_id, now=self.state.now()), **parameters)

    def _version(self) -> dict[str, Any]:
        return {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": f"{self.url}/v3/"}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
        }

    # Tokens

    def authenticate(self, request: Request) -> Response:
        auth = self._auth_document(request)
        methods = auth["identity"]["methods"]
        parent: Token | None = None
        if methods == ["password"]:
            user = self._by_password(auth["identity"].get("password"))
        elif methods == ["token"]:
            parent = self.tokens.find((auth["identity"].get("token") or {}).get("id"))
            user = parent.user if parent else None
        else:
            raise Refusal(401, UNAUTHORIZED)
        if user is None:
            raise Refusal(401, UNAUTHORIZED)
        scope = self._scope(auth.get("scope"), user)
        token = self.tokens.issue(user, ["password"] if not parent else ["token", "password"], parent, **scope)
        if token is None:
            raise Refusal(401, UNAUTHORIZED)
        nocatalog = request.first("nocatalog") is not None
        return answer(
            {"token": self.token_document(token, with_catalogue=not nocatalog)}, 201, X_Subject_Token=token.id
        )

    def _auth_document(self, request: Request) -> dict[str, Any]:
        import orjson

        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            raise Refusal(
                400,
                "Expecting to find valid JSON in request body. The server could not comply with the request since it "
                "is either malformed or otherwise incorrect. The client is assumed to be in error.",
            ) from None
        for holder, key in ((body, "auth"), ((body or {}).get("auth") if isinstance(body, dict) else None, "identity")):
            if not isinstance(holder, dict) or not isinstance(holder.get(key), dict):
                raise Refusal(400, f"'{key}' is a required property\n\nFailed validating 'required' in schema")
        auth = body["auth"]
        if not isinstance(auth["identity"].get("methods"), list):
            raise Refusal(400, "'methods' is a required property\n\nFailed validating 'required' in schema")
        return auth

    def _by_password(self, given: Any) -> User | None:
        wanted = given.get("user") if isinstance(given, dict) else None
        if not isinstance(wanted, dict):
            return None
        user = self._named(self.state.users, wanted)
        if user is None or not user.login or not user.enabled:
            return None
        password = wanted.get("password")
        wanted_password = user.password or self.tokens.password
        good = isinstance(password, str) and secrets.compare_digest(password.encode(), wanted_password.encode())
        return user if good else None

    def _named(self, table: Any, wanted: dict[str, Any]) -> Any:
        """A user or project by id, or by name within a domain."""
        if wanted.get("id"):
            return table.get(str(wanted["id"]))
        domain = self._domain(wanted.get("domain"))
        name = wanted.get("name")
        return next((row for row in table if row.name == name and row.domain is domain), None)

    def _domain(self, wanted: Any) -> Domain | None:
        if not isinstance(wanted, dict):
            return None
        if wanted.get("id"):
            return self.state.domains.get(str(wanted["id"]))
        return next((row for row in self.state.domains if row.name == wanted.get("name")), None)

    def _scope(self, scope: Any, user: User) -> dict[str, Any]:
        """Keyword arguments for the token's scope; empty for an unscoped token. Raises Refusal(401)."""
        if scope in (None, "unscoped") or (isinstance(scope, dict) and "unscoped" in scope):
            project = self.state.projects.get(user.default_project or "")
            return {"project": project} if project and scope is None else {}
        if isinstance(scope, dict) and isinstance(scope.get("project"), dict):
            project = self._named(self.state.projects, scope["project"])
            if isinstance(project, Project) and project.enabled and project.domain.enabled:
                return {"project": project}
        elif isinstance(scope, dict) and "domain" in scope:
            domain = self._domain(scope["domain"])
            if domain and domain.enabled:
                return {"domain": domain}
        elif isinstance(scope, dict) and isinstance(scope.get("system"), dict) and scope["system"].get("all"):
            return {"system": True}
        raise Refusal(401, UNAUTHORIZED)

    def token_document(self, token: Token, *, with_catalogue: bool = True) -> dict[str, Any]:
        user = token.user
        document: dict[str, Any] = {
            "methods": token.methods,
            "user": {
                "domain": {"id": user.domain.id, "name": user.domain.name},
                "id": user.id,
                "name": user.name,
                "password_expires_at": None,
            },
            "audit_ids": token.audit_ids,
            "expires_at": wall_time(token.expires),
            "issued_at": wall_time(token.issued),
        }
        if token.project:
            domain = token.project.domain
            document["project"] = {
                "domain": {"id": domain.id, "name": domain.name},
                "id": token.project.id,
                "name": token.project.name,
            }
            document["is_domain"] = False
        if token.domain:
            document["domain"] = {"id": token.domain.id, "name": token.domain.name}
        if token.roles:
            document["roles"] = [{"id": self.state.role_ids[role], "name": role} for role in token.roles]
        if token.system:
            document["system"] = {"all": True}
        if token.roles and with_catalogue:
            document["catalog"] = catalogue(self.state, self.roots, token, self.missing)
        return document

    def validate(self, call: Call) -> Response:
        subject = self.tokens.find(call.request.headers.get("x-subject-token"))
        if subject is None:
            raise Refusal(404, "Could not recognize Fernet token")
        if not call.token.admin and subject.user is not call.token.user:
            raise Refusal(403, f"{FORBIDDEN}: identity:validate_token.")
        nocatalog = call.request.first("nocatalog") is not None
        body = {"token": self.token_document(subject, with_catalogue=not nocatalog)}
        return answer(body, X_Subject_Token=subject.id)

    def revoke(self, call: Call) -> Response:
        subject = self.tokens.find(call.request.headers.get("x-subject-token"))
        if subject is None:
            raise Refusal(404, "Could not recognize Fernet token")
        if not call.token.admin and subject.user is not call.token.user:
            raise Refusal(403, f"{FORBIDDEN}: identity:revoke_token.")
        subject.revoked = True
        return empty(204)

    # What a token may do

    def my_projects(self, call: Call) -> Response:
        user = call.token.user
        rows = [
            project
            for project in self.state.projects
            if project.enabled and self.tokens.roles_on(user, project=project)
        ]
        return self.listing(call, "projects", [self.project_document(row) for row in rows])

    def my_domains(self, call: Call) -> Response:
        user = call.token.user
        rows = [row for row in self.state.domains if row.enabled and self.tokens.roles_on(user, domain=row)]
        return self.listing(call, "domains", [self.domain_document(row) for row in rows])

    def my_system(self, call: Call) -> Response:
        found = [{"all": True}] if self.tokens.roles_on(call.token.user, system=True) else []
        return answer({"system": found, "links": {"self": f"{self.url}{call.path}"}})

    def my_catalogue(self, call: Call) -> Response:
        if not call.token.project and not call.token.domain:
            raise Refusal(403, f"{FORBIDDEN}.")
        services = catalogue(self.state, self.roots, call.token, self.missing)
        return answer({"catalog": services, "links": {"self": f"{self.url}{call.path}"}})

    # Documents

    def listing(self, call: Call, key: str, rows: list[dict[str, Any]]) -> Response:
        links = {"next": None, "self": f"{self.url}{call.request.target}", "previous": None}
        return answer({key: rows, "links": links})

    def project_document(self, row: Project) -> dict[str, Any]:
        return {
            "id": row.id,
            "name": row.name,
            "domain_id": row.domain.id,
            "description": row.description,
            "enabled": row.enabled,
            "parent_id": row.domain.id,
            "is_domain": False,
            "tags": list(row.tags),
            "options": {},
            "links": {"self": f"{self.url}/v3/projects/{row.id}"},
        }

    def domain_document(self, row: Domain) -> dict[str, Any]:
        return {
            "id": row.id,
            "name": row.name,
            "description": row.description,
            "enabled": row.enabled,
            "tags": [],
            "options": {},
            "links": {"self": f"{self.url}/v3/domains/{row.id}"},
        }


def unauthorized_keystone(url: str, refusal: Refusal) -> Response:
    """Keystone's 401, with the header that names where to log in."""
    error = {"code": 401, "message": refusal.message or UNAUTHORIZED, "title": "Unauthorized"}
    return answer({"error": error}, 401, WWW_Authenticate=f'Keystone uri="{url}/v3"')
