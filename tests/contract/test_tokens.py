"""Signing in: scopes, refusals, and tokens that are no good."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.contract.conftest import Cloud
from tests.contract.wire import TIMEOUT, Actor, error_of, wait_for
from tests.live.projects import Project

REFUSED = ("error", "The request you have made requires authentication.")


def test_project_token_says_who_where_and_which_roles(cloud: Cloud) -> None:
    token = cloud.admin.token
    assert cloud.admin.answer.status_code == 201
    assert token["methods"] == ["password"]
    assert token["user"]["domain"]["name"] == "Default"
    assert token["project"]["name"] == "admin"
    assert {"admin", "member", "reader"} <= {role["name"] for role in token["roles"]}
    assert {"issued_at", "expires_at", "audit_ids", "catalog"} <= set(token)


def test_roles_of_member_and_reader_include_the_implied_ones(cloud: Cloud) -> None:
    assert {role["name"] for role in cloud.member.token["roles"]} == {"member", "reader"}
    assert {role["name"] for role in cloud.reader.token["roles"]} == {"reader"}


def test_system_token_has_no_project_and_no_block_storage(cloud: Cloud) -> None:
    token = cloud.system.token
    assert token["system"] == {"all": True}
    assert "project" not in token
    assert "block-storage" not in cloud.system.endpoints
    assert {"compute", "network", "image"} <= set(cloud.system.endpoints)


def wrong_password(body: dict[str, Any]) -> None:
    body["auth"]["identity"]["password"]["user"]["password"] = "wrong"


def unknown_user(body: dict[str, Any]) -> None:
    body["auth"]["identity"]["password"]["user"]["name"] = "nobody"


def unknown_project(body: dict[str, Any]) -> None:
    body["auth"]["scope"] = {"project": {"id": "0" * 32}}


def foreign_project(body: dict[str, Any]) -> None:
    body["auth"]["scope"] = {"project": {"name": "admin", "domain": {"name": "Default"}}}


def system_scope(body: dict[str, Any]) -> None:
    body["auth"]["scope"] = {"system": {"all": True}}


def domain_scope(body: dict[str, Any]) -> None:
    body["auth"]["scope"] = {"domain": {"name": "Default"}}


@pytest.mark.parametrize(
    "change", [wrong_password, unknown_user, unknown_project, foreign_project, system_scope, domain_scope]
)
def test_every_refusal_reads_the_same(cloud: Cloud, change: Callable[[dict[str, Any]], None]) -> None:
    body = copy.deepcopy(cloud.member.login.body())
    change(body)
    answer = cloud.member.post_tokens(body)
    assert answer.status_code == 401
    assert error_of(answer) == REFUSED
    assert "X-Subject-Token" not in answer.headers


def test_malformed_request_is_400(cloud: Cloud) -> None:
    assert cloud.member.post_tokens({"auth": {}}).status_code == 400


def test_unscoped_token_has_no_catalog(cloud: Cloud) -> None:
    body = cloud.member.login.body()
    del body["auth"]["scope"]
    answer = cloud.member.post_tokens(body)
    assert answer.status_code == 201
    assert not answer.json()["token"].get("catalog")
    assert "roles" not in answer.json()["token"]


def test_token_can_be_exchanged_for_another_scope(cloud: Cloud) -> None:
    token = {"methods": ["token"], "token": {"id": cloud.admin.answer.headers["X-Subject-Token"]}}
    answer = cloud.admin.post_tokens({"auth": {"identity": token, "scope": {"system": {"all": True}}}})
    assert answer.status_code == 201
    assert answer.json()["token"]["system"] == {"all": True}


@pytest.mark.parametrize("token", [None, "nonsense"])
@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("identity", "/projects"),
        ("compute", "/servers/detail"),
        ("block-storage", "/volumes/detail"),
        ("network", "/v2.0/networks"),
        ("placement", "/resource_providers"),
    ],
)
def test_no_good_token_is_401(cloud: Cloud, service: str, path: str, token: str | None) -> None:
    headers = {"X-Auth-Token": token} if token else {}
    answer = requests.get(cloud.member.endpoints[service] + path, headers=headers, timeout=TIMEOUT)
    assert answer.status_code == 401
    assert error_of(answer) == REFUSED
    assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")


def test_image_refuses_without_a_token_in_its_own_words(cloud: Cloud) -> None:
    answer = requests.get(cloud.member.endpoints["image"] + "/v2/images", timeout=TIMEOUT)
    assert answer.status_code == 401
    assert "401 Unauthorized" in answer.text


def test_a_token_tells_about_itself(cloud: Cloud) -> None:
    own = {"X-Subject-Token": cloud.member.answer.headers["X-Subject-Token"]}
    answer = cloud.member("identity", "/auth/tokens", headers=own)
    assert answer.status_code == 200
    assert answer.json()["token"]["project"]["id"] == cloud.member.project_id


def test_a_revoked_token_is_401(cloud: Cloud) -> None:
    actor = Actor(cloud.reader.login)
    own = {"X-Subject-Token": actor.answer.headers["X-Subject-Token"]}
    assert actor("identity", "/auth/projects").status_code == 200
    assert actor("identity", "/auth/tokens", "DELETE", headers=own).status_code == 204
    # Keystone and the services cache what they know about a token for some seconds.
    wait_for(lambda: actor("identity", "/auth/projects").status_code, lambda status: status == 401, 30)


def test_own_projects_are_listed_for_everybody(cloud: Cloud) -> None:
    for role in ("member", "reader"):
        projects = cloud.actor(role).get("identity", "/auth/projects")["projects"]
        assert [project["id"] for project in projects] == [cloud.actor(role).project_id]


def test_a_role_that_was_taken_away_gives_no_token_any_more(tenant: Project) -> None:
    actor = tenant.user("manager")
    assert actor.answer.status_code == 201
    tenant.revoke(tenant.users["manager"], "manager")
    assert actor.post_tokens(actor.login.body()).status_code == 401
    wait_for(lambda: actor("identity", "/auth/projects").status_code, lambda status: status == 401, 30)
    tenant.grant(tenant.users["manager"], "manager")
    assert actor.post_tokens(actor.login.body()).status_code == 201
