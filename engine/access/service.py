"""Who calls, and whether he may: one dependency that every route states."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts

from engine.access import rules
from engine.access.limits import Limits
from engine.access.models import Caller
from engine.access.tokens import TokenService
from engine.api.errors import Forbidden, NotAuthenticated
from engine.api.reference import permission_of
from engine.settings.models import Settings
from store.ops.ops import Ops

PEER = "qdeck.peer"  # scope["extensions"]: set by the socket's protocol from the kernel's word
CALLER = "qdeck.caller"  # scope["extensions"]: set by the engine that runs inside its client's process

# The login uid of a process that no login started.
_NO_LOGIN = 0xFFFFFFFF

_NAMES_KEPT_SECONDS = 30.0
_NAMES_KEPT = 4096

_log = structlog.get_logger("qdeck.access")

ANYONE = Caller(name="anonymous", role="viewer", via="tcp")


class AccessService:
    """Permissions of the engine's API.

    settings  effective settings: `engine.group` makes the engine shared, `access` gives roles on a shared one
    tokens    login sessions and API keys; made from `ops` when not given (then with the engine's home beside ops)
    """

    def __init__(self, ops: Ops, settings: Settings, tokens: TokenService | None = None) -> None:
        self.ops = ops
        self.settings = settings
        self.tokens = tokens or TokenService(ops, settings, home=ops.path.parent)
        self.limits = Limits()
        self._known: dict[tuple[int, int | None], tuple[float, Caller | None]] = {}

    def requires(self, permission: str) -> Callable[[Request], Awaitable[Caller]]:
        """A FastAPI dependency that lets only callers with `permission` through and returns the Caller.

        permission: `resource:level`, `authenticated` (any known caller) or `public` (anybody; over TCP without a token
        the caller is `ANYONE`). Raises ValueError at once for a permission that the matrix does not know.
        """
        rules.check_permission(permission)

        async def permitted(request: Request) -> Caller:
            caller = await self._identify(request, permission == rules.PUBLIC)
            self.check(caller, permission)
            request.scope.setdefault("state", {})["caller"] = caller
            return caller

        permitted.permission = permission  # type: ignore[attr-defined]
        return permitted

    def check(self, caller: Caller, permission: str) -> None:
        """Raise Forbidden ("Permission denied: requires servers:read") when the caller lacks `permission`."""
        if not rules.allows(caller.role, permission):
            _log.warning("permission denied", caller=caller.name, role=caller.role, requires=permission)
            raise Forbidden(f"Permission denied: requires {permission}")

    def check_manager(self, caller: Caller) -> None:
        """Raise Forbidden when the caller's role is limited: he could give himself one that is not."""
        if not rules.may_manage_access(caller):
            raise Forbidden("Permission denied: a role limited to clouds, domains or projects cannot manage users")

    def caller_of(self, scope: Mapping[str, Any]) -> Caller:
        """The caller of an ASGI request, by socket peer, embedding, or token. Raises NotAuthenticated, Forbidden."""
        extensions = scope.get("extensions") or {}
        if (embedded := extensions.get(CALLER)) is not None:
            return embedded
        if (peer := extensions.get(PEER)) is not None:
            return self._of_peer(peer["uid"], _login(peer.get("login_uid")))
        return self.tokens.caller_of(_token(scope))

    def check_routes(self, app: FastAPI) -> None:
        """Raise RuntimeError that lists every route which states no permission: such an engine must not start."""
        silent = sorted(
            f"{' '.join(sorted(route.methods or {'*'}))} {route.path}"
            for route in iter_route_contexts(app.routes)
            if permission_of(route) is None
        )
        if silent:
            raise RuntimeError(
                "these routes state no permission (use access.requires, also for public ones; the framework's own are "
                "switched off with openapi_url=None; a dependency made inside a function is not seen in a module with "
                "postponed annotations): " + ", ".join(silent)
            )

    async def _identify(self, request: Request, public: bool) -> Caller:
        extensions = request.scope.get("extensions") or {}
        if CALLER in extensions:
            return extensions[CALLER]
        if (peer := extensions.get(PEER)) is not None:
            known = self._recent(peer["uid"], _login(peer.get("login_uid")))
            if known is not None:
                return known
            # A host's user database may be a network service: never ask it on the event loop.
            return await asyncio.to_thread(self.caller_of, request.scope)
        address = request.client.host if request.client else "unknown"
        state = request.scope.setdefault("state", {})
        try:
            caller = await asyncio.to_thread(self.tokens.caller_of, _token(request.scope))
        except NotAuthenticated:
            # Guessing is limited by address, so that it cannot use up somebody's own share.
            self.limits.request(f"address:{address}", state)
            if public:
                return ANYONE
            raise
        self.limits.request(f"token:{caller.token_id}", state)
        return caller

    def _recent(self, uid: int, login_uid: int | None) -> Caller | None:
        """The caller as looked up in the last half minute; None when he was not, or was refused."""
        at, caller = self._known.get((uid, login_uid), (float("-inf"), None))
        return caller if time.monotonic() - at <= _NAMES_KEPT_SECONDS else None

    def _of_peer(self, uid: int, login_uid: int | None) -> Caller:
        caller = self._recent(uid, login_uid)
        if caller is None:
            caller = self._look_up(uid, login_uid)
            if len(self._known) > _NAMES_KEPT:
                self._known.clear()
            self._known[(uid, login_uid)] = (time.monotonic(), caller)
        if caller is None:
            raise Forbidden(
                f"this engine does not answer user {_name(uid) or uid}; ask its administrator for a role in qdeck.toml"
                if self.settings.shared
                else f"this engine belongs to user {_name(os.getuid()) or os.getuid()} and answers nobody else"
            )
        return caller

    def _look_up(self, uid: int, login_uid: int | None) -> Caller | None:
        """The caller for a uid; None when the engine does not answer it. Asks the host's user database."""
        name = _name(uid)
        login_name = None if login_uid is None else _name(login_uid)
        if uid == os.getuid():
            return Caller(name or str(uid), uid, login_uid, login_name, "superadmin")
        if not self.settings.shared:
            return None
        grant = rules.grant_of(name, _groups(name), self.settings.access.users, self.settings.access.groups)
        if grant is None:
            return None
        return Caller(
            name or str(uid), uid, login_uid, login_name, grant.role, grant.clouds, grant.domains, grant.projects
        )


def _token(scope: Mapping[str, Any]) -> str | None:
    """The bearer token or API key of a request; None when there is none. A second one makes both worthless."""
    found = []
    for name, value in scope.get("headers", ()):
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            found.append(token.strip() if kind.lower() == "bearer" else "")
        elif name == b"x-api-key":
            found.append(value.decode("latin-1").strip())
    return found[0] if len(found) == 1 and found[0] else None


def _login(uid: int | None) -> int | None:
    return None if uid in (None, _NO_LOGIN, -1) else uid


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return None


def _groups(name: str | None) -> list[str]:
    if name is None:
        return []
    found = []
    for gid in os.getgrouplist(name, pwd.getpwnam(name).pw_gid):
        try:
            found.append(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue  # a group without a name cannot be in the configuration
    return found
