"""Tokens, and what the token's roles allow: the policies the services ship with."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.demo.people import Domain, Project, User
from engine.demo.state import IMPLIED, Assignment, State

LIFETIME = 12 * 3600


class Unknown(LookupError):
    """Something was named that is not there."""


@dataclass
class Token:
    """A token; its times are wall-clock, not the cloud's: clients compare them with their own clock."""

    id: str
    user: User
    methods: list[str]
    roles: tuple[str, ...]
    issued: float
    expires: float
    audit_ids: list[str]
    project: Project | None = None
    domain: Domain | None = None
    system: bool = False
    revoked: bool = False

    @property
    def project_id(self) -> str:
        return self.project.id if self.project else ""

    @property
    def admin(self) -> bool:
        """What the services' default policy calls admin: the role, on whatever scope."""
        return "admin" in self.roles

    @property
    def project_admin(self) -> bool:
        return self.admin and self.project is not None

    @property
    def writes(self) -> bool:
        return self.project is not None and "member" in self.roles

    @property
    def reads(self) -> bool:
        return self.project is not None and "reader" in self.roles


@dataclass
class Tokens:
    """The tokens that were given out, and who may have one."""

    state: State
    password: str
    known: dict[str, Token] = field(default_factory=dict)

    def roles_on(
        self, user: User, *, project: Project | None = None, domain: Domain | None = None, system: bool = False
    ) -> tuple[str, ...]:
        """Roles of the user on a scope, direct, through groups and implied ones, in the order of ROLES."""
        groups = {group.id for group in self.state.groups if user.id in group.members}
        found: set[str] = set()
        for given in self.state.assignments:
            mine = given.user == user.id or given.group in groups
            here = (
                (project is not None and given.project == project.id)
                or (domain is not None and given.domain == domain.id)
                or (system and given.system)
            )
            if mine and here:
                found.add(given.role)
        for role in list(found):
            implied = IMPLIED.get(role)
            while implied:
                found.add(implied)
                implied = IMPLIED.get(implied)
        return tuple(role for role in self.state.role_ids if role in found)

    def issue(self, user: User, methods: list[str], parent: Token | None = None, **scope: object) -> Token | None:
        """A new token for the scope; None when the user has no role there."""
        roles = self.roles_on(user, **scope) if scope else ()  # type: ignore[arg-type]
        if scope and not roles:
            return None
        now = time.time()
        expires = parent.expires if parent else now + LIFETIME
        audit = [secrets.token_urlsafe(16)] + ([parent.audit_ids[-1]] if parent else [])
        token = Token(
            "gAAAAAB" + secrets.token_urlsafe(132),
            user,
            methods,
            roles,
            now,
            expires,
            audit,
            **scope,  # type: ignore[arg-type]
        )
        self.known[token.id] = token
        if len(self.known) > 5000:
            self.known = {id: known for id, known in self.known.items() if self._valid(known)}
        return token

    def find(self, id: str | None) -> Token | None:
        """The token, if it is one of ours and still good."""
        token = self.known.get(id or "")
        return token if token and self._valid(token) else None

    def _valid(self, token: Token) -> bool:
        return not token.revoked and token.expires > time.time() and token.user.enabled

    def expire(self, user_name: str | None = None) -> int:
        """Makes all tokens (of one user) worthless at once; how many."""
        return self.end(lambda token: user_name in (None, token.user.name))

    def change_role(self, user: User, role: str, given: bool, **scope: object) -> int:
        """Gives or takes a role. Taken: the user's tokens for that scope end, as Keystone's revocation events do."""
        assignment = Assignment(role, user=user.id, **scope)  # type: ignore[arg-type]
        if given:
            self.state.assignments[assignment] = None
            return 0
        if self.state.assignments.pop(assignment, "none") == "none":
            raise Unknown(f"{user.name} does not have the role {role} there")
        return self.end(lambda token: token.user is user and _scope_of(token) == scope)

    def check(self, user: User, role: str, **scope: object) -> None:
        """Raises Unknown when the user does not have the role there directly."""
        if Assignment(role, user=user.id, **scope) not in self.state.assignments:  # type: ignore[arg-type]
            raise Unknown(f"{user.name} does not have the role {role} there")

    def end(self, which: Callable[[Token], bool]) -> int:
        """Ends the tokens that pass; how many."""
        found = [token for token in self.known.values() if not token.revoked and which(token)]
        for token in found:
            token.revoked = True
        return len(found)


def _scope_of(token: Token) -> dict[str, object]:
    """A token's scope as assignments name it."""
    if token.project is not None:
        return {"project": token.project.id}
    return {"domain": token.domain.id} if token.domain is not None else {"system": token.system}
