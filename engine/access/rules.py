"""What each role may do, as a table; and the pure decisions made from it.

Resources and levels are those of the documented matrix: `read`, `write` (includes read), `admin` (includes both), and a
few actions of their own. A permission is written `resource:level`; `public` and `authenticated` name no resource.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.access.models import Caller
from engine.settings.models import Grant
from engine.settings.roles import ROLES, Role

PUBLIC = "public"
AUTHENTICATED = "authenticated"

_LEVELS: Mapping[str, frozenset[str]] = {
    "-": frozenset(),
    "r": frozenset({"read"}),
    "w": frozenset({"read", "write"}),
    "a": frozenset({"read", "write", "admin"}),
}

# Levels for viewer, operator, technical, admin, superadmin.
_TABLE: tuple[tuple[str, str], ...] = (
    (
        "r r r a a",
        "servers volumes snapshots subnets ports floatingips images hypervisors history inventory domains projects "
        "dashboard security_groups tenant_health snapshot_policy_sets snapshot_runs snapshot_records departments "
        "navigation metering",
    ),
    # The API text gives acknowledging drift to "operator and above", which the documented matrix forgot.
    ("r w w a a", "drift"),
    ("r w w a a", "networks flavors snapshot_assignments snapshot_exclusions resources"),
    ("r r r w a", "monitoring restore"),
    ("r r - - a", "users"),
    ("r r r r a", "audit"),
    ("r r r r r", "reports"),
    ("w w w a a", "notifications tickets"),
    ("r w - a a", "runbooks"),
    ("r r r a a", "copilot"),
    ("r r - a a", "search"),
    ("r r w a a", "migration"),
    ("- - w a a", "provisioning"),
    ("r r r w w", "branding"),
    ("- - r w w", "backup mfa"),
    ("- - r a a", "api_metrics system_logs"),
    (
        "r r - r a",
        "host_aggregates keypairs server_groups volume_types project_quotas system_metadata inventory_versions",
    ),
    ("r r r w w", "sla intelligence"),
    # What the documents have no word for: the engine itself, its clouds, its collections and its settings.
    ("r r r w a", "clouds settings"),
    ("r w w a a", "collections problems"),
    ("r r r w a", "engine"),
)

ACTIONS: Mapping[str, Mapping[str, tuple[Role, ...]]] = {
    "provisioning": {
        "tenant_disable": ("admin", "superadmin"),
        "tenant_delete": ("admin", "superadmin"),
        "resource_delete": ("admin", "superadmin"),
    }
}


def _matrix() -> dict[str, dict[Role, frozenset[str]]]:
    made: dict[str, dict[Role, frozenset[str]]] = {}
    for levels, resources in _TABLE:
        for resource in resources.split():
            made[resource] = {
                role: _LEVELS[level] | {a for a, r in ACTIONS.get(resource, {}).items() if role in r}
                for role, level in zip(ROLES, levels.split(), strict=True)
            }
    return made


MATRIX: Mapping[str, Mapping[Role, frozenset[str]]] = _matrix()

# Resource types (plural, as in store.types) whose permission has another name in the matrix. Types that the matrix
# does not know fall under `resources`; so do the cloud's own users, groups and roles: the API documents no permission
# for reading them, and `users` means the people who use the console.
_TYPE_RESOURCES: Mapping[str, str] = {
    "floating_ips": "floatingips",
    "security_group_rules": "security_groups",
    "aggregates": "host_aggregates",
    "quotas": "project_quotas",
    "users": "resources",
    "backups": "resources",
}


def check_permission(permission: str) -> None:
    """Raise ValueError when `permission` is not one that the matrix can grant: a route with a slip must not start."""
    if permission in (PUBLIC, AUTHENTICATED):
        return
    resource, _, level = permission.partition(":")
    known = MATRIX.get(resource)
    if known is None:
        raise ValueError(f"{permission!r} names no resource of the permission matrix: {', '.join(sorted(MATRIX))}")
    levels = {"read", "write", "admin", *ACTIONS.get(resource, {})}
    if level not in levels:
        raise ValueError(f"{permission!r} has no known level; {resource} has {', '.join(sorted(levels))}")


def allows(role: str, permission: str) -> bool:
    """Whether `role` holds `permission`. Unknown roles hold nothing but `public`."""
    if permission == PUBLIC:
        return True
    if role not in ROLES:
        return False
    if permission == AUTHENTICATED:
        return True
    resource, _, level = permission.partition(":")
    return level in MATRIX.get(resource, {}).get(role, frozenset())


def resource_of_type(plural: str) -> str:
    """The matrix's resource for a resource type, by its plural name ("security_group_rules" -> "security_groups")."""
    named = _TYPE_RESOURCES.get(plural, plural)
    return named if named in MATRIX else "resources"


def may_manage_access(caller: Caller) -> bool:
    """Whether the caller may make users and keys: a limited one could give himself a role without limits."""
    return allows(caller.role, "users:admin") and not caller.limited


def rank(role: str) -> int:
    """Position from weakest (0) to strongest; -1 for what is no role."""
    return ROLES.index(role) if role in ROLES else -1


def grant_of(
    user: str | None, groups: Sequence[str], users: Mapping[str, Grant], by_group: Mapping[str, Grant]
) -> Grant | None:
    """The grant of a host's user on a shared engine: its own entry, else the strongest of its groups', else None.

    Groups of equal role are not merged: the first by name counts, so that the outcome does not depend on the order in
    which the host lists them.
    """
    if user is not None and user in users:
        return users[user]
    found = [(-rank(by_group[name].role), name) for name in set(groups) if name in by_group]
    return by_group[min(found)[1]] if found else None


def may_approve(requester: Caller, approver: Caller) -> bool:
    """Whether `approver` is another person than `requester`.

    Compared by the login uid where both have one, so that nobody approves his own request through sudo; a caller
    without one is compared by uid, and over TCP by name. Where the two cannot be told apart the answer is no.
    """
    if requester.login_uid is not None and approver.login_uid is not None:
        return requester.login_uid != approver.login_uid
    if requester.uid is not None and approver.uid is not None:
        return requester.uid != approver.uid and requester.name != approver.name
    names = ({c.name, c.login_name} - {None} for c in (requester, approver))
    return set.isdisjoint(*names)
