"""What a token may see, per service. Pure rules: roles and the answers of probes in, decisions out.

Status codes alone do not tell: Cinder, Neutron, Glance and Nova's server groups answer 200 with fewer rows to a token
without rights ("silent filters"). So every service has a probe whose status does tell, asked for with the token that
will read the lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.clouds.session import Token

if TYPE_CHECKING:
    from store.types.declaration import ResourceType

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Probe:
    """A call that only a token with all projects' rights gets a 200 for. `alike` are statuses that say nothing: then
    roles decide."""

    path: str
    query: tuple[tuple[str, str], ...] = ()
    alike: tuple[int, ...] = (404,)


PROBES: dict[str, Probe] = {
    # Nova refuses the parameter itself.
    "compute": Probe("/servers", (("all_tenants", "1"), ("limit", "1"))),
    # volumes?all_tenants=1 answers 200 to everybody, the list of services does not.
    "block-storage": Probe("/os-services"),
    # Agents, ports, routers are filtered in silence; the list of quotas is refused.
    "network": Probe("/quotas", (("limit", "1"),)),
    # Images of others are left out in silence; tasks are refused.
    "image": Probe("/tasks", (("limit", "1"),)),
    "identity": Probe("/projects", (("limit", "1"),)),
}

# Services that answer a system-scoped token in a way that can be trusted. Neutron answers 200 with nothing, Nova and
# Glance 403.
_SYSTEM = ("identity",)
_DOMAIN = ("identity",)
# Services whose administrators' lists (agents) are empty for everybody else, with status 200: not to be believed.
_SILENT = ("network",)


def refusal(service: str, token: Token) -> str:
    """Why this token must not be used for lists of that service; "" when it may."""
    if token.scope == "system" and service not in _SYSTEM:
        return f"a system-scoped token shows no resources of the {service} service; add an account with a project"
    if token.scope.startswith("domain:") and service not in _DOMAIN:
        return f"a domain-scoped token shows no resources of the {service} service; add an account with a project"
    return ""


def granted(service: str, token: Token, status: int) -> bool:
    """Whether the token sees all projects' rows of the service, from its probe's HTTP status."""
    if refusal(service, token) or token.scope.startswith("domain:"):
        return False
    probe = PROBES.get(service)
    if probe is None or status in probe.alike:
        return ADMIN in token.roles
    return status == 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that could read a type: its name, its token, whether the service grants it all projects."""

    account: str
    token: Token
    all_projects: bool


@dataclass(frozen=True, slots=True)
class Share:
    """One account's part in reading a type: `scope` "all", or the id of the only project it reads."""

    account: str
    scope: str


def share_out(kind: ResourceType, candidates: Iterable[Candidate], last: str = "") -> list[Share]:
    """Which accounts read a type, so that each resource is read once: the widest one, else one per project.

    `last` is the account that read it before; among equals it goes on, because listings compare best with the same
    eyes.
    """
    order = sorted(candidates, key=lambda one: (one.account != last, one.account))
    wide = [one for one in order if one.all_projects]
    if wide:
        return [Share(wide[0].account, "all")]
    if not order:
        return []
    best = max(order, key=lambda one: _rank(one.token))
    if kind.listing.needs == ADMIN and kind.listing.service in _SILENT:
        return []
    if not kind.owner and kind.listing.needs != "owner" and kind.name != "project":
        return [Share(best.account, "all")]
    shares: dict[str, Candidate] = {}
    for one in order:
        project = one.token.project_id
        if project and (project not in shares or _rank(one.token) > _rank(shares[project].token)):
            shares[project] = one
    return [Share(one.account, project) for project, one in sorted(shares.items())]


def _rank(token: Token) -> tuple[int, int]:
    ranks: Sequence[str] = ("reader", "member", "manager", ADMIN)
    best = max((ranks.index(role) + 1 for role in token.roles if role in ranks), default=0)
    wide = 0 if token.scope.startswith("project:") else 1 if token.scope.startswith("domain:") else 2
    return (best, wide) if best < len(ranks) else (best, wide + 1)
