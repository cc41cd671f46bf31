"""What a listing could see. Pure rules: no input or output, tested with a table of cases.

The same call answers 200 with 64 volumes to an administrator and 200 with 2 to a member, so "it is no longer
listed" means "it is gone" only
when the listing could see at least as much as the one that saw the resource last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Relation = Literal["same", "wider", "narrower", "different"]


@dataclass(frozen=True, slots=True)
class Visibility:
    """Who asked, with which rights.

    endpoint      the service's endpoint as the catalog names it
    user_id       the token's user
    scope         "project:<id>", "domain:<id>" or "system"
    roles         the token's roles, sorted
    all_projects  all projects' rows were asked for and this was granted (known by roles and probes, not by the
    status code)
    """

    endpoint: str
    user_id: str
    scope: str
    roles: tuple[str, ...]
    all_projects: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", tuple(sorted(set(self.roles))))

    def covers(self, other: Visibility) -> Relation:
        """How this visibility relates to `other`: "wider" means that everything `other` saw is seen by this one too.

        "different" is the safe answer: neither is known to contain the other, so neither may delete what only the
        other saw.
        """
        if self == other:
            return "same"
        if self.endpoint != other.endpoint:
            return "different"
        if self.all_projects != other.all_projects:
            return "wider" if self.all_projects else "narrower"
        if self.all_projects:
            return self._by_roles(other) if self.scope == other.scope else "different"
        if self.scope != other.scope or self.user_id != other.user_id:
            return "different"
        return self._by_roles(other)

    def _by_roles(self, other: Visibility) -> Relation:
        """Roles only add rights, so more roles see at least as much."""
        mine, theirs = set(self.roles), set(other.roles)
        if mine == theirs:
            return "same"
        if mine > theirs:
            return "wider"
        return "narrower" if mine < theirs else "different"
