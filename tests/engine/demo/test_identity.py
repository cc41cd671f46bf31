"""Keystone: tokens and scopes, refusals, who sees which lists, roles given and taken."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.engine.demo.harness import PASSWORD, Wire

LOGIN: dict[str, Any] = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "admin", "domain": {"name": "Default"}, "password": PASSWORD}},
        },
        "scope": {"project": {"name": "admin", "domain": {"id": "default"}}},
    }
}


def login(wire: Wire, user: str = "admin", scope: Any = "as it is", password: str = PASSWORD) -> Any:
    body = copy.deepcopy(LOGIN)
    body["auth"]["identity"]["password"]["user"] |= {"name": user, "password": password}
    if scope is None:
        del body["auth"]["scope"]
    elif scope != "as it is":
        body["auth"]["scope"] = scope
    return wire("identity", "/v3/auth/tokens", None, "POST", body)


@pytest.mark.parametrize(
    ("user", "scope", "roles", "what"),
    [
        ("admin", "as it is", {"admin", "manager", "member", "reader"}, "project"),
        ("admin", {"system": {"all": True}}, {"admin", "manager", "member", "reader"}, "system"),
        ("admin", None, set(), None),
        ("admin", "unscoped", set(), None),
        ("member", {"project": {"name": "demo", "domain": {"name": "Default"}}}, {"member", "reader"}, "project"),
        ("reader", {"project": {"name": "demo", "domain": {"name": "Default"}}}, {"reader"}, "project"),
        ("manager", {"domain": {"name": "retail"}}, {"manager", "member", "reader"}, "domain"),
    ],
)
def test_scopes(wire: Wire, user: str, scope: Any, roles: set[str], what: str | None) -> None:
    answer = login(wire, user, scope)
    assert answer.status == 201
    assert answer.headers["x-subject-token"].startswith("gAAAAA")
    token = answer.json["token"]
    assert {role["name"] for role in token.get("roles", ())} == roles
    assert {"project", "system", "domain"} & set(token) == ({what} if what else set())
    kinds = {service["type"] for service in token.get("catalog", ())}
    assert ("block-storage" in kinds) == (what == "project")
    assert ("compute" in kinds) == (what is not None)


@pytest.mark.parametrize(
    ("user", "scope", "password"),
    [
        ("admin", "as it is", "wrong"),
        ("nobody", "as it is", PASSWORD),
        ("neutron", "as it is", PASSWORD),
        ("member", "as it is", PASSWORD),
        ("member", {"system": {"all": True}}, PASSWORD),
        ("member", {"domain": {"name": "Default"}}, PASSWORD),
        ("admin", {"project": {"id": "0" * 32}}, PASSWORD),
        ("admin", {"project": {"name": "retail-old-shop", "domain": {"name": "retail"}}}, PASSWORD),
        ("admin", {"project": {"name": "demo", "domain": {"name": "Default"}}}, PASSWORD),
    ],
)
def test_every_refusal_is_the_same_401(wire: Wire, user: str, scope: Any, password: str) -> None:
    answer = login(wire, user, scope, password)
    assert answer.status == 401
    assert answer.json["error"] == {
        "code": 401,
        "message": "The request you have made requires authentication.",
        "title": "Unauthorized",
    }
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize("body", [{}, {"auth": {}}, {"auth": {"identity": {}}}, {"auth": 1}, [1], "text"])
def test_malformed_logins_are_400(wire: Wire, body: Any) -> None:
    assert wire("identity", "/v3/auth/tokens", None, "POST", body).status == 400


def test_a_token_gives_another_scope_and_keeps_its_end(wire: Wire) -> None:
    first = login(wire)
    body = {
        "auth": {
            "identity": {"methods": ["token"], "token": {"id": first.headers["x-subject-token"]}},
            "scope": {"system": {"all": True}},
        }
    }
    second = wire("identity", "/v3/auth/tokens", None, "POST", body)
    assert second.status == 201
    assert second.json["token"]["expires_at"] == first.json["token"]["expires_at"]
    assert second.json["token"]["audit_ids"][-1] == first.json["token"]["audit_ids"][0]


def test_a_revoked_token_is_refused_everywhere(own: Wire) -> None:
    id = own.token("reader").id
    assert own("compute", "/v2.1/servers", "reader").status == 200
    assert own("identity", "/v3/auth/tokens", "admin", "DELETE", X_Subject_Token=id).status == 204
    for service, target in (
        ("compute", "/v2.1/servers"),
        ("volume", "/volumes"),
        ("network", "/v2.0/ports"),
        ("image", "/v2/images"),
        ("placement", "/resource_providers"),
        ("identity", "/v3/auth/projects"),
    ):
        assert own(service, target, None, X_Auth_Token=id).status == 401, service


def test_an_expired_token_is_refused(own: Wire) -> None:
    own.token("member").expires = 1.0
    assert own("compute", "/v2.1/servers", "member").status == 401


LISTS = ["domains", "projects", "users", "groups", "roles", "services", "endpoints", "role_assignments"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("role", ["admin", "system", "member", "reader", "manager"])
def test_lists_are_for_administrators(wire: Wire, name: str, role: str) -> None:
    answer = wire("identity", f"/v3/{name}", role)
    domain_lists = ("projects", "users", "groups", "role_assignments")
    if role in ("admin", "system") or (role == "manager" and name in domain_lists):
        assert answer.status == 200
        assert answer.json[name]
        assert answer.json["links"]["self"].endswith(f"/v3/{name}")
    else:
        assert answer.status == 403
        message = f"You are not authorized to perform the requested action: identity:list_{name}."
        assert answer.json["error"]["message"] == message


def test_a_domains_manager_sees_its_domain_only(wire: Wire) -> None:
    domain = wire.token("manager").domain
    assert domain is not None
    for name in ("projects", "users", "groups"):
        rows = wire("identity", f"/v3/{name}", "manager").json[name]
        assert {row["domain_id"] for row in rows} == {domain.id}


def test_filters_and_pages(wire: Wire) -> None:
    default = wire("identity", "/v3/users?domain_id=default").json["users"]
    assert {row["domain_id"] for row in default} == {"default"}
    assert [row["name"] for row in wire("identity", "/v3/users?name=admin").json["users"]] == ["admin"]
    off = wire("identity", "/v3/projects?enabled=false").json["projects"]
    assert [row["name"] for row in off] == ["retail-old-shop"]
    page = wire("identity", "/v3/projects?limit=2").json
    assert (len(page["projects"]), page["truncated"]) == (2, True)
    assert page["links"]["next"].endswith(f"marker={page['projects'][-1]['id']}")


def test_role_assignments_with_names_and_effective(wire: Wire) -> None:
    plain = wire("identity", "/v3/role_assignments").json["role_assignments"]
    named = wire("identity", "/v3/role_assignments?include_names").json["role_assignments"]
    effective = wire("identity", "/v3/role_assignments?effective").json["role_assignments"]
    assert len(plain) == len(named) < len(effective)
    assert any("group" in row for row in plain)
    assert not any("group" in row for row in effective)
    assert {"name", "domain", "id"} <= set(next(row["user"] for row in named if "user" in row))
    assert any(row["scope"].get("system") == {"all": True} for row in plain)
    admin = wire.token("admin").user.id
    mine = wire("identity", f"/v3/role_assignments?user.id={admin}&effective&include_names").json["role_assignments"]
    assert {row["role"]["name"] for row in mine} == {"admin", "manager", "member", "reader"}


def test_a_role_taken_away_ends_tokens_and_logins(own: Wire) -> None:
    tokens, state = own.cloud.tokens, own.cloud.state
    user = next(row for row in state.users if row.name == "admin")
    project = next(row for row in state.projects if row.name == "admin")
    own.token("admin")
    tokens.change_role(user, "member", True, project=project.id)
    assert tokens.change_role(user, "admin", False, project=project.id) == 1
    assert own("compute", "/v2.1/servers", None, X_Auth_Token=own.tokens["admin"].id).status == 401
    assert login(own).status == 201
    assert own("compute", "/v2.1/servers/detail?all_tenants=1").status == 403
    with pytest.raises(LookupError):
        tokens.change_role(user, "admin", False, project=project.id)


def test_projects_and_users_over_the_wire(own: Wire) -> None:
    made = own("identity", "/v3/projects", method="POST", body={"project": {"name": "new", "domain_id": "default"}})
    assert made.status == 201
    project = made.json["project"]["id"]
    again = own("identity", "/v3/projects", method="POST", body={"project": {"name": "new", "domain_id": "default"}})
    assert again.status == 409
    body = {"user": {"name": "eve", "domain_id": "default", "password": "another password"}}
    user = own("identity", "/v3/users", method="POST", body=body).json["user"]["id"]
    scope = {"project": {"id": project}}
    assert login(own, "eve", scope, "another password").status == 401
    path = f"/v3/projects/{project}/users/{user}/roles/{own.cloud.state.role_ids['member']}"
    assert own("identity", path, method="HEAD").status == 404
    assert own("identity", path, method="PUT").status == 204
    assert own("identity", path, method="HEAD").status == 204
    answer = login(own, "eve", scope, "another password")
    assert answer.status == 201
    assert own("compute", "/v2.1/servers", None, X_Auth_Token=answer.headers["x-subject-token"]).status == 200
    assert own("identity", f"/v3/projects/{project}", method="DELETE").status == 204
    assert own("identity", f"/v3/projects/{project}").status == 404
    assert own("compute", "/v2.1/servers", None, X_Auth_Token=answer.headers["x-subject-token"]).status == 401


@pytest.mark.parametrize(("method", "target"), [("POST", "/v3/projects"), ("POST", "/v3/users")])
def test_members_make_no_users(wire: Wire, method: str, target: str) -> None:
    key = target.split("/")[-1][:-1]
    assert wire("identity", target, "member", method, {key: {"name": "x"}}).status == 403


def test_discovery(wire: Wire) -> None:
    root = wire("identity", "/", None)
    assert root.status == 300
    assert root.json["versions"]["values"][0]["id"] == "v3.14"
    assert wire("identity", "/v3", None).json["version"]["links"][0]["href"].endswith("/v3/")
    assert wire("identity", "/v2.0/", None).status == 404
