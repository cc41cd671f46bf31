"""Users of the console over TCP: made, changed and removed by a superadmin; log in with a password."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from engine.access import passwords, rules
from engine.access.models import Caller
from engine.access.tokens import TokenService, listed
from engine.api.errors import BadRequest, Conflict, NotAuthenticated, NotFound
from store import times
from store.ids import uuid7
from store.ops.ops import Ops
from store.ops.tables import role_bindings, users

Also = Callable[[Connection], Any]
_SCOPES = ("clouds", "domains", "projects")


class WrongPassword(NotAuthenticated):
    """The name, the password, or both are wrong; which one is never told."""

    def __init__(self) -> None:
        super().__init__("Invalid username or password")


class UserService:
    """Users, their roles and their logins. Methods that hash a password block for some 50 ms."""

    def __init__(self, ops: Ops, tokens: TokenService, clock: Callable[[], datetime] = times.utcnow) -> None:
        self._ops = ops
        self._tokens = tokens
        self._clock = clock

    def users(self) -> list[dict[str, Any]]:
        """Every user by name: id, username, role, scopes, is_active, created_at, created_by, last_login_at."""
        with self._ops.read() as connection:
            return [dict(row) for row in connection.execute(_LISTED.order_by(users.c.username)).mappings()]

    def user(self, username: str) -> dict[str, Any]:
        """One user, as in `users`. Raises NotFound."""
        with self._ops.read() as connection:
            row = connection.execute(_LISTED.where(users.c.username == username)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"no user is named {username}")
        return dict(row)

    def create(
        self,
        username: str,
        password: str,
        role: str,
        by: str,
        *,
        clouds: Sequence[str] | None = None,
        domains: Sequence[str] | None = None,
        projects: Sequence[str] | None = None,
        also: Also | None = None,
    ) -> dict[str, Any]:
        """Make a user. `also` runs in the same transaction. Raises BadRequest, Conflict when the name is taken."""
        _check_role(role)
        hashed = passwords.hash_password(_checked(password))
        now, user_id = self._clock(), uuid7()
        with self._ops.begin() as connection:
            if connection.execute(select(users.c.id).where(users.c.username == username)).first():
                raise Conflict(f"a user named {username} exists already")
            connection.execute(
                insert(users).values(id=user_id, username=username, password_hash=hashed, created_at=now, created_by=by)
            )
            connection.execute(
                insert(role_bindings).values(
                    user_id=user_id,
                    role=role,
                    updated_at=now,
                    updated_by=by,
                    clouds=listed(clouds),
                    domains=listed(domains),
                    projects=listed(projects),
                )
            )
            if also is not None:
                also(connection)
        return self.user(username)

    def change(self, username: str, by: str, changes: dict[str, Any], also: Also | None = None) -> dict[str, Any]:
        """Change `password`, `role`, `is_active` and scopes, those given. A new password or a user made inactive ends
        every login of the user. Raises NotFound, BadRequest.
        """
        found = self.user(username)
        own: dict[str, Any] = {}
        if (password := changes.get("password")) is not None:
            own["password_hash"] = passwords.hash_password(_checked(password))
        if changes.get("is_active") is not None:
            own["is_active"] = changes["is_active"]
        bound = {name: changes[name] for name in _SCOPES if name in changes}
        if changes.get("role") is not None:
            bound["role"] = changes["role"]
            _check_role(bound["role"])
        with self._ops.begin() as connection:
            if own:
                connection.execute(update(users).where(users.c.id == found["id"]).values(own))
            if bound:
                bound |= {"updated_at": self._clock(), "updated_by": by}
                connection.execute(update(role_bindings).where(role_bindings.c.user_id == found["id"]).values(bound))
            if also is not None:
                also(connection)
        if "password_hash" in own or own.get("is_active") is False:
            self._tokens.end_sessions_of(found["id"])
        return self.user(username)

    def remove(self, username: str, also: Also | None = None) -> None:
        """Remove a user and his logins. What he did stays in the audit by name. Raises NotFound."""
        with self._ops.begin() as connection:
            if not connection.execute(delete(users).where(users.c.username == username)).rowcount:
                raise NotFound(f"no user is named {username}")
            if also is not None:
                also(connection)

    def log_in(self, username: str, password: str, address: str | None, agent: str | None) -> dict[str, Any]:
        """The documented answer to a login. Raises WrongPassword, after the same time whatever was wrong."""
        with self._ops.read() as connection:
            row = connection.execute(
                select(users, role_bindings.c.role)
                .join(role_bindings, role_bindings.c.user_id == users.c.id)
                .where(users.c.username == username)
            ).one_or_none()
        right = passwords.verify_password(password, row.password_hash if row is not None else None)
        if row is None or not right or not row.is_active:
            raise WrongPassword
        if passwords.outdated(row.password_hash):
            better = passwords.hash_password(password)
            with self._ops.begin() as connection:
                connection.execute(update(users).where(users.c.id == row.id).values(password_hash=better))
        token, expires_at, seconds = self._tokens.start_session(row, address, agent)
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": seconds,
            "expires_at": expires_at,
            "user": {"username": row.username, "role": row.role, "is_active": row.is_active},
        }

    def log_out(self, caller: Caller) -> None:
        """End the caller's login. Raises BadRequest when he did not come with one."""
        if caller.token_id is None or not self._tokens.end_session(caller.token_id):
            raise BadRequest("there is no login to end: this connection is known by its user or its API key")


_LISTED = select(
    *(users.c[name] for name in ("id", "username", "is_active", "created_at", "created_by", "last_login_at")),
    *(role_bindings.c[name] for name in ("role", *_SCOPES)),
).join(role_bindings, role_bindings.c.user_id == users.c.id)


def _check_role(role: str) -> None:
    if rules.rank(role) < 0:
        raise BadRequest(f"{role!r} is not a role; roles are {', '.join(rules.ROLES)}")


def _checked(password: str) -> str:
    if not passwords.LEAST_LENGTH <= len(password) <= passwords.MOST_LENGTH:
        raise BadRequest(f"a password has {passwords.LEAST_LENGTH} to {passwords.MOST_LENGTH} characters")
    return password
