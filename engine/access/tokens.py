"""Tokens over TCP: signed login tokens, each backed by a session row, and API keys of which only a hash is kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from engine.access import rules
from engine.access.models import Caller
from engine.api.errors import BadRequest, NotAuthenticated, NotFound
from engine.settings.models import Settings
from engine.settings.secrets import read_secret
from store import times
from store.ids import uuid7
from store.ops.errors import OpsDiskFull
from store.ops.ops import Ops
from store.ops.tables import api_tokens, role_bindings, sessions, users

KEY_PREFIX = "qdk_"
_ALGORITHM = "HS256"
_ISSUER = "quarterdeck"
_LEAST_KEY_BYTES = 32
_USED_EVERY = timedelta(minutes=1)
_SESSIONS_KEPT = timedelta(days=30)


class TokenService:
    """Makes, checks and revokes tokens. `home` is the folder that keeps the signing key unless settings name one."""

    def __init__(self, ops: Ops, settings: Settings, home: Path, clock: Callable[[], datetime] = times.utcnow) -> None:
        self._ops = ops
        self._settings = settings
        self._home = home
        self._clock = clock
        self._key: bytes | None = None

    def caller_of(self, token: str | None) -> Caller:
        """The caller who holds `token`. Raises NotAuthenticated for none, a wrong, an expired or a revoked one.

        A database that cannot be read raises OpsError: no token is ever accepted unchecked.
        """
        if not token:
            raise NotAuthenticated
        return self._of_api_key(token) if token.startswith(KEY_PREFIX) else self._of_session(token)

    # -- login sessions -----------------------------------------------------------------------------------------

    def start_session(self, user: Row[Any], address: str | None, agent: str | None) -> tuple[str, datetime, int]:
        """A signed token for a row of `users`: (token, when it expires, its life in seconds)."""
        import jwt

        now = self._clock().replace(microsecond=0)
        life = timedelta(hours=self._settings.engine.tcp.session_hours)
        session_id = uuid7()
        with self._ops.begin() as connection:
            connection.execute(sessions.delete().where(sessions.c.expires_at < now - _SESSIONS_KEPT))
            connection.execute(
                insert(sessions).values(
                    id=session_id,
                    user_id=user.id,
                    created_at=now,
                    expires_at=now + life,
                    address=address and address[:64],
                    agent=agent and agent[:255],
                )
            )
            connection.execute(update(users).where(users.c.id == user.id).values(last_login_at=now))
        claims = {
            "iss": _ISSUER,
            "sub": user.username,
            "jti": session_id,
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
        }
        return jwt.encode(claims, self._signing_key(), _ALGORITHM), now + life, int(life.total_seconds())

    def end_session(self, session_id: str) -> bool:
        """Revoke one login; False when there is no such open session."""
        return self._revoke_sessions(sessions.c.id == session_id) > 0

    def end_sessions_of(self, user_id: str) -> int:
        """Revoke every login of a user; returns how many were open."""
        return self._revoke_sessions(sessions.c.user_id == user_id)

    def active_sessions(self) -> int:
        """Logins that are neither expired nor revoked."""
        with self._ops.read() as connection:
            return int(
                connection.scalar(
                    select(func.count())
                    .select_from(sessions)
                    .where(sessions.c.revoked_at.is_(None), sessions.c.expires_at > self._clock())
                )
                or 0
            )

    def _revoke_sessions(self, condition: Any) -> int:
        now = self._clock()
        revoking = (
            update(sessions)
            .where(condition, sessions.c.revoked_at.is_(None), sessions.c.expires_at > now)
            .values(revoked_at=now)
        )
        return self._ops.finish(lambda connection: connection.execute(revoking).rowcount)

    def _of_session(self, token: str) -> Caller:
        import jwt

        try:
            claims = jwt.decode(
                token,
                self._signing_key(),
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                # Expiry is the session row's: one clock, the engine's, decides.
                options={"require": ["jti", "sub", "exp", "iss"], "verify_exp": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, ValueError):
            raise NotAuthenticated from None
        with self._ops.read() as connection:
            row = connection.execute(
                select(sessions.c.id, users.c.username, *_BINDING)
                .join(users, users.c.id == sessions.c.user_id)
                .join(role_bindings, role_bindings.c.user_id == users.c.id)
                .where(
                    sessions.c.id == str(claims["jti"]),
                    sessions.c.revoked_at.is_(None),
                    sessions.c.expires_at > self._clock(),
                    users.c.is_active.is_(True),
                )
            ).one_or_none()
        if row is None:
            raise NotAuthenticated
        return _caller(row.username, row)

    def _signing_key(self) -> bytes:
        if self._key is None:
            reference = self._settings.engine.tcp.signing_key
            key = read_secret(reference).encode() if reference else _key_file(self._home / "signing.key")
            if len(key) < _LEAST_KEY_BYTES:
                raise ValueError(f"the signing key needs at least {_LEAST_KEY_BYTES} bytes; make a longer one")
            self._key = key
        return self._key

    # -- API keys -----------------------------------------------------------------------------------------------

    def create_key(
        self,
        name: str,
        role: str,
        created_by: str,
        *,
        clouds: Sequence[str] | None = None,
        domains: Sequence[str] | None = None,
        projects: Sequence[str] | None = None,
        expires_days: int | None = None,
        also: Callable[[Connection], Any] | None = None,
    ) -> tuple[dict[str, Any], str]:
        """A new API key: (its public facts, the key itself, which is never shown again). Raises BadRequest.

        `also` runs in the same transaction (the audit record), here and in `revoke_key`.
        """
        if rules.rank(role) < 0:
            raise BadRequest(f"{role!r} is not a role; roles are {', '.join(rules.ROLES)}")
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        now = self._clock()
        key_id = uuid7()
        with self._ops.begin() as connection:
            connection.execute(
                insert(api_tokens).values(
                    id=key_id,
                    name=name,
                    secret_hash=_hash(secret),
                    role=role,
                    clouds=listed(clouds),
                    domains=listed(domains),
                    projects=listed(projects),
                    created_at=now,
                    created_by=created_by,
                    expires_at=None if expires_days is None else now + timedelta(days=expires_days),
                )
            )
            if also is not None:
                also(connection)
        return self.key(key_id), secret

    def key(self, key_id: str) -> dict[str, Any]:
        """Public facts of one API key. Raises NotFound."""
        found = self.keys(key_id)
        if not found:
            raise NotFound(f"no API key has the id {key_id}")
        return found[0]

    def keys(self, key_id: str | None = None) -> list[dict[str, Any]]:
        """Public facts of every API key, newest first; revoked ones too."""
        query = select(*(c for c in api_tokens.c if c.name not in ("secret_hash", "user_id")))
        if key_id is not None:
            query = query.where(api_tokens.c.id == key_id)
        with self._ops.read() as connection:
            return [dict(row) for row in connection.execute(query.order_by(api_tokens.c.id.desc())).mappings()]

    def revoke_key(self, key_id: str, also: Callable[[Connection], Any] | None = None) -> dict[str, Any]:
        """Make an API key worthless; its facts stay listed. Revoking it twice changes nothing. Raises NotFound."""

        def act(connection: Connection) -> None:
            connection.execute(
                update(api_tokens)
                .where(api_tokens.c.id == key_id, api_tokens.c.revoked_at.is_(None))
                .values(revoked_at=self._clock())
            )
            if also is not None:
                also(connection)

        self._ops.finish(act)
        return self.key(key_id)

    def _of_api_key(self, token: str) -> Caller:
        now = self._clock()
        with self._ops.read() as connection:
            row = connection.execute(
                select(api_tokens).where(
                    api_tokens.c.secret_hash == _hash(token),
                    api_tokens.c.revoked_at.is_(None),
                    or_(api_tokens.c.expires_at.is_(None), api_tokens.c.expires_at > now),
                )
            ).one_or_none()
        if row is None:
            raise NotAuthenticated
        if row.last_used_at is None or now - row.last_used_at >= _USED_EVERY:
            # On a full disk the key is good all the same.
            with contextlib.suppress(OpsDiskFull), self._ops.begin() as connection:
                connection.execute(update(api_tokens).where(api_tokens.c.id == row.id).values(last_used_at=now))
        return _caller(row.name, row)


_BINDING = (role_bindings.c.role, role_bindings.c.clouds, role_bindings.c.domains, role_bindings.c.projects)


def _caller(name: str, row: Any) -> Caller:
    return Caller(
        name=name,
        role=row.role,
        clouds=_limit(row.clouds),
        domains=_limit(row.domains),
        projects=_limit(row.projects),
        via="tcp",
        token_id=row.id,
    )


def _limit(listed: list[str] | None) -> tuple[str, ...] | None:
    return None if listed is None else tuple(listed)


def listed(names: Sequence[str] | None) -> list[str] | None:
    """A scope as its JSON column holds it."""
    return None if names is None else list(names)


def _hash(secret: str) -> str:
    # The secret has 256 random bits: a plain hash cannot be searched, so no slow one is needed.
    return hashlib.sha256(secret.encode()).hexdigest()


def _key_file(path: Path) -> bytes:
    """The key in `path`, made (0600) when missing. Raises PermissionError when others can read it."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return read_secret(f"file:{path}").encode()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(_LEAST_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    return read_secret(f"file:{path}").encode()
