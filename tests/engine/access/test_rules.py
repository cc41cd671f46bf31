"""Who may do what: the documented matrix, grants on a shared engine, and approvals by another person."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access import reference, rules
from engine.access.models import Caller
from engine.settings.models import Grant
from engine.settings.roles import ROLES


@pytest.mark.parametrize(
    ("permission", "holders"),
    [
        ("servers:read", "viewer operator technical admin superadmin"),
        ("servers:write", "admin superadmin"),
        ("servers:admin", "admin superadmin"),
        ("networks:write", "operator technical admin superadmin"),
        ("networks:admin", "admin superadmin"),
        ("drift:write", "operator technical admin superadmin"),
        ("drift:admin", "admin superadmin"),
        ("snapshot_assignments:write", "operator technical admin superadmin"),
        ("monitoring:write", "admin superadmin"),
        ("monitoring:admin", "superadmin"),
        ("users:read", "viewer operator superadmin"),
        ("users:admin", "superadmin"),
        ("audit:read", "viewer operator technical admin superadmin"),
        ("audit:admin", "superadmin"),
        ("restore:write", "admin superadmin"),
        ("restore:admin", "superadmin"),
        ("reports:read", "viewer operator technical admin superadmin"),
        ("reports:write", ""),
        ("notifications:write", "viewer operator technical admin superadmin"),
        ("notifications:admin", "admin superadmin"),
        ("runbooks:write", "operator admin superadmin"),
        ("runbooks:read", "viewer operator admin superadmin"),
        ("search:read", "viewer operator admin superadmin"),
        ("migration:write", "technical admin superadmin"),
        ("provisioning:write", "technical admin superadmin"),
        ("provisioning:tenant_delete", "admin superadmin"),
        ("branding:write", "admin superadmin"),
        ("backup:read", "technical admin superadmin"),
        ("system_logs:read", "technical admin superadmin"),
        ("system_logs:admin", "admin superadmin"),
        ("volume_types:read", "viewer operator admin superadmin"),
        ("volume_types:write", "superadmin"),
        ("collections:write", "operator technical admin superadmin"),
        ("clouds:write", "admin superadmin"),
        ("settings:write", "admin superadmin"),
        ("public", "viewer operator technical admin superadmin"),
        ("authenticated", "viewer operator technical admin superadmin"),
    ],
)
def test_matrix(permission: str, holders: str) -> None:
    rules.check_permission(permission)
    assert [role for role in ROLES if rules.allows(role, permission)] == holders.split()


def test_levels_include_the_lower_ones_everywhere() -> None:
    for resource, role in product(rules.MATRIX, ROLES):
        held = rules.MATRIX[resource][role]
        assert "read" in held or not held, (resource, role)
        assert "write" in held or "admin" not in held, (resource, role)


def test_superadmin_holds_whatever_anybody_holds() -> None:
    for resource, held in rules.MATRIX.items():
        assert all(levels <= held["superadmin"] for levels in held.values()), resource


@given(role=st.text(max_size=12).filter(lambda text: text not in ROLES), resource=st.sampled_from(sorted(rules.MATRIX)))
def test_unknown_roles_hold_nothing(role: str, resource: str) -> None:
    assert not rules.allows(role, f"{resource}:read") and not rules.allows(role, "authenticated")


@pytest.mark.parametrize("permission", ["", "servers", "servers:", "servers:delete", "server:read", "x:y", "Public"])
def test_slips_in_a_permission_are_refused(permission: str) -> None:
    with pytest.raises(ValueError, match=r"permission matrix|no known level"):
        rules.check_permission(permission)
    assert not rules.allows("superadmin", permission)


@pytest.mark.parametrize(
    ("plural", "resource"),
    [
        ("servers", "servers"),
        ("security_group_rules", "security_groups"),
        ("floating_ips", "floatingips"),
        ("aggregates", "host_aggregates"),
        ("quotas", "project_quotas"),
        ("users", "resources"),
        ("roles", "resources"),
        ("network_agents", "resources"),
    ],
)
def test_every_type_falls_under_a_resource(plural: str, resource: str) -> None:
    assert rules.resource_of_type(plural) == resource
    rules.check_permission(f"{rules.resource_of_type(plural)}:read")


USERS = {"alice": Grant(role="viewer"), "root": Grant(role="admin")}
GROUPS = {"ops": Grant(role="operator"), "sre": Grant(role="admin", clouds=("a",)), "adm": Grant(role="admin")}


@pytest.mark.parametrize(
    ("user", "groups", "role", "clouds"),
    [
        ("alice", ["sre"], "viewer", None),  # the person's own entry wins, also over more
        ("bob", ["ops"], "operator", None),
        ("bob", ["ops", "sre"], "admin", ("a",)),
        ("bob", ["sre", "adm"], "admin", None),  # of equal roles the first name, whatever the host's order
        ("bob", ["adm", "sre"], "admin", None),
        ("bob", ["wheel"], None, None),
        ("bob", [], None, None),
        (None, [], None, None),
    ],
)
def test_grants(user: str | None, groups: list[str], role: str | None, clouds: tuple[str, ...] | None) -> None:
    found = rules.grant_of(user, groups, USERS, GROUPS)
    assert (found and found.role, found and found.clouds) == (role, clouds)


def person(name: str, uid: int | None = None, login: int | None = None, login_name: str | None = None) -> Caller:
    return Caller(name, uid, login, login_name, via="tcp" if uid is None else "socket")


@pytest.mark.parametrize(
    ("requester", "approver", "other"),
    [
        (person("alice", 1001, 1001), person("bob", 1002, 1002), True),
        (person("alice", 1001, 1001), person("alice", 1001, 1001), False),
        (person("alice", 1001, 1001), person("root", 0, 1001), False),  # sudo does not make another person
        (person("root", 0, 1001), person("bob", 1002, 1001), False),
        (person("root", 0, 1001), person("root", 0, 1002), True),  # two people, each through sudo
        (person("svc", 900), person("svc", 900), False),
        (person("svc", 900), person("bob", 1002, 1002), True),
        (person("alice"), person("alice"), False),
        (person("alice"), person("bob"), True),
        (person("alice"), person("root", 0, 1001, "alice"), False),  # over TCP, then by sudo on the host
        (person("alice", 1001, 1001, "alice"), person("alice"), False),
    ],
)
def test_approvals_need_another_person(requester: Caller, approver: Caller, other: bool) -> None:
    assert rules.may_approve(requester, approver) is other
    assert rules.may_approve(approver, requester) is other


def test_the_page_of_permissions_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "permissions.md"
    assert page.read_text() == reference.markdown(), "run python -m engine.access.reference"
