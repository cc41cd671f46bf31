"""What Keystone does when asked: projects, users and roles made, given and taken. Administrators only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.demo.access import Unknown
from engine.demo.answers import Refusal, answer, empty
from engine.demo.identity import FORBIDDEN
from engine.demo.people import Domain, Project, User
from engine.demo.routing import Call
from engine.demo.serving import Response
from engine.demo.tenants import new_project

if TYPE_CHECKING:
    from engine.demo.identity import Identity
    from engine.demo.identity_lists import IdentityLists

Scope = dict[str, Any]


def add_changes(identity: Identity, lists: IdentityLists) -> None:
    """Route what makes, changes and removes projects, users and role assignments."""
    changes = Changes(identity, lists)
    on = identity.routes.on
    on("POST", "/v3/projects")(changes.create_project)
    on("PATCH", "/v3/projects/{id}")(changes.update_project)
    on("DELETE", "/v3/projects/{id}")(changes.delete_project)
    on("POST", "/v3/users")(changes.create_user)
    on("PATCH", "/v3/users/{id}")(changes.update_user)
    on("DELETE", "/v3/users/{id}")(changes.delete_user)
    for scope in ("projects", "domains"):
        path = f"/v3/{scope}/{{where}}/users/{{user}}/roles"
        on("GET", path)(lambda call, where, user, scope=scope: changes.roles(call, scope, where, user))
        for method in ("PUT", "DELETE", "HEAD"):
            on(method, f"{path}/{{role}}")(
                lambda call, where, user, role, scope=scope: changes.role(call, scope, where, user, role)
            )


class Changes:
    """Keystone's calls that change something; only an administrator's token may."""

    def __init__(self, identity: Identity, lists: IdentityLists) -> None:
        self.identity, self.lists = identity, lists
        self.state, self.tokens = identity.state, identity.tokens

    def _body(self, call: Call, key: str, rule: str) -> dict[str, Any]:
        if not call.token.admin:
            raise Refusal(403, f"{FORBIDDEN}: identity:{rule}.")
        body = call.document(key)
        if not isinstance(body, dict):
            raise Refusal(400, f"{body!r} is not of type 'object'")
        return body

    def _domain(self, body: dict[str, Any]) -> Domain:
        id = str(body.get("domain_id") or "default")
        domain = self.state.domains.get(id)
        if domain is None:
            raise Refusal(404, f"Could not find domain: {id}.")
        return domain

    @staticmethod
    def _name(body: dict[str, Any]) -> str:
        name = body.get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= 255:
            raise Refusal(400, "'name' is a required property")
        return name

    # Projects

    def create_project(self, call: Call) -> Response:
        body = self._body(call, "project", "create_project")
        name, domain = self._name(body), self._domain(body)
        if any(row.name == name and row.domain is domain for row in self.state.projects):
            detail = f"it is not permitted to have two projects with the same name in the same domain : {name}"
            raise Refusal(409, f"Conflict occurred attempting to store project - {detail}.")
        project = new_project(self.state, name, domain, str(body.get("description") or ""))
        project.enabled = body.get("enabled") is not False
        return answer({"project": self.identity.project_document(project)}, 201)

    def _project(self, call: Call, id: str, rule: str) -> Project:
        if not call.token.admin:
            raise Refusal(403, f"{FORBIDDEN}: identity:{rule}.")
        project = self.state.projects.get(id)
        if project is None:
            raise Refusal(404, f"Could not find project: {id}.")
        return project

    def update_project(self, call: Call, id: str) -> Response:
        project = self._project(call, id, "update_project")
        body = self._body(call, "project", "update_project")
        project.name = str(body.get("name", project.name))
        project.description = str(body.get("description", project.description))
        project.enabled = bool(body.get("enabled", project.enabled))
        return answer({"project": self.identity.project_document(project)})

    def delete_project(self, call: Call, id: str) -> Response:
        """Keystone forgets the project; what the other services hold of it stays, as in a real cloud."""
        self._project(call, id, "delete_project")
        self.state.projects.remove(id)
        for given in [row for row in self.state.assignments if row.project == id]:
            del self.state.assignments[given]
        self.tokens.end(lambda token: token.project_id == id)
        return empty(204)

    # Users

    def create_user(self, call: Call) -> Response:
        body = self._body(call, "user", "create_user")
        name, domain = self._name(body), self._domain(body)
        if any(row.name == name and row.domain is domain for row in self.state.users):
            detail = f"Duplicate entry found with name {name} at domain ID {domain.id}"
            raise Refusal(409, f"Conflict occurred attempting to store user - {detail}.")
        user = User(self.state.dice.hex(), name, domain, str(body.get("description") or ""), body.get("email"))
        user.enabled = body.get("enabled") is not False
        user.default_project = body.get("default_project_id")
        self._password(user, body)
        self.state.users.add(user)
        return answer({"user": self.lists.user_document(user)}, 201)

    @staticmethod
    def _password(user: User, body: dict[str, Any]) -> None:
        if isinstance(body.get("password"), str) and body["password"]:
            user.login, user.password = True, body["password"]

    def _user(self, call: Call, id: str, rule: str) -> User:
        if not call.token.admin:
            raise Refusal(403, f"{FORBIDDEN}: identity:{rule}.")
        user = self.state.users.get(id)
        if user is None:
            raise Refusal(404, f"Could not find user: {id}.")
        return user

    def update_user(self, call: Call, id: str) -> Response:
        user = self._user(call, id, "update_user")
        body = self._body(call, "user", "update_user")
        user.name = str(body.get("name", user.name))
        user.enabled = bool(body.get("enabled", user.enabled))
        self._password(user, body)
        return answer({"user": self.lists.user_document(user)})

    def delete_user(self, call: Call, id: str) -> Response:
        user = self._user(call, id, "delete_user")
        self.state.users.remove(id)
        for given in [row for row in self.state.assignments if row.user == id]:
            del self.state.assignments[given]
        for group in self.state.groups:
            group.members.discard(id)
        self.tokens.end(lambda token: token.user is user)
        return empty(204)

    # Roles

    def _scope(self, scope: str, id: str) -> tuple[Any, Scope]:
        single = scope[:-1]
        row = (self.state.projects if single == "project" else self.state.domains).get(id)
        if row is None:
            raise Refusal(404, f"Could not find {single}: {id}.")
        return row, {single: id}

    def role(self, call: Call, scope: str, where: str, user: str, role: str) -> Response:
        method = call.request.method
        rule = {"PUT": "create_grant", "DELETE": "revoke_grant"}.get(method, "check_grant")
        holder = self._user(call, user, rule)
        _, where_given = self._scope(scope, where)
        name = next((name for name, id in self.state.role_ids.items() if id == role), None)
        if name is None:
            raise Refusal(404, f"Could not find role: {role}.")
        try:
            if method == "HEAD":
                self.tokens.check(holder, name, **where_given)
            else:
                self.tokens.change_role(holder, name, method == "PUT", **where_given)
        except Unknown:
            held = f"role: {role}, user or group: {user}, project, domain, or system: {where}"
            raise Refusal(404, f"Could not find role assignment with {held}.") from None
        return empty(204)

    def roles(self, call: Call, scope: str, where: str, user: str) -> Response:
        self._user(call, user, "list_grants")
        _, given = self._scope(scope, where)
        names = {
            row.role
            for row in self.state.assignments
            if row.user == user and (row.project, row.domain) == (given.get("project"), given.get("domain"))
        }
        rows = [row for row in self.lists.role_rows() if row["name"] in names]
        return self.identity.listing(call, "roles", rows)
