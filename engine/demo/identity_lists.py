"""Keystone's listings: who there is, and who may do what. Administrators only, as the stock policy has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer
from engine.demo.catalogue import SERVICES, endpoints
from engine.demo.identity import FORBIDDEN
from engine.demo.people import Group, User
from engine.demo.routing import Call, next_url
from engine.demo.serving import Response
from engine.demo.state import IMPLIED, Assignment

if TYPE_CHECKING:
    from engine.demo.identity import Identity

Document = dict[str, Any]


def add_lists(identity: Identity) -> IdentityLists:
    """Route Keystone's lists and single resources; answers the lists, whose documents others need too."""
    lists = IdentityLists(identity)
    on = identity.routes.on
    state = identity.state
    for key, single, rows, document, filters in (
        ("domains", "domain", lambda: state.domains, identity.domain_document, ("name", "enabled")),
        ("projects", "project", lambda: state.projects, identity.project_document,
         ("name", "domain_id", "enabled", "parent_id")),
        ("users", "user", lambda: state.users, lists.user_document, ("name", "domain_id", "enabled")),
        ("groups", "group", lambda: state.groups, lists.group_document, ("name", "domain_id")),
        ("roles", "role", lists.role_rows, dict, ("name", "domain_id")),
        ("services", "service", lists.service_rows, dict, ("name", "type")),
        ("endpoints", "endpoint", lists.endpoint_rows, dict, ("interface", "service_id", "region_id")),
    ):  # fmt: skip
        listed = lists.listed(key, single, rows, document, filters)  # type: ignore[arg-type]
        on("GET", f"/v3/{key}")(listed)
        on("GET", f"/v3/{key}/{{id}}")(lists.shown(key, single, rows, document))  # type: ignore[arg-type]
    on("GET", "/v3/regions")(lists.regions)
    on("GET", "/v3/regions/{id}")(lists.region)
    on("GET", "/v3/role_assignments")(lists.role_assignments)
    on("GET", "/v3/role_inferences")(lists.role_inferences)
    on("GET", "/v3/users/{id}/projects")(lists.projects_of)
    on("GET", "/v3/users/{id}/groups")(lists.groups_of)
    on("GET", "/v3/groups/{id}/users")(lists.members_of)
    on("GET", "/v3/users/{id}/application_credentials")(lists.nothing("application_credentials"))
    for key in ("registered_limits", "limits", "credentials"):
        on("GET", f"/v3/{key}")(lists.nothing(key))
    return lists


class IdentityLists:
    """Keystone's lists, their filters, and the documents of their rows."""

    def __init__(self, identity: Identity) -> None:
        self.identity, self.state, self.url = identity, identity.state, identity.url

    # Documents

    def user_document(self, row: User) -> Document:
        document: Document = {"description": row.description} if row.description else {}
        if row.email:
            document["email"] = row.email
        if row.default_project:
            document["default_project_id"] = row.default_project
        return {
            **document,
            "id": row.id,
            "name": row.name,
            "domain_id": row.domain.id,
            "enabled": row.enabled,
            "password_expires_at": None,
            "options": {},
            "links": {"self": f"{self.url}/v3/users/{row.id}"},
        }

    def group_document(self, row: Group) -> Document:
        return {
            "id": row.id,
            "name": row.name,
            "domain_id": row.domain.id,
            "description": row.description,
            "links": {"self": f"{self.url}/v3/groups/{row.id}"},
        }

    def role_rows(self) -> list[Document]:
        return [
            {
                "id": id,
                "name": name,
                "domain_id": None,
                "description": None,
                "options": {"immutable": True},
                "links": {"self": f"{self.url}/v3/roles/{id}"},
            }
            for name, id in self.state.role_ids.items()
        ]

    def service_rows(self) -> list[Document]:
        rows = []
        for kind, name, _ in SERVICES:
            id = self.state.named_id(f"service/{kind}")
            links = {"self": f"{self.url}/v3/services/{id}"}
            rows.append({"name": name, "id": id, "type": kind, "enabled": True, "links": links})
        return rows

    def endpoint_rows(self) -> list[Document]:
        rows = endpoints(self.state, self.identity.roots, self.identity.missing)
        return [{**row, "links": {"self": f"{self.url}/v3/endpoints/{row['id']}"}} for row in rows]

    # Lists

    def listed(
        self,
        key: str,
        single: str,
        rows: Callable[[], Iterable[Any]],
        document: Callable[[Any], Document],
        filters: tuple[str, ...],
    ) -> Callable[[Call], Response]:
        def route(call: Call) -> Response:
            domain = self._limit(call, f"list_{key}", domain_too=key in ("projects", "users", "groups"))
            documents = [document(row) for row in rows()]
            if domain:
                documents = [found for found in documents if found.get("domain_id") == domain]
            for name in filters:
                wanted = call.request.first(name)
                if wanted is not None:
                    documents = [found for found in documents if _equal(found.get(name), wanted)]
            return self.page(call, key, documents)

        return route

    def page(self, call: Call, key: str, documents: list[Document]) -> Response:
        """All rows, or `limit` of them with a link: Keystone sets `truncated` when it cut."""
        marker, limit = call.request.first("marker"), call.request.first("limit")
        if marker:
            ids = [found["id"] for found in documents]
            if marker not in ids:
                raise Refusal(400, f"Marker {marker} could not be found.")
            documents = documents[ids.index(marker) + 1 :]
        links: Document = {"next": None, "self": f"{self.url}{call.request.target}", "previous": None}
        body: Document = {key: documents, "links": links}
        if limit and limit.isdigit() and 0 < int(limit) < len(documents):
            body[key] = documents[: int(limit)]
            links["next"] = next_url(self.url, call.path, call.request.query, body[key][-1]["id"])
            body["truncated"] = True
        return answer(body)

    def shown(
        self, key: str, single: str, rows: Callable[[], Iterable[Any]], document: Callable[[Any], Document]
    ) -> Callable[..., Response]:
        def route(call: Call, id: str) -> Response:
            row = next((found for found in rows() if _id(found) == id), None)
            own = id in (call.token.project_id, call.token.user.id)
            if not own and not call.token.admin:
                raise Refusal(403, f"{FORBIDDEN}: identity:get_{single}.")
            if row is None:
                raise Refusal(404, f"Could not find {single}: {id}.")
            return answer({single: document(row)})

        return route

    def _limit(self, call: Call, rule: str, *, domain_too: bool = False) -> str | None:
        """None for an administrator, the domain for a domain's manager. Raises Refusal(403) for all others."""
        if call.token.admin:
            return call.token.domain.id if call.token.domain else None
        if domain_too and call.token.domain and "manager" in call.token.roles:
            return call.token.domain.id
        raise Refusal(403, f"{FORBIDDEN}: identity:{rule}.")

    def nothing(self, key: str) -> Callable[..., Response]:
        def route(call: Call, id: str = "") -> Response:
            return self.identity.listing(call, key, [])

        return route

    def regions(self, call: Call) -> Response:
        return self.identity.listing(call, "regions", [self._region()])

    def region(self, call: Call, id: str) -> Response:
        if id != self.state.region:
            raise Refusal(404, f"Could not find region: {id}.")
        return answer({"region": self._region()})

    def _region(self) -> Document:
        id = self.state.region
        links = {"self": f"{self.url}/v3/regions/{id}"}
        return {"id": id, "description": "", "parent_region_id": None, "links": links}

    def projects_of(self, call: Call, id: str) -> Response:
        user = self._user(call, id, "list_user_projects")
        rows = [row for row in self.state.projects if self.identity.tokens.roles_on(user, project=row)]
        return self.identity.listing(call, "projects", [self.identity.project_document(row) for row in rows])

    def groups_of(self, call: Call, id: str) -> Response:
        user = self._user(call, id, "list_groups_for_user")
        rows = [row for row in self.state.groups if user.id in row.members]
        return self.identity.listing(call, "groups", [self.group_document(row) for row in rows])

    def _user(self, call: Call, id: str, rule: str) -> User:
        if id != call.token.user.id and not call.token.admin:
            raise Refusal(403, f"{FORBIDDEN}: identity:{rule}.")
        user = self.state.users.get(id)
        if user is None:
            raise Refusal(404, f"Could not find user: {id}.")
        return user

    def members_of(self, call: Call, id: str) -> Response:
        self._limit(call, "list_users_in_group")
        group = self.state.groups.get(id)
        if group is None:
            raise Refusal(404, f"Could not find group: {id}.")
        users = [user for user in self.state.users if user.id in group.members]
        return self.identity.listing(call, "users", [self.user_document(user) for user in users])

    def role_inferences(self, call: Call) -> Response:
        self._limit(call, "list_role_inference_rules")

        def short(name: str) -> Document:
            id = self.state.role_ids[name]
            return {"id": id, "links": {"self": f"{self.url}/v3/roles/{id}"}, "name": name}

        rules = [{"prior_role": short(prior), "implies": [short(implied)]} for prior, implied in IMPLIED.items()]
        return answer({"role_inferences": rules})

    # Role assignments

    def role_assignments(self, call: Call) -> Response:
        domain = self._limit(call, "list_role_assignments", domain_too=True)
        names = _flag(call, "include_names")
        found: Iterable[Assignment] = list(self.state.assignments)
        if _flag(call, "effective"):
            found = self._effective(found)
        tests = {
            "user": call.request.first("user.id"),
            "group": call.request.first("group.id"),
            "project": call.request.first("scope.project.id"),
            "domain": call.request.first("scope.domain.id"),
        }
        role = call.request.first("role.id")
        rows = []
        for given in found:
            if any(wanted and getattr(given, name) != wanted for name, wanted in tests.items()):
                continue
            if role and self.state.role_ids[given.role] != role:
                continue
            if call.request.first("scope.system") and not given.system:
                continue
            if domain and not self._in_domain(given, domain):
                continue
            rows.append(self._assignment(given, names))
        return self.identity.listing(call, "role_assignments", rows)

    def _in_domain(self, given: Assignment, domain: str) -> bool:
        project = self.state.projects.get(given.project or "")
        return given.domain == domain or (project is not None and project.domain.id == domain)

    def _effective(self, found: Iterable[Assignment]) -> list[Assignment]:
        """Groups become their members and implied roles are spelled out."""
        spelled: dict[Assignment, None] = {}
        for given in found:
            group = self.state.groups.get(given.group or "")
            users = sorted(group.members) if group else [given.user or ""]
            for user in users:
                role: str | None = given.role
                while role:
                    spelled[Assignment(role, user, None, given.project, given.domain, given.system)] = None
                    role = IMPLIED.get(role)
        return list(spelled)

    def _assignment(self, given: Assignment, names: bool) -> Document:
        role_id = self.state.role_ids[given.role]
        if given.system:
            scope: Document = {"system": {"all": True}}
            where = "system"
        elif given.project:
            scope = {"project": self._named(self.state.projects.get(given.project), given.project, names)}
            where = f"projects/{given.project}"
        else:
            domain = self.state.domains.get(given.domain or "")
            scope = {"domain": {"id": given.domain}}
            if names and domain:
                scope["domain"]["name"] = domain.name
            where = f"domains/{given.domain}"
        who, holder, id = (
            ("group", self.state.groups, given.group) if given.group else ("user", self.state.users, given.user)
        )
        role: Document = {"id": role_id}
        if names:
            role["name"] = given.role
        return {
            "links": {"assignment": f"{self.url}/v3/{where}/{who}s/{id}/roles/{role_id}"},
            "scope": scope,
            who: self._named(holder.get(id or ""), id or "", names),  # type: ignore[attr-defined]
            "role": role,
        }

    @staticmethod
    def _named(row: Any, id: str, names: bool) -> Document:
        if not names or row is None:
            return {"id": id}
        return {"id": id, "name": row.name, "domain": {"id": row.domain.id, "name": row.domain.name}}


def _id(row: Any) -> str:
    return row["id"] if isinstance(row, dict) else row.id


def _flag(call: Call, name: str) -> bool:
    """Keystone takes a bare name as yes, and only `0` as no."""
    value = call.request.first(name)
    return value is not None and value != "0"


def _equal(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return value == (wanted.lower() not in ("false", "0"))
    return value == wanted
