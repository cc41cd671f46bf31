"""Login and logout over TCP, and the users and API keys behind them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from engine.access.messages import (
    ChangedUser,
    Login,
    LoginAnswer,
    MadeToken,
    NewToken,
    NewUser,
    Said,
    Token,
    Tokens,
    User,
    Users,
    WhoAmI,
)
from engine.access.models import Caller
from engine.access.service import CALLER, PEER, AccessService
from engine.access.users import UserService, WrongPassword
from engine.api.answers import JsonAnswer

Record = Callable[..., Any]
Name = Annotated[str, Path(max_length=255)]
_TAGS: list[str | Enum] = ["users of the console"]


def routes(access: AccessService, users: UserService, record: Record) -> APIRouter:
    """`/auth/*`, `/q/whoami`, `/q/users` and `/q/tokens`. `record` is AuditService.record."""
    router = APIRouter(default_response_class=JsonAnswer)
    _add_logins(router, access, users, record)
    _add_users(router, access, users, record)
    _add_tokens(router, access, record)
    return router


def _add_logins(router: APIRouter, access: AccessService, users: UserService, record: Record) -> None:
    # Threads of its own: a flood of logins must not take those in which everybody else's tokens are looked up.
    hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="login")

    @router.post("/auth/login", tags=["authentication"], response_model=LoginAnswer)
    async def log_in(
        login: Login, request: Request, caller: Annotated[Caller, Depends(access.requires("public"))]
    ) -> Response:
        """Exchange name and password for a token that lasts 8 hours."""
        address = request.client.host if request.client else None
        if not _is_local(request):
            access.limits.login(address or "unknown", request.scope["state"])
        # The audit tells who tried, also where the name is no user's; what was typed as a password never.
        claimed = Caller(name=login.username, uid=caller.uid, login_uid=caller.login_uid, via=caller.via)
        detail = {"address": address, "agent": request.headers.get("user-agent", "")[:255]}
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                hashing, users.log_in, login.username, login.password, address, detail["agent"]
            )
        except WrongPassword:
            await asyncio.to_thread(record, claimed, "auth.login", login.username, detail, "refused")
            raise
        await asyncio.to_thread(record, claimed, "auth.login", login.username, detail)
        return JsonAnswer(found)

    @router.post("/auth/logout", tags=["authentication"], response_model=Said)
    def log_out(caller: Annotated[Caller, Depends(access.requires("authenticated"))]) -> Response:
        """End the login whose token came with this request; the token is worthless from now on."""
        users.log_out(caller)
        record(caller, "auth.logout", caller.name, ending=True)
        return JsonAnswer({"detail": "Logged out"})

    @router.get("/q/whoami", tags=["authentication"], response_model=WhoAmI)
    def who_am_i(caller: Annotated[Caller, Depends(access.requires("authenticated"))]) -> Response:
        """Who the engine takes the caller for: name, role, scope, and the login behind sudo."""
        names = ("name", "uid", "login_uid", "login_name", "role", "clouds", "domains", "projects", "via")
        return JsonAnswer({name: getattr(caller, name) for name in names})


def _add_users(router: APIRouter, access: AccessService, users: UserService, record: Record) -> None:
    reader, admin = access.requires("users:read"), access.requires("users:admin")

    @router.get("/q/users", tags=_TAGS, response_model=Users)
    def every_user(caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Everybody who may log in over TCP."""
        return JsonAnswer({"items": users.users()})

    @router.post("/q/users", tags=_TAGS, status_code=201, response_model=User)
    def create_user(new: NewUser, caller: Annotated[Caller, Depends(admin)]) -> Response:
        """Make a user."""
        access.check_manager(caller)
        facts = new.model_dump(exclude={"username", "password"})

        def also(connection: Any) -> None:
            record(caller, "user.create", new.username, facts, connection=connection)

        made = users.create(new.username, new.password, by=caller.name, also=also, **facts)
        return JsonAnswer(made, status_code=201)

    @router.put("/q/users/{username}", tags=_TAGS, response_model=User)
    def change_user(username: Name, changed: ChangedUser, caller: Annotated[Caller, Depends(admin)]) -> Response:
        """Change a user's role, scope, password or activity; fields left out stay."""
        access.check_manager(caller)
        given = changed.model_dump(exclude_unset=True)
        facts = {name: value for name, value in given.items() if name != "password"}

        def also(connection: Any) -> None:
            detail = {**facts, "new_password": "password" in given}
            record(caller, "user.change", username, detail, connection=connection)

        return JsonAnswer(users.change(username, caller.name, given, also))

    @router.delete("/q/users/{username}", tags=_TAGS, status_code=204)
    def remove_user(username: Name, caller: Annotated[Caller, Depends(admin)]) -> Response:
        """Remove a user and end his logins."""
        access.check_manager(caller)

        def also(connection: Any) -> None:
            record(caller, "user.remove", username, connection=connection)

        users.remove(username, also)
        return Response(status_code=204)


def _add_tokens(router: APIRouter, access: AccessService, record: Record) -> None:
    admin = access.requires("users:admin")

    @router.get("/q/tokens", tags=_TAGS, response_model=Tokens)
    def every_token(caller: Annotated[Caller, Depends(admin)]) -> Response:
        """Every API key's facts; the keys themselves are not kept."""
        return JsonAnswer({"items": access.tokens.keys()})

    @router.post("/q/tokens", tags=_TAGS, status_code=201, response_model=MadeToken)
    def create_token(new: NewToken, caller: Annotated[Caller, Depends(admin)]) -> Response:
        """Make an API key. The answer's `token` is shown this once."""
        access.check_manager(caller)

        def also(connection: Any) -> None:
            record(caller, "token.create", new.name, new.model_dump(exclude={"name"}), connection=connection)

        facts, token = access.tokens.create_key(created_by=caller.name, also=also, **new.model_dump())
        return JsonAnswer({**facts, "token": token}, status_code=201)

    @router.delete("/q/tokens/{token_id}", tags=_TAGS, response_model=Token)
    def revoke_token(token_id: Name, caller: Annotated[Caller, Depends(admin)]) -> Response:
        """Revoke an API key."""
        access.check_manager(caller)
        name = access.tokens.key(token_id)["name"]

        def also(connection: Any) -> None:
            record(caller, "token.revoke", name, {"id": token_id}, connection=connection)

        return JsonAnswer(access.tokens.revoke_key(token_id, also))


def _is_local(request: Request) -> bool:
    extensions = request.scope.get("extensions") or {}
    return PEER in extensions or CALLER in extensions
